"""The same work over our store: no handler, no rights, as the rival has none."""

from collections.abc import Collection, Iterator, Sequence

from appliance.index import Index
from appliance.items import CELLS, open_form
from appliance.seeking import CANDIDATES
from scripts.bench_lib.postgres.rival import Found, Person
from scripts.bench_lib.postgres.sealing import Cells
from storage.engine import Entry, Token, Unit
from storage.vault import Vault

PAGE = 1_000
NOTED = Entry(event=1, result=0, body=b"\xa0" * 64)
ALL = tuple(item.number for item in CELLS)


class Ours:
    """A store, and the index keys that belong to it."""

    def __init__(self, vault: Vault, index: Index) -> None:
        self._vault = vault
        self.index = index

    def people(self) -> Iterator[Person]:
        """Yield everybody as the latest version has them."""
        with self._vault.view() as view:
            after = 0
            while numbers := view.persons(after, PAGE):
                yield from (Person(each, view.read(each, ALL).fields) for each in numbers)
                after = numbers[-1]

    def find(self, resident_code: str, fields: Sequence[int]) -> Cells | None:
        """Return these cells of who has a 住民票コード, or None."""
        with self._vault.view() as view:
            person = view.identified(self.index.code(resident_code))
            return None if person is None else view.read(person, fields).fields

    def candidates(self, tokens: Collection[Token], fields: Sequence[int]) -> list[Found]:
        """Return everybody who has any of these tokens, with these cells."""
        with self._vault.view() as view:
            return [
                Found(person, view.read(person, fields).fields)
                for person in view.candidates(tokens, CANDIDATES)
            ]

    def update(self, person: Person, seen: int) -> None:
        """Write a version on top of ``seen``, and an entry of the ledger with it; durable."""
        new = self.index.tokens_of(open_form(person.cells))

        def save(unit: Unit) -> None:
            before = unit.read(person.number, ALL).fields
            old = self.index.tokens_of(open_form(before))
            unit.save(person.number, person.cells, seen=seen, gained=new - old, lost=old - new)
            unit.enter(NOTED)

        self._vault.write(save)
