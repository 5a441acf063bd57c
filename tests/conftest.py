"""How the tests are run: properties as long as it takes, on a machine that has other work too."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Let only the tests be measured for coverage, not the programs that they start.

    Most of those are killed, and what was measured is lost; being measured takes them twice as
    long. The workers of a run in parallel are started by the process that hands out the tests.
    """
    if not config.getoption("numprocesses", None):
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left with it at the end."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)
