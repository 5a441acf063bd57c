"""Audit support: a self-check, an incident with its clocks, attended work, the evidence pack."""

import json
import zipfile
from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256
from importlib.resources import files
from secrets import token_hex
from typing import Any

from scripts.demo.people import ADMINISTRATOR, AUDITOR, CLERK, TAX, TAX_OFFICER, Person, as_person
from scripts.demo.stage import Stage
from scripts.demo.steps import Step

FORBIDDEN = 403


def keep(stage: Stage, today: date) -> None:
    """Keep four of the books for a day, and take out what an auditor from outside needs."""
    with stage.steps.step("an office checks itself, and three hands confirm it") as step:
        _self_check(stage, step, today)
    with stage.steps.step("an incident has its clocks, and ends when all is done") as step:
        _incident(stage, step, today)
    with stage.steps.step("the contractor's work is announced, attended and accepted") as step:
        _work(stage, step, today)
    with stage.steps.step("who is missing is told: nobody trained, no office audited yet") as step:
        _missing(stage, step)
    with stage.steps.step(
        "an auditor from outside gets the evidence, its hash in the ledger"
    ) as step:
        _pack(stage, step, today)


def _self_check(stage: Stage, step: Step, today: date) -> None:
    given = {"fiscal_year": today.year, "due_on": str(today + timedelta(days=30))}
    campaign = _open(
        stage, ADMINISTRATOR, "self-check-campaign", {**given, "offices": [TAX.office]}
    )
    number = campaign["opened"][0]["number"]
    step.asks(f"juki compliance step self-check {number} answer, confirm, accept")
    answers = stage.grounds.terminal / "self-check.json"
    answers.write_text(json.dumps({"results": _all_right("self-check")}), "utf-8")
    words = ("compliance", "step", "self-check", str(number))
    answered = stage.juki.needs(*words, "answer", "--given", str(answers), *as_person(stage, TAX))
    step.saw(answered["state_title"], answered["state"] == "answered")
    body = {"book": "self-check", "number": number, "step": "confirm"}
    no = stage.people[TAX.name].asks("compliance/step", body, key=token_hex(16))
    step.saw(f"who answered may not confirm: {no.status}", no.status == FORBIDDEN)
    for person, what in ((TAX_OFFICER, "confirm"), (ADMINISTRATOR, "accept")):
        told = stage.juki.needs(*words, what, *as_person(stage, person))
        step.saw(f"{person.name}: {told['state_title']}")
    step.saw(f"{told['state']}", told["state"] == "accepted")


def _incident(stage: Stage, step: Step, today: date) -> None:
    found = {"discovered_on": str(today), "what": "帳票一枚の所在不明", "place": "窓口"}
    number = _open(stage, TAX, "incident", found)["number"]
    step.asks(f"compliance/due; count-affected; step incident {number} …")
    due = {
        each["clock"]: each["due_on"]
        for each in stage.people[AUDITOR.name].gets("compliance/due", {})["due"]
        if (each["book"], each["number"]) == ("incident", number)
    }
    clocks = {name: str(today + timedelta(days=days)) for name, days in _DAYS.items()}
    step.saw(f"速報 by {due.get('preliminary')}, 確報 by {due.get('final')}", due == clocks)
    days = {"since": str(today - timedelta(days=1)), "until": str(today)}
    filters = {"number": number, "operator": TAX.operator, **days}
    counted = stage.people[AUDITOR.name].gets(
        "compliance/count-affected", filters, key=token_hex(16)
    )
    step.saw(f"{TAX.operator} was shown {counted['persons']} persons", counted["persons"] > 0)
    for what, given in _handled(today, counted["persons"]):
        told = _step(stage, AUDITOR, "incident", number, what, given)
    step.saw(f"{told['state_title']}", told["state"] == "closed")


def _work(stage: Stage, step: Step, today: date) -> None:
    step.asks("juki compliance open contractor, work-permit; permit, report, accept")
    contractor = _open(stage, ADMINISTRATOR, "contractor", _contract(today))["number"]
    permit = _open(stage, ADMINISTRATOR, "work-permit", _announced(contractor, today))["number"]
    _step(stage, AUDITOR, "work-permit", permit, "permit", {})
    report = {"done_on": str(today), "outcome": "交換済み", "document": "保守第1号"}
    _step(stage, CLERK, "work-permit", permit, "report", report)
    told = _step(stage, AUDITOR, "work-permit", permit, "accept", {"history_checked": True})
    step.saw(told["state_title"], told["state"] == "accepted")


