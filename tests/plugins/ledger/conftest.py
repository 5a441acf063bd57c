"""A bench whose ledger is read: the auditor, and a clerk of the 県税事務所."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.testing import Bench, Seat
from plugins import ledger, search
from tests.plugins.people import shipped_policy


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"search": search, "ledger": ledger}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Seat:
    return bench.clerk(roles=("clerk",), purposes=("prefectural-tax",), office="県税事務所")


@pytest.fixture
def auditor(bench: Bench) -> Seat:
    return bench.clerk("AUDIT", roles=("auditor",), purposes=(), terminal_id="TERM-0002")
