from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import (
    Conflict,
    Malformed,
    NotFound,
    NotPermitted,
    Rejected,
    Unidentified,
    VerifyAgain,
)
from appliance.model import TerminalKind
from appliance.roster import Roster
from appliance.testing import PIN, Bench, Seat
from plugins import roster
from tests.plugins.people import shipped_policy
from tests.plugins.roster.keeper import Keeper
from tests.simulators.device import AAGUID, Device, NotMine

GRANT = {
    "person_id": "P-0002",
    "name": "県税　花子",
    "kana": "けんぜい　はなこ",
    "office": "県税事務所",
    "expires_on": "2027-03-31",
    "form": "照合付-2026-12",
}
SUSPEND = {"person_id": "P-0002", "reason": "退職", "form": "照合無-2026-3"}
RESUME = {"person_id": "P-0002", "reason": "復職", "form": "照合付-2026-31"}
PIN_FOR = {"person_id": "P-0002", "reason": "指の負傷", "until": "2026-04-30"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"roster": roster}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def keeper(bench: Bench) -> Keeper:
    return Keeper.of(bench)


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "device.json")


def listed(keeper: Keeper) -> dict[str, dict[str, Any]]:
    answer = keeper.ask("roster/people", {}).data
    return {person["person_id"]: person for person in answer["people"]}


def register(seat: Seat, code: str, device: Device, label: str = "指紋 1号") -> dict[str, Any]:
    drawn = seat.ask("session/enrol-challenge", {"code": code}).data
    answer = device.create(drawn["public_key"], drawn["origin"])
    return dict(seat.ask("session/enrol", {"code": code, "device": answer, "label": label}).data)


def log_in_with(seat: Seat, device: Device, person_id: str = "P-0002") -> Seat:
    drawn = seat.ask("session/challenge", {"person": person_id}).data
    answer = device.get(drawn["public_key"], drawn["origin"])
    opened = seat.ask("session/open", {"person": person_id, "device": answer})
    return replace(seat, bearer=opened.data["token"])


def authority(bench: Bench, operator_id: str = "OP-0002", *holders: str) -> None:
    """Give an authority to people who are there already."""
    bench.appoint(operator_id, *(holders or ("P-0002",)), roles=("clerk",), purposes=())


@pytest.mark.requirement("R121", "R122")
def test_somebody_is_let_in_registers_a_device_and_logs_in_with_it(
    bench: Bench, keeper: Keeper, device: Device
) -> None:
    granted = keeper.ask("roster/grant", GRANT).data
    assert granted["methods"] == ("device",)
    assert granted["until"] == "2026-04-02T01:00:00Z"
    assert listed(keeper)["P-0002"]["state"] == "not-enrolled"
    authority(bench)
    seat = bench.seat("TERM-0002")
    registered = register(seat, granted["enrolment_code"], device)
    inside = log_in_with(seat, device)
    inside.ask("session/close", {})
    line = listed(keeper)["P-0002"]
    (kept,) = line["devices"]
    assert (kept["device_id"], kept["label"]) == (registered["device_id"], "指紋 1号")
    assert kept["aaguid"] == str(AAGUID)
    assert (line["state"], line["operators"]) == ("active", ("OP-0002",))
    assert (line["last_terminal"], line["last_method"]) == ("TERM-0002", "device")
    assert (line["name"], line["office"]) == ("県税　花子", "県税事務所")


@pytest.mark.requirement("R122")
def test_what_is_granted_says_by_which_paper_and_by_whom(bench: Bench, keeper: Keeper) -> None:
    keeper.ask("roster/grant", GRANT)
    entry = bench.ledger()[-1]
    assert (entry.operator, entry.approved_as) == ("ADMIN", "OFFICER")
    assert entry.conditions == {
        "person_id": "P-0002",
        "office": "県税事務所",
        "contractor": False,
        "expires_on": "2027-03-31",
        "form": "照合付-2026-12",
    }
    keeper.ask(
        "roster/change-person", {"person_id": "P-0002", "office": "監査室", "form": "異動-3"}
    )
    with bench.vault.view() as view:
        first, second = (
            (person.form, person.office, person.revised_by, person.revised_at)
            for person in Roster(view, None).person_history("P-0002")
        )
    assert first == ("照合付-2026-12", "県税事務所", "ADMIN", bench.now)
    assert second == ("異動-3", "監査室", "ADMIN", bench.now)