def _missing(stage: Stage, step: Step) -> None:
    auditor = stage.people[AUDITOR.name]
    step.asks("juki compliance books, list, show; compliance/coverage, lacking, removed")
    as_auditor = as_person(stage, AUDITOR)
    books = stage.juki.needs("compliance", "books", *as_auditor)["books"]
    step.saw(f"{len(books)} books")
    (line,) = stage.juki.needs("compliance", "list", "work-permit", *as_auditor)["entries"]
    number = str(line["number"])
    entry = stage.juki.needs("compliance", "show", "work-permit", number, *as_auditor)
    taken = [each["step"] for each in entry["steps"]]
    step.saw(", ".join(taken), taken == ["open", "permit", "report", "accept"])
    missing = auditor.gets("compliance/coverage", {})["missing"]
    step.saw(f"not audited: {', '.join(missing)}", TAX.office in missing)
    before = auditor.gets("compliance/lacking", {})
    _open(stage, CLERK, "acknowledgement", {"understood": True})
    after = auditor.gets("compliance/lacking", {})
    left = [sum(each["acknowledgement"] for each in told["lacking"]) for told in (before, after)]
    step.saw(f"{left[0]}, then {left[1]} have not acknowledged", left[0] == left[1] + 1)
    removed = auditor.gets("compliance/removed", {})["removed"]
    step.saw(f"{len(removed)} removals so far", not removed)


def _pack(stage: Stage, step: Step, today: date) -> None:
    out = stage.grounds.terminal / "audit.zip"
    since = str(today - timedelta(days=1))
    step.asks(f"juki compliance pack --since {since} --until {today}")
    words = ("compliance", "pack", "--since", since, "--until", str(today), "--out", str(out))
    told = stage.juki.needs(*words, *as_person(stage, AUDITOR))
    with zipfile.ZipFile(out) as archive:
        manifest = archive.read("manifest.json")
        listed = {file["name"]: file["sha256"] for file in json.loads(manifest)["files"]}
        found = {name: sha256(archive.read(name)).hexdigest() for name in listed}
    step.saw(f"{len(listed)} files, each as its manifest says", found == listed)
    digest = sha256(manifest).hexdigest()
    step.saw(f"manifest {digest[:16]}…", digest == told["manifest_sha256"])
    body = {"operation": "compliance/pack", "limit": 1}
    (entry,) = stage.people[AUDITOR.name].gets("ledger/search", body)["entries"]
    step.saw("the ledger names it", digest in entry["note"])


_DAYS = {"preliminary": 4, "final": 29}
"""Until the last day of each clock; the first of its days is today."""


def _open(stage: Stage, who: Person, book: str, given: Mapping[str, Any]) -> dict[str, Any]:
    body = {"book": book, "given": given}
    return stage.people[who.name].gets("compliance/open", body, key=token_hex(16))


def _step(
    stage: Stage, who: Person, book: str, number: int, step: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    body = {"book": book, "number": number, "step": step, "given": given}
    return stage.people[who.name].gets("compliance/step", body, key=token_hex(16))


def _all_right(checklist: str) -> list[dict[str, str]]:
    lines = files("plugins.compliance").joinpath("checklists.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [{"item": item, "answer": "yes"} for name, item, _ in rows if name == checklist]


def _handled(today: date, persons: int) -> list[tuple[str, dict[str, Any]]]:
    """Return what is done with an incident, in this order."""
    on = str(today)
    cause = {"cause": "loss", "affected": persons, "my_number": False, "remark": "所在不明"}
    return [
        ("classify", {**cause, "reporting": "required"}),
        ("contain", {"contained_on": on, "measures": "保管庫で発見"}),
        ("preliminary", {"preliminary_on": on, "preliminary_document": "市第1号"}),
        ("final", {"final_on": on, "final_document": "市第2号"}),
        ("notify", {"notified_on": on, "notified": persons, "how": "letter"}),
        ("close", {"lessons": "受渡しの確認", "prevention": "帳票管理簿の即日記入"}),
    ]


def _contract(today: date) -> dict[str, Any]:
    return {
        "company": "保守会社",
        "work": "運用保守",
        "from_on": str(today),
        "until_on": str(today + timedelta(days=365)),
        "workers": ["作業者一 責任者", "作業者二"],
        "organisation": "責任者の下に一名",
        "clauses": _all_right("contract"),
    }


def _announced(contractor: int, today: date) -> dict[str, Any]:
    return {
        "contractor": contractor,
        "responsible": "作業者一",
        "workers": ["作業者一", "作業者二"],
        "announced_on": str(today),
        "from_on": str(today),
        "until_on": str(today),
        "place": "サーバ室",
        "work": "記憶装置の交換",
        "witness": CLERK.operator.replace("OP", "P"),
    }
