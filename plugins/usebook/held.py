"""A month of an office held against the ledger, and what does not come out told in words.

The ledger is read in a view: every entry of the month and of two days on either side is opened
once. The days beside the month are matched with it, so that a use and its line may lie on two
sides of midnight; told is only what belongs to the month.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain

from appliance.plugin_api import JST, Case
from plugins.usebook.book import (
    Book,
    BookLine,
    Finding,
    Matched,
    first_day,
    last_day,
    month_after,
    month_before,
    month_of,
)
from plugins.usebook.matching import Aspect, Leftover, Line, Matching, Pair, match
from plugins.usebook.uses import Used, moment, plain, read_uses, seconds

DIFFERS: Mapping[str, str] = {
    "operator": "操作者ID",
    "case": "使用簿番号",
    "purpose": "事務又は利用事由",
    "count": "件数",
    "time": "時刻",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A month of an office, held against the ledger."""

    matched: Matched
    findings: Sequence[Finding]


def uses_around(case: Case, month: str, tolerance: int) -> Mapping[str, Sequence[Used]]:
    """Return the uses of every office in a month and on the days beside it."""
    return read_uses(case.ledger, first_day(month), last_day(month), tolerance * 60)


def held_against(
    case: Case, office: str, month: str, uses: Sequence[Used], tolerance: int
) -> Found:
    """Match a month, its neighbouring days with it; tell what belongs to the month alone."""
    lines = dict(enumerate(_lines(case, office, month)))
    by_key = {used.use.key: used for used in uses}
    matching = match(
        (used.use for used in uses),
        (_as_matched(at, each) for at, each in lines.items()),
        tolerance * 60,
    )
    teller = _Teller(by_key, lines, month)
    mine = [used for used in uses if month_of_use(used) == month]
    findings = sorted(teller.findings(matching), key=lambda each: (each.at, each.id))
    kinds = [each.kind for each in findings]
    matched_uses = {use.key for pair in matching.matched for use in pair.uses}
    return Found(
        Matched(
            at=case.request.now,
            tolerance=tolerance,
            changed=Book(case.papers).month(office, month).changed,
            entries=case.ledger.size,
            uses=len(mine),
            requests=sum(used.requests for used in mine),
            lines=sum(each.month == month for each in lines.values()),
            matched=sum(used.use.key in matched_uses for used in mine),
            unrecorded=kinds.count("unrecorded"),
            unfounded=kinds.count("unfounded"),
            differing=kinds.count("differing"),
            people=tuple(sorted({used.person for used in mine})),
        ),
        findings,
    )


def _lines(case: Case, office: str, month: str) -> Iterator[BookLine]:
    """Yield what counts in a month, on the day before it and on the day after."""
    book = Book(case.papers)
    first, last = first_day(month) - timedelta(days=1), last_day(month) + timedelta(days=1)
    before, after = month_before(month), month_after(month)
    beside = chain(book.edge_lines(office, before), book.edge_lines(office, after))
    for line in chain(book.lines(office, month), beside):
        if not line.struck and first <= line.day <= last:
            yield line


def _as_matched(at: int, line: BookLine) -> Line:
    return Line(
        key=at,
        operator=plain(line.operator),
        case=plain(line.case),
        purpose=f"{line.purpose}/{line.reason}",
        begins=_clock(line.day, line.begins),
        ends=_clock(line.day, line.ends or line.begins) + 59,
        spans=line.ends is not None,
        count=line.count,
    )


def _clock(day: date, text: str) -> int:
    midnight = seconds(datetime.combine(day, time(0), JST))
    return midnight + int(text[:2]) * 3600 + int(text[3:]) * 60


def month_of_use(used: Used) -> str:
    """Return to which month a use belongs."""
    return month_of(moment(used.use.begins).date())


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells findings in the terms of the ledger and of the book."""

    uses: Mapping[int, Used]
    lines: Mapping[int, BookLine]
    month: str

    def findings(self, matching: Matching) -> Iterator[Finding]:
        """Yield what belongs to the month: a pair to every month that one of its sides is in.

        The month of the line alone would not do: of this month it sees the last days, and a use
        that lies before them could be hidden by a line of the next month with the same number.
        """
        for pair in matching.differing:
            if self.month in {
                *(self.lines[line.key].month for line in pair.lines),
                *(month_of_use(self.uses[use.key]) for use in pair.uses),
            }:
                yield self._differing(pair)
        for left in matching.leftovers:
            if left.use is not None and month_of_use(self.uses[left.use.key]) == self.month:
                yield self._unrecorded(left, self.uses[left.use.key])
            if left.line is not None and self.lines[left.line.key].month == self.month:
                yield self._unfounded(left, self.lines[left.line.key])

    def _differing(self, pair: Pair) -> Finding:
        used = [self.uses[use.key] for use in pair.uses]
        lines = [self.lines[line.key] for line in pair.lines]
        return Finding(
            id=f"use-{used[0].use.key}-line-{lines[0].number}",
            kind="differing",
            uses=tuple(each.use.key for each in used),
            lines=tuple(line.number for line in lines),
            differs=pair.differs,
            at=moment(used[0].use.begins),
            people=_people(used, lines),
            text=f"使用簿と操作履歴で{_listed(pair.differs)}が違います。",
        )

    def _unrecorded(self, left: Leftover, used: Used) -> Finding:
        nearest = self.lines[left.nearest.key].number if left.nearest else None
        return Finding(
            id=f"use-{used.use.key}",
            kind="unrecorded",
            uses=(used.use.key,),
            lines=(),
            differs=left.nearest.differs if left.nearest else (),
            nearest=nearest,
            taken=left.nearest is not None and left.nearest.taken,
            at=moment(used.use.begins),
            people=_people([used], ()),
            text="操作履歴にある利用が使用簿にありません。" + _about_nearest(left, "行", nearest),
        )

    def _unfounded(self, left: Leftover, line: BookLine) -> Finding:
        nearest = left.nearest.key if left.nearest else None
        return Finding(
            id=f"line-{line.number}",
            kind="unfounded",
            uses=(),
            lines=(line.number,),
            differs=left.nearest.differs if left.nearest else (),
            nearest=nearest,
            taken=left.nearest is not None and left.nearest.taken,
            at=moment(_clock(line.day, line.begins)),
            people=_people((), [line]),
            text="使用簿にある利用が操作履歴にありません。"
            + _about_nearest(left, "操作履歴", nearest),
        )


def _people(uses: Iterable[Used], lines: Iterable[BookLine]) -> tuple[str, ...]:
    """Return everybody whose use or line it is: 照合ID where known, and 操作者ID."""
    named = [each for used in uses for each in (used.person, used.use.operator)]
    named += [each for line in lines for each in (line.operator, *line.by.values())]
    return tuple(sorted(set(named)))


def _about_nearest(left: Leftover, what: str, nearest: int | None) -> str:
    if left.nearest is None:
        return "近いものもありません。"
    if not left.nearest.differs:
        return f"最も近い{what}{nearest}は、別のものと一致しています。"
    taken = "(別のものと一致)" if left.nearest.taken else ""
    return f"最も近いのは{what}{nearest}{taken}で、{_listed(left.nearest.differs)}が違います。"


def _listed(differs: Sequence[Aspect]) -> str:
    return "、".join(DIFFERS[each] for each in differs)
