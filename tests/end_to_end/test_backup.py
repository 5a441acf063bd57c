"""A backup of a serving appliance: made under load, tried by custodians, put back, unsealed."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from storage.note import Checkpoint, parse_note
from storage.tiles import CHECKPOINT
from tests.machine import Machine
from tests.waiting import until
from tests.witness import NAME, witnessed

ROOT = Path(__file__).parents[2]
WRONG, HUMAN = 1, 4
SECONDS = 30.0


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine.make(tmp_path / "machine")
    yield made
    made.kill()


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    (tmp_path / "medium").mkdir()
    return tmp_path / "medium"


def juki(machine: Machine, *words: object, code: int = 0) -> dict[str, Any]:
    done = machine.juki(*map(str, words))
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def make(machine: Machine, medium: Path) -> dict[str, Any]:
    return juki(machine, "backup", "make", "--config", machine.config, "--to", medium)


def trial(machine: Machine, folder: object, scratch: Path) -> dict[str, Any]:
    return juki(
        *(machine, "backup", "verify", folder, "--config", machine.config, "--in", scratch),
        *("--shares-from", machine.folder / "custodians"),
    )


@contextmanager
def load(machine: Machine, callers: int = 3) -> Iterator[list[int]]:
    """Ask without a session, all the time: refused, and entered; yields what was acknowledged."""
    ending, acknowledged = threading.Event(), [0] * callers

    def ask(number: int) -> None:
        with machine.link("TERM-0001") as link:
            while not ending.is_set():
                assert link.ask("/v1/search/find", b"{}").status == 401
                acknowledged[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def signed(path: Path) -> Checkpoint:
    return Checkpoint.parse(parse_note(path.read_text("utf-8")).text)


def verify_ledger(machine: Machine, anchor: Path) -> dict[str, Any]:
    """Verify the exported ledger of a stopped appliance, which must begin as the backup says."""
    key = json.loads(machine.layout.identity.read_bytes())["ledger_key"]
    return juki(machine, "ledger", "verify", machine.layout.tiles, "--key", key, "--anchor", anchor)


def told_of_backups(machine: Machine) -> dict[str, Any]:
    return dict(machine.loopback("GET", "health")[1]["backup"])


@pytest.mark.requirement("R141")
@pytest.mark.requirement("R167")
def test_made_under_load_it_is_tried_restored_and_unsealed_with_the_same_root(
    machine: Machine, medium: Path, tmp_path: Path
) -> None:
    machine.open()
    administrator = machine.administrator()
    machine.register(administrator, "TERM-0002", "business")
    with load(machine) as acknowledged:
        until(lambda: sum(acknowledged) > 50, SECONDS, "nothing is answered")
        before = sum(acknowledged)
        told = make(machine, medium)
        more = sum(acknowledged)
        until(lambda: sum(acknowledged) > more, SECONDS, "it does not serve any more")
    folder = Path(told["backup"])
    assert told["ledger_size"] > before
    assert (told["recorded"], told_of_backups(machine)["manifest"]) == (True, told["manifest"])
    assert machine.stop() == 0
    anchor = folder / CHECKPOINT
    assert verify_ledger(machine, anchor)["size"] > told["ledger_size"]

    tried = trial(machine, folder, tmp_path)
    assert (tried["sound"], tried["opened"]) == (True, True)
    assert tried["restored"]["entries"] == told["ledger_size"]

    machine.data.rename(tmp_path / "lost")
    juki(machine, "backup", "restore", folder, "--data", machine.data)
    machine.open()
    with machine.link("TERM-0002") as link:
        assert link.ask("/v1/search/find", b"{}").status == 401
    machine.administrator().close()  # who had set a PIN before logs in by it
    assert machine.stop() == 0
    assert verify_ledger(machine, anchor)["size"] > told["ledger_size"]
    assert signed(anchor).size == told["ledger_size"]
    assert machine.check(anchor)["clean"]


def test_the_witness_keeps_a_restored_appliance_sealed_until_the_prefecture_decides(
    machine: Machine, medium: Path, tmp_path: Path
) -> None:
    with witnessed(machine) as witness:
        machine.open()
        witness.cosigns_all()
        folder = make(machine, medium)["backup"]
        with machine.link("TERM-0001") as link:
            assert link.ask("/v1/search/find", b"{}").status == 401
        witness.cosigns_all()
        assert machine.stop() == 0
        assert trial(machine, folder, tmp_path)["sound"]
        machine.data.rename(tmp_path / "lost")
        juki(machine, "backup", "restore", folder, "--data", machine.data)
        with pytest.raises(AssertionError, match=NAME):
            machine.open()


@pytest.mark.parametrize("room", [100_000, 1, 250_000])
def test_a_medium_that_is_full_in_the_middle_is_told_and_left_as_it_was(
    machine: Machine, medium: Path, room: int
) -> None:
    machine.open()
    # The kernel takes no byte more than this into a file of the copier's: EFBIG.
    words = [sys.executable, "-I", "-m", "appliance", "backup", "make", "--json"]
    words += ["--config", str(machine.config), "--to", str(medium)]
    done = subprocess.run(
        ["prlimit", f"--fsize={room}", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == WRONG, done.stdout + done.stderr
    told = json.loads(done.stdout)["error"]
    assert told["code"] == "disk-full"
    assert "nothing of the backup is left" in told["problems"][0]
    assert list(medium.iterdir()) == []
    assert machine.loopback("GET", "health")[0] == 200
    assert make(machine, medium)["recorded"]


@contextmanager
def copier(machine: Machine, medium: Path, until_copied: Sequence[str]) -> Iterator[Any]:
    """Yield a copier that has copied some files and waits."""
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.crash.copier", "--json"),
            *("--config", str(machine.config), "--to", str(medium)),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        for name in until_copied:
            assert child.stdout.readline() == f"{name}\n"
            if name != until_copied[-1]:
                child.stdin.write("\n")
                child.stdin.flush()
        yield child
    finally:
        child.kill()
        with suppress(BrokenPipeError):
            child.communicate()


@pytest.mark.parametrize("copied", [["juki.db"], ["juki.db", "juki.db-wal"]], ids=["file", "WAL"])
def test_a_copier_killed_in_the_middle_leaves_no_backup_and_the_next_makes_one(
    machine: Machine, medium: Path, copied: list[str]
) -> None:
    machine.open()
    with copier(machine, medium, copied):
        assert told_of_backups(machine)["under_way"]
    (left,) = medium.iterdir()
    assert left.name.startswith(".unfinished-")
    done = machine.juki("backup", "verify", str(left))
    assert done.returncode != 0
    # Nobody waits for the minute after which he is given up.
    assert (
        machine.juki(
            "backup", "make", "--config", str(machine.config), "--to", str(medium)
        ).returncode
        == 3
    )
    machine.stop()
    machine.open()
    told = make(machine, medium)
    assert [path.name for path in medium.iterdir()] == [Path(told["backup"]).name]


@pytest.mark.parametrize("copied", [["juki.db"], ["juki.db", "juki.db-wal"]], ids=["file", "WAL"])
def test_an_appliance_killed_in_the_middle_and_started_again_has_no_backup(
    machine: Machine, medium: Path, copied: list[str]
) -> None:
    machine.open()
    with copier(machine, medium, copied) as child:
        machine.kill()
        machine.open()
        said, _ = child.communicate("\n\n")
        assert child.returncode != 0
    assert json.loads(said.splitlines()[-1])["error"]["code"] == "not-permitted"
    assert list(medium.iterdir()) == []
    assert told_of_backups(machine)["manifest"] is None


def test_a_stopped_appliance_is_backed_up_too(
    machine: Machine, medium: Path, tmp_path: Path
) -> None:
    machine.open()
    with load(machine) as acknowledged:
        until(lambda: sum(acknowledged) > 20, SECONDS, "nothing is answered")
    machine.kill()
    folder = make(machine, medium)["backup"]
    tried = trial(machine, folder, tmp_path)
    assert (tried["sound"], tried["exact"]) == (True, False)
    assert tried["restored"]["entries"] > sum(acknowledged)
    shutil.copytree(folder, tmp_path / "changed")
    with (tmp_path / "changed" / "store" / "juki.db").open("r+b") as file:
        file.seek(9000)
        file.write(b"?")
    wrong = juki(machine, "backup", "verify", tmp_path / "changed", code=HUMAN)
    assert [each["place"] for each in wrong["findings"]] == ["store/juki.db"]
