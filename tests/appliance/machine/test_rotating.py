"""``juki keys rotate``: a year's keys, by the custodians, whole or not at all."""

import json
import os
import shutil
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli import juki as group
from appliance.errors import StartupError
from appliance.ledger_reader import LedgerReader
from appliance.machine import rotating
from appliance.machine.init import Founded, write_shares
from appliance.machine.opening import open_store
from appliance.machine.rotating import NotThisYear, Rotation, planned, rotate
from appliance.machine.store import Layout
from storage.errors import LedgerBroken, SharesRefused, StoreInUse, Tampered, WrongKey
from storage.journal import Journal, read_journal
from storage.keyring import KeyRing
from storage.lock import FolderLock
from tests.appliance.founding import NOW, Site, make_site, root_of

YEAR = timedelta(days=365)
NEXT = ("kek/active/2027", "kek/exp/2178", "log-body/2027", "log-subj/2027")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


@pytest.fixture
def founded(site: Site) -> Founded:
    """A store of 2026 that was opened once."""
    founded = site.found()
    open_store(site.settings, root_of(site.data, founded.shares[:3]), lambda: NOW).vault.close()
    return founded


def at(now: datetime, site: Site, founded: Founded, year: int | None = None) -> Rotation:
    return rotate(site.settings, founded.shares[:3], year, lambda: now)


def ring_of(site: Site, founded: Founded) -> KeyRing:
    return KeyRing.open(Layout(site.data).ring, root_of(site.data, founded.shares[:3]))


def test_next_years_keys_can_be_added_beforehand(site: Site, founded: Founded) -> None:
    assert at(NOW, site, founded, 2027) == Rotation(2026, 2027, NEXT)
    assert set(NEXT) <= set(ring_of(site, founded).names())
    assert at(NOW, site, founded, 2027).added == (), "they are there"


def test_years_in_which_the_store_lay_closed_are_made_up_when_said_aloud(
    site: Site, founded: Founded
) -> None:
    now = NOW + 4 * YEAR
    with pytest.raises(NotThisYear, match="--year 2030"):
        at(now, site, founded)
    at(now, site, founded, 2030)
    ring = ring_of(site, founded)
    assert sorted(ring.family("kek/exp")) == [str(year) for year in range(2176, 2182)]
    assert sorted(ring.family("kek/active")) == ["2026", "2030"]
    store = open_store(site.settings, root_of(site.data, founded.shares[:3]), lambda: now)
    with store.vault.view() as view:
        assert view.key_years() == (2026, 2030)
    store.vault.close()


@pytest.mark.parametrize(
    ("year", "why"), [(2025, "a later year's stay"), (2028, "a year ahead at most")]
)
def test_no_keys_are_made_for_another_year(
    site: Site, founded: Founded, year: int, why: str
) -> None:
    before = Layout(site.data).ring.read_bytes()
    with pytest.raises(NotThisYear, match=why):
        at(NOW, site, founded, year)
    assert Layout(site.data).ring.read_bytes() == before


def test_the_ledger_and_the_boot_journal_say_what_was_added(site: Site, founded: Founded) -> None:
    at(NOW, site, founded, 2027)
    store = open_store(site.settings, root_of(site.data, founded.shares[:3]), lambda: NOW)
    with store.vault.view() as view:
        (entry,) = [
            each
            for each in LedgerReader(view).newest_first()
            if each.operation == "system/new-keys"
        ]
    store.vault.close()
    assert entry.note == f"{', '.join(NEXT)}; key ring save 2"
    line = read_journal(Layout(site.data).journal)[-1]
    assert (line["event"], line["year"], line["added"]) == ("keys-rotated", 2027, len(NEXT))


def test_it_leaves_how_the_process_before_ended_as_it_was(site: Site, founded: Founded) -> None:
    at(NOW, site, founded, 2027)
    journal = Journal(Layout(site.data).journal, lambda: 1)
    assert journal.start()
    journal.close()


