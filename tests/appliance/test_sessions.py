from datetime import UTC, date, datetime, timedelta

import nacl.pwhash
import pytest

from appliance.errors import Conflict, Malformed, Unidentified
from appliance.roster import OperatorRecord
from appliance.sessions import Limits, PinAuthenticator, Sessions, digest

PIN = "27182818"
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
HERE, THERE = "aa" * 32, "bb" * 32
MINUTE = timedelta(minutes=1)
LIMITS = Limits(idle=timedelta(minutes=5), absolute=timedelta(hours=8))


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(LIMITS)


def test_a_token_is_good_at_its_own_terminal(sessions: Sessions) -> None:
    token, session = sessions.open("OP-1", HERE, NOW)
    assert sessions.use(token, HERE, NOW + MINUTE).operator_id == "OP-1"
    assert sessions.until(session) == NOW + timedelta(hours=8)
    with pytest.raises(Unidentified):
        sessions.use(token, THERE, NOW + MINUTE)


def test_tokens_are_never_kept_and_never_alike(sessions: Sessions) -> None:
    token, session = sessions.open("OP-1", HERE, NOW)
    other, _ = sessions.open("OP-2", HERE, NOW)
    assert session.digest == digest(token)
    assert token not in repr(vars(sessions))
    assert token != other
    assert len(token) >= 43


def test_a_session_ends_when_it_is_not_used(sessions: Sessions) -> None:
    token, _ = sessions.open("OP-1", HERE, NOW)
    sessions.use(token, HERE, NOW + 5 * MINUTE)
    sessions.use(token, HERE, NOW + 10 * MINUTE)
    with pytest.raises(Unidentified):
        sessions.use(token, HERE, NOW + 15 * MINUTE + timedelta(seconds=1))


def test_a_session_ends_however_much_it_is_used(sessions: Sessions) -> None:
    token, _ = sessions.open("OP-1", HERE, NOW)
    for minute in range(0, 481, 4):
        sessions.use(token, HERE, NOW + minute * MINUTE)
    with pytest.raises(Unidentified):
        sessions.use(token, HERE, NOW + 481 * MINUTE)


def test_a_clock_that_goes_back_does_not_shorten_a_session(sessions: Sessions) -> None:
    token, _ = sessions.open("OP-1", HERE, NOW)
    sessions.use(token, HERE, NOW + 4 * MINUTE)
    sessions.use(token, HERE, NOW - MINUTE)
    sessions.use(token, HERE, NOW + 9 * MINUTE)


def test_every_reason_has_one_text(sessions: Sessions) -> None:
    token, _ = sessions.open("OP-1", HERE, NOW)
    texts = set()
    for tried, place, now in (
        ("guess", HERE, NOW),
        (token, THERE, NOW),
        (token, HERE, NOW + timedelta(hours=1)),
    ):
        with pytest.raises(Unidentified) as refused:
            sessions.use(tried, place, now)
        texts.add(refused.value.text)
    assert len(texts) == 1


def test_two_terminals_at_once_are_refused(sessions: Sessions) -> None:
    token, _ = sessions.open("OP-1", HERE, NOW)
    with pytest.raises(Conflict, match="another terminal"):
        sessions.open("OP-1", THERE, NOW + MINUTE)
    assert sessions.use(token, HERE, NOW + MINUTE)


def test_logging_in_again_at_the_same_terminal_replaces(sessions: Sessions) -> None:
    first, _ = sessions.open("OP-1", HERE, NOW)
    second, _ = sessions.open("OP-1", HERE, NOW + MINUTE)
    with pytest.raises(Unidentified):
        sessions.use(first, HERE, NOW + MINUTE)
    assert sessions.use(second, HERE, NOW + MINUTE)


def test_a_session_that_is_over_bars_no_other_terminal(sessions: Sessions) -> None:
    sessions.open("OP-1", HERE, NOW)
    token, _ = sessions.open("OP-1", THERE, NOW + 6 * MINUTE)
    assert sessions.use(token, THERE, NOW + 6 * MINUTE)


def test_closing_ends_this_one_and_closing_all_of_an_operator_ends_all(
    sessions: Sessions,
) -> None:
    one, session = sessions.open("OP-1", HERE, NOW)
    two, _ = sessions.open("OP-2", HERE, NOW)
    sessions.close(session.digest)
    sessions.close("unknown")
    with pytest.raises(Unidentified):
        sessions.use(one, HERE, NOW)
    sessions.close_all_of("OP-1")
    assert sessions.use(two, HERE, NOW)
    sessions.close_all_of("OP-2")
    with pytest.raises(Unidentified):
        sessions.use(two, HERE, NOW)


def operator(pin_hash: str) -> OperatorRecord:
    return OperatorRecord(
        operator_id="OP-1",
        person_id="P-1",
        office="県税事務所",
        roles=(),
        expires_on=date(2026, 4, 1),
        pin_hash=pin_hash,
    )


@pytest.fixture(scope="module")
def pins() -> PinAuthenticator:
    return PinAuthenticator(nacl.pwhash.argon2id.OPSLIMIT_MIN, nacl.pwhash.argon2id.MEMLIMIT_MIN)


def test_a_pin_is_kept_as_argon2id_and_salted(pins: PinAuthenticator) -> None:
    one, two = pins.enrol(PIN), pins.enrol(PIN)
    assert one.startswith("$argon2id$")
    assert one != two
    assert PIN not in one


@pytest.mark.parametrize(
    "pin",
    [
        "11111111",
        "12121212",
        "123123123",
        "12341234",
        "1234123412",
        "12345678",
        "87654321",
        "78901234",
        "0987654321",
    ],
)
def test_a_pin_that_anybody_tries_first_is_refused(pins: PinAuthenticator, pin: str) -> None:
    with pytest.raises(Malformed, match="too easy"):
        pins.enrol(pin)


@pytest.mark.parametrize("pin", ["11112222", "12345670", "20261001", "13579135"])
def test_other_pins_are_taken(pins: PinAuthenticator, pin: str) -> None:
    assert pins.enrol(pin)


def test_the_right_pin_and_no_other(pins: PinAuthenticator) -> None:
    record = operator(pins.enrol(PIN))
    assert pins.verify(record, PIN)
    assert not pins.verify(record, "27182819")
    assert not pins.verify(record, "")


def test_nobody_and_an_operator_without_pin_fail_alike(pins: PinAuthenticator) -> None:
    assert not pins.verify(None, PIN)
    assert not pins.verify(operator(""), PIN)


def test_in_earnest_a_pin_costs_64_mib() -> None:
    assert "m=65536" in PinAuthenticator().enrol(PIN)
