"""``scripts/run`` at a small scale: drives everything, tells failures, leaves nothing behind."""

import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.demo import trouble
from scripts.demo.leftovers import Search
from scripts.demo.steps import Off, Steps

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240
"""How long a run may take on a machine that is busy with other tests."""


def command(*options: str) -> list[str]:
    # Any free ports: other tests may be running beside this one.
    return [sys.executable, "-P", "-m", "scripts.demo", "--port", "0", *options]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*options),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def still_running(folder: Path) -> list[str]:
    """Return the command line of every process that speaks of a folder."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line and path.parent.name != str(os.getpid()):
            lines.append(line)
    return lines


def test_everything_is_driven_once_and_is_right(tmp_path: Path) -> None:
    data, report = tmp_path / "data", tmp_path / "report.json"
    done = run("--check", "--residents", "300", "--data", str(data), "--json", str(report))

    steps: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))
    assert [step for step in steps if not step["ok"]] == [], done.stdout
    assert done.returncode == 0
    assert len(steps) >= 70
    assert all(set(step) == {"step", "ok", "detail"} and step["detail"] for step in steps)
    assert {path.name for path in data.iterdir()} == {
        *("appliance", "custodians", "municipality", "national", "terminal", "witness"),
    }
    assert still_running(data) == []


def test_what_is_printed_can_be_pasted_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        missing = "apt install curl"
        pytest.fail(missing) if os.environ.get("JUKI_SKIP_NOTHING") else pytest.skip(missing)
    data = tmp_path / "data"
    with subprocess.Popen(
        command("--residents", "300", "--data", str(data)),
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "It runs until Ctrl-C" in line:
                break
        pasted = subprocess.run(
            ["bash"], input=lines_to_paste(printed), capture_output=True, text=True, check=False
        )
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert pasted.stderr == ""
    for word in ("variant", "several", "not-permitted", "too-many", "applied", "L-10", "mismatch"):
        assert word in pasted.stdout
    for word in ("cases", "jobs", "municipalities", "basis", "population", "versions", "when"):
        assert word in pasted.stdout
    refused = re.findall(r'"code": "([a-z-]+)"', pasted.stdout)
    assert refused == ["not-permitted", "too-many"]
    assert re.search(r"sound: +yes", pasted.stdout)
    assert pasted.stdout.endswith("unsealed\n")
    assert process.returncode == 0
    assert still_running(data) == []


def lines_to_paste(printed: str) -> str:
    _, _, rest = printed.partition("into another shell:\n")
    preparations, _, trials = rest.partition("Everybody is logged in")
    _, _, trials = trials.partition("─\n")
    return preparations + trials.partition("─")[0]


def test_told_to_stop_in_the_middle_it_stops_what_it_started(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with subprocess.Popen(
        command("--check", "--residents", "300", "--data", str(data)),
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "three custodians unseal it" in line:
                break
        assert len(still_running(data)) >= 2
        process.terminate()
        process.communicate(timeout=60)

    assert process.returncode == 130
    assert still_running(data) == []


def test_a_failure_says_where_the_logs_are_and_how_they_end(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            BROKEN,
            "--port",
            "0",
            "--residents",
            "300",
            "--data",
            str(data),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "✗ the appliance starts" in done.stdout
    assert "appliance.log" in done.stdout
    assert "there is no such key" in done.stdout
    assert still_running(data) == []


BROKEN = """
import sys
from scripts.demo import founding, story
sign = founding.found
def found(stage, residents):
    code = sign(stage, residents)
    with stage.grounds.config.open("a") as config:
        config.write("\\nunknown = 1\\n")
    return code
