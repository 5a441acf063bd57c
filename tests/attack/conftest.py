"""One appliance for all attacks on a whole one: making it takes a second."""

from collections.abc import Iterator

import pytest

from tests.attack.field import Field
from tests.machine import Machine, running


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    machine = Machine.make(tmp_path_factory.mktemp("attacked") / "machine")
    with running(machine):
        field = Field.prepare(machine)
        yield field
        field.witness.close()
