"""A store in a folder, with persons in it; and what the check needs to know of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from storage.check import CheckReport, check
from storage.connection import open_writer
from storage.engine import Engine, Entry, Fields, PersonId, Token, Unit, VersionId
from storage.keyring import KeyRing
from storage.tokens import identifier_token, index_key, token
from storage.vault import FILE_NAME, Vault, create, open_vault
from tests.storage.made import small_ring

ORIGIN = "audit.juki.test/g1"
CODE, NAME, KANA, BIRTH, SEX, ADDRESS, NUMBER = 1, 2, 4, 5, 6, 7, 9
ENTRY = Entry(event=1, result=0, body=b"\xa1\x01\x02")

SATO = {
    CODE: "91234567890",
    NAME: "佐藤　花子",
    KANA: "サトウ　ハナコ",
    BIRTH: "19840712",
    NUMBER: "912345678901",
}
ITO = {
    CODE: "99876543210",
    NAME: "伊東　太郎",
    KANA: "イトウ　タロウ",
    BIRTH: "19551103",
    NUMBER: "998765432109",
}


def fields_of(person: Mapping[int, str], **changes: str) -> dict[int, bytes | None]:
    """Return all 25 fields of a person; what is not given is absent."""
    given = {SEX: "2", ADDRESS: "熊本県宇土市浦田町５１"} | dict(person)
    given |= {
        {"name": NAME, "address": ADDRESS, "number": NUMBER}[k]: v for k, v in changes.items()
    }
    return {n: given[n].encode() if n in given else None for n in range(1, 26)}


class Finder:
    """Computes tokens from fields, as the appliance does above this package."""

    def __init__(self, ring: KeyRing) -> None:
        names = ("x1", "x2", "x3", "x4", "x5")
        self._keys = {n: index_key(ring.key("idx-root/1"), x) for n, x in enumerate(names, start=1)}
        self._bits = ring.token_bits

    def __call__(self, fields: Fields) -> list[Token]:
        def parts(*numbers: int) -> list[bytes]:
            return [fields[number] or b"" for number in numbers]

        found = [Token(1, identifier_token(self._keys[1], parts(CODE)))]
        if fields[NUMBER] is not None:
            found.append(Token(2, identifier_token(self._keys[2], parts(NUMBER))))
        for index, numbers in ((3, (NAME,)), (4, (KANA,)), (5, (BIRTH, SEX))):
            found.append(Token(index, token(self._keys[index], parts(*numbers), self._bits)))
        return found


@dataclass
class Store:
    """A store that tests open, close, steal from and check."""

    folder: Path
    ring: KeyRing = field(default_factory=small_ring)
    now_ms: int = 1_775_000_000_000

    def __post_init__(self) -> None:
        self.finder = Finder(self.ring)

    @property
    def file(self) -> Path:
        return self.folder / FILE_NAME

    def clock_ms(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def create(self) -> "Store":
        create(self.folder, self.ring, ORIGIN, self.clock_ms)
        return self

    def open(self, **more: Any) -> Vault:
        return open_vault(self.folder, self.ring, origin=ORIGIN, clock_ms=self.clock_ms, **more)

    @contextmanager
    def opened(self, **more: Any) -> Iterator[Vault]:
        vault = self.open(**more)
        try:
            yield vault
        finally:
            vault.close()

    def check(self, **more: Any) -> CheckReport:
        nobody = {"tokens_of": self.finder, "mark_of": lambda person, fields: None}
        return check(self.folder, origin=ORIGIN, **{"ring": self.ring, **nobody, **more})

    @contextmanager
    def thief(self) -> Iterator[apsw.Connection]:
        """Yield a connection of one who has stolen the page key and knows no other.

        Triggers are in the way of our own mistakes, not of him; he leaves them as they were.
        """
        thief = open_writer(self.file, self.ring.key("page/main/1"))
        thief.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
        triggers = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        taken = thief.execute(triggers).fetchall()
        try:
            for name, _ in taken:
                thief.execute(f'DROP TRIGGER "{name}"')
            yield thief
            for _, statement in taken:
                thief.execute(statement)
        finally:
            thief.close()

    def admit(self, unit: Unit, fields: Fields) -> VersionId:
        return unit.save(unit.admit(), fields, seen=0, gained=self.finder(fields))

    def amend(self, unit: Unit, person: PersonId, fields: Fields) -> VersionId:
        seen = unit.latest(person)
        before = set(self.finder(unit.read(person, range(1, 26)).fields))
        after = set(self.finder(fields))
        return unit.save(person, fields, seen=seen, gained=after - before, lost=before - after)

    def new_person(self, engine: Engine, fields: Fields) -> PersonId:
        return entered(engine, lambda unit: self.admit(unit, fields)).person


def entered(engine: Engine, work: Callable[[Unit], Any]) -> Any:
    """Do the work in a unit and enter it in the ledger."""

    def both(unit: Unit) -> Any:
        answer = work(unit)
        unit.enter(ENTRY)
        return answer

    return engine.write(both)
