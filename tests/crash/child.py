"""Writes units in a loop and says which are done, until it is killed."""

import sys
import time
from pathlib import Path

from storage.engine import Entry, PersonId, Unit
from storage.keyring import KeyRing
from tests.storage.made import ROOT
from tests.storage.stores import SATO, Store, fields_of


def main() -> None:
    folder = Path(sys.argv[1])
    store = Store(folder, KeyRing.open(folder / "keyring.cbor", ROOT))
    store.now_ms = time.time_ns() // 1_000_000
    vault = store.open()
    with vault.view() as view:
        number = view.latest(PersonId(1))
    print("opened", flush=True)
    while True:
        number += 1

        def four_things(unit: Unit, number: int = number) -> None:
            version = store.amend(unit, PersonId(1), fields_of(SATO, address=f"宇土市{number}"))
            unit.put_document("papers", b"%08d" % number, b"body" * 500)
            unit.send("national", "update", version, b"note")
            unit.enter(Entry(7, 0, b"%d" % number, (PersonId(1),)))

        vault.write(four_things)
        print(number, flush=True)


if __name__ == "__main__":
    main()
