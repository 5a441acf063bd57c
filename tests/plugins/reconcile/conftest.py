from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.testing import Bench, Seat
from plugins import reconcile
from tests.plugins.people import shipped_policy
from tests.plugins.reconcile.files import logged_in


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"reconcile": reconcile}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def registrar(bench: Bench) -> Seat:
    return logged_in(bench)
