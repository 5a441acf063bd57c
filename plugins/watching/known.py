"""What is known beside the ledger: residents who do not exist, drills, and approved hours.

A canary is a fictitious resident, notified like any other, whom the セキュリティ責任者 marks here.
Kept is who it is in the store, never a name or number; the list tells only how many there are.

Drills and hours are entered by one for others of his 所属: from then on they hold, and never for
himself, not even as one of the 所属.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Conflict,
    Entry,
    Malformed,
    NotFound,
    NotPermitted,
    Operation,
    OperationName,
    Papers,
    Register,
    ResidentCodeText,
    ShortText,
    check_digits,
)
from plugins.watching.findings import Span, Surroundings

CANARIES, DRILLS, HOURS = "canaries", "drills", "hours"
Moment = Annotated[datetime, Meta(tz=True)]
Number = Annotated[int, Meta(ge=1)]


class AddCanary(Arguments, frozen=True, kw_only=True):
    """Which resident does not exist."""

    resident_code: ResidentCodeText


class Added(Answer, frozen=True, kw_only=True):
    """Under which number of its book it stands."""

    number: int


class RetireCanary(Arguments, frozen=True, kw_only=True):
    """Which canary is none any more, and why."""

    number: Number
    why: ShortText


class Nought(Answer, frozen=True, kw_only=True):
    """Nothing."""


class List(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class CanaryEntry(Answer, frozen=True, kw_only=True):
    """One canary; who it is, is not told."""

    number: int
    added_by: str
    added_at: datetime
    retired: str = ""


class Period(Answer, frozen=True, kw_only=True):
    """A drill, or hours that were approved."""

    number: int
    who: str
    since: datetime
    until: datetime
    why: str
    by: str


class Known(Answer, frozen=True, kw_only=True):
    """The three books, the oldest entry first."""

    canaries: tuple[CanaryEntry, ...]
    drills: tuple[Period, ...]
    hours: tuple[Period, ...]


class Drill(Arguments, frozen=True, kw_only=True):
    """Who opens canaries, when, to see whether it is told; 照合ID."""

    person_id: ShortText
    since: Moment
    until: Moment
    why: ShortText


class ApproveHours(Arguments, frozen=True, kw_only=True):
    """Which person (照合ID) or 所属 may work outside office hours, and when."""

    who: ShortText
    since: Moment
    until: Moment
    why: ShortText


def add_canary(case: Case, asked: AddCanary) -> Added:
    """Mark a resident as one who does not exist.

    Raises:
        Malformed: the 住民票コード is mistyped.
        NotFound: nobody has it.
        Conflict: the resident is marked.
    """
    check_digits(resident_code=asked.resident_code)
    person = case.registry.by_code(asked.resident_code)
    if person is None:
        raise NotFound("nobody has this resident_code")
    register = Register(case.papers, CANARIES)
    if any(entry["person"] == person and not entry["retired"] for _, entry in register.every()):
        raise Conflict("this resident is a canary already")
    entry = {"person": person, "retired": "", **_signed(case)}
    return Added(number=register.add(entry))


def retire_canary(case: Case, asked: RetireCanary) -> Nought:
    """Mark a canary as one no more.

    Raises:
        NotFound: there is no such canary.
        Conflict: it is retired.
    """
    register = Register(case.papers, CANARIES)
    if register.get(asked.number)["retired"]:
        raise Conflict("this canary is retired already")
    register.amend(asked.number, retired=asked.why, **_signed(case))
    return Nought()


def drill(case: Case, asked: Drill) -> Added:
    """Let somebody of one's office open canaries for a while without a flag.

    Raises:
        Malformed: it ends before it begins.
        NotPermitted: for oneself, or for somebody of another office.
    """
    _must_be_of_his_office(case, asked.person_id)
    return _add_period(case, DRILLS, asked.person_id, asked)


def approve_hours(case: Case, asked: ApproveHours) -> Added:
    """Approve that somebody of one's office, or all of it, works outside office hours.

    All of it are all but whoever approves: his own uses are told as before.

    Raises:
        Malformed: it ends before it begins.
        NotPermitted: for oneself, or for another office or somebody of it.
    """
    if case.actor.operator is None or asked.who != case.actor.operator.office:
        _must_be_of_his_office(case, asked.who)
    return _add_period(case, HOURS, asked.who, asked)


def known(case: Case, _: List) -> Known:
    """Show the three books."""
    canaries = Register(case.papers, CANARIES)
    return Known(
        canaries=tuple(
            CanaryEntry(
                number=number,
                added_by=first["by"],
                added_at=datetime.fromisoformat(first["at"]),
                retired=entry["retired"],
            )
            for number, entry in canaries.every()
            for first in (canaries.history(number)[0],)
        ),
        drills=_periods(case, DRILLS),
        hours=_periods(case, HOURS),
    )


def surroundings(papers: Papers, places: dict[str, str]) -> Surroundings:
    """Return what is known now."""
    canaries = Register(papers, CANARIES).every()
    return Surroundings(
        canaries=frozenset(entry["person"] for _, entry in canaries if not entry["retired"]),
        drills=tuple(_span(entry) for _, entry in Register(papers, DRILLS).every()),
        approved=tuple(_span(entry) for _, entry in Register(papers, HOURS).every()),
        places=places,
    )


def _add_period(case: Case, book: str, who: str, asked: Drill | ApproveHours) -> Added:
    if asked.until <= asked.since:
        raise Malformed("until: must be after since")
    entry = {
        "who": who,
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "why": asked.why,
        **_signed(case),
    }
    return Added(number=Register(case.papers, book).add(entry))


def _must_be_of_his_office(case: Case, person_id: str) -> None:
    me, person = case.actor.operator, case.roster.person(person_id)
    if me is None or person is None or person.office != me.office:
        raise NotPermitted("name a person (照合ID) of your own office")
    if person_id == me.person_id:
        raise NotPermitted("nobody enters this for himself: somebody else must")


def _signed(case: Case) -> Entry:
    by = case.actor.operator
    return {"by": by.person_id if by else "", "at": case.request.now.isoformat()}


def _span(entry: Entry) -> Span:
    since, until, at = (
        int(datetime.fromisoformat(entry[name]).timestamp()) for name in ("since", "until", "at")
    )
    # What was done before it was entered is told: nobody is covered afterwards.
    return Span(max(since, at), until, entry["who"], entry["by"])


def _periods(case: Case, book: str) -> tuple[Period, ...]:
    return tuple(
        Period(
            number=number,
            who=entry["who"],
            since=datetime.fromisoformat(entry["since"]),
            until=datetime.fromisoformat(entry["until"]),
            why=entry["why"],
            by=entry["by"],
        )
        for number, entry in Register(case.papers, book).every()
    )


OPERATIONS: tuple[AnyOperation, ...] = (
    Operation(
        name=OperationName("watching/add-canary"),
        summary="Mark a fictitious resident: whoever opens him is flagged at once.",
        asks=AddCanary,
        answers=Added,
        handler=add_canary,
        changes=True,
        purposed=False,
        # Whoever reads the ledger must not learn whom to leave alone.
        drops=("resident_code",),
    ),
    Operation(
        name=OperationName("watching/retire-canary"),
        summary="Mark a fictitious resident no more.",
        asks=RetireCanary,
        answers=Nought,
        handler=retire_canary,
        changes=True,
        purposed=False,
        records=("number", "why"),
    ),
    Operation(
        name=OperationName("watching/drill"),
        summary="Let somebody open fictitious residents for a while without a flag.",
        asks=Drill,
        answers=Added,
        handler=drill,
        changes=True,
        purposed=False,
        uses=frozenset({"roster"}),
        records=Drill.__struct_fields__,
    ),
    Operation(
        name=OperationName("watching/approve-hours"),
        summary="Approve that a person or an office works outside office hours.",
        asks=ApproveHours,
        answers=Added,
        handler=approve_hours,
        changes=True,
        purposed=False,
        uses=frozenset({"roster"}),
        records=ApproveHours.__struct_fields__,
    ),
    Operation(
        name=OperationName("watching/known"),
        summary="Show the books of fictitious residents, drills and approved hours.",
        asks=List,
        answers=Known,
        handler=known,
        purposed=False,
    ),
)
