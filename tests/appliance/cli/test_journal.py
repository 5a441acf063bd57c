"""``juki journal``: the boot journal, read without any key."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.cli import juki as group
from storage.journal import Journal

AT = 1_775_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    times = iter(range(AT, AT + 10**9, 60_000))
    log = Journal(tmp_path / "boot-journal.jsonl", lambda: next(times))
    log.start(version="0.1.0")
    log.note("share-taken", number=2, given=1, needed=3, complete=False)
    log.refused("share: the share has 33 words, not 34")
    log.note("share-taken", number=4, given=2, needed=3, complete=False)
    log.note("stop")
    log.close()
    return tmp_path / "boot-journal.jsonl"


def juki(path: Path, *words: str) -> Result:
    return CliRunner().invoke(group, ["journal", words[0], "--file", str(path), *words[1:]])


def plain(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_it_is_shown_with_what_each_line_says(path: Path) -> None:
    shown = juki(path, "show").stdout
    assert "complete=False given=1 needed=3 number=2" in shown
    assert "why=share: the share has 33 words, not 34" in shown
    lines = plain(juki(path, "show", "--json"))["lines"]
    assert [line["n"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0]["at"] == "2026-04-01 08:33:20+09:00"


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--event", "share-taken"], [2, 4]),
        (["--event", "share-taken", "--event", "refused"], [2, 3, 4]),
        (["--limit", "2"], [4, 5]),
        (["--since", "2100-01-01"], []),
        (["--until", "2000-01-01"], []),
        (["--since", "2000-01-01", "--until", "2100-01-01"], [1, 2, 3, 4, 5]),
    ],
)
def test_lines_are_chosen_by_event_time_and_number(
    path: Path, options: list[str], numbers: list[int]
) -> None:
    lines = plain(juki(path, "show", "--json", *options))["lines"]
    assert [line["n"] for line in lines] == numbers


def test_the_head_kept_elsewhere_shows_that_nothing_before_it_was_changed(path: Path) -> None:
    head = plain(juki(path, "verify", "--json"))["head"]
    log = Journal(path, lambda: AT * 2)
    log.start()
    log.close()
    verified = plain(juki(path, "verify", "--holds", head, "--json"))
    assert (verified["lines"], verified["after_head_kept"]) == (6, 1)
    path.unlink()
    forged = Journal(path, lambda: AT)  # a whole new chain, which holds in itself
    forged.start()
    forged.close()
    assert juki(path, "verify").exit_code == 0
    rewritten = juki(path, "verify", "--holds", head)
    assert rewritten.exit_code == 4
    assert "it was rewritten" in rewritten.stderr


@pytest.mark.parametrize("command", ["show", "verify"])
def test_a_line_that_was_changed_is_named(path: Path, command: str) -> None:
    path.write_text(path.read_text().replace('"number":2', '"number":3'))
    changed = juki(path, command)
    assert changed.exit_code == 4
    assert "line 3 of the boot journal does not follow the one before" in changed.stderr
