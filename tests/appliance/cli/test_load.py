"""``juki load``: a municipality's file brought in with the custodians, as an operator does it."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from appliance.cli import juki as group
from storage.lock import FolderLock
from tests.appliance.founding import SHIPPED, Site, make_site
from tests.simulators.population import Population


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = make_site(tmp_path)
    shutil.copy(SHIPPED / "plugins.toml", made.firmware)
    shutil.copytree(SHIPPED / "policy", made.firmware / "policy", dirs_exist_ok=True)
    juki(
        "init", "--config", made.config, "--terminal", made.tls / "terminal.pem",
        "--shares-to", made.custodians, "--json",
    )  # fmt: skip
    return made


def juki(*words: object) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


def load(site: Site, file: Path, *more: object) -> Result:
    return juki("load", file, "--config", site.config, "--shares-from", site.custodians, *more)


def residents(path: Path, *others: dict[str, Any]) -> Path:
    people = Population(3, "432024", 30).notices()
    lines = [*(msgspec.to_builtins(each) for each in people), *others]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return path


def test_a_file_is_loaded_with_the_shares_and_the_store_is_clean(site: Site) -> None:
    file = residents(site.folder / "residents.jsonl")
    result = load(site, file, "--json")
    plain = json.loads(result.stdout)
    assert (result.exit_code, plain["applied"], plain["rejected"]) == (0, 30, 0)
    checked = juki(
        "check", "--config", site.config, "--shares-from", site.custodians, "--json"
    )  # fmt: skip
    assert json.loads(checked.stdout)["findings"] == []
    assert load(site, file).stdout == "0 residents loaded, 30 were in already\n"


def test_refused_lines_lie_in_a_report_that_names_nobody(site: Site) -> None:
    wrong = {**msgspec.to_builtins(next(Population(4, "432024", 1).notices())), "sequence": 31}
    file = residents(site.folder / "residents.jsonl", {**wrong, "sex": "7"})
    result = load(site, file)
    report = site.data / "load-report.jsonl"
    assert result.exit_code == 1
    assert result.stdout == f"30 residents loaded, 1 lines refused: see {report}\n"
    assert report.stat().st_mode & 0o077 == 0
    refused = [line for line in map(json.loads, report.open()) if line["outcome"] == "rejected"]
    assert refused == [
        {
            "file": "residents.jsonl",
            "line": 31,
            "sequence": 31,
            "outcome": "rejected",
            "rule": "G-05",
            "item": "sex",
        }
    ]


def test_nothing_is_loaded_while_a_server_has_the_store(site: Site) -> None:
    lock = FolderLock.take(site.data)
    result = load(site, residents(site.folder / "residents.jsonl"))
    lock.release()
    assert result.exit_code == 3
    assert "the store is in use" in result.stderr


def test_what_is_no_file_of_notices_is_not_understood(site: Site) -> None:
    poem = site.folder / "poem.txt"
    poem.write_text("古池や蛙飛びこむ水の音\n", "utf-8")
    result = load(site, poem)
    assert result.exit_code == 2
    assert "nobody can tell whose file" in result.stderr
