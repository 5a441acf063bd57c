"""A store or a key ring that was put back to an earlier day is found, and there is a way out."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.machine.evidence import LEDGER_STOOD, where_it_stands
from appliance.machine.init import Founded
from appliance.machine.opening import Opened, open_store, system_entry
from appliance.machine.store import Layout
from storage.errors import LedgerBroken, WrongKey
from storage.journal import Journal
from storage.keyring import KeyRing
from tests.appliance.founding import NOW, Site, make_site, root_of

NEW_YEAR = 300
"""Days from ``NOW`` into the next year."""


class Town:
    """A founded store that is opened and closed, day after day."""

    def __init__(self, site: Site, founded: Founded) -> None:
        self.site, self.founded = site, founded
        self.layout = Layout(site.data)

    @property
    def root(self) -> bytes:
        return root_of(self.site.data, self.founded.shares[:3])

    def open(self, days: int = 0) -> Opened:
        return open_store(self.site.settings, self.root, lambda: NOW + timedelta(days=days))

    def day(self, days: int = 0, *, entries: int = 3, tiles: bool = False) -> None:
        """Open, enter something, perhaps export, note where the ledger stands, and close."""
        store = self.open(days)
        try:
            for _ in range(entries):
                entry = system_entry("system/test", store.firmware)
                store.vault.write(lambda unit, entry=entry: unit.enter(entry))
            if tiles:
                store.vault.export_tiles(self.layout.tiles)
            else:
                journal = Journal(self.layout.journal, lambda: 1_775_000_000_000)
                journal.note(LEDGER_STOOD, **where_it_stands(store.vault.checkpoint()))
                journal.close()
        finally:
            store.vault.close()

    def size(self) -> int:
        store = self.open()
        try:
            return int(store.vault.checkpoint().splitlines()[1])
        finally:
            store.vault.close()


@pytest.fixture
def town(tmp_path: Path) -> Town:
    site = make_site(tmp_path)
    return Town(site, site.found())


@pytest.mark.requirement("R135")
@pytest.mark.parametrize("tiles", [True, False], ids=["by the tiles", "by the boot journal"])
def test_an_earlier_store_that_was_put_back_is_refused(town: Town, tiles: bool) -> None:
    town.day(tiles=tiles)
    copy = town.site.folder / "copy"
    shutil.copytree(town.layout.store, copy)
    town.day(tiles=tiles)
    shutil.rmtree(town.layout.store)
    shutil.copytree(copy, town.layout.store)
    before = (town.layout.store / "juki.db").read_bytes()
    evidence = town.layout.tiles / "checkpoint" if tiles else town.layout.journal
    with pytest.raises(LedgerBroken, match=r"put back: by .* had 9 entries, the store has 5") as no:
        town.open()
    assert str(evidence) in str(no.value)
    assert (town.layout.store / "juki.db").read_bytes() == before
    # The way out that the message names.
    for path in (town.layout.tiles, town.layout.journal):
        if path.exists():
            path.rename(town.site.folder / path.name)
    assert town.size() == 6


@pytest.mark.requirement("R135")
def test_a_store_without_its_wal_is_refused(town: Town) -> None:
    town.day()
    store = town.open()
    kept = town.site.folder / "juki.db"
    shutil.copy(town.layout.store / "juki.db", kept)
    entry = system_entry("system/test", store.firmware)
    store.vault.write(lambda unit: unit.enter(entry))
    store.vault.export_tiles(town.layout.tiles)
    assert (town.layout.store / "juki.db").read_bytes() == kept.read_bytes()
    store.vault.close()
    shutil.copy(kept, town.layout.store / "juki.db")
    with pytest.raises(LedgerBroken, match="put back"):
        town.open()


def test_another_history_of_the_same_length_is_refused(town: Town) -> None:
    town.day(tiles=True)
    copy = town.site.folder / "copy"
    shutil.copytree(town.layout.store, copy)
    town.day(tiles=True)
    kept = town.site.folder / "tiles"
    shutil.copytree(town.layout.tiles, kept)
    shutil.rmtree(town.layout.tiles)
    shutil.rmtree(town.layout.store)
    shutil.copytree(copy, town.layout.store)
    town.day(entries=9, tiles=True)
    shutil.rmtree(town.layout.tiles)
    shutil.copytree(kept, town.layout.tiles)
    with pytest.raises(LedgerBroken, match="began with 9 other entries"):
        town.open()


@pytest.mark.requirement("R135")
def test_an_earlier_store_is_refused_by_what_the_witness_cosigned(town: Town) -> None:
    town.day(tiles=True)
    copy = town.site.folder / "copy"
    shutil.copytree(town.layout.store, copy)
    town.day(tiles=True)
    shutil.copy(town.layout.tiles / "checkpoint", town.layout.witnessed)
    shutil.rmtree(town.layout.tiles)
    shutil.rmtree(town.layout.store)
    shutil.copytree(copy, town.layout.store)
    with pytest.raises(LedgerBroken, match=r"had 9 entries, the store has 5") as no:
        town.open()
    assert str(town.layout.witnessed) in str(no.value)
    town.layout.witnessed.write_text("damaged")
    with pytest.raises(LedgerBroken, match=r"Move .*witnessed\.checkpoint away"):
        town.open()


def test_tiles_that_are_behind_are_normal(town: Town) -> None:
    town.day(tiles=True)
    town.day()
    assert town.size() > 0


def test_a_checkpoint_of_somebody_else_is_refused(town: Town) -> None:
    town.day(tiles=True)
    checkpoint = town.layout.tiles / "checkpoint"
    checkpoint.write_text(checkpoint.read_text().replace("\n5\n", "\n4\n"))
    with pytest.raises(
        LedgerBroken, match=r"not a checkpoint that this ledger signed. Move .*tile"
    ):
        town.open()


def test_an_old_key_ring_that_was_put_back_is_refused(town: Town) -> None:
    town.day()
    old = town.site.folder / "old"
    shutil.copy(town.layout.ring, old)
    town.day(NEW_YEAR)
    newest = town.layout.ring.read_bytes()
    shutil.copy(old, town.layout.ring)
    with pytest.raises(WrongKey, match=r"it is save 1, the store knows save 2; .*2027 is missing"):
        town.open(NEW_YEAR)
    assert town.layout.ring.read_bytes() == old.read_bytes()
    # Nor does it help to draw the year's keys once more.
    ring = KeyRing.open(town.layout.ring, town.root)
    for name in ("kek/active/2027", "log-body/2027", "log-subj/2027"):
        ring.ensure(name)
    ring.save(town.layout.ring)
    with pytest.raises(WrongKey, match="the key log-body/2027 is another"):
        town.open(NEW_YEAR)
    town.layout.ring.write_bytes(newest)
    town.open(NEW_YEAR).vault.close()


def test_a_ring_that_was_saved_and_not_yet_noted_is_a_later_one(town: Town) -> None:
    """The process may stop between drawing the keys of a year and the entry of its opening."""
    town.day()
    ring = KeyRing.open(town.layout.ring, town.root)
    for name in ("kek/active/2027", "log-body/2027", "log-subj/2027"):
        ring.ensure(name)
    ring.save(town.layout.ring)
    town.day(NEW_YEAR)


def test_no_keys_are_drawn_for_a_store_that_does_not_agree(town: Town) -> None:
    town.day(tiles=True)
    checkpoint = town.layout.tiles / "checkpoint"
    checkpoint.write_text("not a note")
    before = town.layout.ring.read_bytes()
    with pytest.raises(LedgerBroken):
        town.open(NEW_YEAR)
    assert town.layout.ring.read_bytes() == before
