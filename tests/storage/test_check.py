"""A thief has the page key and no other.  Whatever he does to the file is found, and where."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from storage import findings
from storage.check import CheckReport
from storage.engine import Entry, PersonId, Unit
from storage.errors import LedgerBroken, Tampered, WrongKey
from storage.keyring import KeyRing
from storage.leaf import subject_token
from storage.merkle import leaf_hash
from tests.storage.made import INSTALLATION, ROOT
from tests.storage.stores import ADDRESS, ITO, NAME, SATO, Store, entered, fields_of

EVERY = range(1, 26)
SATO_1, SATO_2, SATO_3, ITO_1 = 4097, 4098, 4099, 8193


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with Sato in three versions and Ito in one, papers, parcels, and 300 entries."""
    store = Store(tmp_path / "store").create()
    fill(store)
    return store


def fill(store: Store) -> None:
    def first(unit: Unit) -> None:
        sato = store.admit(unit, fields_of(SATO)).person
        store.amend(unit, sato, fields_of(SATO, name="鈴木　花子"))
        unit.send("national", "update", store.amend(unit, sato, fields_of(SATO, address="宇城市")))
        unit.send("national", "update", store.admit(unit, fields_of(ITO)))
        unit.send("elsewhere", "update", store.amend(unit, sato, fields_of(SATO)))
        for body in (b"one", b"two"):
            unit.put_document("papers", b"k", body)
        unit.put_document("papers", b"l", b"three")
        for number in range(300):
            subjects = (PersonId(1),) if number % 2 else (PersonId(1), PersonId(2))
            unit.enter(Entry(number % 5, 0, b"body", subjects))

    with store.opened() as vault:
        vault.write(first)
        vault.write(lambda unit: unit.acknowledge("national", 1))


def steal(store: Store, *statements: str) -> None:
    with store.thief() as thief:
        for statement in statements:
            thief.execute(statement)
            assert thief.changes() > 0


def found(store: Store) -> set[tuple[str, str]]:
    return {(each.place, each.what) for each in store.check().findings if each.place != SCHEMA}


SCHEMA = "schema"


def places(store: Store) -> set[str]:
    return {
        each.place for each in store.check().findings if not each.place.startswith("schema ")
    }
