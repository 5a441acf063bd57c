"""The three statistics: from tallies to rows or CSV (R171, R172)."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, partial

from appliance.plugin_api import Case, Municipalities, has_lapsed
from plugins.statistics.ages import age_class
from plugins.statistics.counting import POPULATION, PROVISION, UPDATE
from plugins.statistics.rounding import BASE, Lots, Place, rounded

SEXES = {"1": "男", "2": "女", "0": "不明"}
METHODS = {"inquire": "即時提供", "verify": "照合", "bulk": "一括提供"}
RESULTS = {
    "one": "一致",
    "none": "該当なし",
    "several": "複数",
    "elsewhere": "転出",
    "00": "一致",
    "10": "複数",
    "20": "該当なし",
    "30": "転出",
    "40": "死亡",
    "41": "職権消除等",
    "90": "不許可",
}
BYTE_ORDER_MARK = "\ufeff"
"""Without it a spreadsheet takes UTF-8 for something else."""

NameOf = Callable[[str], str]
"""What a code of a dimension is called; empty if nobody knows."""
Finest = Mapping[Place, int]
LABELS = {
    "municipality": "市町村コード",
    "municipality_name": "市町村",
    "sex_name": "性別の名称",
    "purpose_name": "事務の名称",
    "method_name": "方法の名称",
    "result_name": "結果の名称",
    "age": "年齢階級",
    "sex": "性別",
    "month": "年月",
    "reason": "異動事由",
    "purpose": "事務",
    "agency": "提供先",
    "method": "方法",
    "result": "結果",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a statistic counts, and by what, in the order of its names."""

    name: str
    dimensions: tuple[str, ...]
    unit: str


RESIDENTS = Kind(POPULATION, ("municipality", "age", "sex"), "人数")
UPDATES = Kind(UPDATE, ("month", "municipality", "reason"), "件数")
PROVISIONS = Kind(PROVISION, ("month", "purpose", "agency", "method", "result"), "件数")


def residents(tallies: Mapping[str, int], today: date) -> Finest:
    """Return how many live where, by age and sex; who moves out later still does."""
    finest: Counter[tuple[str, ...]] = Counter()

    # There are many more names than months of birth.
    @cache
    def counted_as(whose: str) -> tuple[str, str] | None:
        birth, sex, *_ = whose.split("/")
        return None if has_lapsed(whose, today) else (age_class(birth, today), sex)

    for name, count in tallies.items():
        _, municipality, whose = name.split("/", 2)
        if (counted := counted_as(whose)) is not None:
            finest[municipality, *counted] += count
    return finest


def events(tallies: Mapping[str, int]) -> Finest:
    """Return what happened, by the parts of the names of the tallies."""
    return {tuple(name.split("/")[1:]): count for name, count in tallies.items()}


def within(case: Case, kind: Kind, period: str) -> Finest:
    """Return what happened in a period (``YYYY`` or ``YYYY-MM``)."""
    return events(case.tallies(f"{kind.name}/{period}"))


@dataclass(frozen=True, slots=True)
class Cut:
    """The table that was asked for, of all that a statistic has; every number is rounded."""

    kind: Kind
    by: tuple[str, ...]
    rows: tuple[tuple[Place, int], ...]
    """In order; what comes to nought is left out."""
    total: int

    def plain(self) -> list[tuple[dict[str, str], int]]:
        """Return each row with its values by name."""
        return [(dict(zip(self.by, place, strict=True)), count) for place, count in self.rows]

    def named(self, names: Mapping[str, NameOf]) -> dict[str, dict[str, str]]:
        """Return by dimension what its codes in the rows are called, as far as anybody knows."""
        found = {}
        for at, name in enumerate(self.by):
            if (name_of := names.get(name)) is not None:
                called = {place[at]: name_of(place[at]) for place, _ in self.rows}
                found[name] = {code: told for code, told in called.items() if told}
        return found

    def csv(self, names: Mapping[str, NameOf]) -> str:
        """Return the table as CSV (RFC 4180), with Japanese headings and names beside codes.

        The last line says that its numbers are rounded.
        """
        text = io.StringIO()
        writer = csv.writer(text)
        columns = [column for name in self.by for column in _columns(name, names)]
        writer.writerow([*(LABELS[name] for name in columns), self.kind.unit])
        for values, count in self.plain():
            values |= {f"{n}_name": names[n](code) for n, code in values.items() if n in names}
            writer.writerow([*(values[name] for name in columns), count])
        writer.writerow(["合計", *("" for _ in columns[1:]), self.total])
        writer.writerow([f"数は、個人が特定されないよう、{BASE}単位に丸めています。"])
        return BYTE_ORDER_MARK + text.getvalue()


def cut(kind: Kind, finest: Finest, by: Iterable[str], lot: Lots) -> Cut:
    """Return the table by these dimensions, added up from the rounded numbers of the finest."""
    names = tuple(name for name in kind.dimensions if name in set(by))
    kept = [kind.dimensions.index(name) for name in names]
    told = rounded(finest, lot)
    sums: Counter[Place] = Counter()
    for place, count in told.items():
        sums[tuple(place[at] for at in kept)] += count
    return Cut(kind, names, tuple(sorted(sums.items())), sums.total())


def names_of(case: Case) -> Mapping[str, NameOf]:
    """Return what the codes of each dimension are called that has codes."""
    purposes = {str(code): rule.label for code, rule in case.policy.purposes.items()}
    known = {"sex": SEXES, "purpose": purposes, "method": METHODS, "result": RESULTS}
    named: dict[str, NameOf] = {name: _named_in(table) for name, table in known.items()}
    return {"municipality": partial(_municipality, case.registry.municipalities), **named}


def _named_in(table: Mapping[str, str]) -> NameOf:
    return lambda code: table.get(code, "")


def _municipality(municipalities: Municipalities, code: str) -> str:
    found = municipalities.lookup(code)
    return found.full_name if found else ""


def _columns(name: str, names: Mapping[str, NameOf]) -> tuple[str, ...]:
    return (name, f"{name}_name") if name in names else (name,)
