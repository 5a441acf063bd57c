"""``juki watching``, asking a bench instead of a server."""

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance import wire
from appliance.cli import juki, people
from appliance.testing import Seat
from tests.plugins.watching.office import Watched
from tests.plugins.watching.test_watching import BORN, add_canary

# The package calls the group of commands by the name of its module.
COMMANDS = import_module("appliance.cli.watching")


@pytest.fixture
def auditor(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> Seat:
    """An auditor at the command line, with one flag to decide."""
    add_canary(watched)
    watched.call("P-OP-0001", "渡辺　太郎", "わたなべ　たろう")
    watched.look(watched.clerk(), "R8-1", name="架空　住民", **BORN)
    watched.night()
    auditor = watched.auditor()

    def ask(seat: object, operation: str, body: Mapping[str, Any]) -> Any:
        return json.loads(wire.encode(wire.JSON, auditor.ask(operation, body).data))

    monkeypatch.setattr(people, "read_seat", lambda session, given: None)
    monkeypatch.setattr(COMMANDS, "ask", ask)
    return auditor


def run(*words: str) -> Result:
    return CliRunner().invoke(juki, ["watching", *words])


@pytest.mark.usefixtures("auditor")
def test_flags_are_listed_shown_decided_and_counted() -> None:
    listed = run("flags").output
    assert "canary" in listed
    assert "P-OP-0001" in listed
    shown = run("show", "1").output
    assert "P-OP-0001 渡辺　太郎" in shown
    assert "ledger entries: " in shown
    decided = run("decide", "1", "misuse", "--reason", "業務上の必要なし")
    assert "業務上の必要なし" in decided.output
    assert "canary" not in run("flags").output
    assert "canary" in run("flags", "--state", "decided").output
    counted = run("figures").output
    assert "1 misuse" in counted
    assert "0 open" in counted


@pytest.mark.usefixtures("auditor")
def test_programs_get_json() -> None:
    answer = json.loads(run("flags", "--detector", "canary", "--json").output)
    assert [flag["number"] for flag in answer["flags"]] == [1]
    assert json.loads(run("figures", "--json").output)["oldest_open_days"] == 0


@pytest.mark.usefixtures("auditor")
def test_a_decision_is_one_of_three() -> None:
    assert run("decide", "1", "guilty", "--reason", "x").exit_code == 2
