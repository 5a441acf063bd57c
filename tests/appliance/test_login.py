from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, Malformed, NotPermitted, Unidentified
from appliance.login import WRONG
from appliance.roster import OperatorRecord, Roster
from appliance.sessions import MAX_FAILURES
from appliance.testing import PIN, PREPARED, Bench, Seat

OTHER_PIN = "31415926"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


@pytest.fixture
def seat(bench: Bench) -> Seat:
    appoint(bench)
    return bench.seat()


def appoint(bench: Bench, **changed: Any) -> None:
    record = {
        "operator_id": "OP-0001",
        "person_id": "P-0001",
        "office": "県税事務所",
        "roles": ("clerk",),
        "purposes": ("prefectural-tax",),
        "expires_on": date(2027, 3, 31),
        "pin_hash": bench.pins.enrol(PIN),
    }
    write(bench, lambda roster: roster.put_operator(OperatorRecord(**(record | changed))))


def write(bench: Bench, work: Any) -> Any:
    def unit_of_work(unit: Any) -> Any:
        unit.enter(PREPARED)
        return work(Roster(unit, unit))

    return bench.vault.write(unit_of_work)


def log_in(seat: Seat, pin: str = PIN, operator: str = "OP-0001") -> dict[str, Any]:
    return dict(seat.ask("session/open", {"operator": operator, "pin": pin}).data)


def refused(seat: Seat, pin: str = PIN, operator: str = "OP-0001") -> str:
    with pytest.raises(Unidentified) as refusal:
        log_in(seat, pin, operator)
    return refusal.value.text


def record(bench: Bench) -> OperatorRecord:
    with bench.vault.view() as view:
        found = Roster(view, None).operator("OP-0001")
    assert found is not None
    return found


def code_for(bench: Bench, hours: int = 24, operator: str = "OP-0001") -> str:
    until = bench.now + timedelta(hours=hours)
    return str(write(bench, lambda roster: roster.issue_enrolment(operator, until)))


def test_logging_in_opens_a_session_and_says_what_one_may_do(bench: Bench, seat: Seat) -> None:
    opened = log_in(seat)
    assert opened["operator"] == "OP-0001"
    assert opened["roles"] == ("clerk",)
    assert opened["purposes"] == ("prefectural-tax",)
    assert opened["expires_at"] == "2026-04-01T09:00:00Z"
    assert (opened["last_login"], opened["last_terminal"]) == (None, "")
    bench.now += timedelta(minutes=1)
    again = log_in(seat)
    assert again["last_login"] == "2026-04-01T01:00:00Z"
    assert again["last_terminal"] == "TERM-0001"


def test_the_ledger_has_operator_and_method_and_no_pin(bench: Bench, seat: Seat) -> None:
    log_in(seat)
    refused(seat, OTHER_PIN)
    good, bad = bench.ledger()[-2:]
    assert good.conditions == bad.conditions == {"operator": "OP-0001"}
    assert good.note == "pin"
    assert (bad.refusal, bad.note) == ("unidentified", "wrong")
    with bench.vault.view() as view:
        bodies = [entered.body for entered in view.entries(0, view.ledger_size())]
    assert not any(PIN.encode() in body or OTHER_PIN.encode() in body for body in bodies)


def test_whatever_is_wrong_the_text_is_one(bench: Bench, seat: Seat) -> None:
    texts = {refused(seat, OTHER_PIN), refused(seat, operator="OP-0099")}
    appoint(bench, suspended="退職")
    texts.add(refused(seat))
    appoint(bench, expires_on=date(2026, 3, 31))
    texts.add(refused(seat))
    appoint(bench, pin_hash="")
    texts.add(refused(seat))
    appoint(bench, failures=MAX_FAILURES)
    texts.add(refused(seat))
    assert texts == {WRONG}


def test_five_wrong_pins_lock_and_the_right_one_does_not_help(bench: Bench, seat: Seat) -> None:
    for _ in range(MAX_FAILURES):
        refused(seat, OTHER_PIN)
    assert record(bench).failures == MAX_FAILURES
    refused(seat)
    refused(seat, OTHER_PIN)
    assert record(bench).failures == MAX_FAILURES


