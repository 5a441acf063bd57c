"""``juki compliance`` against a whole appliance: what is typed, and what is told."""

import json
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from appliance.cli import juki
from appliance.testing import Bench
from tests.plugins.compliance.staff import ADMIN, AUDITOR, CLERK, TAX, Person, Staff, right
from tests.plugins.people import shipped_policy

commands = import_module("appliance.cli.compliance")
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command as somebody; only the line to the server is another."""
    with Bench.open(tmp_path / "store", None, shipped_policy()) as bench:
        staff = Staff(bench)

        def run(who: Person, *words: object, given: str | None = None) -> Result:
            def ask(seat: object, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
                plain = staff.ask(who, operation.removeprefix("compliance/"), **body)
                return dict(json.loads(msgspec.json.encode(plain)))

            monkeypatch.setattr(commands, "ask", ask)
            seat = ["--url", "https://localhost", "--certificate", "c", "--key", "k", "--ca", "a"]
            line = ["compliance", *map(str, words), *seat, "--session", str(tmp_path / "none")]
            return CliRunner().invoke(juki, line, input=given)

        (tmp_path / "store").mkdir(exist_ok=True)
        yield run


def done(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_sheet_is_filled_in_and_confirmed_from_the_command_line(run: Run, tmp_path: Path) -> None:
    words = ("open", "self-check-campaign", "fiscal_year:=2026", "due_on=2026-06-30", "--json")
    opened = done(run(ADMIN, *words, f'offices:=["{TAX}"]'))
    number = opened["opened"][0]["number"]
    form = tmp_path / "answers.json"
    form.write_text(json.dumps({"results": right("self-check")}), "utf-8")
    answered = done(run(CLERK, "step", "self-check", number, "answer", "--given", form, "--json"))
    assert answered["state"] == "answered"
    listed = run(ADMIN, "list", "self-check", "--unfinished")
    assert "記入済み" in listed.stdout
    assert "hand-in: 2026-06-30" in listed.stdout
    shown = run(ADMIN, "show", "self-check", number)
    assert "can follow: confirm, send-back" in shown.stdout
    assert f"P-{CLERK.operator}" in shown.stdout


def test_a_form_may_come_from_standard_input(run: Run) -> None:
    given = json.dumps({"discovered_on": "2026-04-01", "what": "紛失", "place": "窓口"})
    assert (
        done(run(CLERK, "open", "incident", "--given", "-", "--json", given=given))["number"] == 1
    )


def test_books_and_forms_are_shown(run: Run) -> None:
    every = run(CLERK, "books")
    assert "事故簿" in every.stdout
    one = run(CLERK, "books", "incident")
    assert "preliminary_on" in one.stdout
    assert "日付(YYYY-MM-DD)" in one.stdout
    assert done(run(CLERK, "books", "incident", "--json"))["name"] == "incident"
    wrong = run(CLERK, "books", "incidents")
    assert wrong.exit_code == 2
    assert "there are self-check-campaign" in wrong.stderr


def test_what_is_overdue_or_missing_is_told_by_the_exit_code(run: Run) -> None:
    assert run(AUDITOR, "due").stdout == "nothing is due\n"
    words = ("open", "self-check-campaign", "fiscal_year:=2025", "due_on=2026-03-31")
    assert run(ADMIN, *words).exit_code == 0
    late = run(AUDITOR, "due", "--within", "0")
    assert late.exit_code == 1
    assert "自己点検の提出" in late.stdout
    assert run(AUDITOR, "coverage").exit_code == 1
    lacking = run(AUDITOR, "lacking")
    assert (lacking.exit_code, CLERK.id in lacking.stdout) == (1, True)


def test_a_pack_is_written_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "pack.zip"
    words = ("pack", "--since", "2026-04-01", "--until", "2026-04-30", "--out", out)
    told = run(AUDITOR, *words)
    assert told.exit_code == 0, told.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as archive:
        assert "manifest.json" in archive.namelist()
    assert "archive" not in done(run(AUDITOR, *words, "--json"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("discovered_on",), "discovered_on: write FIELD=TEXT or FIELD:=JSON"),
        (("affected:=many",), "affected is not JSON"),
    ],
)
def test_a_field_that_cannot_be_read_is_not_sent(
    run: Run, words: tuple[str, ...], told: str
) -> None:
    result = run(CLERK, "open", "incident", *words)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("given", ["[]", "nothing"])
def test_a_form_that_is_no_object_is_not_sent(run: Run, given: str) -> None:
    result = run(CLERK, "open", "incident", "--given", "-", given=given)
    assert result.exit_code == 2
