"""The record handed out: to an external auditor with proof, to a resident on paper, and counted."""

import csv
from pathlib import Path

from scripts.demo.auditing import HUMAN
from scripts.demo.cast import Cast
from scripts.demo.people import ADMINISTRATOR, AUDITOR, agreed, as_person
from scripts.demo.stage import Stage
from scripts.demo.steps import Step


def hand_out(stage: Stage, cast: Cast) -> None:
    """Export a function's entries, check them as an outsider does, report to a resident, count."""
    folder = stage.grounds.terminal / "record"
    folder.mkdir()
    as_auditor = as_person(stage, AUDITOR)
    with stage.steps.step("entries leave as CSV, with proof of what was handed out") as step:
        step.asks("juki ledger export, verify-export; then with one byte changed")
        file = folder / "provision.csv"
        options = ("--function", "provision", "--out", str(file))
        made = agreed(
            stage,
            *("ledger", "export", *options),
            form="監査-1",
            asker=AUDITOR,
            second=ADMINISTRATOR,
        )
        _checked(stage, step, file, Path(made["proof"]), made["count"])
    with stage.steps.step("a resident gets on paper who looked at her") as step:
        step.asks("juki ledger report")
        paper = folder / "report.pdf"
        given = f"{cast.sawako.resident_code}\n"
        told = stage.juki.needs("ledger", "report", "--out", str(paper), *as_auditor, given=given)
        is_pdf = paper.read_bytes().startswith(b"%PDF")
        step.saw(f"{told['count']} entries on {told['pages']} pages", told["count"] > 0 and is_pdf)
    with stage.steps.step("what was refused is counted by code, operator and terminal") as step:
        step.asks("juki ledger denials")
        seen = stage.juki.needs("ledger", "denials", *as_auditor)
        parts = ", ".join(f"{count} {code}" for code, count in seen["codes"].items())
        step.saw(parts, seen["count"] == sum(seen["operators"].values()) > 0)
    with stage.steps.step("what happened while it was sealed is read without any key") as step:
        step.asks("juki journal verify, show")
        head = stage.juki.needs_machine("journal", "verify")["head"]
        held = stage.juki.needs_machine("journal", "verify", "--holds", head)
        shares = ("journal", "show", "--event", "share-taken")
        lines = stage.juki.needs_machine(*shares)["lines"]
        good = [line["number"] for line in lines if line["complete"]]
        step.saw(f"{held['lines']} lines, {len(lines)} shares taken", bool(good))


def _checked(stage: Stage, step: Step, file: Path, proof: Path, count: int) -> None:
    key = stage.identity()["ledger_key"]
    with file.open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.DictReader(opened))
    words = ("ledger", "verify-export")
    good = stage.juki.needs(*words, str(file), str(proof), "--key", key)
    changed = file.with_name("changed.csv")
    changed.write_bytes(file.read_bytes()[:-1] + b"x")
    bad = stage.juki.run(*words, str(changed), str(proof), "--key", key, "--json")
    step.saw(f"{len(lines)} entries, SHA-256 in entry {good['index']}", len(lines) == count > 0)
    step.saw(f"changed: exit {bad.code}", bad.code == HUMAN)