def test_four_wrong_pins_are_forgiven_by_a_right_one(bench: Bench, seat: Seat) -> None:
    for _ in range(3):
        for _ in range(MAX_FAILURES - 1):
            refused(seat, OTHER_PIN)
        log_in(seat)
        assert record(bench).failures == 0


def test_attempts_side_by_side_gain_nothing(bench: Bench, seat: Seat) -> None:
    """Each attempt counts before its PIN is looked at, not when its failure is written down."""
    from appliance.login import Login

    login = Login(bench.pins)
    known = record(bench)
    assert [login._count_attempt(known) for _ in range(7)] == list(range(7))


def test_an_operator_at_another_terminal_is_not_locked_by_it(bench: Bench, seat: Seat) -> None:
    log_in(seat)
    other = bench.seat("TERM-0002")
    for _ in range(MAX_FAILURES + 2):
        with pytest.raises(Conflict, match="another terminal"):
            log_in(other)
    log_in(seat)


def test_logging_out_ends_the_session(seat: Seat) -> None:
    inside = replace(seat, bearer=log_in(seat)["token"])
    inside.ask("session/close", {})
    with pytest.raises(Unidentified):
        inside.ask("session/close", {})


def test_a_code_sets_the_pin_once(bench: Bench, seat: Seat) -> None:
    code = code_for(bench)
    assert seat.ask("session/enrol", {"code": code, "pin": OTHER_PIN}).data == {
        "operator": "OP-0001"
    }
    refused(seat)
    log_in(seat, OTHER_PIN)
    with pytest.raises(NotPermitted, match="used"):
        seat.ask("session/enrol", {"code": code, "pin": PIN})
    log_in(seat, OTHER_PIN)


def test_a_new_pin_ends_the_session_and_unlocks(bench: Bench, seat: Seat) -> None:
    inside = replace(seat, bearer=log_in(seat)["token"])
    for _ in range(MAX_FAILURES):
        refused(seat, OTHER_PIN)
    seat.ask("session/enrol", {"code": code_for(bench), "pin": OTHER_PIN})
    with pytest.raises(Unidentified):
        inside.ask("session/close", {})
    log_in(seat, OTHER_PIN)


def test_a_code_is_over_after_its_time(bench: Bench, seat: Seat) -> None:
    code = code_for(bench, hours=1)
    bench.now += timedelta(hours=1, seconds=1)
    with pytest.raises(NotPermitted, match="over"):
        seat.ask("session/enrol", {"code": code, "pin": PIN})


@pytest.mark.parametrize("pin", ["1234567", "1234567a", "１２３４５６７８", "        "])
def test_a_pin_is_eight_digits_or_more(bench: Bench, seat: Seat, pin: str) -> None:
    code = code_for(bench)
    with pytest.raises(Malformed, match="8 digits"):
        seat.ask("session/enrol", {"code": code, "pin": pin})
    seat.ask("session/enrol", {"code": code, "pin": PIN})


def test_a_code_that_is_taken_meanwhile_sets_nothing(
    bench: Bench, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and writing another request may have used the code up."""
    code = code_for(bench)
    enrol = bench.pins.enrol

    def slowly(pin: str) -> str:
        write(bench, lambda roster: roster.use_enrolment(code))
        return enrol(pin)

    monkeypatch.setattr(bench.pins, "enrol", slowly)
    with pytest.raises(NotPermitted, match="used"):
        seat.ask("session/enrol", {"code": code, "pin": OTHER_PIN})
    log_in(seat)


def test_codes_and_pins_stay_out_of_the_ledger(bench: Bench, seat: Seat) -> None:
    code = code_for(bench)
    seat.ask("session/enrol", {"code": code, "pin": OTHER_PIN})
    entry = bench.ledger()[-1]
    assert (entry.operation, dict(entry.conditions)) == ("session/enrol", {})


def test_an_operator_dropped_from_the_roster_meanwhile_is_no_bug(bench: Bench, seat: Seat) -> None:
    from appliance.login import Login

    bench.vault.write(lambda unit: Login(bench.pins)._count_failure(unit, "OP-0099"))
    assert record(bench).failures == 0


def test_a_server_cannot_log_in(bench: Bench, seat: Seat) -> None:
    from tests.plugins.people import shipped_policy

    object.__setattr__(bench.parts, "policy", shipped_policy())
    with pytest.raises(NotPermitted):
        log_in(bench.municipality("432024"))
    log_in(seat)
