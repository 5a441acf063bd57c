"""A week of an office, small: ``scripts/usebook`` plays a year of it."""

import json
from pathlib import Path

import pytest

from scripts.usebook_lib.command import main


@pytest.mark.requirement("R136", "R137")
@pytest.mark.parametrize("seed", [11, 12])
def test_everything_planted_in_a_book_is_found_and_nothing_else(tmp_path: Path, seed: int) -> None:
    summary = tmp_path / "summary.json"
    options = ["--uses", "480", "--seed", str(seed), "--json", str(summary)]
    assert main([*options, "--data", str(tmp_path / "store")]) == 0
    told = json.loads(summary.read_text("utf-8"))
    assert (told["uses"], told["found"], told["false"]) == (480, told["planted"], 0)
    assert set(told["by_way"]) == {
        *("missing", "invented", "count", "operator", "purpose", "time", "case")
    }