def test_names_of_staff_stay_out_of_the_ledger(bench: Bench, keeper: Keeper) -> None:
    code = keeper.ask("roster/grant", GRANT).data["enrolment_code"]
    with bench.vault.view() as view:
        bodies = [entered.body for entered in view.entries(0, view.ledger_size())]
    for secret in (GRANT["name"], GRANT["kana"], code):
        assert not any(secret.encode() in body for body in bodies)


def test_a_person_id_is_given_out_once(keeper: Keeper) -> None:
    keeper.ask("roster/grant", GRANT)
    keeper.ask("roster/suspend-person", SUSPEND)
    with pytest.raises(Conflict, match="given out"):
        keeper.ask("roster/grant", GRANT)


@pytest.mark.parametrize(
    "changed",
    [
        {"person_id": ""},
        {"person_id": "p-0002"},
        {"person_id": "X" * 33},
        {"name": ""},
        {"form": ""},
        {"expires_on": "soon"},
        {"pin_hash": "x"},
    ],
)
def test_what_is_no_application_is_malformed(keeper: Keeper, changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        keeper.ask("roster/grant", {**GRANT, **changed})


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("roster/grant", GRANT),
        ("roster/change-person", {"person_id": "P-0002", "form": "x", "expires_on": "2026-03-31"}),
    ],
)
def test_nobody_is_let_in_for_a_time_that_is_over(
    keeper: Keeper, operation: str, body: dict[str, Any]
) -> None:
    if operation != "roster/grant":
        keeper.ask("roster/grant", GRANT)
    with pytest.raises(Rejected) as refused:
        keeper.ask(operation, {**body, "expires_on": "2026-03-31"})
    assert [(p.rule, p.item) for p in refused.value.problems] == [("past", "expires_on")]


def test_a_change_must_change_something(keeper: Keeper) -> None:
    keeper.ask("roster/grant", GRANT)
    with pytest.raises(Malformed, match="name, kana, office, expires_on"):
        keeper.ask("roster/change-person", {"person_id": "P-0002", "form": "x"})


HIMSELF = {"person_id": "P-ADMIN", "form": "x"}


