from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.protection.office import Office, at_work


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with at_work(tmp_path) as office:
        yield office
