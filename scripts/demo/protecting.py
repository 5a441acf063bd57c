"""要注意: a resident whom nobody opens alone, and whom no search places anywhere."""

from datetime import date, timedelta
from secrets import token_hex
from typing import Any

from scripts.demo.cast import Cast
from scripts.demo.people import CLERK, REGISTRAR, TAX_OFFICER
from scripts.demo.stage import OK, Seat, Stage

FORBIDDEN = 403
FORM = "S-2026-1"
NOT_HERS = "熊本県熊本市中央区水前寺６丁目１８番１号"


def protect(stage: Stage, cast: Cast, today: date) -> None:
    """Mark a resident, find out nothing of her alone, open her together, take the mark off."""
    clerk, registrar = stage.people[CLERK.name], stage.people[REGISTRAR.name]
    officer = stage.people[TAX_OFFICER.name]
    known = {"name": cast.sawako.name, "birth_date": cast.sawako.birth_date}

    def agree(number: int) -> dict[str, Any]:
        return _changes(officer, "agree", {"number": number})

    with stage.steps.step("a resident is marked 要注意, by two persons and for a year") as step:
        step.asks("protection/mark, agree, extend")
        (hit,) = registrar.gets("search/find", known)["residents"]
        mark = {"who": {"ref": hit["ref"]}, "form_number": FORM, "reason": "stalking"}
        until = {"until": str(today + timedelta(days=180))}
        number = _changes(registrar, "mark", {**mark, **until})["number"]
        alone = registrar.asks("protection/agree", {"number": number}, key=token_hex(16)).status
        step.saw(f"alone: {alone}", alone == FORBIDDEN)
        waiting = officer.gets("protection/list", {})["waiting"]
        step.must("the second person sees a number", waiting[0]["number"] == number)
        agree(number)
        longer = {"number": number, "form_number": FORM, "until": str(today + timedelta(days=360))}
        step.saw(f"until {_changes(registrar, 'extend', longer)['until'][:10]}")
    with stage.steps.step("where she lives is told by no search, right or wrong") as step:
        step.asks("search/find, search/detail, provision/inquire")
        told = [
            set(clerk.gets("search/find", {**known, "address": each})["residents"][0])
            for each in (hit["address"], NOT_HERS)
        ]
        step.saw("the same line for both addresses", told == [{"ref", "why", "protected"}] * 2)
        found = clerk.gets("search/find", {"address": hit["address"]})["residents"]
        step.saw("none by her address", not any("protected" in each for each in found))
        ref = clerk.gets("search/find", known)["residents"][0]["ref"]
        detail = {"ref": ref, "items": ["address"]}
        refused = clerk.asks("search/detail", detail)
        step.saw(refused.body["detail_ja"], refused.body["code"] == "protected")
    with stage.steps.step("two persons open her, for one session and ten minutes") as step:
        step.asks("protection/ask-opening, agree, refuse")
        asking = {"who": {"ref": ref}, "why": "本人来庁のため"}
        needless = _changes(clerk, "ask-opening", asking)["number"]
        _changes(officer, "refuse", {"number": needless, "why": "本人に確認中"})
        opened = agree(_changes(clerk, "ask-opening", asking)["number"])
        step.saw(f"until {opened['until'][11:19]}")
        status = clerk.asks("search/detail", detail).status
        step.saw(f"the clerk: {status}", status == OK)
        other = registrar.gets("search/find", known)["residents"][0]
        step.saw("the registrar: nothing", "name" not in other)
    with stage.steps.step("the mark is taken off by two persons") as step:
        step.asks("protection/lift, agree")
        off = {"number": number, "form_number": FORM, "why": "本人の申出"}
        agree(_changes(registrar, "lift", off)["number"])
        back = registrar.gets("search/find", known)["residents"][0]
        step.saw("she is found as anybody", back["address"] == hit["address"])


def _changes(seat: Seat, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    return seat.gets(f"protection/{operation}", body, key=token_hex(16))
