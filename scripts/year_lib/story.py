"""What happens in the year, from the first share to the verdict.

The appliance, the national server and the municipalities' servers are processes of their own and
speak over mutual TLS. In some slices the national server is not there: once it was told to end,
once it was killed.
"""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from appliance.certificates import CertificateAuthority
from scripts.demo import founding
from scripts.demo.agreement import Agreement, judge
from scripts.demo.children import Failed, simulator
from scripts.demo.people import ADMINISTRATOR, OFFICER, agreed, log_in
from scripts.demo.servers import wait_for_outbox
from scripts.demo.stage import Stage
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.reconcile import Reconciler, over
from tests.simulators.year import Made, Plan, make

DOWN_SHARE = 0.1
DELIVERY_SECONDS = 600.0


@dataclass(slots=True)
class Outcome:
    """What the year came to."""

    made: Made
    load_seconds: float = 0.0
    year_seconds: float = 0.0
    answered: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    unexpected: list[dict[str, Any]] = field(default_factory=list)
    held_at_the_end: dict[str, int] = field(default_factory=dict)
    slices_national_down: list[int] = field(default_factory=list)
    agreement: Agreement = field(default_factory=Agreement)
    check_clean: bool = False
    peak_mib: int = 0

    @property
    def right(self) -> bool:
        """Whether everything was answered as planted, nobody waits, and all files agree."""
        agrees = self.agreement.holds and self.check_clean
        return agrees and not self.unexpected and not self.held_at_the_end


def play(stage: Stage, plan: Plan) -> Outcome:
    """Play the year.

    Raises:
        Failed: a process does not do its part.
    """
    steps, folder = stage.steps, stage.grounds.municipality
    steps.act("1  A prefecture is made up")
    with steps.step("45 municipalities, and what happens in a year", vital=True) as step:
        step.asks(f"{plan.residents:,} residents, {plan.notices:,} notices, seed {plan.seed}")
        outcome = Outcome(make(plan, folder))
        planted = sum(outcome.made.faults.values())
        step.saw(f"{outcome.made.notices:,} notices, {planted:,} of them with their own answer")
    steps.act("2  An appliance, and everybody it talks to")
    _begin(stage, plan.residents)
    steps.act("3  The year")
    with steps.step("all residents are loaded", vital=True) as step:
        report = _send(stage, 0)
        outcome.load_seconds = report["seconds"]
        step.must(f"{report['sent']:,} applied", report["outcomes"] == {"applied": report["sent"]})
        step.saw(f"{report['sent'] / report['seconds']:,.0f} a second")
    _the_year(stage, plan, outcome)
    steps.act("4  Do all files agree?")
    _verdict(stage, outcome)
    return outcome


def _begin(stage: Stage, residents: int) -> None:
    codes = founding.found(stage, residents)
    founding.start(stage, check=False)
    grounds = stage.grounds
    authority = CertificateAuthority.load(grounds.custodians)
    with stage.steps.step("everybody is registered", vital=True) as step:
        for person in (ADMINISTRATOR, OFFICER):
            log_in(stage, person, codes[person])
        national = grounds.national / "national.pem"
        words = ("terminal", "enrol", "NATIONAL", str(national), "--kind", "national")
        agreed(stage, *words, "--place", "機構", form="接続-1")
        for folder in (folders := _folders(stage)):
            issued = authority.issue_client(f"cs-{folder.name}", now=datetime.now(UTC))
            certificate, _ = issued.write(folder, "cs")
            agreed(
                stage,
                *("terminal", "enrol", f"CS-{folder.name}", str(certificate)),
                *("--kind", "municipality", "--municipality", folder.name, "--place", folder.name),
                form="接続-2",
            )
        step.saw(f"{len(folders)} municipal servers and the national server")


