"""Jobs of a real process: asked for, killed in the middle, taken up again, checked."""

import json
import os
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.machine.opening import open_store
from appliance.parts import utc_now
from tests.appliance.founding import root_of
from tests.machine import PATIENCE, PIN, Machine, accepted, running
from tests.plugins.update.making import YATSUSHIRO, code, number, wire
from tests.simulators.terminal import Terminal
from tests.waiting import until

RECOUNT = "statistics/recount"
BIRTHS = 400
KILLS = 4


def settle_in(machine: Machine, administrator: Terminal) -> None:
    """Register a municipality, which tells of some residents."""
    name = f"CS-{YATSUSHIRO}"
    machine.register(administrator, name, "municipality", YATSUSHIRO)
    notices = [
        wire(sequence=at, resident_code=code(at), my_number=number(at), name=f"佐藤　{at}郎")
        for at in range(1, BIRTHS + 1)
    ]
    told = machine.terminal(name).call(
        "update/notify", {"notifications": notices}, idempotency_key="all-of-them-at-once"
    )
    outcomes = {each["outcome"] for each in accepted(told)["results"]}
    assert outcomes == {"applied"}, accepted(told)["results"][:2]


def ask(terminal: Terminal, operation: str, **body: Any) -> dict[str, Any]:
    key = f"{operation.replace('/', '-')}-{random.getrandbits(64):016x}"
    return accepted(terminal.call(operation, body, idempotency_key=key))


def has_begun(terminal: Terminal) -> bool:
    return not ask(terminal, "job/status", name=RECOUNT)["job"]["asked"]


def ended(terminal: Terminal) -> bool:
    job = ask(terminal, "job/status", name=RECOUNT)["job"]
    return job["outcome"] == "done" and not job["asked"]


@pytest.mark.requirement("R34", "R172")
def test_a_job_killed_in_the_middle_is_taken_up_and_comes_to_the_same(tmp_path: Path) -> None:
    machine = Machine.make(tmp_path)
    chance = random.Random(171)
    with running(machine):
        administrator = machine.administrator()
        settle_in(machine, administrator)
        machine.appoint(administrator, "OP-0002", ["statistician"])
        until(partial(ended, administrator), PATIENCE, "the first run does not end")
        for _ in range(KILLS):
            ask(administrator, "job/run", name=RECOUNT)
            until(partial(has_begun, administrator), PATIENCE, "the run does not begin")
            time.sleep(chance.uniform(0.0, 0.1))
            machine.kill()
            machine.open()
            administrator = machine.administrator()
            until(partial(ended, administrator), PATIENCE, "the run is not taken up again")
        clerk = machine.terminal()
        clerk.login("OP-0002", PIN)
        recounts = ask(clerk, "statistics/recounts")["recounts"]
        assert len(recounts) == KILLS + 1
        outcomes = [(each["persons"], each["differing"]) for each in recounts]
        assert outcomes[:KILLS] == [(BIRTHS, 0)] * KILLS, "the first came before the residents"
        people = ask(clerk, "statistics/population", by=["sex"])
        assert people["rows"] == [{"of": {"sex": "1"}, "count": BIRTHS}]
        _shown(machine)
        assert machine.stop() == 0
        assert machine.check()["clean"]
        _spoil(machine)
        (finding,) = machine.check()["findings"]
        assert finding == {
            "place": f"tally population/{YATSUSHIRO}/1980-05/1",
            "what": f"is {BIRTHS + 1}; the records give {BIRTHS}",
        }
        (tmp_path / "firmware" / "plugins.toml").write_text("version = 1\nplugins = []\n")
        (finding,) = machine.check()["findings"]
        assert finding["place"] == "tallies"


def _shown(machine: Machine) -> None:
    """The operator on the machine sees jobs and alarms; monitoring does too."""
    status = json.loads(machine.juki("status", "--config", str(machine.config)).stdout)
    names = [each["name"] for each in status["jobs"]]
    assert {RECOUNT, "statistics/rollover"} <= set(names)
    assert status["alarms"] == []
    _, metrics = machine.loopback("GET", "metrics")
    assert 'juki_job_failures{job="statistics/recount"} 0.0' in metrics


def _spoil(machine: Machine) -> None:
    """Change a tally behind the appliance's back, as a fault of it would."""
    root = root_of(machine.data, machine.founded.shares[:3])
    opened = open_store(machine.settings, root, utc_now)
    name = f"population/{YATSUSHIRO}/1980-05/1"
    opened.vault.write(lambda unit: unit.tally(name, 1))
    opened.vault.close()


def test_an_operator_lets_a_job_run_from_the_command_line(tmp_path: Path) -> None:
    machine = Machine.make(tmp_path)
    with running(machine):
        administrator = machine.administrator()
        administrator.close()
        certificate, key, ca = machine.credentials("TERM-0001")
        seat = {
            "JUKI_URL": machine.url,
            "JUKI_CERTIFICATE": str(certificate),
            "JUKI_KEY": str(key),
            "JUKI_CA": str(ca),
            "JUKI_SESSION": str(tmp_path / "session.json"),
        }
        assert juki(seat, "login", "P-0001", "--json", given=PIN).returncode == 0
        listed = json.loads(juki(seat, "job", "list", "--json").stdout)["jobs"]
        assert {RECOUNT, "statistics/rollover"} <= {each["name"] for each in listed}
        assert "daily at 00:05 JST" in juki(seat, "job", "list").stdout
        assert "every 7 days" in juki(seat, "job", "list").stdout
        assert "statistics/rollover" in juki(seat, "job", "status").stdout
        done = juki(seat, "job", "run", "statistics/rollover", "--json")
        told = json.loads(done.stdout)
        assert (done.returncode, told["job"]["outcome"]) == (0, "done")
        assert told["runs"][0]["by"] == "OP-0001"
        asked = juki(seat, "job", "run", "statistics/rollover", "--no-wait")
        assert asked.returncode == 0
        text = juki(seat, "job", "status", "statistics/rollover").stdout
        assert "OP-0001" in text
        assert juki(seat, "job", "status", "no/such").returncode == 3
        text = juki(seat, "status", "--config", str(machine.config)).stdout
        assert "statistics/recount" in text


def juki(
    seat: dict[str, str], *words: str, given: str | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-m", "appliance", *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **seat},
    )
