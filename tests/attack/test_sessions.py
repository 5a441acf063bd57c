"""Sessions: of another terminal, in the wrong place, ended, guessed."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.attack.field import (
    BUSINESS,
    CANARY,
    CLERK,
    CS,
    NATIONAL,
    OTHER_TERMINAL,
    REGISTRAR,
    TERMINAL,
    Field,
    proof_of,
    tells_nothing,
)
from tests.edge import post
from tests.machine import PIN, accepted

FIND = b'{"name": "Kanaria", "birth_date": "1980-05-17"}'
PURPOSE = {"X-Purpose": "register-administration", "X-Reason": "04"}


@pytest.fixture
def token(field: Field) -> str:
    return field.tokens[REGISTRAR]


@pytest.fixture
def clerk(field: Field) -> Iterator[str]:
    """Let the clerk log in at the second terminal; yield the session."""
    token = field.log_in(CLERK, OTHER_TERMINAL)
    yield token
    field.ask(OTHER_TERMINAL, "session/close", b"{}", bearer(token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_session_is_good_where_it_was_opened(field: Field) -> None:
    assert field.staff("search/find", FIND).status == 200


@pytest.mark.parametrize("name", [OTHER_TERMINAL, BUSINESS])
def test_a_session_of_another_terminal_is_none(field: Field, token: str, name: str) -> None:
    reply = field.ask(name, "search/find", FIND, {**bearer(token), **PURPOSE})
    entry = field.refused(reply, 401, "unidentified")
    assert (entry["terminal"], entry["operator"]) == (name, None)
    assert field.staff("search/find", FIND).status == 200


@pytest.mark.parametrize("name", [CS, NATIONAL])
def test_a_machine_has_no_session(field: Field, token: str, name: str) -> None:
    reply = field.ask(name, "update/held", b"{}", bearer(token))
    field.refused(reply, 400, "malformed")


@pytest.mark.parametrize(
    "header",
    [
        "X-Vault-Token",
        "X-Auth-Token",
        "X-Authorization",
        "Proxy-Authorization",
        "Token",
        "Cookie",
        "X-Session",
    ],
)
def test_a_session_in_another_header_is_none(field: Field, token: str, header: str) -> None:
    value = f"token={token}" if header == "Cookie" else f"Bearer {token}"
    reply = field.ask(TERMINAL, "search/find", FIND, {header: value, **PURPOSE})
    field.refused(reply, 401, "unidentified")


@pytest.mark.parametrize(
    "value",
    [
        "Basic {}",
        "Digest {}",
        "{}",
        "Bearer",
        "Bearer {}, Bearer {}",
        "Bearer {} {}",
        "bearer\t{}",
        "BEARER {}",
        'Bearer "{}"',
        "Bearer {}\u00a0",
        "Bearer " + "a" * 600,
        "Bearer short",
    ],
)
def test_a_session_that_is_said_in_another_way_is_refused(
    field: Field, token: str, value: str
) -> None:
    headers = {"Authorization": value.replace("{}", token), **PURPOSE}
    reply = field.ask(TERMINAL, "search/find", FIND, headers)
    assert (reply.status, reply.plain["code"]) == (400, "malformed")
    tells_nothing(reply)
    assert token not in reply.body.decode()


def test_a_session_in_the_path_or_the_body_is_none(field: Field, token: str) -> None:
    query = post(f"/v1/search/find?access_token={token}", FIND)
    reply = field.say(TERMINAL, query)
    assert reply.status == 400
    assert token not in reply.body.decode()
    body = json.dumps({"name": "a", "token": token}).encode()
    field.refused(field.ask(TERMINAL, "search/find", body, PURPOSE), 401, "unidentified")


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token + "a",
        lambda token: token.swapcase(),
        lambda token: token[::-1],
        lambda token: "A" * len(token),
        lambda token: token + "=",
    ],
)
def test_a_session_that_is_nearly_right_is_none(field: Field, token: str, change: object) -> None:
    assert callable(change)
    reply = field.ask(TERMINAL, "search/find", FIND, {**bearer(change(token)), **PURPOSE})
    field.refused(reply, 401, "unidentified")


def test_a_session_that_was_closed_is_none(field: Field) -> None:
    token = field.log_in(CLERK, OTHER_TERMINAL)
    assert field.ask(OTHER_TERMINAL, "session/close", b"{}", bearer(token)).status == 200
    reply = field.ask(OTHER_TERMINAL, "search/find", FIND, {**bearer(token), **PURPOSE})
    field.refused(reply, 401, "unidentified")


def test_nobody_is_logged_in_at_two_terminals(field: Field, clerk: str) -> None:
    body = json.dumps(proof_of(CLERK)).encode()
    field.refused(field.ask(BUSINESS, "session/open", body), 409, "conflict")
    reply = field.ask(OTHER_TERMINAL, "session/close", b"{}", bearer(clerk))
    assert reply.status == 200


def test_a_session_ends_with_its_operator(field: Field) -> None:
    administrator = field.machine.administrator()
    field.machine.appoint(administrator, "OP-0090", ["clerk"])
    token = field.log_in("OP-0090", OTHER_TERMINAL)
    accepted(
        administrator.call(
            "roster/suspend-operator",
            {"operator_id": "OP-0090", "reason": "left"},
            idempotency_key="suspended-000001",
        )
    )
    administrator.close()
    reply = field.ask(OTHER_TERMINAL, "search/find", FIND, {**bearer(token), **PURPOSE})
    field.refused(reply, 401, "unidentified")


def test_who_guesses_a_pin_is_locked_out_and_cannot_tell_it_from_a_wrong_pin(field: Field) -> None:
    administrator = field.machine.administrator()
    field.machine.appoint(administrator, "OP-0091", ["clerk"])
    texts = set()
    for attempt in range(6):
        pin = PIN if attempt == 5 else f"{attempt:08}"
        body = json.dumps(proof_of("OP-0091", pin)).encode()
        reply = field.ask(OTHER_TERMINAL, "session/open", body)
        entry = field.refused(reply, 401, "unidentified")
        assert entry["conditions"] == {"person": "P-0091", "operator": "OP-0091"}
        texts.add(reply.plain["detail"])
    body = json.dumps(proof_of(f"OP-{CANARY.upper()}")).encode()
    texts.add(
        field.refused(field.ask(OTHER_TERMINAL, "session/open", body), 401, "unidentified")["why"]
    )
    assert len(texts) == 1
    administrator.close()


def test_an_enrolment_code_is_good_once_however_many_try_it_at_once(field: Field) -> None:
    administrator = field.machine.administrator()
    field.machine.appoint(administrator, "OP-0092", ["clerk"])
    until = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    body = {"person_id": "P-0092", "reason": "test", "until": until}
    told = field.machine.agreed(administrator, "roster/issue-pin", body, "enrolled-at-once-1")
    code = told["enrolment_code"]
    administrator.close()

    def enrol(digit: int) -> int:
        asked = json.dumps({"code": code, "pin": f"2718281{digit}"}).encode()
        terminal = (TERMINAL, OTHER_TERMINAL)[digit % 2]
        return field.ask(terminal, "session/enrol", asked).status

    with ThreadPoolExecutor(4) as thieves:
        statuses = sorted(thieves.map(enrol, range(4)))
    assert statuses[0] == 200
    # Two at one terminal at once: the second one is told to try again.
    assert set(statuses[1:]) <= {403, 503}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "not-permitted"),
        ({"X-Purpose": "register-administration"}, "not-permitted"),
        ({"X-Reason": "04"}, "not-permitted"),
        ({"X-Purpose": "passport", "X-Reason": "01"}, "not-permitted"),
        ({"X-Purpose": "Kanaria", "X-Reason": "01"}, "not-permitted"),
        ({"X-Purpose": "Register-Administration", "X-Reason": "04"}, "not-permitted"),
        ({"X-Purpose": "register-administration", "X-Reason": "Kanaria"}, "not-permitted"),
        ({"X-Purpose": "register-administration", "X-Reason": "4"}, "not-permitted"),
    ],
)
def test_who_does_not_say_what_for_is_refused(
    field: Field, token: str, headers: dict[str, str], code: str
) -> None:
    reply = field.ask(TERMINAL, "search/find", FIND, {**bearer(token), **headers})
    entry = field.refused(reply, 403, code)
    assert entry["operator"] == REGISTRAR


@pytest.mark.parametrize(
    "header", ["X-Purpose", "X-Reason", "X-Case", "X-Approval", "Idempotency-Key"]
)
@pytest.mark.parametrize("value", ["a b", "Kanaria!", "a\u00e9", "%41", "a" * 100, ""])
def test_a_header_of_another_form_is_refused(
    field: Field, token: str, header: str, value: str
) -> None:
    headers = {**bearer(token), **PURPOSE, header: value}
    reply = field.ask(TERMINAL, "search/find", FIND, headers)
    assert (reply.status, reply.plain["code"]) == (400, "malformed")
    tells_nothing(reply)
