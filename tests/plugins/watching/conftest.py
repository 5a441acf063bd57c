from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.testing import Bench
from tests.plugins.people import shipped_policy
from tests.plugins.watching.office import Watched


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with Bench.open(tmp_path, policy=shipped_policy(), in_step=True) as bench:
        yield Watched(bench)
