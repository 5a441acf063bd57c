"""整合性確認: the municipality's server compares its residents with ours, and one lie is found."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from appliance.model import JST
from scripts.demo.cast import Cast
from scripts.demo.grounds import MUNICIPALITY
from scripts.demo.people import REGISTRAR
from scripts.demo.stage import Stage
from scripts.demo.town import store
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.notices import Notice
from tests.simulators.reconcile import Outcome, Reconciler, over


def compare(stage: Stage, cast: Cast) -> None:
    """Compare both files as they are, then with one address changed in the municipality's."""
    with MunicipalFile(store(stage.grounds.municipality)) as file:
        residents = list(file.current())
    with stage.steps.step("the municipality's residents and ours agree") as step:
        step.asks("reconcile/begin, digest, finish by the municipality's server")
        outcome = _compared(stage, residents)
        step.saw(outcome.text, outcome.result == "agreed")
        sent = f"{outcome.sent_bytes:,} bytes sent about {outcome.residents:,} residents"
        step.saw(f"{sent}, no record opened", outcome.findings == [])
    who, elsewhere = cast.sawako.resident_code, cast.minoru[0].address
    with stage.steps.step("one address that differs is found, and nothing else") as step:
        step.asks("the same, after an address was changed in the municipality's file")
        lied = [replace(r, address=elsewhere) if r.resident_code == who else r for r in residents]
        outcome = _compared(stage, lied)
        found = [(each["resident_code"], each["items"]) for each in outcome.findings]
        step.saw(f"{found} in {outcome.requests} requests", found == [(who, ["address"])])
        step.saw(outcome.text, elsewhere not in str(outcome.findings))
    with stage.steps.step("staff read the result, and when the next one is due") as step:
        step.asks("reconcile/report, reconcile/status by the registrar")
        registrar = stage.people[REGISTRAR.name]
        report = registrar.gets("reconcile/report", {"run": outcome.run})
        told = [(each["kind"], each["resident_code"]) for each in report["findings"]]
        step.saw(str(told), told == [("differing", who)])
        step.asks("reconcile/runs of these days")
        today = datetime.now(JST).date()
        days = {"since": (today - timedelta(days=1)).isoformat(), "until": today.isoformat()}
        runs = registrar.gets("reconcile/runs", days)["runs"]
        step.saw(f"{len(runs)} runs, the last of them this one", runs[-1]["run"] == outcome.run)
        step.asks("reconcile/plan every seven days")
        planned = {"municipality_codes": [MUNICIPALITY], "every_days": 7}
        registrar.gets("reconcile/plan", planned, key="every-seven-days")
        calendar = registrar.gets("reconcile/status", {})
        (row,) = calendar["municipalities"]
        step.saw(f"{row['municipality_code']} {row['last_result']} on {row['last_on']}")
        step.saw(f"due {row['due']}", not row["overdue"])


def _compared(stage: Stage, residents: Iterable[Notice]) -> Outcome:
    with stage.link(stage.grounds.municipality, f"cs-{MUNICIPALITY}") as link:
        return Reconciler(over(link), residents).run()