founding.found = found
sys.exit(story.main())
"""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--residents", "10"), "must be a number from 200 to 2000000"),
        (("--json", "/nowhere/report.json"), "No such file or directory"),
        (("--data", "/dev/null/below"), "is a file, or lies below one; give a folder with --data"),
        (("--data", "/proc/mine"), "/proc/mine"),
    ],
)
def test_what_cannot_be_is_told_at_once(options: tuple[str, ...], told: str) -> None:
    done = run("--check", *options)

    assert done.returncode == 2
    assert told in done.stderr + done.stdout
    assert "Errno" not in done.stderr + done.stdout


def test_a_report_needs_something_to_report(tmp_path: Path) -> None:
    done = run("--json", str(tmp_path / "report.json"))
    assert done.returncode == 2
    assert "--json goes with --check" in done.stderr


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 2
    assert f"port {port} or {port + 1} is in use; --port 0 takes any two free ones" in done.stdout


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "cannot be written to; give another folder with --data"),
        (errno.EROFS, "cannot be written to"),
        (errno.EEXIST, "is a file, or lies below one"),
        (errno.ENOSPC, "the disk is full: "),
        (errno.EIO, "Input/output error"),
    ],
)
def test_trouble_with_the_folder_is_told_in_words(tmp_path: Path, number: int, told: str) -> None:
    problem = OSError(number, os.strerror(number))
    text = trouble.about_folder(tmp_path / "not" / "yet", problem)
    assert told in text
    assert str(tmp_path) in text


def test_a_full_disk_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert not trouble.is_full(tmp_path)
    monkeypatch.setattr(trouble, "FULL_BELOW", 1 << 62)
    assert trouble.is_full(tmp_path / "not yet")


def test_what_was_never_tried_is_counted(tmp_path: Path) -> None:
    steps = Steps(Console(quiet=True))
    steps.plan("1 One", "2 Two")
    steps.act("1 One")
    with steps.step("one") as step:
        step.saw("that")
    assert steps.verdict == "1 steps, all right; never tried: 2 Two"
    steps.write(tmp_path / "report")
    rows = json.loads((tmp_path / "report").read_text("utf-8"))
    assert rows[-1] == {"step": "2 Two", "ok": False, "detail": "never tried"}
    steps.act("2 Two")
    assert steps.verdict == "1 steps, all right"
    with steps.step("two") as step:
        step.saw("that", right=False)
    assert steps.verdict == "2 steps, 1 of them not as they must be"


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    done = run("--data", str(tmp_path))

    assert done.returncode == 2
    assert "is not empty" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_help_gives_examples() -> None:
    assert "scripts/run --check --json report.json" in run("--help").stdout


def test_a_step_that_goes_wrong_is_written_down_and_the_run_goes_on() -> None:
    steps = Steps(Console(quiet=True))
    with steps.step("one") as step:
        step.asks("this")
        step.saw("that")
        step.saw("something else", right=False)
    with steps.step("two") as step:
        step.must("it is there", right=False)
    with steps.step("three"):
        raise KeyError("name")
    with steps.step("four") as step:
        step.must("it is there", right=True)

    assert [step.name for step in steps.failed] == ["one", "two", "three"]
    assert steps.failed[0].answered == "WRONG: something else; that"
    assert "KeyError" in steps.failed[2].answered


def test_what_all_that_follows_needs_stops_the_run() -> None:
    steps = Steps(Console(quiet=True))
    with pytest.raises(Off), steps.step("one", vital=True) as step:
        step.must("it is there", right=False)
    assert len(steps.failed) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "cp932"])
def test_the_search_finds_a_name_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    needles, place = tmp_path / "needles", tmp_path / "place"
    name = "髙﨑　澤子"
    forms = [name.encode(each) for each in ("utf-8", "utf-16-le", "utf-16-be", "cp932")]
    needles.write_bytes(b"\n".join(forms) + b"\n")
    place.mkdir()
    (place / "hidden").write_bytes(b"\0\xff" + name.encode(encoding) + b"\0")
    (place / "clean").write_bytes(bytes(range(256)))

    assert Search(needles, forms).files_with(place) == [place / "hidden"]


def test_a_search_that_could_not_look_is_no_search(tmp_path: Path) -> None:
    needles = tmp_path / "needles"
    needles.write_bytes(b"anything\n")
    with pytest.raises(Off, match="could not look"):
        Search(needles, [b"anything"]).files_with(tmp_path / "nowhere")
