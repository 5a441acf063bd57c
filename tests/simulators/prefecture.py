"""The smallest prefecture: takes notices, knows the rules, keeps people in a dict.

It is no appliance. It holds the generated streams against a second reading of the rules, written
without looking at the plugin's, and stands in for the appliance where only the CS is tested.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, NamedTuple

from msgspec.structs import asdict

from appliance.values.characters import gaiji_count, outsiders
from appliance.values.dates import PartialDate
from appliance.values.identifiers import Municipalities, is_my_number, is_resident_code
from tests.simulators.notices import Notice

_ADDRESS: Final = frozenset(
    {"address", "town_code", "address_gaiji_count", "address_gaiji_serial", "municipality_code"}
)
_NAME: Final = frozenset({"name", "name_gaiji_count", "name_gaiji_serial"})
_BODY: Final = _NAME | {"kana", "birth_date", "birth_date_as_written", "sex"}
_EVER: Final = frozenset(
    {"sequence", "reason", "effective_date", "update_number", "previous_resident_code"}
)

NOBODY: Final = "nobody"
HERE: Final = "here"
LEFT: Final = "21"
DEAD: Final = "22"
STRUCK: Final = "23"


class Reason(NamedTuple):
    """One 異動事由: who it may be told of, what may change, and the rules that say so."""

    before: Mapping[str, str]  # state in which it is refused -> rule
    changes: frozenset[str] | None  # None: everything
    rule: str = ""
    must_change: str = ""


_NOT_HERE: Final = (NOBODY, LEFT, DEAD, STRUCK)

REASONS: Final[Mapping[str, Reason]] = {
    "11": Reason({HERE: "L-01", DEAD: "L-02"}, None),
    "12": Reason(dict.fromkeys((HERE, LEFT, DEAD, STRUCK), "L-04"), None),
    "13": Reason({HERE: "L-05"}, None),
    "21": Reason(dict.fromkeys(_NOT_HERE, "L-06"), frozenset(), "L-06"),
    "22": Reason(dict.fromkeys(_NOT_HERE, "L-07"), frozenset(), "L-07"),
    "23": Reason(dict.fromkeys(_NOT_HERE, "L-08"), frozenset(), "L-08"),
    "31": Reason(dict.fromkeys(_NOT_HERE, "L-10"), _ADDRESS, "L-10"),
    "32": Reason(
        dict.fromkeys(_NOT_HERE, "L-13"), _NAME | _ADDRESS - {"municipality_code"}, "L-13", "L-14"
    ),
    "33": Reason(dict.fromkeys(_NOT_HERE, "L-15"), _BODY | _ADDRESS, "L-15", "L-16"),
    "41": Reason(dict.fromkeys(_NOT_HERE, "L-21"), frozenset({"resident_code"}), "L-22", "L-20"),
    "42": Reason(dict.fromkeys(_NOT_HERE, "L-21"), frozenset({"resident_code"}), "L-22", "L-20"),
    "51": Reason(dict.fromkeys(_NOT_HERE, "L-09"), frozenset({"my_number"}), "L-31", "L-34"),
    "52": Reason(dict.fromkeys(_NOT_HERE, "L-09"), frozenset({"my_number"}), "L-31", "L-34"),
    "53": Reason(dict.fromkeys(_NOT_HERE, "L-09"), frozenset({"my_number"}), "L-31", "L-34"),
}


class Verdict(NamedTuple):
    """What is answered to one notice."""

    outcome: str
    rules: tuple[str, ...] = ()


class Prefecture:
    """Everybody one municipality has told of, on the day ``today``."""

    def __init__(self, municipality_code: str, today: date) -> None:
        self._own = frozenset(Municipalities.load().covered_by(municipality_code))
        self._prefecture = municipality_code[:2]
        self._today = PartialDate.of(today)
        self.people: dict[str, Notice] = {}
        self.held: dict[int, Notice] = {}
        self._seen: dict[int, Notice] = {}

    def take(self, notice: Notice) -> Verdict:
        """Judge one notice, and write it down if it is right."""
        if (seen := self._seen.get(notice.sequence)) is not None:
            return Verdict("duplicate") if seen == notice else Verdict("rejected", ("G-06",))
        self._seen[notice.sequence] = notice
        verdict = self._judge(notice)
        if verdict.outcome == "held":
            self.held[notice.sequence] = notice
        elif verdict.outcome == "applied":
            self._write(notice)
        return verdict

    def missing(self) -> list[int]:
        """Return the sequence numbers that were skipped."""
        first, last = min(self._seen, default=1), max(self._seen, default=0)
        return [number for number in range(first, last) if number not in self._seen]

    def _judge(self, notice: Notice) -> Verdict:
        known = self.people.get(notice.previous_resident_code or notice.resident_code)
        step = notice.update_number - (known.update_number if known else 0)
        faults = [rule for rule, broken in _CHECKS.items() if broken(notice)]
        faults += self._misplaced(notice)
        if step < 1:
            faults.append("G-06")
        if faults:
            return Verdict("rejected", tuple(faults))
        if step > 1:
            return Verdict("held", ("G-06",))
        faults = _misused(notice, known) or self._taken(notice)
        alerts = ("L-12",) if notice.reason == "31" and not _changed(notice, known) else ()
        return Verdict("rejected", tuple(faults)) if faults else Verdict("applied", alerts)

    def _misplaced(self, notice: Notice) -> list[str]:
        faults = []
        if notice.municipality_code not in self._own:
            faults.append("G-03")
        if notice.municipality_code[:2] != self._prefecture:
            faults.append("G-12")
        if _date(notice.effective_date) is None or _date(notice.birth_date) is None:
            return [*faults, "G-04"]
        since, born = PartialDate.parse(notice.effective_date), PartialDate.parse(notice.birth_date)
        is_early = notice.reason != "21" and since.certainly_after(self._today)
        return [*faults, "G-04"] if is_early or since.certainly_before(born) else faults

    def _taken(self, notice: Notice) -> list[str]:
        known = notice.reason in ("41", "42") and notice.resident_code in self.people
        return ["L-20"] if known else []

    def _write(self, notice: Notice) -> None:
        self.people[notice.resident_code] = notice
        for waiting in sorted(self.held.values(), key=lambda held: held.update_number):
            same = waiting.resident_code == notice.resident_code
            if same and self._judge(waiting).outcome == "applied":
                del self.held[waiting.sequence]
                self.people[waiting.resident_code] = waiting


def _misused(notice: Notice, known: Notice | None) -> list[str]:
    reason = REASONS[notice.reason]
    state = NOBODY if known is None else known.reason if known.reason in _NOT_HERE else HERE
    if state in reason.before:
        return [reason.before[state]]
    changed = _changed(notice, known)
    if notice.reason == "53" and known is not None and known.my_number is not None:
        return ["L-33"]
    if reason.changes is not None and changed - reason.changes:
        return [reason.rule]
    return [reason.must_change] if reason.must_change and not changed else []


def _changed(notice: Notice, known: Notice | None) -> frozenset[str]:
    if known is None:
        return frozenset(asdict(notice))
    after, before = asdict(notice), asdict(known)
    return frozenset(name for name in after if after[name] != before[name]) - _EVER


def _date(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text)
    except ValueError:
        return None


_CHECKS: Final[Mapping[str, Callable[[Notice], bool]]] = {
    "G-01": lambda n: not is_resident_code(n.resident_code),
    "G-02": lambda n: n.my_number is not None and not is_my_number(n.my_number),
    "G-05": lambda n: n.sex not in ("0", "1", "2"),
    "G-07": lambda n: (
        not (n.name and n.address)
        or (n.reason in ("41", "42") and n.previous_resident_code is None)
        or (n.reason in ("51", "52", "53") and n.my_number is None)
    ),
    "G-08": lambda n: (
        (gaiji_count(n.name), gaiji_count(n.address)) != (n.name_gaiji_count, n.address_gaiji_count)
    ),
    "G-09": lambda n: bool(outsiders(n.name) or outsiders(n.address) or outsiders(n.kana or "")),
    "G-11": lambda n: n.reason not in REASONS,
}