def _the_year(stage: Stage, plan: Plan, outcome: Outcome) -> None:
    down = set(_slices_down(plan))
    outcome.slices_national_down = sorted(down)
    begun = time.perf_counter()
    with stage.steps.step("the year is played", vital=True) as step:
        step.asks(f"{plan.slices} slices, the national server gone in {sorted(down)}")
        for number in range(1, plan.slices + 1):
            if number in down:
                stage.stop_national(killed=number == max(down))
            _add(outcome, _send(stage, number), number)
            if number in down:
                stage.start_national()
            stage.measure()
        step.saw(f"{sum(outcome.answered.values()):,} answered: {outcome.answered}")
        step.saw(f"{len(outcome.unexpected)} not as planted", not outcome.unexpected)
        for each in outcome.unexpected[:5]:
            step.saw(str(each), right=False)
        step.saw(
            f"held at the end: {outcome.held_at_the_end or 'none'}", not outcome.held_at_the_end
        )
    outcome.year_seconds = round(time.perf_counter() - begun, 1)


def _slices_down(plan: Plan) -> list[int]:
    count = max(1, round(plan.slices * DOWN_SHARE))
    return Random(f"down/{plan.seed}").sample(range(1, plan.slices + 1), count)


def _add(outcome: Outcome, report: dict[str, Any], number: int) -> None:
    for name, count in report["outcomes"].items():
        outcome.answered[name] = outcome.answered.get(name, 0) + count
    for rule, count in report["rules"].items():
        outcome.rules[rule] = outcome.rules.get(rule, 0) + count
    outcome.unexpected += [{"slice": number, **each} for each in report["unexpected"]]
    outcome.held_at_the_end = report["held"]


def _send(stage: Stage, number: int) -> dict[str, Any]:
    """Let all municipal servers send one slice; return what they were answered."""
    grounds = stage.grounds
    command = simulator(
        "municipalities",
        *("--url", grounds.url, "--ca", str(grounds.credentials(grounds.tls, "server").ca)),
        *("--folder", str(grounds.municipality), "--slice", str(number), "--drop-answers", "5"),
    )
    log = grounds.municipality / "municipalities.log"
    child = stage.children.start(f"slice {number}", command, log, told=True)
    report = child.last_words()
    child.stop()
    if not report:
        raise Failed(f"the municipal servers stopped; their log is {log}")
    return dict(json.loads(report))


def _verdict(stage: Stage, outcome: Outcome) -> None:
    grounds = stage.grounds
    with stage.steps.step("the national server catches up", vital=True) as step:
        outbox = wait_for_outbox(stage, seconds=DELIVERY_SECONDS)
        step.saw(f"{outbox['last']:,} messages, none waits")
    with stage.steps.step("every municipality compares its residents with ours") as step:
        step.asks("reconcile/begin, digest, compare, finish by each municipal server")
        results = {folder.name: _reconciled(stage, folder) for folder in _folders(stage)}
        agreed = [code for code, result in results.items() if result == "agreed"]
        step.saw(f"{len(agreed)} of {len(results)} agree", len(agreed) == len(results))
    with stage.steps.step("the appliance stops, and its store is sound") as step:
        step.saw(f"exit {stage.stop_appliance()}")
        outcome.peak_mib = stage.peak_memory
        shares = "".join(f"{grounds.share(number)}\n" for number in (1, 2, 3))
        report = stage.juki.needs_machine("check", given=shares)
        outcome.check_clean = not report["findings"]
        step.saw(f"juki check: {len(report['findings'])} findings", outcome.check_clean)
    with stage.steps.step("municipalities, prefecture and national server agree") as step:
        step.asks("each file read where it lies, and compared item by item")
        outcome.agreement = judge(step, grounds, 1, 2, 3)


def _reconciled(stage: Stage, folder: Path) -> str:
    """Let one municipal server compare its residents with ours; return the result."""
    with MunicipalFile(folder / "cs.db") as file, stage.link(folder, "cs") as link:
        return Reconciler(over(link), file.current()).run().result


def _folders(stage: Stage) -> list[Path]:
    return sorted(path for path in stage.grounds.municipality.iterdir() if path.is_dir())
