"""How much was provided: counted with every answer, told for a fiscal year (30条の16, R62).

Tallies are named ``provision/<YYYY-MM>/<事務>/<agency>/<method>/<result>``; they tell of nobody.

The report tells them as they are, small ones too, where statistics round (R171): they count what
the prefecture did and not who lives where, and the law wants just these numbers published.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Operation,
    OperationName,
    PurposeCode,
)

PROVIDED_RESULTS = frozenset({"one", "00"})
"""Results by which items, or verdicts, of a person left."""
KINDS = {"own": "自ら利用", "transfer": "移転", "provision": "提供"}
METHODS = {
    "inquire": "電気通信回線(即時提供)",
    "verify": "電気通信回線(照合)",
    "bulk": "電磁的記録媒体(一括提供)",
}
APRIL = 4


def tally_name(case: Case, purpose: PurposeCode | None, method: str, result: str) -> str:
    """Return under which name one provision of this day counts."""
    rule = case.policy.purposes.get(purpose or PurposeCode(""))
    agency = rule.agency if rule else ""
    month = case.request.today.isoformat()[:7]
    parts = (month, purpose or "", agency, method, result)
    return "/".join(("provision", *(part.replace("/", "-") for part in parts)))


class Yearly(Arguments, frozen=True, kw_only=True):
    """Of which fiscal year, April to March."""

    fiscal_year: Annotated[int, Meta(ge=2002, le=9998)]


class Line(Answer, frozen=True, kw_only=True):
    """提供先, 年月, 件数, 方法, as the law wants them published."""

    month: str
    purpose: str
    label: str
    basis: str
    agency: str
    kind: str
    method: str
    asked: int
    """How many inquiries were answered, whatever was found."""
    provided: int
    """How many of them told something of a person."""


class YearlyReport(Answer, frozen=True, kw_only=True):
    """One line a month, 事務, agency and method; and the sum of a 事務 over the year."""

    fiscal_year: int
    lines: tuple[Line, ...]
    asked: dict[str, int]
    provided: dict[str, int]


def yearly(case: Case, asked: Yearly) -> YearlyReport:
    """Report what was provided in a year, and to whom."""
    counted: dict[tuple[str, ...], list[int]] = {}
    for month in _months(asked.fiscal_year):
        for name, count in case.tallies(f"provision/{month}/").items():
            *key, result = name.split("/")[1:]
            sums = counted.setdefault(tuple(key), [0, 0])
            sums[0] += count
            sums[1] += count if result in PROVIDED_RESULTS else 0
    lines = tuple(_line(case, key, *counted[key]) for key in sorted(counted))
    return YearlyReport(
        fiscal_year=asked.fiscal_year,
        lines=lines,
        asked=_by_purpose((line.purpose, line.asked) for line in lines),
        provided=_by_purpose((line.purpose, line.provided) for line in lines),
    )


def _by_purpose(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for purpose, count in counts:
        sums[purpose] += count
    return dict(sums)


def _months(year: int) -> list[str]:
    return [f"{year + (n >= 12)}-{n % 12 + 1:02}" for n in range(APRIL - 1, APRIL + 11)]


def _line(case: Case, key: tuple[str, ...], asked: int, provided: int) -> Line:
    month, purpose, agency, method = key
    rule = case.policy.purposes.get(PurposeCode(purpose))
    return Line(
        month=month,
        purpose=purpose,
        label=rule.label if rule else purpose,
        basis=rule.basis if rule else "",
        agency=agency,
        kind=KINDS[rule.kind] if rule else "",
        method=METHODS.get(method, method),
        asked=asked,
        provided=provided,
    )


YEARLY = Operation(
    name=OperationName("provision/yearly"),
    summary="Report what was provided in a fiscal year, for publication.",
    asks=Yearly,
    answers=YearlyReport,
    handler=yearly,
    purposed=False,
    records=("fiscal_year",),
)
