import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.certificates import CertificateAuthority, is_issued_by
from appliance.cli import juki as group
from appliance.cli.frame import Exit
from appliance.enrolling import terminal_named_in


def juki(*words: object) -> Result:
    return CliRunner().invoke(group, ["terminal", *map(str, words), "--json"])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    folder = tmp_path / "custodians"
    folder.mkdir()
    CertificateAuthority.create("test CA", datetime.now(UTC)).save(folder)
    return folder


def sign(authority: Path, request: Path, *more: object) -> Result:
    keys = ("--ca-cert", authority / "ca.pem", "--ca-key", authority / "ca.key")
    return juki("sign", request, *keys, *more)


def test_r21_a_terminal_gets_a_certificate_and_its_key_stays(
    tmp_path: Path, authority: Path
) -> None:
    made = told(juki("request", "TERM-0003", "--out", tmp_path))
    key = tmp_path / "TERM-0003.key"
    assert key.stat().st_mode & 0o777 == 0o600
    carried = tmp_path / "stick"
    carried.mkdir()
    request = (tmp_path / "TERM-0003.csr").rename(carried / "TERM-0003.csr")
    assert b"PRIVATE" not in request.read_bytes()
    signed = told(sign(authority, request, "--fingerprint", made["fingerprint"].replace("-", " ")))
    assert (signed["fingerprint"], signed["compared"]) == (made["fingerprint"], True)
    pem = (carried / "TERM-0003.pem").read_bytes()
    assert is_issued_by(pem, (authority / "ca.pem").read_bytes())
    assert terminal_named_in(pem) == "TERM-0003"


def test_another_key_than_the_one_read_out_is_not_signed(tmp_path: Path, authority: Path) -> None:
    juki("request", "TERM-0003", "--out", tmp_path)
    refused = sign(authority, tmp_path / "TERM-0003.csr", "--fingerprint", "ab" * 32)
    assert refused.exit_code == Exit.REFUSED
    assert not (tmp_path / "TERM-0003.pem").exists()


def test_a_key_that_others_may_read_signs_nothing(tmp_path: Path, authority: Path) -> None:
    juki("request", "TERM-0003", "--out", tmp_path)
    (authority / "ca.key").chmod(0o640)
    assert sign(authority, tmp_path / "TERM-0003.csr").exit_code == Exit.REFUSED
    assert not (tmp_path / "TERM-0003.pem").exists()


def test_a_key_is_not_written_over(tmp_path: Path) -> None:
    juki("request", "TERM-0003", "--out", tmp_path)
    before = (tmp_path / "TERM-0003.key").read_bytes()
    assert juki("request", "TERM-0003", "--out", tmp_path).exit_code == Exit.REFUSED
    assert (tmp_path / "TERM-0003.key").read_bytes() == before
    assert juki("request", "term 3", "--out", tmp_path).exit_code == Exit.NOT_UNDERSTOOD


def test_a_limit_is_set_or_lifted_not_both(tmp_path: Path) -> None:
    pem = tmp_path / "t.pem"
    pem.touch()
    words = ("--url", "https://127.0.0.1:9", "--certificate", pem, "--key", pem, "--ca", pem)
    both = ("--hours", "平日 08:30-17:15", "--any-time", "--reason", "更新")
    assert juki("change", "TERM-0003", *both, *words).exit_code == Exit.NOT_UNDERSTOOD
