"""How long: entries whose time is over go by night, and a book says how many; and what alarms."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import takewhile

from appliance.plugin_api import (
    JST,
    Alarm,
    Answer,
    Case,
    Job,
    Nothing,
    Operation,
    OperationName,
    Register,
    Step,
    Watch,
)
from plugins.compliance.entries import OVER
from plugins.compliance.looking import Due, every_due
from plugins.compliance.shelf import BOOKS

AT_ONCE = 200
"""Entries removed in one step."""
REMOVED = "removed"
SOON = timedelta(days=7)


class Removal(Answer, frozen=True, kw_only=True):
    """How many entries of each book went on a day: counts, and nobody."""

    number: int
    on: date
    entries: dict[str, int]


class Removals(Answer, frozen=True, kw_only=True):
    """The book of what was removed (廃棄記録), oldest first."""

    removed: tuple[Removal, ...]


def removed(case: Case, _: Nothing) -> Removals:
    """Show how many entries were removed when."""
    every = Register(case.papers, REMOVED).every()
    return Removals(removed=tuple(Removal(number=number, **entry) for number, entry in every))


def expire(case: Case, _: Nothing) -> Step:
    """Remove some of the entries whose time is over; one record for each step, of counts only."""
    today = case.request.today.isoformat()
    due = _over(case, today)
    chosen = due[:AT_ONCE]
    gone: Counter[str] = Counter()
    for key in chosen:
        name, number = key.split("/")[1:]
        BOOKS[name].register(case.papers).remove(int(number))
        case.papers.drop(OVER, key)
        gone[name] += 1
    if gone:
        Register(case.papers, REMOVED).add({"on": today, "entries": dict(gone)})
        case.note.result = ", ".join(f"{count} {name}" for name, count in sorted(gone.items()))
    return Step(done=len(chosen), total=len(due), more=len(due) > len(chosen))


def alarms(watch: Watch) -> Iterator[Alarm]:
    """Yield what is overdue, and what is due within a week, by the kind of clock."""
    due = every_due(watch.papers, watch.today)
    late = [each for each in due if each.days_left < 0]
    soon = [each for each in due if 0 <= each.days_left <= SOON.days]
    if late:
        since = datetime.combine(late[0].due_on, time.min, JST) + timedelta(days=1)
        yield _alarm("compliance/overdue", "期限を過ぎた手続があります", late, since)
    if soon:
        yield _alarm("compliance/due", f"{SOON.days}日以内に期限となる手続があります", soon)


def _over(case: Case, today: str) -> list[str]:
    """Return the keys of the entries that need not be kept any more, the oldest first."""
    keys = (key for key, _ in case.papers.every(OVER))
    return list(takewhile(lambda key: key.split("/")[0] < today, keys))


def _alarm(name: str, text: str, due: list[Due], since: datetime | None = None) -> Alarm:
    titles = "、".join(dict.fromkeys(each.clock_title for each in due))
    return Alarm(
        name=name,
        text=f"{text}({titles})。期限の一覧(compliance/due)で確認し、手続を行ってください。",
        count=len(due),
        since=since,
    )


EXPIRE = Operation(
    name=OperationName("compliance/expire"),
    summary="Remove entries of the books whose time of keeping is over.",
    asks=Nothing,
    answers=Step,
    handler=expire,
    changes=True,
    purposed=False,
)
SHOW_REMOVED = Operation(
    name=OperationName("compliance/removed"),
    summary="Show how many entries of the books were removed when: counts, and nobody.",
    asks=Nothing,
    answers=Removals,
    handler=removed,
    purposed=False,
)
NIGHTLY = Job(
    name="compliance/expire",
    summary="保存期間を経過した簿冊の消去",
    operation=EXPIRE.name,
    at=time(1, 45),
)
OPERATIONS = (EXPIRE, SHOW_REMOVED)
