import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.cli import juki as group
from appliance.cli.frame import Exit
from appliance.media import Media, data_lines, framed, seal_for, unframed

APPLIANCE = Media(bytes(range(32)))
HEADER = "juki-bulk/1,prefectural-tax,R8-1"


def juki(*words: object) -> Result:
    return CliRunner().invoke(group, ["media", *map(str, words), "--json"])


def told(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "tax.key"
    return path, told(juki("keygen", path))["public_key"]


def test_rows_are_framed_and_sealed_for_the_appliance(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out"
    rows.write_text("A1,,912345678901\r\n\r\nA2,,912345678902\r\n", "utf-8-sig")
    done = juki("seal", rows, out, "--to", APPLIANCE.public_key, "--header", HEADER)
    frame = unframed(APPLIANCE.open(out.read_bytes()))
    assert (frame.problems, frame.header) == ((), tuple(HEADER.split(",")))
    assert frame.rows == (("A1", "", "912345678901"), ("A2", "", "912345678902"))
    assert told(done) == {"file": str(out), "rows": 2, "sha256": frame.digest}
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_cell_of_two_lines_is_not_sealed(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out"
    rows.write_text('A1,,912345678901\r\nA2,,,"熊本\n太郎"\r\n', "utf-8-sig")
    done = juki("seal", rows, out, "--to", APPLIANCE.public_key, "--header", HEADER)
    assert done.exit_code == Exit.NOT_UNDERSTOOD
    assert "rows.csv" in done.stderr
    assert "太郎" not in done.stderr
    assert not out.exists()


def test_a_result_is_opened_by_the_key_of_its_recipient(
    tmp_path: Path, key: tuple[Path, str]
) -> None:
    path, public = key
    content = framed(["juki-bulk-result/1"], data_lines(1, [["A1", "00"]]), 1).encode()
    (tmp_path / "sealed").write_bytes(seal_for(public, content))
    done = juki("open", tmp_path / "sealed", tmp_path / "result", "--key", path)
    assert (told(done)["rows"], told(done)["formula_like_rows"]) == (1, 0)
    assert done.stderr == ""
    assert (tmp_path / "result").read_bytes() == content
    assert (tmp_path / "result").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(1)"])
def test_cells_that_a_spreadsheet_would_reckon_are_warned_of_and_kept(
    tmp_path: Path, key: tuple[Path, str], cell: str
) -> None:
    path, public = key
    content = framed(["juki-bulk-result/1"], data_lines(1, [["A1", "00", cell]]), 1).encode()
    (tmp_path / "sealed").write_bytes(seal_for(public, content))
    done = juki("open", tmp_path / "sealed", tmp_path / "result", "--key", path)
    assert "1 rows have cells" in done.stderr
    assert (tmp_path / "result").read_bytes() == content


def test_a_key_is_never_written_over_and_is_its_owners_alone(key: tuple[Path, str]) -> None:
    path, _ = key
    assert path.stat().st_mode & 0o777 == 0o600
    assert juki("keygen", path).exit_code == Exit.REFUSED


def test_what_is_not_right_is_said(tmp_path: Path, key: tuple[Path, str]) -> None:
    path, public = key
    sealed, out, rows = (tmp_path / name for name in ("sealed", "out", "rows"))
    sealed.write_bytes(seal_for(public, b"H,x\nD,1,a\nT,2,0\n"))
    assert juki("open", sealed, out, "--key", path).exit_code == Exit.HUMAN
    sealed.write_bytes(APPLIANCE.seal_for(APPLIANCE.public_key, b""))
    assert juki("open", sealed, out, "--key", path).exit_code == Exit.REFUSED
    rows.write_bytes("氏名".encode("cp932"))
    seal = ("seal", rows, out, "--header", HEADER, "--to")
    assert juki(*seal, public).exit_code == Exit.NOT_UNDERSTOOD
    rows.write_text("a,b\n")
    assert juki(*seal, "nonsense").exit_code == Exit.NOT_UNDERSTOOD
    for text in ("nonsense", "鍵"):
        path.write_text(text)
        assert juki("open", sealed, out, "--key", path).exit_code == Exit.NOT_UNDERSTOOD
    path.chmod(0o644)
    assert juki("open", sealed, out, "--key", path).exit_code == Exit.REFUSED
    assert not out.exists()


@pytest.mark.parametrize(
    "header",
    ["juki-bulk/1", "juki-bulk/1,prefectural-tax,", f"juki-bulk/1,prefectural-tax,{'9' * 41}"],
)
def test_a_header_that_would_not_be_taken_is_not_sealed(tmp_path: Path, header: str) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out"
    rows.write_text("A1,,912345678901\n", "utf-8")
    done = juki("seal", rows, out, "--to", APPLIANCE.public_key, "--header", header)
    assert done.exit_code == Exit.NOT_UNDERSTOOD
    assert not out.exists()


def test_the_line_that_is_not_csv_is_named(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text('A1,,912345678901\nA2,"x"y,\n', "utf-8")
    done = juki("seal", rows, tmp_path / "out", "--to", APPLIANCE.public_key, "--header", HEADER)
    assert done.exit_code == Exit.NOT_UNDERSTOOD
    assert "line 2" in done.output


def test_a_result_is_not_opened_over_a_file_that_is_there(
    tmp_path: Path, key: tuple[Path, str]
) -> None:
    path, public = key
    content = framed(["juki-bulk-result/1"], data_lines(1, [["A1", "00"]]), 1).encode()
    (tmp_path / "sealed").write_bytes(seal_for(public, content))
    (tmp_path / "result").write_text("mine", "utf-8")
    done = juki("open", tmp_path / "sealed", tmp_path / "result", "--key", path)
    assert done.exit_code == Exit.REFUSED
    assert (tmp_path / "result").read_text("utf-8") == "mine"
