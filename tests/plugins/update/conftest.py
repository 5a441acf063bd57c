"""An appliance with the update plugin, and a CS to send from."""

import pytest

import plugins.update as update
from appliance.errors import Problem, Rejected
from appliance.model import Message
from appliance.plugin_api import hookimpl
from appliance.testing import Bench
from tests.plugins.update.making import YATSUSHIRO


class Nation:
    """Tells the national server of every change; refuses or fails for certain names."""

    @hookimpl
    def messages(self, change):
        if change.after["name"] == "断る　人":
            raise Rejected("no", problems=[Problem("X-01", "name", "断ります。")])
        if change.after["name"] == "黙って断る　人":
            raise Rejected("わけは言えません。")
        if change.after["name"] == "壊す　人":
            raise RuntimeError
        return [Message("national", "update")]


@pytest.fixture
def bench(tmp_path):
    with Bench.open(tmp_path / "appliance", {"update": update, "nation": Nation()}) as opened:
        yield opened


@pytest.fixture
def cs(bench):
    return bench.municipality(YATSUSHIRO)
