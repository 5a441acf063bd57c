"""使用簿: an office hands in its book of the day, a use missing and one invented."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from appliance.model import JST
from scripts.demo.cast import Cast
from scripts.demo.people import AUDITOR, CENTER, CENTER_OFFICER, as_person, log_in
from scripts.demo.stage import Seat, Stage
from scripts.demo.steps import Step

HEADING = "使用日,時刻,操作者ID,使用簿番号,事務,利用事由,件数"
LEFT_OUT, INVENTED = "P-3", "P-9"
REASON = "本人に確認し、使用簿を訂正する。"
REFUSED = 3
"""Exit code of juki."""


@dataclass(frozen=True, slots=True)
class Use:
    """What the clerk remembers of a use: when, under which number, about how many."""

    at: datetime
    number: str
    persons: int

    @property
    def line(self) -> str:
        """As it stands in the book."""
        return (
            f"{self.at:%Y-%m-%d},{self.at:%H:%M},{CENTER.operator},{self.number},"
            f"{CENTER.purpose},{CENTER.reason},{self.persons}"
        )


def match(stage: Stage, cast: Cast) -> None:
    """Let the passport center work, hand in its book, and have it held against the ledger."""
    for person in (CENTER, CENTER_OFFICER, AUDITOR):
        log_in(stage, person)
    done = _work(stage.people[CENTER.name], cast)
    month = f"{done[0].at:%Y-%m}"
    with stage.steps.step("an office hands in its usage book, a use missing, one invented") as step:
        _hand_in(stage, step, month, done)
    with stage.steps.step("a line entered by hand is corrected, and what it said stays") as step:
        _enter(stage.people[CENTER.name], step, done[-1])
    with stage.steps.step("it is held against the ledger: just these two are left") as step:
        found = _match(stage, step, month)
    with stage.steps.step("each is given a reason; what is over is signed off") as step:
        for each in found:
            words = ("usebook", "mark", month, each["id"], "--reason", REASON)
            step.asks(f"juki usebook mark {each['id']}")
            told = stage.juki.needs(*words, *as_person(stage, CENTER_OFFICER))
        step.saw(f"{told['unmarked']} without a reason", told["unmarked"] == 0)
        _sign_off(stage, step, month)
    with stage.steps.step("the auditor sees the figures of all offices, and reopens one") as step:
        _reopen(stage, step, _before(month))


def _hand_in(stage: Stage, step: Step, month: str, done: Sequence[Use]) -> None:
    kept = [use for use in done[:-1] if use.number != LEFT_OUT]
    kept.append(Use(done[-1].at, INVENTED, 2))
    sheet = stage.grounds.terminal / f"usebook-{month}.csv"
    sheet.write_text("\r\n".join([HEADING, *(use.line for use in kept), ""]), "cp932")
    step.asks(f"juki usebook import {sheet.name} (Shift_JIS)")
    told = stage.juki.needs("usebook", "import", str(sheet), *as_person(stage, CENTER))
    step.saw(f"{told['lines']} lines", told["lines"] == len(kept))


def _enter(seat: Seat, step: Step, use: Use) -> None:
    """Write the last use by hand, with one person too many at first."""
    line = {
        "day": f"{use.at:%Y-%m-%d}",
        "begins": f"{use.at:%H:%M}",
        "operator": CENTER.operator,
        "case": use.number,
        "purpose": CENTER.purpose,
        "reason": CENTER.reason,
    }
    step.asks("usebook/enter, usebook/correct, usebook/lines")
    written = seat.gets("usebook/enter", {**line, "count": use.persons + 1}, key=token_urlsafe(16))
    correction = {**written, "line": {**line, "count": use.persons}, "why": "件数の誤記"}
    seat.gets("usebook/correct", correction, key=token_urlsafe(16))
    states = [each["count"] for each in seat.gets("usebook/lines", written)["lines"]]
    step.saw(f"count {states[0]}, then {states[-1]}", states == [use.persons + 1, use.persons])


def _match(stage: Stage, step: Step, month: str) -> list[dict[str, Any]]:
    """Match; return the two findings, the line without a use first."""
    step.asks(f"juki usebook match {month}")
    officer = as_person(stage, CENTER_OFFICER)
    told = stage.juki.run("usebook", "match", month, "--json", *officer).plain
    step.saw(f"{told['matched']['matched']} of {told['matched']['uses']} uses have their line")
    left = stage.juki.needs("usebook", "leftovers", month, *officer)["leftovers"]
    found = sorted((each["finding"] for each in left), key=lambda each: str(each["kind"]))
    kinds = [each["kind"] for each in found]
    step.must(", ".join(kinds), kinds == ["unfounded", "unrecorded"])
    step.saw(" ".join(each["text"] for each in found))
    lines = stage.people[CENTER_OFFICER.name].gets("usebook/lines", {"month": month})["lines"]
    invented = [each["number"] for each in lines if each["case"] == INVENTED]
    step.saw("the invented line", found[0]["lines"] == invented)
    (use,) = found[1]["uses"]
    asked = {"before": use + 1, "limit": 1}
    entry = stage.people[AUDITOR.name].gets("ledger/search", asked)["entries"][0]
    step.saw("the use left out", entry["case"] == LEFT_OUT)
    return found


def _work(seat: Seat, cast: Cast) -> list[Use]:
    """Do what the office does: four uses, each under its number."""
    sawako = {"name": cast.sawako.name, "birth_date": cast.sawako.birth_date}
    minoru = {"name": cast.minoru[0].name, "birth_date": cast.minoru[0].birth_date}
    nobody = {"name": "存在　せぬ男", "birth_date": "1970-01-01"}
    done = [Use(datetime.now(JST), "P-1", 1)]
    ref = seat.gets("search/find", sawako, case="P-1")["residents"][0]["ref"]
    seat.gets("search/detail", {"ref": ref, "items": ["name", "address"]}, case="P-1")
    for number, by, persons in (("P-2", minoru, 1), (LEFT_OUT, sawako, 1), ("P-4", nobody, 0)):
        done.append(Use(datetime.now(JST), number, persons))
        seat.gets("provision/inquire", {"by": by, "items": ["name", "address"]}, case=number)
    return done


def _sign_off(stage: Stage, step: Step, month: str) -> None:
    """Try this month, which is not over; sign the last one off."""
    as_officer = as_person(stage, CENTER_OFFICER)
    early = stage.juki.run("usebook", "sign-off", month, *as_officer)
    step.asks(f"juki usebook sign-off {month}")
    step.saw("refused: the month is not over", early.code == REFUSED and "U-20" in early.err)
    before = _before(month)
    step.asks(f"match and sign-off {before}")
    stage.juki.needs("usebook", "match", before, *as_officer)
    told = stage.juki.needs("usebook", "sign-off", before, *as_officer)
    step.saw(f"{before} {told['state']}", told["state"] == "signed-off")


def _reopen(stage: Stage, step: Step, month: str) -> None:
    auditor = stage.people[AUDITOR.name]
    step.asks("usebook/figures, usebook/reopen")
    there = auditor.gets("usebook/figures", {})["months"]
    states = [f"{each['office']} {each['month']} {each['state']}" for each in there]
    step.saw(", ".join(states), len(states) > 1)
    body = {"office": CENTER.office, "month": month, "why": "監査のため"}
    told = auditor.gets("usebook/reopen", body, key=token_urlsafe(16))
    step.saw(f"{month} {told['state']}, what was signed stays", told["reopened"] == 1)
    signed = stage.juki.needs("usebook", "sign-off", month, *as_person(stage, CENTER_OFFICER))
    step.saw(f"{month} {signed['state']} again", signed["state"] == "signed-off")


def _before(month: str) -> str:
    return f"{date.fromisoformat(f'{month}-01') - timedelta(days=1):%Y-%m}"
