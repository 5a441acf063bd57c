"""Every night last month is matched, for every office that has not signed it off.

That is every office that used the system or kept a book: one that keeps no book at all is seen too.
Each is matched with the tolerance that its own last matching had.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import time

from appliance.plugin_api import Case, Job, Nothing, Operation, OperationName, Step, Watch
from plugins.usebook.book import Book, Month, month_before, month_of, open_months
from plugins.usebook.held import Found, held_against, month_of_use, uses_around
from plugins.usebook.reviewing import TOLERANCE, store
from plugins.usebook.uses import Used

AT_NIGHT = time(4, 30)
SURVEYED = "surveyed"


def look(case: Case, _: Nothing) -> Mapping[str, Found]:
    """Match what is not signed off; off the writer."""
    month = month_before(month_of(case.request.today))
    began = {each.office: each for each in Book(case.papers).months(None) if each.month == month}
    uses: dict[int, Mapping[str, Sequence[Used]]] = {}
    for tolerance in {TOLERANCE, *map(_tolerance, began.values())}:
        uses[tolerance] = uses_around(case, month, tolerance)
    found = {}
    for office in sorted({*began, *_at_work(uses[TOLERANCE], month)}):
        stands = began.get(office, Month(office=office, month=month))
        if stands.signed is None:
            mine = uses[_tolerance(stands)].get(office, ())
            found[office] = held_against(case, office, month, mine, _tolerance(stands))
    return found


def keep(case: Case, _: Nothing) -> Step:
    """Keep what was found in each office whose book was not written in meanwhile."""
    found: Mapping[str, Found] = case.prepared
    name = month_before(month_of(case.request.today))
    book = Book(case.papers)
    for office, each in found.items():
        month = book.month(office, name)
        if month.signed is None and month.changed == each.matched.changed:
            store(book, month, each)
    case.papers.replace(SURVEYED, SURVEYED, {"month": name})
    case.note.result = f"{len(found)} offices"
    return Step(done=len(found), total=len(found))


def is_due(watch: Watch) -> bool:
    """Return whether some office has not signed off last month, or nobody has looked yet."""
    month = month_before(month_of(watch.today))
    surveyed = watch.papers.get(SURVEYED, SURVEYED)
    if surveyed is None or surveyed["month"] != month:
        return True
    return any(each == month for each, _ in open_months(watch.papers))


def _tolerance(month: Month) -> int:
    return TOLERANCE if month.matched is None else month.matched.tolerance


def _at_work(uses: Mapping[str, Sequence[Used]], month: str) -> Iterator[str]:
    """Yield the offices that used the system in the month itself."""
    for office, those in uses.items():
        if any(month_of_use(each) == month for each in those):
            yield office


SURVEY = Operation(
    name=OperationName("usebook/survey"),
    summary="Match last month of every office that has not signed it off.",
    asks=Nothing,
    answers=Step,
    handler=keep,
    prepare=look,
    changes=True,
    purposed=False,
    uses=frozenset({"ledger"}),
)
JOB = Job(
    name="usebook/survey",
    summary="使用簿と操作履歴の突合(前月分)",
    operation=SURVEY.name,
    at=AT_NIGHT,
    due=is_due,
)
