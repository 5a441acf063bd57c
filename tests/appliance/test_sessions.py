from datetime import UTC, datetime, timedelta

import pytest

from appliance.errors import Conflict, Unidentified
from appliance.sessions import Limits, Session, Sessions, digest, draw

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
HERE, THERE = "aa" * 32, "bb" * 32
MINUTE = timedelta(minutes=1)
LIMITS = Limits(idle=timedelta(minutes=5), absolute=timedelta(hours=8))


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(LIMITS)


def opened(
    sessions: Sessions, person_id: str, fingerprint: str, now: datetime, operator_id: str = "OP"
) -> tuple[str, Session]:
    token, session = draw(person_id, operator_id, fingerprint, now)
    sessions.begin(session)
    return token, session


def test_a_token_is_good_at_its_own_terminal(sessions: Sessions) -> None:
    token, session = opened(sessions, "P-1", HERE, NOW)
    assert sessions.use(token, HERE, NOW + MINUTE).person_id == "P-1"
    assert sessions.until(session) == NOW + timedelta(hours=8)
    with pytest.raises(Unidentified):
        sessions.use(token, THERE, NOW + MINUTE)


def test_tokens_are_never_kept_and_never_alike(sessions: Sessions) -> None:
    token, session = opened(sessions, "P-1", HERE, NOW)
    other, _ = opened(sessions, "P-2", HERE, NOW)
    assert session.digest == digest(token)
    assert token not in repr(vars(sessions))
    assert token != other
    assert len(token) >= 43


def test_a_session_ends_when_it_is_not_used(sessions: Sessions) -> None:
    token, _ = opened(sessions, "P-1", HERE, NOW)
    sessions.use(token, HERE, NOW + 5 * MINUTE)
    sessions.use(token, HERE, NOW + 10 * MINUTE)
    with pytest.raises(Unidentified):
        sessions.use(token, HERE, NOW + 15 * MINUTE + timedelta(seconds=1))


def test_a_session_ends_however_much_it_is_used(sessions: Sessions) -> None:
    token, _ = opened(sessions, "P-1", HERE, NOW)
    for minute in range(0, 481, 4):
        sessions.use(token, HERE, NOW + minute * MINUTE)
    with pytest.raises(Unidentified):
        sessions.use(token, HERE, NOW + 481 * MINUTE)


def test_a_clock_that_goes_back_does_not_shorten_a_session(sessions: Sessions) -> None:
    token, _ = opened(sessions, "P-1", HERE, NOW)
    sessions.use(token, HERE, NOW + 4 * MINUTE)
    sessions.use(token, HERE, NOW - MINUTE)
    sessions.use(token, HERE, NOW + 9 * MINUTE)


def test_every_reason_has_one_text(sessions: Sessions) -> None:
    token, _ = opened(sessions, "P-1", HERE, NOW)
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
    token, _ = opened(sessions, "P-1", HERE, NOW)
    with pytest.raises(Conflict, match="another terminal"):
        opened(sessions, "P-1", THERE, NOW + MINUTE)
    assert sessions.use(token, HERE, NOW + MINUTE)


def test_logging_in_again_at_the_same_terminal_replaces(sessions: Sessions) -> None:
    first, _ = opened(sessions, "P-1", HERE, NOW)
    second, _ = opened(sessions, "P-1", HERE, NOW + MINUTE)
    with pytest.raises(Unidentified):
        sessions.use(first, HERE, NOW + MINUTE)
    assert sessions.use(second, HERE, NOW + MINUTE)


def test_a_session_that_is_over_bars_no_other_terminal(sessions: Sessions) -> None:
    opened(sessions, "P-1", HERE, NOW)
    token, _ = opened(sessions, "P-1", THERE, NOW + 6 * MINUTE)
    assert sessions.use(token, THERE, NOW + 6 * MINUTE)


def test_closing_ends_this_one_and_closing_all_of_an_operator_ends_all(
    sessions: Sessions,
) -> None:
    one, session = opened(sessions, "P-1", HERE, NOW)
    two, _ = opened(sessions, "P-2", HERE, NOW)
    sessions.close(session.digest)
    sessions.close("unknown")
    with pytest.raises(Unidentified):
        sessions.use(one, HERE, NOW)
    sessions.close_all_of(person_id="P-1")
    assert sessions.use(two, HERE, NOW)
    sessions.close_all_of(person_id="P-2")
    with pytest.raises(Unidentified):
        sessions.use(two, HERE, NOW)


def test_closing_all_under_an_authority_ends_those_alone(sessions: Sessions) -> None:
    one, _ = opened(sessions, "P-1", HERE, NOW, "OP-1")
    two, _ = opened(sessions, "P-2", THERE, NOW, "OP-1")
    three, _ = opened(sessions, "P-3", HERE, NOW, "OP-2")
    sessions.close_all_of(operator_id="OP-1")
    for token, place in ((one, HERE), (two, THERE)):
        with pytest.raises(Unidentified):
            sessions.use(token, place, NOW)
    assert sessions.use(three, HERE, NOW)


def test_a_proof_is_noted_in_its_session_alone(sessions: Sessions) -> None:
    one, session = opened(sessions, "P-1", HERE, NOW)
    two, _ = opened(sessions, "P-2", HERE, NOW)
    sessions.proved(session.digest, NOW + MINUTE)
    sessions.proved("unknown", NOW + MINUTE)
    assert sessions.use(one, HERE, NOW + MINUTE).proved == NOW + MINUTE
    assert sessions.use(two, HERE, NOW + MINUTE).proved == NOW
