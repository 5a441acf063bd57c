"""``juki approval``, and options of commands that take two persons; the line below is real."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from appliance.cli import approvals
from appliance.cli import juki as group
from appliance.cli.approvals import Second, ask_with, takes_two
from appliance.cli.frame import Command, Exit, Juki, Stop, as_json, show
from appliance.cli.link import Seat as Connection
from appliance.cli.people import at_a_terminal
from appliance.errors import Refusal
from appliance.testing import Bench, Seat
from tests.appliance.test_approvals import Plugin

WHERE = ("--url", "https://127.0.0.1:1", "--certificate", "c", "--key", "k", "--ca", "a")


@click.command(cls=Command)
@click.argument("text")
@takes_two
@at_a_terminal
@as_json
def change(text: str, second: Second, seat: Connection, session: Path) -> None:
    """Change something."""
    show(ask_with(second, seat, "test/change", {"text": text, "secret": "s3cret"}))


@click.group(cls=Juki)
def vendor() -> None:
    """Commands of a plugin's."""


vendor.add_command(change)


class Desk:
    """Whoever sits at the keyboard; what he types goes down the line of a bench."""

    def __init__(self, seats: Mapping[str, Seat]) -> None:
        self.seats = seats
        self.sitting = ""

    def ask(
        self, _: Connection, operation: str, body: Mapping[str, Any], approval: int | None = None
    ) -> dict[str, Any]:
        try:
            return dict(self.seats[self.sitting].ask(operation, body, approval=approval).data)
        except Refusal as refusal:
            raise Stop(Exit.REFUSED, refusal.code, refusal.text) from None

    def types(self, who: str, commands: click.Group, *words: object) -> Result:
        self.sitting = who
        return CliRunner().invoke(commands, [*map(str, words), *WHERE])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Bench.open(tmp_path / "store", {"test": Plugin()}) as bench:
        desk = Desk({"一": bench.clerk(), "二": bench.clerk("OP-0002", terminal_id="TERM-0002")})
        monkeypatch.setattr(approvals, "ask", desk.ask)
        monkeypatch.setattr(approvals, "ask_for_receipt", lambda *a, **o: (desk.ask(*a, **o), 0))
        yield desk


def test_the_same_command_asks_and_is_carried_out(desk: Desk) -> None:
    refused = desk.types("一", vendor, "change", "hello")
    assert (refused.exit_code, "--request (and --form, --why)" in refused.stderr) == (3, True)
    asked = desk.types(
        "一", vendor, "change", "hello", "--request", "--form", "12", "--why", "新任", "--json"
    )
    number = json.loads(asked.stdout)["number"]
    assert "approvers" in json.loads(asked.stdout)
    assert "nobody agrees" in desk.types("一", group, "approval", "give", number).stderr
    listed = desk.types("二", group, "approval", "list")
    assert "test/change" in listed.stdout.partition("mine:")[0]
    shown = desk.types("二", group, "approval", "show", number)
    assert "hello" in shown.stdout
    assert "s3cret" not in shown.stdout
    assert "secret" in shown.stdout
    assert "given" in desk.types("二", group, "approval", "give", number).stdout
    done = desk.types("一", vendor, "change", "hello", "--approval", number)
    assert (done.exit_code, done.stdout) == (0, "text: hello\n")
    assert desk.types("一", vendor, "change", "hello", "--approval", number).exit_code == 3


@pytest.mark.parametrize(
    ("who", "command", "more"),
    [
        ("二", "refuse", ("--reason", "不要")),
        ("一", "withdraw", ()),
    ],
)
def test_it_is_refused_or_taken_back(
    desk: Desk, who: str, command: str, more: tuple[str, ...]
) -> None:
    desk.types("一", vendor, "change", "hello", "--request", "--form", "12", "--why", "新任")
    assert desk.types(who, group, "approval", command, 1, *more).exit_code == 0
    after = desk.types("一", group, "approval", "list", "--json")
    assert json.loads(after.stdout)["mine"][0]["state"] in ("refused", "withdrawn")


@pytest.mark.parametrize(
    "options",
    [
        ("--request",),
        ("--request", "--form", "12"),
        ("--form", "12", "--why", "新任"),
        ("--form", "12"),
        ("--request", "--form", "12", "--why", "新任", "--approval", "1"),
    ],
)
def test_what_is_half_asked_is_not_understood(desk: Desk, options: tuple[str, ...]) -> None:
    assert desk.types("一", vendor, "change", "hello", *options).exit_code == 2
