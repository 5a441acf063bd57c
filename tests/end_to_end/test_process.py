"""The real process, its real ports, and the commands an operator types."""

import json
import os
import pty
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.certificates import CertificateAuthority
from appliance.cli import juki as group
from appliance.cli import sealing
from appliance.machine.store import Layout
from appliance.parts import utc_now
from storage.journal import read_journal
from tests.appliance.founding import Site, free_ports, make_site

SHIPPED = Path(__file__).parents[2] / "firmware_config"
PIN = "31415926"
SECONDS = 20.0


@dataclass
class Process:
    """``juki serve`` as a process of its own, and what it said."""

    site: Site
    child: subprocess.Popen[bytes] = field(init=False)

    @property
    def said(self) -> str:
        return (self.site.folder / "stderr").read_text("utf-8")

    def start(self) -> "Process":
        with (self.site.folder / "stderr").open("ab") as stderr:
            self.child = subprocess.Popen(
                [sys.executable, "-I", "-m", "appliance", "serve", "--config", self.site.config],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
            )
        eventually(lambda: self.status().exit_code in (0, 2), "the process does not answer")
        return self

    def status(self) -> Result:
        return self.juki("status", "--json")

    def juki(self, *words: object, given: str | None = None) -> Result:
        return juki(*words, "--config", self.site.config, given=given)

    def unseal(self) -> None:
        assert self.juki("unseal", "--shares-from", self.site.custodians).exit_code == 0

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.child.send_signal(number)
        return self.child.wait(SECONDS)


def juki(*words: object, given: str | None = None) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words], given)