def test_what_would_be_added_is_told_without_a_share(site: Site, founded: Founded) -> None:
    before = Layout(site.data).ring.read_bytes()
    assert planned(site.settings, 2027, lambda: NOW).added == NEXT
    assert planned(site.settings, None, lambda: NOW).added == ()
    assert Layout(site.data).ring.read_bytes() == before


def test_two_shares_are_too_few(site: Site, founded: Founded) -> None:
    with pytest.raises(SharesRefused):
        rotate(site.settings, founded.shares[:2], 2027, lambda: NOW)


def test_a_server_keeps_it_out(site: Site, founded: Founded) -> None:
    lock = FolderLock.take(site.data)
    with pytest.raises(StoreInUse):
        at(NOW, site, founded, 2027)
    lock.release()


def test_whoever_could_leave_a_ring_the_server_cannot_read_is_refused(
    site: Site, founded: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(StartupError, match="run this as that user"):
        at(NOW, site, founded, 2027)


def test_an_old_ring_that_was_put_back_gets_no_keys(site: Site, founded: Founded) -> None:
    path = Layout(site.data).ring
    old = path.read_bytes()
    at(NOW, site, founded, 2027)
    path.write_bytes(old)
    with pytest.raises(WrongKey, match="an old key ring was put back"):
        at(NOW, site, founded, 2027)
    assert path.read_bytes() == old


def test_a_ledger_that_was_put_back_gets_no_keys(site: Site, founded: Founded) -> None:
    layout = Layout(site.data)
    layout.tiles.mkdir()
    (layout.tiles / "checkpoint").write_text("not a note")
    before = layout.ring.read_bytes()
    with pytest.raises(LedgerBroken):
        at(NOW, site, founded, 2027)
    assert layout.ring.read_bytes() == before


@pytest.mark.parametrize("length", [0, 100, -1])
def test_a_torn_ring_is_refused_and_the_one_before_it_helps(
    site: Site, founded: Founded, length: int
) -> None:
    at(NOW, site, founded, 2027)
    path = Layout(site.data).ring
    whole = path.read_bytes()
    path.write_bytes(whole[:length])
    with pytest.raises(Tampered):
        planned(site.settings, None, lambda: NOW)
    with pytest.raises(Tampered):
        at(NOW, site, founded)
    shutil.copy(path.with_name("keyring.cbor.00000001"), path)
    with pytest.raises(WrongKey, match="Put back the ring with save 2 or later"):
        at(NOW, site, founded, 2027)


@pytest.mark.parametrize("step", ["hardlink_to", "replace"])
def test_cut_off_while_the_ring_is_saved_it_is_done_again(
    site: Site, founded: Founded, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = Layout(site.data).ring.read_bytes()

    class PowerCut(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as broken:
        broken.setattr(Path, step, cut)
        with pytest.raises(PowerCut):
            at(NOW, site, founded, 2027)
    assert Layout(site.data).ring.read_bytes() == before
    assert at(NOW, site, founded, 2027).added == NEXT


# --- the command ---


def juki(site: Site, *words: str) -> Result:
    return CliRunner().invoke(group, ["keys", "rotate", "--config", str(site.config), *words])


def test_the_command_shows_and_adds(
    site: Site, founded: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = import_module("appliance.cli.keys")  # the package has the group under this name
    monkeypatch.setattr(command, "utc_now", lambda: NOW)
    write_shares(site.custodians, founded)
    assert "nothing to add: the keys of 2026 are there" in juki(site, "--show").output
    shown = json.loads(juki(site, "--show", "--year", "2027", "--json").stdout)
    assert shown == {"newest": 2026, "year": 2027, "keys": list(NEXT), "added": False}
    done = juki(site, "--year", "2027", "--shares-from", str(site.custodians))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("keys of 2027 added:\n  kek/active/2027\n")
    refused = juki(site, "--year", "2029")
    assert (refused.exit_code, "a year ahead at most" in refused.stderr) == (3, True)
    assert rotating.ROTATED in Layout(site.data).journal.read_text()
