"""Sweeps version by version and keeps how far it is, until it is through or killed."""

import sys
import time
from pathlib import Path

from storage.engine import PersonId, Unit, VersionId
from storage.keyring import KeyRing
from storage.vault import Vault
from tests.storage.made import ROOT
from tests.storage.stores import ENTRY, Store


def step(vault: Vault) -> bool:
    """Do one step, from where the last commit was; return whether it is through."""

    def work(unit: Unit) -> bool:
        kept = unit.document("sweep", b"")
        after = VersionId(PersonId(int(kept.body)), 1) if kept else None
        done = unit.rewrap(after, 1)
        if done.looked:
            assert done.through is not None
            unit.put_document("sweep", b"", b"%d" % done.through.person)
        unit.enter(ENTRY)
        return not done.looked

    return vault.write(work)


def main() -> None:
    folder = Path(sys.argv[1])
    store = Store(folder, KeyRing.open(folder / "keyring.cbor", ROOT))
    store.now_ms = time.time_ns() // 1_000_000
    vault = store.open()
    print("opened", flush=True)
    while not step(vault):
        pass


if __name__ == "__main__":
    main()
