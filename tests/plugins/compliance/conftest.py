"""A bench with the books, the shipped policy, and people of several offices."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.testing import Bench
from plugins import compliance, roster
from tests.plugins.compliance.staff import Staff
from tests.plugins.people import shipped_policy


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    plugins = {"compliance": compliance, "roster": roster}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
        yield Staff(bench)
