"""A store that was made before there were marks gets them when it is unsealed."""

from pathlib import Path

from msgspec.structs import replace

from appliance.index import Index
from appliance.items import ITEM_NAMES
from appliance.machine import evidence
from appliance.machine.checking import check_store
from appliance.machine.opening import installation, open_store, put_installation
from appliance.machine.store import Layout
from appliance.marks import ROOT, Marker
from appliance.model import Grant
from appliance.registry import Registry, Tools
from appliance.testing import PREPARED
from appliance.values.identifiers import Municipalities
from storage.engine import Unit
from storage.keyring import KeyRing
from tests.appliance.founding import NOW, Site, make_site, root_of
from tests.plugins.people import YATSUSHIRO, person, unguarded


def make_older(site: Site, root: bytes) -> None:
    """Put a resident in, and take away what a store had not before there were marks."""
    opened = open_store(site.settings, root, lambda: NOW)
    index = Index(opened.ring.key("idx-root/1"), opened.ring.token_bits)
    tools = Tools(index, Municipalities.load(), Marker(opened.ring.key(ROOT)))

    def work(unit: Unit) -> None:
        grant = Grant(items=ITEM_NAMES, keys=frozenset())
        guard = unguarded(unit)
        registry = Registry(unit, unit, tools, grant, frozenset, lambda c: [], lambda c: [], guard)
        registry.save(None, person(1))
        for mark in list(unit.marks(YATSUSHIRO)):
            unit.unmark(mark.group, mark.place)
        unit.drop_document(evidence.COLLECTION, evidence.KEY)
        put_installation(unit, replace(installation(unit), marked=False))
        unit.enter(PREPARED)

    opened.vault.write(work)
    opened.vault.close()
    ring = KeyRing.open(Layout(site.data).ring, root)
    del ring._entries[ROOT]
    ring.save(Layout(site.data).ring)


def test_an_older_store_is_marked_once(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    founded = site.found()
    root = root_of(site.data, founded.shares[:3])
    make_older(site, root)
    report, findings = check_store(site.settings, founded.shares, (), lambda *told: None)
    assert (findings, report.marks) == ([], 0)
    opened = open_store(site.settings, root, lambda: NOW)
    with opened.vault.view() as view:
        assert len(list(view.marks(YATSUSHIRO))) == 1
        assert installation(view).marked
    opened.vault.close()
    assert ROOT in KeyRing.open(Layout(site.data).ring, root).names()
    report, findings = check_store(site.settings, founded.shares, (), lambda *told: None)
    assert (findings, report.marks) == ([], 1)
