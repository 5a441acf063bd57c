"""The table of requirements is whole, and numbers are read off the tests that carry them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import requirement_table
from scripts.requirement_table import OURS, numbers_of, read_requirements


def test_every_requirement_is_in_the_table_once_and_in_order() -> None:
    requirements = read_requirements()
    assert [each.number for each in requirements] == [f"R{n}" for n in range(1, 207)]
    assert {each.kind for each in requirements} == OURS | {"O", "X"}
    assert all(each.text and each.area in "ABCDEFGHIJKLMNOP" for each in requirements)


NAMED = {
    "R901-転居 elsewhere": {"R901"},
    "R901 and R902": {"R901", "R902"},
    "none: XR901, R9019, r901": set(),
}


@pytest.mark.requirement("R903")
@pytest.mark.parametrize("name", NAMED)
def test_r904_numbers_are_read_from_marks_names_and_ids(
    request: pytest.FixtureRequest, name: str
) -> None:
    item = request.node
    assert isinstance(item, pytest.Item)
    assert numbers_of(item) == {"R903", "R904"} | NAMED[name]


PASSES = "def test_r1_good():\n    pass\n"
SKIPPED = "import pytest\ndef test_r1_left_out():\n    pytest.skip('not here')\n"
FAILS = "def test_r1_bad():\n    assert False\n"
BREAKS = """
import pytest
@pytest.fixture
def broken():
    assert False
def test_r1_broken(broken):
    pass
"""
ENDS_BADLY = """
import pytest
@pytest.fixture
def broken():
    yield
    assert False
def test_r1_broken(broken):
    pass
"""
CTRL_C = "def test_r1_ctrl_c():\n    raise KeyboardInterrupt\n"
OF_ANOTHER = "def test_r2_bad():\n    assert False\n"
RUNS = {
    "all passed": (PASSES + OF_ANOTHER, "proved", 0),
    "one failed": (PASSES + SKIPPED + FAILS, "failed", 1),
    "set up badly": (PASSES + BREAKS, "failed", 1),
    "torn down badly": (ENDS_BADLY, "failed", 1),
    "skipped": (PASSES + SKIPPED, "not run", 1),
    "stopped by Ctrl-C": (CTRL_C + PASSES, "not run", 1),
    "not even read": (PASSES, "not run", 1),
    "nobody proves it": ("", "not covered", 0),
}


@pytest.mark.parametrize("case", RUNS)
def test_proved_is_only_what_was_run_and_passed(tmp_path: Path, case: str) -> None:
    written, status, code = RUNS[case]
    for folder in ("scripts", "tests"):
        (tmp_path / folder).mkdir()
    script = shutil.copy(requirement_table.__file__, tmp_path / "scripts")
    (tmp_path / "tests/requirements.tsv").write_text("R1\tA\tS\tsome\nR2\tA\tS\tother\n")
    (tmp_path / "tests/test_these.py").write_text(written)
    if case == "not even read":
        (tmp_path / "tests/test_others.py").write_text("import no_such_module\n")
    done = subprocess.run(
        [sys.executable, script, "--run", "R1", "--json", "table.json"],
        cwd=tmp_path,
        # What pytest would load besides takes longer than all the rest.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    (row,) = json.loads((tmp_path / "table.json").read_text("utf-8"))
    assert (row["status"], done.returncode) == (status, code), done.stdout
