import errno
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from storage import journal
from storage.errors import Tampered
from storage.journal import REFUSALS_A_MINUTE, Journal, digests, read_journal


class Clock:
    def __init__(self) -> None:
        self.now = 1_775_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "boot-journal.jsonl"


def events(path: Path) -> list[str]:
    return [line["event"] for line in read_journal(path)]


def test_each_line_follows_from_the_one_before(path: Path) -> None:
    log = Journal(path, Clock())
    log.start(version="0.1.0")
    log.note("unseal", share=2, good=True)
    log.close()
    first, second = read_journal(path)
    assert first["previous"] == journal.FIRST
    assert (first["n"], first["at"], first["version"]) == (1, 1_775_000_000_000, "0.1.0")
    assert (second["n"], second["share"], second["good"]) == (2, 2, True)
    assert oct(path.stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize(
    ("last", "clean"), [(None, True), ("stop", True), ("seal", True), ("unseal", False)]
)
def test_a_start_says_whether_the_one_before_ended_as_it_should(
    path: Path, last: str | None, clean: bool
) -> None:
    log = Journal(path, Clock())
    if last is not None:
        log.start()
        log.note(last)
    log.close()
    again = Journal(path, Clock())
    assert again.start() is clean
    again.close()
    assert read_journal(path)[-1]["unclean"] is not clean


@pytest.mark.parametrize(("last", "clean"), [("stop", True), ("unsealed", False)])
def test_what_happens_between_two_processes_hides_no_crash(
    path: Path, last: str, clean: bool
) -> None:
    log = Journal(path, Clock())
    log.start()
    log.note(last)
    log.note("emergency-seal", told_uid=0)
    log.close()
    again = Journal(path, Clock())
    again.start_refused("the policy was changed")
    again.close()
    third = Journal(path, Clock())
    assert third.start() is clean
    third.close()


def test_the_same_refusal_to_start_is_noted_once(path: Path) -> None:
    for why in ("a", "a", "b", "a"):
        log = Journal(path, Clock())
        log.start_refused(why)
        log.close()
    assert [line["why"] for line in read_journal(path)] == ["a", "b", "a"]


def test_a_head_that_was_kept_is_there_until_a_line_before_it_is_changed(path: Path) -> None:
    log = Journal(path, Clock())
    for event in ("start", "unsealed", "stop"):
        log.note(event)
    heads = digests(path)
    log.note("start")
    log.close()
    assert digests(path)[:3] == heads
    lines = path.read_bytes().splitlines(keepends=True)
    assert heads == [sha256(line).hexdigest() for line in lines[:3]]
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(Tampered):
        digests(path)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_line_that_was_changed_is_named(path: Path, number: int) -> None:
    log = Journal(path, Clock())
    for event in ("start", "unseal", "seal"):
        log.note(event)
    log.close()
    lines = path.read_bytes().splitlines(keepends=True)
    changed = json.loads(lines[number - 1]) | {"n": 7}
    lines[number - 1] = json.dumps(changed).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    for reading in (read_journal, lambda path: Journal(path, Clock())):
        with pytest.raises(Tampered, match=f"line {number} "):
            reading(path)


def test_a_line_taken_out_is_named_by_the_one_after_it(path: Path) -> None:
    log = Journal(path, Clock())
    for event in ("start", "unseal", "seal"):
        log.note(event)
    log.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(Tampered, match="line 2 "):
        read_journal(path)


@pytest.mark.parametrize("garbage", [b"\n", b"null\n", b"{}\n", b"\xff\n", b'{"n":1}\n'])
def test_what_is_no_line_is_named(path: Path, garbage: bytes) -> None:
    path.write_bytes(garbage)
    with pytest.raises(Tampered, match="line 1 "):
        read_journal(path)


def test_a_line_torn_by_a_power_cut_is_cut_off_and_noted(path: Path) -> None:
    log = Journal(path, Clock())
    log.start()
    log.close()
    path.write_bytes(path.read_bytes() + b'{"at":17750000')
    assert events(path) == ["start"]
    again = Journal(path, Clock())
    again.start()
    again.close()
    assert events(path) == ["start", "torn", "start"]
    assert read_journal(path)[1]["bytes"] == 14


def test_refusals_are_noted_up_to_a_number_a_minute_and_then_counted(path: Path) -> None:
    clock = Clock()
    log = Journal(path, clock)
    for _ in range(REFUSALS_A_MINUTE + 5):
        log.refused("unknown certificate", peer="ab12")
    log.note("unseal")
    clock.now += 60_000
    for _ in range(2):
        log.refused("unknown certificate")
    log.close()
    lines = read_journal(path)
    assert len(lines) == REFUSALS_A_MINUTE + 3
    assert lines[0]["peer"] == "ab12"
    assert lines[-2]["left_out"] == 5
    assert "left_out" not in lines[-1]


def test_a_detail_cannot_pass_for_what_every_line_has(path: Path) -> None:
    log = Journal(path, Clock())
    with pytest.raises(ValueError, match="previous"):
        log.note("start", previous="ab")
    log.close()


@pytest.mark.parametrize("fault", ["short write", "failed sync"])
def test_a_line_the_disk_refused_is_not_there(
    path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Journal(path, Clock())
    log.start()
    really_write = os.write

    def short(descriptor: int, raw: bytes) -> int:
        return really_write(descriptor, raw[:10])

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    if fault == "short write":
        monkeypatch.setattr(os, "write", short)
    else:
        monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError):
        log.note("unseal")
    monkeypatch.undo()
    log.note("seal")
    log.close()
    assert events(path) == ["start", "seal"]
