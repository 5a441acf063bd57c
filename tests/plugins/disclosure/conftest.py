from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.testing import Bench
from plugins import disclosure
from tests.plugins.disclosure.desk import Desk
from tests.plugins.people import shipped_policy


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"disclosure": disclosure}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench, bench.clerk(roles=("registrar",), purposes=("disclosure",)))