@pytest.mark.requirement("R127")
@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("roster/grant", {**GRANT, "person_id": "P-ADMIN"}),
        ("roster/change-person", {**HIMSELF, "expires_on": "2099-01-01"}),
        ("roster/issue-pin", {**PIN_FOR, "person_id": "P-ADMIN"}),
        ("roster/suspend-person", {**SUSPEND, "person_id": "P-ADMIN"}),
        ("roster/resume-person", {**RESUME, "person_id": "P-ADMIN"}),
    ],
)
def test_nobody_keeps_the_roster_about_himself(
    keeper: Keeper, operation: str, body: dict[str, Any]
) -> None:
    with pytest.raises(NotPermitted, match="himself"):
        keeper.ask(operation, body)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("roster/enrol-person", {"person_id": "P-0099"}),
        ("roster/issue-pin", {**PIN_FOR, "person_id": "P-0099"}),
        ("roster/suspend-person", {**SUSPEND, "person_id": "P-0099"}),
        ("roster/resume-person", {**RESUME, "person_id": "P-0099"}),
        ("roster/change-person", {"person_id": "P-0099", "office": "監査室", "form": "x"}),
        (
            "roster/retire-device",
            {"person_id": "P-0099", "device_id": "0" * 16, "reason": "故障"},
        ),
    ],
)
def test_unknown_people_are_not_found(keeper: Keeper, operation: str, body: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        keeper.ask(operation, body)


@pytest.mark.requirement("R123", "R129")
def test_suspending_ends_sessions_at_once_and_voids_codes(
    bench: Bench, keeper: Keeper, device: Device
) -> None:
    code = keeper.ask("roster/grant", GRANT).data["enrolment_code"]
    authority(bench)
    seat = bench.seat("TERM-0002")
    register(seat, code, device)
    inside = log_in_with(seat, device)
    unused = keeper.ask("roster/enrol-person", {"person_id": "P-0002"}).data["enrolment_code"]
    line = keeper.ask("roster/suspend-person", SUSPEND).data
    assert (line["state"], line["suspended"]) == ("suspended", "退職")
    with pytest.raises(Unidentified):
        inside.ask("session/close", {})
    with pytest.raises(Unidentified):
        log_in_with(seat, device)
    with pytest.raises(NotPermitted, match="code"):
        seat.ask("session/enrol-challenge", {"code": unused})
    with pytest.raises(Conflict, match="already"):
        keeper.ask("roster/suspend-person", SUSPEND)
    for operation, body in (("enrol-person", {"person_id": "P-0002"}), ("issue-pin", PIN_FOR)):
        with pytest.raises(Conflict, match="suspended"):
            keeper.ask(f"roster/{operation}", body)


def test_who_comes_back_uses_his_device_again_and_no_former_pin(
    bench: Bench, keeper: Keeper, device: Device
) -> None:
    code = keeper.ask("roster/grant", GRANT).data["enrolment_code"]
    authority(bench)
    seat = bench.seat("TERM-0002")
    register(seat, code, device)
    pin_code = keeper.ask("roster/issue-pin", PIN_FOR).data["enrolment_code"]
    seat.ask("session/enrol", {"code": pin_code, "pin": PIN})
    with pytest.raises(Conflict, match="not suspended"):
        keeper.ask("roster/resume-person", RESUME)
    keeper.ask("roster/suspend-person", SUSPEND)
    keeper.ask("roster/resume-person", RESUME)
    assert listed(keeper)["P-0002"]["pin_until"] is None
    with pytest.raises(Unidentified):
        seat.ask("session/open", {"person": "P-0002", "pin": PIN})
    log_in_with(seat, device)


@pytest.mark.requirement("R124")
def test_a_pin_is_issued_for_a_reason_and_a_time(bench: Bench, keeper: Keeper) -> None:
    keeper.ask("roster/grant", GRANT)
    authority(bench)
    issued = keeper.ask("roster/issue-pin", PIN_FOR).data
    assert issued["methods"] == ("pin",)
    seat = bench.seat("TERM-0002")
    with pytest.raises(NotPermitted, match="for pin, not for device"):
        seat.ask("session/enrol-challenge", {"code": issued["enrolment_code"]})
    seat.ask("session/enrol", {"code": issued["enrolment_code"], "pin": PIN})
    asked = {"person": "P-0002", "pin": PIN}
    assert seat.ask("session/open", asked).data["method"] == "pin"
    line = listed(keeper)["P-0002"]
    assert (line["pin_reason"], line["pin_until"]) == ("指の負傷", "2026-04-30")
    assert (line["state"], line["last_method"]) == ("active", "pin")
    bench.now += timedelta(days=30)
    with pytest.raises(Unidentified):
        seat.ask("session/open", asked)
    keeper = keeper.again(bench)
    assert listed(keeper)["P-0002"]["state"] == "not-enrolled"


@pytest.mark.requirement("R124")
@pytest.mark.parametrize("until", ["2026-03-31", "2026-05-03"], ids=["past", "too-long"])
def test_a_pin_is_not_issued_for_longer_than_the_policy_says(keeper: Keeper, until: str) -> None:
    keeper.ask("roster/grant", GRANT)
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/issue-pin", {**PIN_FOR, "until": until})
    assert [(p.rule, p.item) for p in refused.value.problems] == [("pin-period", "until")]
    keeper.ask("roster/issue-pin", {**PIN_FOR, "until": "2026-05-02"})


def test_five_wrong_pins_are_shown_and_forgotten_with_the_next_pin(
    bench: Bench, keeper: Keeper
) -> None:
    keeper.ask("roster/grant", GRANT)
    authority(bench)
    seat = bench.seat("TERM-0002")
    for state, count in (("active", 0), ("locked", 5)):
        code = keeper.ask("roster/issue-pin", PIN_FOR).data["enrolment_code"]
        seat.ask("session/enrol", {"code": code, "pin": PIN})
        for _ in range(count):
            with pytest.raises(Unidentified):
                seat.ask("session/open", {"person": "P-0002", "pin": "00000000"})
        line = listed(keeper)["P-0002"]
        assert (line["state"], line["locked"]) == (state, state == "locked")
    with pytest.raises(Unidentified):
        seat.ask("session/open", {"person": "P-0002", "pin": PIN})
    code = keeper.ask("roster/issue-pin", PIN_FOR).data["enrolment_code"]
    seat.ask("session/enrol", {"code": code, "pin": PIN})
    seat.ask("session/open", {"person": "P-0002", "pin": PIN})


def test_a_retired_device_opens_nothing_and_another_does(
    bench: Bench, keeper: Keeper, device: Device, tmp_path: Path
) -> None:
    code = keeper.ask("roster/grant", GRANT).data["enrolment_code"]
    authority(bench)
    seat = bench.seat("TERM-0002")
    first = register(seat, code, device)["device_id"]
    code = keeper.ask("roster/enrol-person", {"person_id": "P-0002"}).data["enrolment_code"]
    second = Device(tmp_path / "second.json")
    register(seat, code, second, "顔 2号")
    inside = log_in_with(seat, device)
    body = {"person_id": "P-0002", "device_id": first, "reason": "紛失"}
    devices = keeper.ask("roster/retire-device", body).data["devices"]
    assert [device["retired"] for device in devices] == ["紛失", ""]
    with pytest.raises(Unidentified):
        inside.ask("session/close", {})
    with pytest.raises(NotMine):
        log_in_with(seat, device)
    log_in_with(seat, second)
    with pytest.raises(Conflict, match="retired already"):
        keeper.ask("roster/retire-device", body)
    with pytest.raises(NotFound, match="no such device"):
        keeper.ask("roster/retire-device", {**body, "device_id": "f" * 16})


def test_a_term_that_is_over_gets_no_code(bench: Bench, keeper: Keeper) -> None:
    keeper.ask("roster/grant", {**GRANT, "expires_on": "2026-04-01"})
    bench.now += timedelta(days=1)
    keeper = keeper.again(bench)
    assert listed(keeper)["P-0002"]["state"] == "over"
    with pytest.raises(Conflict, match="over"):
        keeper.ask("roster/enrol-person", {"person_id": "P-0002"})


def test_a_code_is_told_once_and_lies_nowhere(bench: Bench, keeper: Keeper) -> None:
    asked = ("roster/grant", GRANT), ("roster/enrol-person", {"person_id": "P-0002"})
    for number, (operation, body) in enumerate(asked):
        key = f"appointment-000000{number}"
        wanted = {"operation": operation, "arguments": body, "form": "x", "reason": "x"}
        approval = keeper.seat.ask("approval/request", wanted).data["number"]
        keeper.officer.ask("approval/give", {"number": approval})
        asked_once = {"key": key, "approval": approval}
        code = keeper.seat.ask(operation, body, **asked_once).data["enrolment_code"]
        with pytest.raises(Conflict, match="carried out already"):
            keeper.seat.ask(operation, body, **asked_once)
        with bench.vault.view() as view:
            kept = [paper.body for paper in view.documents("core.repeats")]
        assert not any(code.encode() in body for body in kept)


def test_a_clerk_does_not_reach_the_roster(bench: Bench) -> None:
    clerk = bench.clerk(roles=("clerk",))
    with pytest.raises(NotPermitted):
        clerk.ask("roster/people", {})


def test_the_roster_is_kept_at_a_representative_terminal(bench: Bench) -> None:
    bench.seat("TERM-0003", TerminalKind.BUSINESS)
    elsewhere = bench.clerk("ADMIN", roles=("system-administrator",), terminal_id="TERM-0003")
    with pytest.raises(NotPermitted):
        elsewhere.ask("roster/people", {})


def test_changing_who_may_do_what_asks_for_a_recent_proof(bench: Bench, keeper: Keeper) -> None:
    bench.now += timedelta(minutes=3)
    with pytest.raises(VerifyAgain):
        keeper.ask("roster/grant", GRANT)
    assert bench.ledger()[-1].operator == "ADMIN"
    keeper.seat.ask("session/verify", {"pin": PIN})
    with pytest.raises(VerifyAgain):
        keeper.ask("roster/grant", GRANT)
    refused = bench.ledger()[-1]
    assert (refused.operation, refused.operator) == ("approval/give", "OFFICER")
    keeper.officer.ask("session/verify", {"pin": PIN})
    keeper.ask("roster/grant", GRANT)
