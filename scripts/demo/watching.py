"""Whoever opens a resident who does not exist is flagged at once; an auditor decides the flag."""

from datetime import datetime, timedelta

from appliance.model import JST
from scripts.demo.cast import Cast
from scripts.demo.office import find
from scripts.demo.people import ADMINISTRATOR, AUDITOR, TAX, TAX_OFFICER, as_person, log_in
from scripts.demo.stage import Stage

AT_ONCE = "watching/at-once"
FORBIDDEN = 403


def watch(stage: Stage, cast: Cast) -> None:
    """Mark somebody as fictitious, let a tax officer open him, and decide the flag."""
    canary = cast.home[-1]
    for person in (TAX_OFFICER, TAX, AUDITOR, ADMINISTRATOR):
        log_in(stage, person)
    with stage.steps.step("the security officer marks a fictitious resident") as step:
        step.asks("watching/add-canary, watching/known")
        officer = stage.people[TAX_OFFICER.name]
        body = {"resident_code": canary.resident_code}
        number = officer.gets("watching/add-canary", body, key="canary-is-added-1")["number"]
        known = officer.gets("watching/known", {})["canaries"]
        step.saw(f"number {number} of {len(known)}; who it is, is not told", len(known) == number)
    with stage.steps.step("a tax officer opens the record, and is flagged") as step:
        step.asks(f"search/find, search/detail, juki job run {AT_ONCE}, juki watching flags")
        tax = stage.people[TAX.name]
        found = find(tax, name=canary.name, birth_date=canary.birth_date)
        opened = {"ref": found[0]["ref"], "items": ["name", "address"]}
        tax.gets("search/detail", opened, case="R8-99")
        stage.juki.needs("job", "run", AT_ONCE, *as_person(stage, ADMINISTRATOR))
        options = ("--detector", "canary", *as_person(stage, AUDITOR))
        flags = stage.juki.needs("watching", "flags", *options)["flags"]
        (flag,) = [each for each in flags if TAX.operator in each["operators"]]
        step.saw(f"flag {flag['number']}: {TAX.operator} at {' '.join(flag['terminals'])}")
        step.saw("no name of a resident in it", canary.name not in str(flag))
    with stage.steps.step("nobody but who may decides it; what was decided is kept") as step:
        step.asks("juki watching decide, watching/decide by whoever is flagged")
        decision = {"number": flag["number"], "decision": "justified", "reason": "本人の弁"}
        refused = tax.asks("watching/decide", decision, key="decided-by-himself").status
        step.saw(f"{refused} for {TAX.name}", refused == FORBIDDEN)
        options = as_person(stage, AUDITOR)
        stage.juki.needs("watching", "show", str(flag["number"]), *options)
        shown = stage.juki.needs(
            *("watching", "decide", str(flag["number"]), "misuse"),
            *("--reason", "業務上の必要なし。本人に確認した。", *as_person(stage, AUDITOR)),
        )
        decided = [each["decision"] for each in shown["decisions"]]
        step.saw(f"ledger entries {shown['evidence']}: {decided}", decided == ["misuse"])
        counted = stage.juki.needs("watching", "figures", *as_person(stage, AUDITOR))
        step.saw(f"figures: {counted['decisions']}", counted["decisions"].get("misuse") == 1)
    with stage.steps.step("the auditor sees the uses of these days") as step:
        step.asks("watching/uses, watching/week")
        auditor, today = stage.people[AUDITOR.name], datetime.now(JST).date()
        days = {"since": (today - timedelta(days=1)).isoformat(), "until": today.isoformat()}
        used = auditor.gets("watching/uses", days)
        step.saw(f"{len(used['days'])} days, counted by night", len(used["days"]) == 2)
        week = auditor.gets("watching/week", days)
        sat = {each["person"] for each in week["sessions"]}
        step.saw(f"{len(week['sessions'])} sessions", TAX.person in sat)
        step.saw("no name of a resident in it", canary.name not in str(week))
    with stage.steps.step(
        "drills and overtime are entered beforehand; a canary is retired"
    ) as step:
        step.asks("watching/drill, watching/approve-hours, watching/retire-canary")
        now = datetime.now(JST)
        period = {"since": now.isoformat(), "until": (now + timedelta(hours=1)).isoformat()}
        tax_officer = TAX.operator.replace("OP", "P")
        for operation, body in (
            ("drill", {"person_id": tax_officer, "why": "訓練", **period}),
            ("approve-hours", {"who": TAX.office, "why": "繁忙期", **period}),
            ("retire-canary", {"number": number, "why": "訓練の終了"}),
        ):
            officer.gets(f"watching/{operation}", body, key=f"officer-enters-{operation}")
        known = officer.gets("watching/known", {})
        counts = [len(known[book]) for book in ("canaries", "drills", "hours")]
        step.saw(f"canaries, drills, hours: {counts}", counts == [1, 1, 1])