def plain(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def eventually(true: Callable[[], bool], why: str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, why
        time.sleep(0.05)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a machine with the shipped policy and a store whose custodians sit beside it."""
    made = make_site(tmp_path, now=utc_now())
    shutil.rmtree(made.firmware / "policy")
    shutil.copytree(SHIPPED / "policy", made.firmware / "policy")
    shutil.copy(SHIPPED / "plugins.toml", made.firmware)
    monkeypatch.setenv("JUKI_SESSION", str(tmp_path / "session.json"))
    for name, value in made.client().items():
        monkeypatch.setenv(f"JUKI_{name.upper()}", value)
    monkeypatch.setenv("JUKI_URL", f"https://127.0.0.1:{made.settings.listen.port}")
    founded = plain(
        juki(
            "init",
            "--config",
            made.config,
            "--terminal",
            made.tls / "terminal.pem",
            "--shares-to",
            made.custodians,
            "--json",
        )
    )
    (tmp_path / "founded.json").write_text(json.dumps(founded))
    return made


@pytest.fixture
def process(site: Site) -> Iterator[Process]:
    running = Process(site).start()
    yield running
    if running.child.poll() is None:
        running.child.kill()
        running.child.wait()


def founded(site: Site) -> dict[str, Any]:
    return json.loads((site.folder / "founded.json").read_text())  # type: ignore[no-any-return]


def share(site: Site, number: int) -> str:
    return (site.custodians / f"share-{number}.txt").read_text()


def enrolled(site: Site) -> None:
    code = founded(site)["enrolment_code"]
    opened = juki("login", "P-0001", "--enrol", "--json", given=f"{code}\n{PIN}\n")
    assert plain(opened)["roles"] == ["system-administrator"]


# --- sealed and unsealed ---


def test_it_starts_sealed_and_says_so_by_exit_code(process: Process) -> None:
    result = process.status()
    status = json.loads(result.stdout)
    assert result.exit_code == 2
    assert (status["sealed"], status["progress"], status["t"]) == (True, 0, 3)
    assert juki("login", "P-0001", given=f"{PIN}\n").exit_code == 3


def test_wrong_shares_are_refused_and_good_ones_kept(process: Process) -> None:
    site = process.site
    mistyped = share(site, 1).replace(share(site, 1).split()[4], "academic", 1)
    result = process.juki("unseal", "--json", given=share(site, 1) + mistyped)
    assert result.exit_code == 3
    assert process.juki("unseal", given=share(site, 1)).exit_code == 3  # given before
    assert json.loads(process.status().stdout)["progress"] == 1
    for more, given, number in (("2 more shares", 1, 1), ("1 more share", 2, 3)):
        sealed = process.juki("unseal", given="" if number == 1 else share(site, number))
        assert sealed.exit_code == 2
        assert f"still sealed: {more} needed, {given} of 3 given" in sealed.stderr
    text = process.juki("status").stdout
    for line in (r"shares needed: +3$", r"shares given: +2$", r"state: +sealed$"):
        assert re.search(line, text, re.MULTILINE), text
    done = process.juki("unseal", given=share(site, 5))
    assert done.exit_code == 0
    assert done.stdout.endswith("unsealed\n")
    assert process.status().exit_code == 0
    assert re.search(r"disk free: +[0-9]+%$", process.juki("status").stdout, re.MULTILINE)
    assert process.juki("unseal", given=share(site, 2)).exit_code == 3  # not sealed


def test_typed_shares_are_not_shown(process: Process) -> None:
    site = process.site
    command = [sys.executable, "-I", "-m", "appliance", "unseal", "--config", str(site.config)]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, command)  # noqa: S606
    typed = ["wrong words\n", share(site, 1), share(site, 2), share(site, 3)]
    shown = ""
    for line in typed:
        shown += _read_until(terminal, "Share: ")
        # A terminal in canonical mode takes a line at a time; the prompt must be there first.
        os.write(terminal, line.encode())
    shown += _read_until(terminal, "unsealed")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    assert "a share has 33 words, not 2" in shown
    assert "2 of 3 shares" in shown
    assert share(site, 1).split()[4] not in shown.split()


def _read_until(terminal: int, text: str) -> str:
    shown, end = "", time.monotonic() + SECONDS
    while text not in shown:
        assert time.monotonic() < end, shown
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 4096).decode("utf-8", "replace")
            except OSError:
                break
    return shown


# --- a day ---


def agreed(site: Site, *words: str, form: str | None = None) -> dict[str, Any]:
    """Do what takes two: the administrator asks, the officer agrees, the administrator does it."""
    paper = ("--form", form) if form else ()
    number = plain(juki(*words, "--request", "--why", "test", *paper, "--json"))["number"]
    officer = ("--session", site.folder / "officer.json")
    if not (site.folder / "officer.json").exists():
        code = founded(site)["officer_code"]
        enrol = ("login", "P-9001", "--enrol", *officer)
        plain(juki(*enrol, "--json", given=f"{code}\n{PIN}\n"))
    plain(juki("approval", "give", number, *officer, "--json"))
    return plain(juki(*words, "--approval", number, "--json"))


def test_a_day_of_an_administrator(process: Process) -> None:
    site = process.site
    process.unseal()
    enrolled(site)
    person = ("P-0002", "--name", "監査　次郎", "--office", "監査", "--form", "照合付-1")
    granted = agreed(site, "person", "grant", *person, "--expires", "2099-03-31")
    assert granted["enrolment_code"]
    authority = ("OP-0002", "--holder", "P-0002", "--office", "監査", "--role", "auditor")
    alone = juki(
        "operator", "add", *authority, "--form", "照合付-1", "--expires", "2099-03-31", "--json"
    )
    assert alone.exit_code == 3
    assert json.loads(alone.stdout)["error"]["code"] == "needs-approval"
    agreed(site, "operator", "add", *authority, "--form", "照合付-1", "--expires", "2099-03-31")
    pin = ("--reason", "負傷", "--until", str(utc_now().date() + timedelta(days=7)))
    again = agreed(site, "person", "issue-pin", "P-0002", *pin, form="暗証-1")
    change = ("operator", "change", "OP-0002", "--form", "異動-1")
    moved = agreed(site, *change, "--office", "監査室", "--no-purpose")
    assert moved["office"] == "監査室"
    both = juki(*change, "--purpose", "passport", "--no-purpose")
    assert both.exit_code == 2
    listed = plain(juki("operator", "list", "--json"))["operators"]
    assert [each["operator_id"] for each in listed] == ["OP-0001", "OP-0002", "OP-9001"]
    assert "purposes" in juki("operator", "list").stdout
    assert "not-enrolled" in juki("person", "list").stdout
    CertificateAuthority.load(site.tls).issue_client("cs", now=utc_now()).write(site.tls, "cs")
    server = ("CS-432024", str(site.tls / "cs.pem"), "--kind", "municipality")
    where = ("--municipality", "432024", "--place", "八代市")
    agreed(site, "terminal", "enrol", *server, *where, form="接続-1")
    assert "CS-432024" in juki("terminal", "list").stdout
    revoked = plain(juki("terminal", "revoke", "CS-432024", "--reason", "更新", "--json"))
    assert revoked["revoked"] == "更新"
    himself = juki("person", "suspend", "P-0001", "--reason", "x", "--form", "y", "--json")
    assert himself.exit_code == 3
    assert json.loads(himself.stdout)["error"]["code"] == "not-permitted"
    assert juki("ledger", "search").exit_code == 3  # an administrator is not an auditor
    assert juki("logout").exit_code == 0
    assert juki("operator", "list").exit_code == 3
    wrong_name = juki("login", "P-0009", "--enrol", given=f"{again['enrolment_code']}\n{PIN}\n")
    assert wrong_name.exit_code == 3
    assert juki("login", "P-0002", given="00000000\n").exit_code == 3
    _audit(site)
    assert plain(juki("login", "P-0001", "--json", given=f"{PIN}\n"))["operator"] == "OP-0001"
    paper = ("P-0002", "--form", "照合無-1")
    assert juki("person", "suspend", *paper, "--reason", "退職").exit_code == 0
    assert juki("login", "P-0002", given=f"{PIN}\n").exit_code == 3
    assert agreed(site, "person", "resume", *paper, "--reason", "復職")["until"]
    assert PIN not in process.said


def _audit(site: Site) -> None:
    """Read and prove the ledger as the auditor."""
    assert juki("login", "P-0002", given=f"{PIN}\n").exit_code == 0
    entries = plain(juki("ledger", "search", "--operation", "roster/add-operator", "--json"))[
        "entries"
    ]
    assert {entry["operator"] for entry in entries} == {"OP-0001"}
    assert [entry["result"] for entry in entries] == ["ok", "denied"]
    assert "roster/add-operator" in juki("ledger", "search", "--since", "2020-01-01").stdout
    asked = ("ledger", "search", "--json")
    found = plain(juki(*asked, "--request-id", entries[0]["request_id"]))["entries"]
    assert [entry["index"] for entry in found] == [entries[0]["index"]]
    assert plain(juki(*asked, "--person", "P-0099"))["entries"] == []
    denied = juki("ledger", "search", "--result", "denied", "--person", "P-0001").stdout
    assert "not-permitted" in denied
    assert "nobody appoints, suspends or resumes himself" in denied
    assert "older entries: --before" in juki("ledger", "search", "--limit", "1").stdout
    assert plain(juki(*asked, "--operation", "system/seal"))["entries"] == []
    assert plain(juki(*asked, "--operation", "search/find"))["entries"] == []
    mistyped = juki("ledger", "search", "--operation", "search/fnd")
    assert mistyped.exit_code == 2
    assert "near it: search/find" in mistyped.stderr
    index = entries[0]["index"]
    proof = site.folder / "proof"
    assert juki("ledger", "prove", index, "--out", proof).exit_code == 0
    assert proof.read_text().startswith("c2sp.org/tlog-proof@v1\n")
    assert f"index {index}\n" in juki("ledger", "prove", index).stdout
    note = plain(juki("ledger", "checkpoint", "--json"))["checkpoint"]
    assert note.startswith("audit.juki.test/g1\n")
    nobody = juki("ledger", "person", "--json", given="90000000018\n")
    assert nobody.exit_code == 3
    key, tiles = founded(site)["ledger_key"], Layout(site.data).tiles
    eventually((tiles / "checkpoint").exists, "nothing was exported")
    assert plain(juki("ledger", "verify", tiles, "--key", key, "--json"))["sound"]
    _export(site, key)


def _agreed_export(site: Site, *options: object) -> dict[str, Any]:
    """Export with the agreement of the システム管理者, who is logged in beside the auditor."""
    asked = ("ledger", "export", *options)
    number = plain(juki(*asked, "--request", "--form", "監査-1", "--why", "監査", "--json"))[
        "number"
    ]
    keeper = ("--session", site.folder / "keeper.json")
    plain(juki("login", "P-0001", *keeper, "--json", given=f"{PIN}\n"))
    plain(juki("approval", "give", number, *keeper, "--json"))
    told: dict[str, Any] = plain(juki(*asked, "--approval", number, "--json"))
    return told


def _export(site: Site, key: str) -> None:
    """Take entries out as files, and have anybody check that they are what was handed out."""
    counted = plain(juki("ledger", "denials", "--json"))
    assert counted["count"] == sum(counted["codes"].values()) > 0
    assert "not-permitted" in juki("ledger", "denials").stdout
    for form in ("csv", "pdf"):
        file = site.folder / f"roster.{form}"
        options = ("--function", "roster", "--format", form, "--out", file)
        made = _agreed_export(site, *options)
        assert (made["count"] > 0, made["proof"]) == (True, f"{file}.tlog-proof")
        checked = plain(
            juki("ledger", "verify-export", file, made["proof"], "--key", key, "--json")
        )
        assert (checked["index"], checked["sha256"]) == (made["index"], made["sha256"])
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    changed = juki("ledger", "verify-export", file, made["proof"], "--key", key)
    assert changed.exit_code == 4
    assert "is not what was handed out as entry" in changed.stderr
    file.write_bytes(content)
    found = juki("ledger", "verify-export", file, site.folder / "proof", "--key", key)
    assert found.exit_code == 4
    assert "which is no export" in found.stderr
    nobody = juki("ledger", "report", "--out", file, given="90000000018\n")
    assert nobody.exit_code == 3
    assert file.read_bytes() == content


# --- ends ---


def test_sealing_replaces_the_process_by_a_sealed_one(process: Process) -> None:
    process.unseal()
    enrolled(process.site)
    assert process.juki("seal").stdout == "sealed\n"
    eventually(lambda: process.status().exit_code == 2, "it was not sealed")
    assert process.child.poll() is None  # the same process, all of its memory new
    process.unseal()
    assert juki("operator", "list").exit_code == 3  # sessions ended with it
    assert process.end() == 0
    events = [line["event"] for line in read_journal(Layout(process.site.data).journal)]
    assert events[0] == "start"
    assert events.count("seal") == 1
    assert events[-1] == "stop"


def test_what_does_not_answer_is_sealed_all_the_same(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped process is as deaf as one whose interpreter a thread never lets go of."""
    monkeypatch.setattr(sealing, "ANSWER_SECONDS", 0.5)
    process.unseal()
    process.child.send_signal(signal.SIGSTOP)
    sealed = process.juki("seal", "--json")
    assert plain(sealed) == {"sealed": True, "killed": process.child.pid}
    assert process.child.wait(SECONDS) == -signal.SIGKILL
    again = process.juki("seal", "--json")
    assert json.loads(again.stdout)["error"]["code"] == "no-server"
    process.start()
    assert process.status().exit_code == 2
    shown = plain(process.juki("journal", "show", "--event", "emergency-seal", "--json"))
    assert [line["told_uid"] for line in shown["lines"]] == [os.getuid()]
    assert not Layout(process.site.data).emergency.exists()
    started = plain(process.juki("journal", "show", "--event", "start", "--json"))["lines"]
    assert [line["unclean"] for line in started] == [False, True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_told_to(process: Process, number: signal.Signals) -> None:
    process.unseal()
    assert process.end(number) == 0
    checked = process.juki("check", "--shares-from", process.site.custodians, "--json")
    assert plain(checked)["entries"] >= 3  # init, unseal, stop; steps of jobs between


def test_a_crash_is_noted_and_nothing_is_lost(process: Process) -> None:
    process.unseal()
    enrolled(process.site)
    assert process.end(signal.SIGKILL) == -signal.SIGKILL
    process.start()
    starts = [
        line["unclean"]
        for line in read_journal(Layout(process.site.data).journal)
        if line["event"] == "start"
    ]
    assert starts == [False, True]
    process.unseal()
    assert juki("login", "P-0001", given=f"{PIN}\n").exit_code == 0


def test_a_second_process_is_refused(process: Process) -> None:
    command = [sys.executable, "-I", "-m", "appliance", "serve", "--config"]
    other = process.site.folder / "other.toml"
    port, management = free_ports(2)
    text = process.site.config.read_text()
    settings = process.site.settings
    for old, new in ((settings.listen.port, port), (settings.management_port, management)):
        text = text.replace(f"port = {old}", f"port = {new}")
    other.write_text(text)
    second = subprocess.run([*command, other], capture_output=True, timeout=SECONDS, check=False)
    assert second.returncode == 3
    assert f"in use by process {process.child.pid}" in second.stderr.decode()
    checked = process.juki("check", "--shares-from", process.site.custodians)
    assert checked.exit_code == 3


def test_a_policy_changed_behind_the_custodians_does_not_start(process: Process) -> None:
    assert process.end() == 0
    with (process.site.firmware / "policy" / "roles.toml").open("a") as file:
        file.write("\n")
    command = [sys.executable, "-I", "-m", "appliance", "serve", "--config", process.site.config]
    ran = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    assert ran.returncode == 2
    assert "policy/roles.toml: was changed after it was signed" in ran.stderr.decode()


def test_log_lines_hold_no_secret(process: Process) -> None:
    process.unseal()
    enrolled(process.site)
    process.end()
    lines = [json.loads(line) for line in process.said.splitlines()]
    assert lines[0]["event"] == "both ports answer; sealed"
    secrets = [PIN, founded(process.site)["enrolment_code"], share(process.site, 1).strip()]
    assert not any(secret in process.said for secret in secrets)


# --- development ---


def test_the_lines_printed_by_dev_can_be_pasted(tmp_path: Path) -> None:
    folder, out = tmp_path / "dev", tmp_path / "out"
    port = _two_free_ports()
    command = [sys.executable, "-I", "-m", "appliance", "serve", "--dev", str(folder)]
    with out.open("wb") as stdout, (tmp_path / "err").open("wb") as stderr:
        child = subprocess.Popen([*command, "--port", str(port)], stdout=stdout, stderr=stderr)
    try:
        eventually(lambda: "juki unseal" in out.read_text("utf-8"), "it did not get ready")
        text = out.read_text("utf-8")
        assert "Never for real data" in text
        script = "\n".join(line for line in text.splitlines() if not line.startswith(("=", " DEV")))
        script = script.replace("juki ", f"{sys.executable} -I -m appliance ")
        script = script.replace("curl ", "curl -sS ").replace(" Never for real data", "# ")
        script = _without_the_last_seal(script)
        ran = subprocess.run(
            ["bash", "-euc", script], capture_output=True, timeout=SECONDS, check=False
        )
        answers = ran.stdout.decode()
        assert ran.returncode == 0, ran.stderr.decode()
        assert '"outcome":"applied"' in answers
        assert '"count":1' in answers
        assert "search/find" in answers
        marked = subprocess.run(
            ["curl", "-sS", "-i", f"http://127.0.0.1:{port + 1}/v1/sys/health"],
            capture_output=True,
            check=True,
        )
        assert b"X-Juki-Mode: development" in marked.stdout
        again = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        assert again.returncode == 2
        assert b"is not empty" in again.stderr
    finally:
        child.terminate()
        assert child.wait(SECONDS) == 0


def _without_the_last_seal(script: str) -> str:
    """Leave out sealing and unsealing; another test does that."""
    return "\n".join(
        line
        for line in script.splitlines()
        if " seal --config" not in line and " unseal " not in line
    )


def _two_free_ports() -> int:
    """Return a port that is free, and so is the next; none that others are given at random."""
    while True:
        port = secrets.randbelow(10_000) + 20_000
        with socket.socket() as one, socket.socket() as next_one:
            addresses = ("127.0.0.1", port), ("127.0.0.1", port + 1)
            taken = [s.connect_ex(a) == 0 for s, a in zip((one, next_one), addresses, strict=True)]
        if not any(taken):
            return port
