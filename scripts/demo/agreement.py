"""Do the municipalities' files, ours and the national server's say the same?

Each file is read where it lies, ours out of the stopped store with three shares, and compared item
by item with the municipalities': over the eight items with the national server's, over all items a
municipality tells with ours. Nobody's word is taken for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from appliance.items import CELLS, Values, open_form
from appliance.machine.keeper import Shares
from appliance.machine.store import Layout, read_identity
from scripts.demo.grounds import Grounds
from scripts.demo.steps import Step
from storage.engine import PersonId, View
from storage.errors import RecordNotFound
from storage.keyring import KeyRing, read_header
from storage.vault import open_vault
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.national_file import NationalFile
from tests.simulators.notices import Eight, Notice, eight_of

AT_ONCE = 1000
FIRST = 5
"""Differences that are told; by 住民票コード, which is made up."""
NOT_ITEMS = frozenset({"sequence", "previous_resident_code"})


@dataclass(slots=True)
class Agreement:
    """How many people were compared, and who is not the same everywhere."""

    residents: int = 0
    ours: int = 0
    national: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether all files say the same of the same people."""
        return not self.differences and self.residents == self.ours == self.national > 0


def judge(step: Step, grounds: Grounds, *custodians: int) -> Agreement:
    """Compare a run's files with these custodians' shares, and say in a step what came out."""
    shares = [grounds.share(number) for number in custodians]
    found = compare(grounds.municipality, grounds.national / "national.db", grounds.data, shares)
    step.saw(f"{found.residents:,} people in all three", found.holds)
    for difference in found.differences[:FIRST]:
        step.saw(difference, right=False)
    return found


def compare(municipalities: Path, national: Path, data: Path, shares: list[str]) -> Agreement:
    """Read all three files and compare them; the appliance must have stopped."""
    former = _former_codes(municipalities)
    told = {code: each for code, each in _told(municipalities).items() if code not in former}
    found = Agreement(residents=len(told))
    with NationalFile(national) as file:
        # It is told the new code only (R27), and keeps what it heard under the former one.
        records = (each for each in file.records() if each.resident_code not in former)
        theirs = {record.resident_code: record for record in records}
    found.national = len(theirs)
    for code in sorted(told.keys() | theirs.keys()):
        wanted = eight_of(told[code]) if code in told else None
        found.differences += _different("national", code, wanted, theirs.get(code))
    seen: set[str] = set()
    for values in _ours(data, shares):
        code = str(values.get("resident_code"))
        seen.add(code)
        found.differences += _differing_items(code, told.get(code), values)
    found.ours = len(seen)
    found.differences += [f"ours: {code} is missing" for code in sorted(told.keys() - seen)]
    return found


def _told(folder: Path) -> Mapping[str, Notice]:
    """Return the last notice about each person, whichever municipality told it."""
    told: dict[str, Notice] = {}
    for path in sorted(folder.rglob("cs.db")):
        with MunicipalFile(path) as file:
            for notice in file.residents():
                known = told.get(notice.resident_code)
                if known is None or known.update_number < notice.update_number:
                    told[notice.resident_code] = notice
    return told


def _former_codes(folder: Path) -> frozenset[str]:
    """Return the 住民票コード that were replaced by others."""
    former: set[str] = set()
    for path in sorted(folder.rglob("cs.db")):
        with MunicipalFile(path) as file:
            former |= file.former_codes()
    return frozenset(former)


def _ours(data: Path, shares: list[str]) -> Iterator[dict[str, Any]]:
    """Yield everybody's latest version out of the store, by wire name."""
    layout = Layout(data)
    identity = read_identity(layout)
    ring = KeyRing.open(layout.ring, _root(layout.ring, shares))
    vault = open_vault(layout.store, ring, origin=identity.origin, clock_ms=lambda: 0)
    try:
        with vault.view() as view:
            for person in _persons(view):
                values = _latest(view, person)
                if values is not None:
                    yield {str(name): value for name, value in values.items()}
    finally:
        vault.close()


def _root(ring: Path, shares: list[str]) -> bytes:
    share_set = read_header(ring).share_set
    if share_set is None:
        raise ValueError("the key ring names no shares")
    return Shares(share_set).root(shares)


def _persons(view: View) -> Iterator[PersonId]:
    after = 0
    while people := view.persons(after, AT_ONCE):
        yield from people
        after = people[-1]


def _latest(view: View, person: PersonId) -> Values | None:
    try:
        return open_form(view.read(person, [item.number for item in CELLS]).fields)
    except RecordNotFound:
        return None  # erased


def _different(whose: str, code: str, wanted: Eight | None, got: Eight | None) -> Iterator[str]:
    if wanted is None or got is None:
        yield f"{whose}: {code} is {'missing' if got is None else 'one too many'}"
        return
    for name in Eight.__struct_fields__:
        if getattr(wanted, name) != getattr(got, name):
            yield f"{whose}: {code} differs in {name}"


def _differing_items(code: str, notice: Notice | None, values: Mapping[str, Any]) -> Iterator[str]:
    if notice is None:
        yield f"ours: {code} is one too many"
        return
    for name, wanted in asdict(notice).items():
        if name not in NOT_ITEMS and values.get(name) != wanted:
            yield f"ours: {code} differs in {name}"
