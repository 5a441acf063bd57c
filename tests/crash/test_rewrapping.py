"""The yearly sweep cut off, by the disk at every write and sync, and by kills: all opens."""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from storage.engine import PersonId, Rewrapped, Unit, VersionId
from storage.errors import StorageError
from storage.keyring import KeyRing
from tests.crash import sweeper
from tests.crash.breaking import DISK, VFS, Disk, Fault
from tests.storage.made import ROOT
from tests.storage.stores import NAME, SATO, Store, entered, fields_of

PERSONS = 12
CYCLES = 12
ROOT_FOLDER = Path(__file__).parents[2]


@pytest.fixture
def disk() -> Iterator[Disk]:
    DISK.reset()
    yield DISK
    DISK.reset()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store whose ring has the keys of two years, and all versions under the older."""
    store = Store(tmp_path_factory.mktemp("template") / "store").create()

    def work(unit: Unit) -> None:
        for number in range(PERSONS):
            store.admit(unit, fields_of(SATO) | {1: b"%011d" % number, 9: None})

    with store.opened() as vault:
        entered(vault, work)
    store.ring.ensure("kek/active/2027")
    store.ring.save(store.folder / "keyring.cbor")
    return store


def sealed(store: Store) -> list[tuple[bytes, ...]]:
    with store.thief() as thief:
        found = thief.execute("SELECT substr(hdr, 1, 6), rsc, seal, cells FROM ver ORDER BY vid")
        return [(bytes(head), *rest) for head, *rest in found]


def opens(store: Store) -> None:
    """Check that every version opens and follows."""
    with store.opened() as vault, vault.view() as view:
        for number in range(1, PERSONS + 1):
            assert view.read(PersonId(number), [NAME]).fields[NAME]
    report = store.check()
    assert report.clean, report.findings


@pytest.mark.parametrize("fault", list(Fault), ids=[fault.value for fault in Fault])
def test_whatever_the_disk_does_every_version_opens(
    template: Store, disk: Disk, tmp_path: Path, fault: Fault
) -> None:
    before = sealed(template)
    for at in count():
        store = Store(tmp_path / str(at), template.ring)
        shutil.copytree(template.folder, store.folder)
        vault = store.open(vfs=VFS)
        disk.arm(at, fault)
        after: VersionId | None = None
        try:
            for _ in range(3):
                done: Rewrapped = entered(vault, lambda unit, a=after: unit.rewrap(a, 5))
                after = done.through
        except StorageError:
            pass
        failed = disk.failed
        disk.copy_after_kill(store.folder, tmp_path / f"{at}-killed")
        disk.copy_after_power_cut(store.folder, tmp_path / f"{at}-cut")
        disk.at = None
        vault.close()
        for left in ("-killed", "-cut"):
            survivor = Store(tmp_path / f"{at}{left}", template.ring)
            opens(survivor)
            assert sealed(survivor) == before
        disk.reset()
        if not failed:
            break
    assert at > 5


def test_killed_at_any_moment_it_goes_on_to_its_end(template: Store, tmp_path: Path) -> None:
    shutil.copytree(template.folder, tmp_path / "store")
    ring = KeyRing.open(tmp_path / "store" / "keyring.cbor", ROOT)
    store = Store(tmp_path / "store", ring)
    before, moments = sealed(store), random.Random(7)
    for _ in range(CYCLES):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.sweeper", str(store.folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT_FOLDER,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "opened\n"
        time.sleep(moments.uniform(0.0, 0.02))
        child.kill()
        child.wait()
        child.stdout.close()
        opens(store)
        assert sealed(store) == before
    with store.opened() as vault:
        while not sweeper.step(vault):
            pass
    store.ring.destroy("kek/active/2026")
    opens(store)
