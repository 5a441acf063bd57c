"""Certificates of a closed network, made anew for each run."""

import pytest

from tests.simulators.network import Network


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(tmp_path_factory.mktemp("network"), "juki")


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Another network, whose certificates prove nothing here."""
    return Network(tmp_path_factory.mktemp("strangers"), "strangers")
