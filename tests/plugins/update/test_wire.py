"""Function 1 as a whole process: municipalities' servers and its administrator, over mutual TLS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.machine import Machine, accepted, running
from tests.plugins.update.making import HITOYOSHI, YATSUSHIRO, code, kept, to_hitoyoshi, wire
from tests.simulators.cs import MunicipalServer
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.link import Link, Refused
from tests.simulators.notices import Notice

HERE, THERE = "CS-YATSUSHIRO", "CS-HITOYOSHI"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine.make(tmp_path_factory.mktemp("update") / "machine")
    with running(made) as machine:
        administrator = machine.administrator()
        machine.register(administrator, HERE, "municipality", YATSUSHIRO)
        machine.register(administrator, THERE, "municipality", HITOYOSHI)
        yield machine


def _ask(link: Link, operation: str, body: object, key: str = "") -> dict:
    headers = {"Idempotency-Key": f"{key:-<16}"} if key else {}
    return accepted(link.ask(f"/v1/update/{operation}", json.dumps(body).encode(), headers))


@pytest.mark.requirement("R23", "R24", "R35", "R37", "R38", "R39")
def test_a_resident_from_moving_in_to_another_municipality(machine: Machine, tmp_path: Path):
    with (
        machine.link(HERE) as here,
        machine.link(THERE) as there,
        MunicipalFile(tmp_path / "here.db") as file,
    ):
        server = MunicipalServer(here, file)
        report = server.send([Notice(**wire())], {})
        assert report.outcomes == {"applied": 1}

        notices = {"notifications": [to_hitoyoshi(1, 3)]}
        [held] = _ask(there, "notify", notices, "moved-in")["results"]
        assert held["outcome"] == "held"
        [awaited] = server.read_inbox()
        assert (awaited.kind, awaited.resident_code) == ("awaited", wire()["resident_code"])
        assert server.read_inbox() == []
        assert _ask(there, "held", {})["count"] == 1

        gone = replace(Notice(**wire()), sequence=2, update_number=2, reason="21")
        assert server.send([gone], {}).outcomes == {"applied": 1}
        assert _ask(there, "held", {})["held"] == []
        assert _ask(there, "withdraw", {"sequence": 1}, "withdrawn")["withdrawn"] is False


def test_recovery_must_be_opened_by_an_administrator(machine: Machine):
    record = kept(wire(sequence=9, resident_code=code(9), my_number=None))
    with machine.link(HERE) as here:
        body, headers = {"records": [record]}, {"Idempotency-Key": "recovery-refused"}
        refused = here.ask("/v1/update/recover", json.dumps(body).encode(), headers)
        assert (refused.status, refused.body["code"]) == (403, "not-permitted")
        opening = {"municipality_code": YATSUSHIRO, "days": 1}
        accepted(
            machine.administrator().call(
                "update/open-recovery", opening, idempotency_key="recovery-is-open"
            )
        )
        assert _ask(here, "recover", body, "recovery")["counts"]["entered"] == 1


def test_a_municipality_may_not_open_it_for_itself(machine: Machine):
    with machine.link(HERE) as here, pytest.raises(AssertionError, match="not-permitted"):
        _ask(here, "open-recovery", {"municipality_code": YATSUSHIRO, "days": 1}, "opened-by-cs")


def test_what_waits_is_withdrawn(machine: Machine):
    with machine.link(HERE) as here:
        late = wire(sequence=20, update_number=9, reason="31")
        assert _ask(here, "notify", {"notifications": [late]}, "late")["results"]
        assert _ask(here, "withdraw", {"sequence": 20}, "late-withdrawn")["withdrawn"] is True


def test_the_simulator_says_why_it_was_refused(machine: Machine, tmp_path: Path):
    machine.issue("STRANGER")
    with machine.link("STRANGER") as link, MunicipalFile(tmp_path / "file.db") as file:
        server = MunicipalServer(link, file)
        with pytest.raises(Refused):
            server.read_inbox()
