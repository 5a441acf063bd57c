"""``juki usebook``, asking an appliance without a socket between."""

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.cli import juki as group
from appliance.cli.link import Seat
from appliance.testing import Seat as AtTheBench
from tests.plugins.usebook.office import HEADING, MONTH, OFFICE, auditor, line, open_office

AT = ("--url", "https://localhost", "--certificate", "c", "--key", "k", "--ca", "ca")


class Office:
    """Who is at the terminal, and the office behind."""

    def __init__(self, seat: AtTheBench) -> None:
        self.seat = seat

    def ask(self, _: Seat, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return dict(json.loads(json.dumps(dict(self.seat.ask(operation, body).data))))

    def juki(self, *words: object) -> Result:
        return CliRunner().invoke(group, ["usebook", *map(str, words), *AT])


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """One use that nobody wrote down and one line that nobody used the system for; it is May."""
    monkeypatch.setenv("JUKI_SESSION", str(tmp_path / "session"))
    with open_office(tmp_path / "store") as there:
        there.inquires(1, "R8-1")
        there.next_month()
        at = Office(there.clerk)
        monkeypatch.setattr(import_module("appliance.cli.usebook"), "ask", at.ask)
        book = tmp_path / "book.csv"
        book.write_text(f"{HEADING}\n{line('15:00', 'R8-9', 2)}\n", "cp932")
        assert at.juki("import", book, "--json").exit_code == 0
        assert "R8-9" in at.juki("lines", MONTH).output
        at.seat = there.officer
        yield at


def test_a_month_from_the_matching_to_the_sign_off(office: Office) -> None:
    matched = office.juki("match", MONTH)
    assert matched.exit_code == 1
    assert "unrecorded" in matched.output
    left = office.juki("leftovers", MONTH, "--unmarked", "--json")
    ids = [each["finding"]["id"] for each in json.loads(left.stdout)["leftovers"]]
    assert len(ids) == 2
    for each in ids:
        assert office.juki("mark", MONTH, each, "--reason", "本人に確認").exit_code == 0
    assert office.juki("leftovers", MONTH, "--unmarked").output == "none\n"
    assert "本人に確認" in office.juki("leftovers", MONTH).output
    assert office.juki("match", MONTH, "--tolerance", 30).exit_code == 0
    assert "signed-off" in office.juki("sign-off", MONTH).output


def test_the_auditor_sees_figures_and_reopens(office: Office) -> None:
    office.juki("match", MONTH)
    for each in json.loads(office.juki("leftovers", MONTH, "--json").stdout)["leftovers"]:
        office.juki("mark", MONTH, each["finding"]["id"], "--reason", "確認済")
    office.juki("sign-off", MONTH)
    office.seat = auditor(office.seat.bench)
    (month,) = json.loads(office.juki("figures", "--json").stdout)["months"]
    assert (month["office"], month["state"], month["marked"]) == (OFFICE, "signed-off", 2)
    assert "open" in office.juki("reopen", MONTH, OFFICE, "--why", "申告").output
    assert office.juki("figures", "--since", "2027-01").output == "none\n"
