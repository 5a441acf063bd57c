"""A closed network, and how the prefecture proves itself in it."""

import ssl

import pytest

from appliance.edge.tls import client_context
from tests.simulators.network import Network


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(tmp_path_factory.mktemp("network"), "juki")


@pytest.fixture(scope="module")
def context(network: Network) -> ssl.SSLContext:
    return client_context(*network.client("pref-43"))
