"""整合性確認 between two processes over mutual TLS, each with a file of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.machine import Machine, accepted, running
from tests.plugins.reconcile.files import different, notice
from tests.simulators.cs import MunicipalServer
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.notices import Notice
from tests.simulators.reconcile import Reconciler, over

CS, CODE = "CS-432024", "432024"
REPORTING = {"purpose": "register-administration", "reason": "03"}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(Machine.make(tmp_path_factory.mktemp("machine"))) as machine:
        administrator = machine.administrator()
        machine.register(administrator, CS, "municipality", CODE)
        machine.appoint(administrator, "OP-0002", ["registrar"])
        yield machine


@pytest.fixture
def store(machine: Machine, tmp_path: Path) -> Path:
    """Return the municipality's file, after the prefecture took everything."""
    path = tmp_path / "cs.db"
    people = [born(which) for which in range(1, 101)]
    with MunicipalFile(path) as file, machine.link(CS) as link:
        report = MunicipalServer(link, file).send(people, {})
    # Each test sends the same again; then all are duplicates and the file is written by hand.
    assert report.outcomes in ({"applied": 100}, {"duplicate": 100})
    with MunicipalFile(path) as file:
        file.record(people, [])
    return path


def born(which: int) -> Notice:
    more = {"reason": "11", "effective_date": "2020-04-01", "my_number": None}
    return notice(which, **different(which), **more)


def reconcile(machine: Machine, store: Path, *more: str) -> dict[str, Any]:
    certificate, key, ca = map(str, machine.credentials(CS))
    command = [sys.executable, "-m", "tests.simulators.reconcile", "--url", machine.url]
    command += ["--certificate", certificate, "--key", key, "--ca", ca, "--store", str(store)]
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=True)
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


@pytest.mark.requirement("R91", "R92", "R93")
@pytest.mark.parametrize("more", [(), ("--whole",)], ids=["differences", "whole"])
def test_files_that_agree_are_told_so(machine: Machine, store: Path, more: tuple[str, ...]) -> None:
    outcome = reconcile(machine, store, *more)
    assert (outcome["result"], outcome["residents"], outcome["findings"]) == ("agreed", 100, [])


@pytest.mark.requirement("R92", "R93")
def test_a_planted_difference_is_found_and_staff_read_of_it(machine: Machine, store: Path) -> None:
    with MunicipalFile(store) as file:
        file.record([replace(born(42), update_number=2, address="熊本県八代市本町１番")], [])
    outcome = reconcile(machine, store)
    (found,) = outcome["findings"]
    assert (found["resident_code"], found["items"]) == (
        born(42).resident_code,
        ["address", "update_number"],
    )
    terminal = machine.terminal()
    terminal.login("OP-0002", machine.people["OP-0002"])
    answer = terminal.call("reconcile/report", {"run": outcome["run"]}, **REPORTING)
    (reported,) = accepted(answer)["findings"]
    assert reported["resident_code"] == born(42).resident_code
    assert "修正等の通知を送信してください" in reported["text"]


def test_a_run_goes_on_after_the_process_was_killed(machine: Machine, store: Path) -> None:
    with MunicipalFile(store) as file:
        residents = list(file.current())
    with machine.link(CS) as link:
        ask, killed = over(link), []

        def killing(operation: str, body: Any) -> dict[str, Any]:
            if operation == "reconcile/digest" and not killed:
                killed.append(operation)
                machine.kill()
                told = machine.check()
                assert (told["clean"], told["marks"]) == (True, 100)
                machine.open()
            return ask(operation, body)

        outcome = Reconciler(killing, residents).run()
    assert killed
    assert outcome.result == "agreed"


def test_a_machine_that_is_no_municipality_is_refused(machine: Machine, store: Path) -> None:
    certificate, key, _ = map(str, machine.credentials("TERM-0001"))
    with pytest.raises(subprocess.CalledProcessError) as failed:
        reconcile(machine, store, "--certificate", certificate, "--key", key)
    assert "reconcile: refused: 403" in failed.value.stderr
