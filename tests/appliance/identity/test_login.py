from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import (
    Conflict,
    Malformed,
    NotPermitted,
    Unavailable,
    Unidentified,
    VerifyAgain,
)
from appliance.identity import attempts
from appliance.identity.attempts import Attempts
from appliance.identity.login import WRONG
from appliance.proofs import MAX_FAILURES, Proofs
from appliance.roster import Roster, proofs_in
from appliance.staff import OperatorRecord, PersonRecord, PinGrant
from appliance.testing import PIN, PREPARED, Bench, Seat

OTHER_PIN = "31415926"
LAST_DAY = date(2027, 3, 31)
PERSON = PersonRecord(
    person_id="P-0001",
    name="県税　花子",
    office="県税事務所",
    expires_on=LAST_DAY,
    pin=PinGrant(reason="指の負傷", until=LAST_DAY),
)
AUTHORITY = OperatorRecord(
    operator_id="OP-0001",
    office="県税事務所",
    roles=("clerk",),
    purposes=("prefectural-tax",),
    holders=("P-0001",),
    expires_on=LAST_DAY,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


@pytest.fixture
def seat(bench: Bench) -> Seat:
    write(bench, lambda roster: roster.put_person(PERSON))
    write(bench, lambda roster: roster.put_operator(AUTHORITY))
    prove(bench, pin_hash=bench.pins.enrol(PIN))
    return bench.seat()


def write(bench: Bench, work: Any) -> Any:
    def unit_of_work(unit: Any) -> Any:
        unit.enter(PREPARED)
        return work(Roster(unit, unit))

    return bench.vault.write(unit_of_work)


def prove(bench: Bench, **changed: Any) -> None:
    write(bench, lambda roster: proofs_in(roster).change("P-0001", **changed))


def change(bench: Bench, **changed: Any) -> None:
    write(bench, lambda roster: roster.change_person("P-0001", **changed))


def change_authority(bench: Bench, **changed: Any) -> None:
    write(bench, lambda roster: roster.change_operator("OP-0001", **changed))


def log_in(seat: Seat, pin: str = PIN, person: str = "P-0001", **more: str) -> dict[str, Any]:
    return dict(seat.ask("session/open", {"person": person, "pin": pin, **more}).data)


def refused(seat: Seat, pin: str = PIN, person: str = "P-0001", **more: str) -> str:
    with pytest.raises(Unidentified) as refusal:
        log_in(seat, pin, person, **more)
    return refusal.value.text


def kept(bench: Bench) -> Proofs:
    with bench.vault.view() as view:
        return proofs_in(Roster(view, None)).of("P-0001")


def code_for(bench: Bench, hours: int = 24, person: str = "P-0001") -> str:
    until = bench.now + timedelta(hours=hours)
    return str(write(bench, lambda roster: roster.issue_enrolment(person, until, "pin")))


def test_logging_in_opens_a_session_and_says_what_one_may_do(bench: Bench, seat: Seat) -> None:
    opened = log_in(seat)
    assert (opened["person"], opened["operator"]) == ("P-0001", "OP-0001")
    assert (opened["office"], opened["method"]) == ("県税事務所", "pin")
    assert opened["roles"] == ("clerk",)
    assert opened["purposes"] == ("prefectural-tax",)
    assert opened["expires_at"] == "2026-04-01T09:00:00Z"
    assert (opened["last_login"], opened["last_terminal"]) == (None, "")
    bench.now += timedelta(minutes=1)
    again = log_in(seat)
    assert again["last_login"] == "2026-04-01T01:00:00Z"
    assert again["last_terminal"] == "TERM-0001"


@pytest.mark.parametrize("typed", ["熊本　花子", "Hanako", "p-0001", ""])
@pytest.mark.parametrize("field", ["person", "operator"])
def test_what_is_typed_in_place_of_an_id_is_not_kept(
    bench: Bench, seat: Seat, typed: str, field: str
) -> None:
    with pytest.raises(Malformed):
        seat.ask("session/open", {"person": "P-0001", "pin": PIN, field: typed})
    assert bench.ledger()[-1].conditions == {}


def test_the_ledger_has_operator_and_method_and_no_pin(bench: Bench, seat: Seat) -> None:
    log_in(seat)
    refused(seat, OTHER_PIN)
    good, bad = bench.ledger()[-2:]
    assert good.conditions == bad.conditions == {"person": "P-0001"}
    assert good.note == "pin"
    assert (bad.refusal, bad.note) == ("unidentified", "wrong")
    with bench.vault.view() as view:
        bodies = [entered.body for entered in view.entries(0, view.ledger_size())]
    assert not any(PIN.encode() in body or OTHER_PIN.encode() in body for body in bodies)


@pytest.mark.requirement("R124")
def test_whatever_is_wrong_the_text_is_one(bench: Bench, seat: Seat) -> None:
    texts = {refused(seat, OTHER_PIN), refused(seat, person="P-0099")}
    texts.add(refused(seat, operator="P-0099"))
    for wrong in (
        {"suspended": "退職"},
        {"expires_on": date(2026, 3, 31)},
        {"pin": None},
        {"pin": PinGrant(reason="負傷", until=date(2026, 3, 31))},
    ):
        change(bench, **wrong)
        texts.add(refused(seat))
        write(bench, lambda roster: roster.put_person(PERSON))
    for wrong_authority in ({"suspended": "廃止"}, {"holders": ("P-0002",)}):
        change_authority(bench, **wrong_authority)
        texts.add(refused(seat, operator="OP-0001"))
        write(bench, lambda roster: roster.put_operator(AUTHORITY))
    prove(bench, pin_hash="")
    texts.add(refused(seat))
    prove(bench, pin_hash=bench.pins.enrol(PIN), failures=MAX_FAILURES)
    texts.add(refused(seat))
    assert texts == {WRONG}


def test_whoever_holds_several_authorities_says_which(bench: Bench, seat: Seat) -> None:
    other = msgspec.structs.replace(AUTHORITY, operator_id="OP-0002", roles=("registrar",))
    write(bench, lambda roster: roster.put_operator(other))
    with pytest.raises(NotPermitted, match="which authority"):
        log_in(seat)
    assert log_in(seat, operator="OP-0002")["roles"] == ("registrar",)
    assert bench.ledger()[-1].operator is None
    assert bench.ledger()[-1].conditions == {"person": "P-0001", "operator": "OP-0002"}


def test_an_authority_is_held_by_several_each_as_himself(bench: Bench, seat: Seat) -> None:
    bench.appoint("OP-0005", "P-0005", "P-0006")
    one = bench.log_in("P-0005", "OP-0005", "TERM-0002")
    two = bench.log_in("P-0006", "OP-0005", "TERM-0003")
    for each in (one, two):
        each.ask("session/close", {})
    persons = [entry.person for entry in bench.ledger()[-2:]]
    assert persons == ["P-0005", "P-0006"]
    assert {entry.operator for entry in bench.ledger()[-2:]} == {"OP-0005"}


@pytest.mark.parametrize("proof", [{}, {"pin": PIN, "device": {}}])
def test_one_proof_is_given_and_no_more(seat: Seat, proof: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="one of the two"):
        seat.ask("session/open", {"person": "P-0001", **proof})


@pytest.mark.requirement("R183")
@pytest.mark.parametrize(
    ("trained_on", "may"),
    [(None, False), (date(2025, 3, 31), False), (date(2025, 4, 1), True)],
    ids=["never", "too-long-ago", "in-time"],
)
def test_who_was_not_trained_in_time_does_not_log_in(
    bench: Bench, seat: Seat, trained_on: date | None, may: bool
) -> None:
    access = msgspec.structs.replace(bench.parts.policy.access, training_months=12)
    object.__setattr__(bench.parts, "policy", replace(bench.parts.policy, access=access))
    change(bench, trained_on=trained_on)
    if may:
        log_in(seat)
        return
    with pytest.raises(NotPermitted, match="12 months"):
        log_in(seat)
    assert bench.ledger()[-1].note == "not trained"


def test_a_proof_counts_as_recent_for_a_while(bench: Bench, seat: Seat) -> None:
    access = msgspec.structs.replace(bench.parts.policy.access, fresh=("job/list",))
    object.__setattr__(bench.parts, "policy", replace(bench.parts.policy, access=access))
    inside = replace(seat, bearer=log_in(seat)["token"])
    inside.ask("job/list", {})
    bench.now += timedelta(minutes=2, seconds=1)
    with pytest.raises(VerifyAgain):
        inside.ask("job/list", {})
    assert bench.ledger()[-1].refusal == "verify-again"
    with pytest.raises(Unidentified):
        inside.ask("session/verify", {"pin": OTHER_PIN})
    with pytest.raises(VerifyAgain):
        inside.ask("job/list", {})
    assert inside.ask("session/verify", {"pin": PIN}).data["method"] == "pin"
    inside.ask("job/list", {})


def test_nobody_proves_himself_again_who_is_not_logged_in(seat: Seat) -> None:
    with pytest.raises(Unidentified, match="log in first"):
        seat.ask("session/verify", {"pin": PIN})


def test_five_wrong_pins_lock_and_the_right_one_does_not_help(bench: Bench, seat: Seat) -> None:
    for _ in range(MAX_FAILURES):
        refused(seat, OTHER_PIN)
    assert kept(bench).failures == MAX_FAILURES
    refused(seat)
    refused(seat, OTHER_PIN)
    assert kept(bench).failures == MAX_FAILURES


def test_four_wrong_pins_are_forgiven_by_a_right_one(bench: Bench, seat: Seat) -> None:
    for _ in range(3):
        for _ in range(MAX_FAILURES - 1):
            refused(seat, OTHER_PIN)
        log_in(seat)
        assert kept(bench).failures == 0


def test_attempts_side_by_side_gain_nothing(bench: Bench, seat: Seat) -> None:
    """Each attempt counts before its PIN is looked at, not when its failure is written down."""
    trying = Attempts()
    assert [trying.count("P-0001") for _ in range(7)] == list(range(7))


def test_an_operator_at_another_terminal_is_not_locked_by_it(bench: Bench, seat: Seat) -> None:
    log_in(seat)
    other = bench.seat("TERM-0002")
    for _ in range(MAX_FAILURES + 2):
        with pytest.raises(Conflict, match="another terminal"):
            log_in(other)
    log_in(seat)


def test_a_right_pin_is_no_attempt_whatever_else_is_wrong(bench: Bench, seat: Seat) -> None:
    """Who holds several authorities and forgets to say which has guessed nothing."""
    bench.appoint("OP-0009", "P-0001")
    for _ in range(MAX_FAILURES + 2):
        with pytest.raises(NotPermitted, match="under which authority"):
            log_in(seat)
    log_in(seat, operator="OP-0009")


def test_logging_out_ends_the_session(seat: Seat) -> None:
    inside = replace(seat, bearer=log_in(seat)["token"])
    inside.ask("session/close", {})
    with pytest.raises(Unidentified):
        inside.ask("session/close", {})


def test_a_code_sets_the_pin_once(bench: Bench, seat: Seat) -> None:
    code = code_for(bench)
    assert seat.ask("session/enrol", {"code": code, "pin": OTHER_PIN}).data == {
        "person": "P-0001",
        "method": "pin",
        "device_id": None,
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
    assert (entry.operation, dict(entry.conditions)) == ("session/enrol", {"label": ""})
    assert entry.note == "pin of P-0001"


def test_a_server_cannot_log_in(bench: Bench, seat: Seat) -> None:
    from tests.plugins.people import shipped_policy

    object.__setattr__(bench.parts, "policy", shipped_policy())
    with pytest.raises(NotPermitted):
        log_in(bench.municipality("432024"))
    log_in(seat)


def meanwhile(bench: Bench, monkeypatch: pytest.MonkeyPatch, done: Callable[[], object]) -> None:
    """Let something else be done while the next PIN is compared."""
    verify, left = bench.pins.verify, [done]

    def slowly(kept: str, pin: str) -> bool:
        proved = verify(kept, pin)
        while left:
            left.pop()()
        return proved

    monkeypatch.setattr(bench.pins, "verify", slowly)


@pytest.mark.requirement("R124")
def test_a_pin_that_is_reset_while_it_is_compared_opens_nothing(
    bench: Bench, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_for(bench)
    enrol = {"code": code, "pin": OTHER_PIN}
    other = bench.seat("TERM-0002")
    meanwhile(bench, monkeypatch, lambda: other.ask("session/enrol", enrol))
    assert refused(seat) == WRONG
    assert bench.ledger()[-1].note == "changed meanwhile"
    assert not vars(bench.parts.sessions)["_live"]
    log_in(seat, OTHER_PIN)


@pytest.mark.requirement("R123")
@pytest.mark.parametrize(
    "changed",
    [
        lambda bench: change(bench, suspended="退職"),
        lambda bench: change_authority(bench, roles=()),
        lambda bench: change_authority(bench, holders=()),
        lambda bench: prove(bench, failures=MAX_FAILURES),
    ],
    ids=["suspended", "other-roles", "not-his-any-more", "locked"],
)
def test_what_changes_while_a_pin_is_compared_counts(
    bench: Bench,
    seat: Seat,
    monkeypatch: pytest.MonkeyPatch,
    changed: Callable[[Bench], None],
) -> None:
    meanwhile(bench, monkeypatch, lambda: changed(bench))
    assert refused(seat) == WRONG


def test_setting_a_pin_ends_what_the_former_one_opened(bench: Bench, seat: Seat) -> None:
    inside = replace(seat, bearer=log_in(seat)["token"])
    seat.ask("session/enrol", {"code": code_for(bench), "pin": OTHER_PIN})
    with pytest.raises(Unidentified):
        inside.ask("session/close", {})


def test_one_pin_at_a_time_is_looked_at_for_a_terminal(
    bench: Bench, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends many logins at once holds one worker, not all; nothing is counted for them."""
    texts: list[str] = []
    other = bench.seat("TERM-0002")

    def again() -> None:
        with pytest.raises(Unavailable) as busy:
            log_in(seat, OTHER_PIN)
        texts.append(busy.value.text)
        with pytest.raises(Unidentified):
            log_in(other, OTHER_PIN, "P-0099")

    meanwhile(bench, monkeypatch, again)
    log_in(seat)
    assert len(texts) == 1
    assert [entry.refusal for entry in bench.ledger()[-3:]] == [
        "unavailable",
        "unidentified",
        None,
    ]
    assert kept(bench).failures == 0
    log_in(seat)


def test_few_log_in_at_once_in_all(
    bench: Bench, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MOST_AT_ONCE", 1)

    def elsewhere() -> None:
        with pytest.raises(Unavailable):
            log_in(bench.seat("TERM-0002"), OTHER_PIN, "P-0099")

    meanwhile(bench, monkeypatch, elsewhere)
    log_in(seat)
