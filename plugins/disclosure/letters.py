"""What is printed of a case, by form: the same state of a case and the same day, the same bytes.

A sheet says which state of its case it shows, so any of them is put out again as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

from appliance.plugin_api import (
    PROVIDED,
    Case,
    Entry,
    NotPermitted,
    Printed,
)
from plugins.disclosure.form import (
    LABELS,
    SEXES,
    Data,
    blocks,
    paper,
    printable,
    printed,
    written,
)
from plugins.disclosure.rules import due_on

CONFIRMATION, ABSENCE, EXTENSION = "confirmation", "absence", "extension"
REPORT, RESULT = "report", "result"
WISHES = {"correct": "訂正", "add": "追加", "delete": "削除"}
OUTCOMES = {
    "corrected": "申出のとおり、市町村長からの通知により記録を改めました。",
    "partly": "申出の一部について、市町村長からの通知により記録を改めました。",
    "not-corrected": "記録を改める事由は認められませんでした。",
}
UNANSWERED = "市町村長に通報しましたが、記録を改める通知はありませんでした。"


def make(
    case: Case, form: str, number: int, entry: Entry, on: date, *, shapes_seen: bool
) -> Printed:
    """Print a paper of a case.

    Raises:
        NotPermitted: as ``confirmation``.
        Unavailable, Rejected: as ``form.printed``.
    """
    return printed(form, CONTENTS[form](case, number, entry, on), on, shapes_seen=shapes_seen)


def confirmation(case: Case, number: int, entry: Entry, on: date) -> Data:
    """Return what the 確認書 says: the versions that a case discloses.

    Raises:
        NotPermitted: a plugin withholds an item.
    """
    if case.registry.kept_back() & set(PROVIDED):
        raise NotPermitted("an item is withheld here; a confirmation cannot be issued")
    versions = case.registry.history(entry["person"], PROVIDED, upto=entry["version"])
    return {**paper(case, number, on, entry["kind"]), **blocks(versions)}


def extension(case: Case, number: int, entry: Entry, on: date) -> Data:
    """Return what the notice says that a disclosure is put off to ``due_on``."""
    first = due_on(date.fromisoformat(entry["received_on"]))
    return {
        **_addressed(case, number, entry, on),
        "due": written(first.isoformat()),
        "until": written(entry["due_on"]),
        "why": entry["extended"]["why"],
    }


def result(case: Case, number: int, entry: Entry, on: date) -> Data:
    """Return what the written result of the investigation of a wish says."""
    return {
        **_addressed(case, number, entry, on),
        "wish": WISHES[entry["wish"]],
        "items": named(entry["items"]),
        "outcome": _outcome(entry),
        "reported": _day(entry, "reported", "on", "に通報しました。"),
        "corrected": _day(entry, "linked", "notified_on", "に通知を受けた記録"),
        "explanation": entry["explanation"],
    }


def report(case: Case, number: int, entry: Entry, on: date) -> Data:
    """Return what the 通報 to the mayor says about somebody of whom there is no record."""
    subject = entry["subject"]
    place = case.registry.municipalities.lookup(entry["reported"]["to"])
    return {
        **paper(case, number, on, entry["kind"]),
        "address": "",
        "name": f"{place.name if place else ''}長",
        "subject": {
            "name": printable(subject["name"]),
            "birth_date": written(subject["birth_date"]),
            "sex": SEXES.get(subject["sex"], "不明"),
            "address": printable(subject["address"]),
        },
        "items": named(entry["items"]),
        "wish": WISHES[entry["wish"]],
    }


def named(items: Sequence[str]) -> str:
    """Return items by their Japanese labels."""
    return "、".join(LABELS[item] for item in items)


def _outcome(entry: Entry) -> str:
    outcome = entry["outcome"]
    unanswered = outcome == "not-corrected" and "reported" in entry
    return UNANSWERED if unanswered else OUTCOMES[outcome]


def _addressed(case: Case, number: int, entry: Entry, on: date) -> Data:
    """Return what a letter about a case says: also to whom, the 法定代理人 if there is one."""
    to = entry["representative"] or entry["subject"]
    return {
        **paper(case, number, on, entry["kind"]),
        "name": printable(to["name"]),
        "address": printable(to["address"]),
        "received": written(entry["received_on"]),
    }


def _day(entry: Entry, step: str, name: str, words: str) -> str:
    day = entry.get(step, {}).get(name)
    return "なし" if day is None else written(day) + words


CONTENTS: Mapping[str, Callable[[Case, int, Entry, date], Data]] = MappingProxyType(
    {
        CONFIRMATION: confirmation,
        ABSENCE: _addressed,
        EXTENSION: extension,
        REPORT: report,
        RESULT: result,
    }
)
"""What stands on each form."""
