"""Entries by what they are; what was refused, counted; proof that an entry is there."""

from collections import Counter
from collections.abc import Mapping

from appliance.plugin_api import Answer, Arguments, Case, Operation, OperationName
from plugins.ledger.entries import Entries, Index, Limit, told
from plugins.ledger.filters import Filter, Period, Stretch, find


class Search(Filter, frozen=True, kw_only=True):
    """What an entry must be; everything given must hold."""

    limit: Limit = 100


class Denials(Period, frozen=True, kw_only=True):
    """Of when."""


class Denied(Answer, frozen=True, kw_only=True):
    """How often something stands in the refusals."""

    value: str
    """A code, 操作者ID or 操作端末ID; empty where the entry names none."""
    count: int


class DenialCounts(Answer, frozen=True, kw_only=True):
    """Refusals of a stretch of the ledger, counted three times over; the most frequent first.

    ``next`` is the ``before`` of the stretch that follows, or null at the end: whoever wants the
    whole period adds them up. The refusals themselves: ``ledger/search`` with ``result`` denied.
    """

    count: int
    codes: tuple[Denied, ...]
    operators: tuple[Denied, ...]
    terminals: tuple[Denied, ...]
    next: int | None


class Prove(Arguments, frozen=True, kw_only=True):
    """Which entry."""

    index: Index


class Proved(Answer, frozen=True, kw_only=True):
    """Evidence that anybody can check, as text (C2SP tlog-proof), the sealed entry in it."""

    proof: str
    witnessed: bool
    """A witness has cosigned the checkpoint that it leads to."""


def search(case: Case, asked: Search) -> Entries:
    """List entries."""
    found = find(case, asked, asked.limit)
    return told(case, found.readings, found.after)


def denials(case: Case, asked: Denials) -> DenialCounts:
    """Count what was refused, by code, operator and terminal."""
    codes: Counter[str] = Counter()
    operators: Counter[str] = Counter()
    terminals: Counter[str] = Counter()
    stretch = Stretch(case, asked)
    for reading in stretch.readings():
        if reading.refusal is not None and reading.result.name == "DENIED":
            codes[reading.refusal] += 1
            operators[reading.operator or ""] += 1
            terminals[reading.terminal or ""] += 1
    case.note.hits = codes.total()
    return DenialCounts(
        count=codes.total(),
        codes=_ranked(codes),
        operators=_ranked(operators),
        terminals=_ranked(terminals),
        next=stretch.after,
    )


def prove(case: Case, asked: Prove) -> Proved:
    """Prove that an entry is in the ledger."""
    proof = case.ledger.proof(asked.index)
    return Proved(proof=proof, witnessed=asked.index < case.ledger.witnessed)


def _ranked(counts: Mapping[str, int]) -> tuple[Denied, ...]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Denied(value=value, count=count) for value, count in ranked)


SEARCH = Operation(
    name=OperationName("ledger/search"),
    summary="List entries of the ledger, the newest first.",
    asks=Search,
    answers=Entries,
    handler=search,
    purposed=False,
    uses=frozenset({"ledger", "roster"}),
    records=Search.__struct_fields__,
)
DENIALS = Operation(
    name=OperationName("ledger/denials"),
    summary="Count what was refused, by code, operator and terminal.",
    asks=Denials,
    answers=DenialCounts,
    handler=denials,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=Denials.__struct_fields__,
)
PROVE = Operation(
    name=OperationName("ledger/proof"),
    summary="Prove that an entry is in the ledger.",
    asks=Prove,
    answers=Proved,
    handler=prove,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=("index",),
)
OPERATIONS = (SEARCH, DENIALS, PROVE)
