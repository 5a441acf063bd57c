import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulators.make import FEWEST, main, shares
from tests.simulators.notices import Expected, Notice, read_lines
from tests.simulators.places import SIZES

ROOT = Path(__file__).resolve().parents[2]
FILES = ("residents.jsonl", "movements.jsonl", "expected.jsonl")


def made(folder: Path, *arguments: str) -> dict[str, bytes]:
    assert main(["--out", str(folder), "--residents", "600", *arguments]) == 0
    return {name: (folder / name).read_bytes() for name in FILES}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path / "one", "--seed", "5") == made(tmp_path / "two", "--seed", "5")


def test_another_seed_writes_other_bytes(tmp_path: Path) -> None:
    one, two = made(tmp_path / "one", "--seed", "5"), made(tmp_path / "two", "--seed", "6")

    assert all(one[name] != two[name] for name in FILES)


def test_the_script_writes_in_another_process_what_the_library_writes_here(tmp_path: Path) -> None:
    script = [sys.executable, "-W", "error", str(ROOT / "scripts" / "make_residents")]
    arguments = ["--residents", "600", "--seed", "5", "--out", str(tmp_path / "script")]
    done = subprocess.run([*script, *arguments], capture_output=True, text=True, check=True)

    here = made(tmp_path / "library", "--seed", "5")
    assert {name: (tmp_path / "script" / name).read_bytes() for name in FILES} == here
    assert "600 residents" in done.stdout


def test_every_expectation_names_a_line_and_its_sequence(tmp_path: Path) -> None:
    made(tmp_path)
    notices = list(read_lines(tmp_path / "movements.jsonl", Notice))
    expected = list(read_lines(tmp_path / "expected.jsonl", Expected))

    assert expected
    assert [record.line for record in expected] == sorted({record.line for record in expected})
    for record in expected:
        assert notices[record.line - 1].sequence == record.sequence
        assert record.expected.outcome in {"applied", "held", "rejected", "duplicate"}
        assert record.fault


def test_movements_can_be_many_or_none(tmp_path: Path) -> None:
    made(tmp_path, "--movements", "0")
    few = len(list(read_lines(tmp_path / "movements.jsonl", Notice)))
    made(tmp_path, "--movements", "900")
    many = len(list(read_lines(tmp_path / "movements.jsonl", Notice)))

    assert few == 0
    assert many > 900


def test_all_municipalities_are_written_into_folders_of_their_own(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--municipality", "all", "--residents", "9000"]) == 0

    codes: set[str] = set()
    for folder in tmp_path.iterdir():
        residents = list(read_lines(folder / "residents.jsonl", Notice))
        assert len(residents) >= FEWEST
        assert not codes & {person.resident_code for person in residents}
        codes |= {person.resident_code for person in residents}
    assert {folder.name for folder in tmp_path.iterdir()} == set(SIZES)


def test_residents_are_shared_out_by_size() -> None:
    shared = shares(1_000_000)

    assert sum(shared.values()) == pytest.approx(1_000_000, rel=0.01)
    assert shared["431001"] > 5 * shared["432024"]


def test_a_population_that_is_too_small_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path), "--residents", "3", "--movements", "200"]) == 1
    assert "too few" in capsys.readouterr().err
