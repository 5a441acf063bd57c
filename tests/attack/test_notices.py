"""A municipality's server that was taken over: other people's residents, and requests sent again.

Whatever it sends stands under its own certificate: it can spoil its own file, and no other.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from tests.attack.field import CANARY, CS, HITOYOSHI, OTHER_CS, YATSUSHIRO, Field
from tests.edge import HttpReply
from tests.machine import accepted
from tests.plugins.update.making import SATO, code, number

PEOPLE = count(5000)
KEYS = count(1)


def newcomer(field: Field, sender: str = CS, **changes: Any) -> dict[str, Any]:
    """Return a notice about somebody new, with the next number of a municipality."""
    which = next(PEOPLE)
    return {
        **SATO,
        "resident_code": code(which),
        "my_number": number(which),
        "sequence": field.last_sequence(sender) + 1,
        **changes,
    }


def sent(field: Field, notice: dict[str, Any], name: str = CS) -> dict[str, Any]:
    """Send one notice; return what became of it."""
    reply = field.notify(json.dumps({"notifications": [notice]}).encode(), name)
    assert reply.status == 200, reply.body
    (result,) = reply.plain["data"]["results"]
    found: dict[str, Any] = result
    return found


def rules(result: dict[str, Any]) -> set[str]:
    return {problem["rule"] for problem in result["problems"]}


def address_of(field: Field, resident_code: str) -> str | None:
    body = {"by": {"resident_code": resident_code}, "items": ["address"]}
    reply = field.staff("provision/inquire", json.dumps(body).encode())
    assert reply.status == 200, reply.body
    resident = reply.plain["data"]["resident"]
    return None if resident is None else str(resident["address"])


@pytest.fixture
def resident(field: Field) -> dict[str, Any]:
    """Let somebody move to 八代市."""
    notice = newcomer(field)
    assert sent(field, notice)["outcome"] == "applied"
    return notice


STOLEN = "熊本県人吉市下城本町１５７８番地１"


@pytest.mark.parametrize("reason", ["11", "13", "21", "22", "23", "31", "32", "33"])
@pytest.mark.parametrize("claimed", [YATSUSHIRO, HITOYOSHI])
def test_a_municipality_cannot_touch_residents_of_another(
    field: Field, resident: dict[str, Any], reason: str, claimed: str
) -> None:
    theft = {
        **resident,
        "sequence": field.last_sequence(OTHER_CS) + 1,
        "address": STOLEN,
        "municipality_code": claimed,
        "reason": reason,
        "update_number": 2,
    }
    result = sent(field, theft, OTHER_CS)
    # 転入 may come before the other municipality's 転出: it waits, and does nothing meanwhile.
    assert result["outcome"] in ("rejected", "held")
    assert result["outcome"] == "rejected" or (reason, claimed) == ("11", HITOYOSHI)
    assert address_of(field, resident["resident_code"]) == resident["address"]


@pytest.mark.parametrize(
    ("claimed", "rule"), [(HITOYOSHI, "G-03"), ("131016", "G-12"), ("430005", "G-03")]
)
def test_a_municipality_cannot_speak_for_another(field: Field, claimed: str, rule: str) -> None:
    notice = newcomer(field, municipality_code=claimed)
    result = sent(field, notice)
    assert (result["outcome"], rule in rules(result)) == ("rejected", True)
    assert address_of(field, notice["resident_code"]) is None


def test_a_number_cannot_be_given_to_a_second_person(
    field: Field, resident: dict[str, Any]
) -> None:
    thief = newcomer(field, my_number=resident["my_number"])
    assert rules(sent(field, thief)) == {"L-30"}


def test_the_outcomes_are_in_the_ledger_and_no_value_is(
    field: Field, resident: dict[str, Any]
) -> None:
    notice = newcomer(field, municipality_code=HITOYOSHI)
    reply = field.notify(json.dumps({"notifications": [notice]}).encode())
    entry = field.entry(reply.plain["request_id"])
    assert (entry["event"], entry["result"], entry["terminal"]) == ("change", "ok", CS)
    assert notice["resident_code"] not in json.dumps(entry)


FAULTS: dict[str, dict[str, Any]] = {
    "a wrong check digit": {"resident_code": "91234567890", "my_number": "912345678901"},
    "no number at all": {"resident_code": CANARY, "my_number": CANARY},
    "dates that are none": {"birth_date": CANARY, "effective_date": CANARY},
    "characters nobody has": {"name": f"{CANARY}😀", "kana": f"{CANARY}😀", "address": "😀"},
    "an unknown sex and reason": {"sex": CANARY, "reason": CANARY},
    "unknown places": {"municipality_code": CANARY, "town_code": CANARY},
    "a former number that is none": {"previous_resident_code": CANARY},
    "counts that do not fit": {"name_gaiji_count": 912345678, "address_gaiji_count": -912345678},
    "a very long name": {"name": "金糸雀" * 300},
    "a very long spelling": {"birth_date": "0000-00-00", "birth_date_as_written": "金" * 200},
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_with_a_notice_is_said_without_what_it_says(field: Field, name: str) -> None:
    notice = newcomer(field, **FAULTS[name])
    problems = sent(field, notice)["problems"]
    told = json.dumps(problems, ensure_ascii=False)
    assert problems
    values = {str(value) for value in notice.values() if len(str(value)) > 3}
    assert not [value for value in values if value in told]
    assert CANARY not in told


# --- sent again ---


def notify(field: Field, notice: dict[str, Any], key: str, name: str = CS) -> HttpReply:
    body = json.dumps({"notifications": [notice]}).encode()
    return field.ask(name, "update/notify", body, {"Idempotency-Key": key})


def new_key() -> str:
    return f"replay-{next(KEYS):012}"


def test_a_request_sent_again_gets_the_first_answer_and_does_nothing(field: Field) -> None:
    notice, key = newcomer(field), new_key()
    first, second = notify(field, notice, key), notify(field, notice, key)
    assert (first.status, second.status) == (200, 200)
    assert first.plain["data"] == second.plain["data"]
    assert first.plain["receipt"] != second.plain["receipt"]
    assert field.entry(second.plain["request_id"])["note"] == "repeated"


def test_the_same_request_many_times_at_once_is_done_once(field: Field) -> None:
    notice, key = newcomer(field), new_key()
    with ThreadPoolExecutor(8) as senders:
        replies = list(senders.map(lambda _: notify(field, notice, key), range(8)))
    assert [reply.plain["data"]["results"][0]["outcome"] for reply in replies] == ["applied"] * 8
    notes = sorted(field.entry(reply.plain["request_id"])["note"] for reply in replies)
    assert notes == ["", *["repeated"] * 7]


def test_the_same_notice_under_many_keys_at_once_is_done_once(field: Field) -> None:
    notice = newcomer(field)
    with ThreadPoolExecutor(8) as senders:
        replies = list(senders.map(lambda _: notify(field, notice, new_key()), range(8)))
    outcomes = sorted(reply.plain["data"]["results"][0]["outcome"] for reply in replies)
    assert outcomes == ["applied", *["duplicate"] * 7]


def test_the_same_key_for_another_body_is_a_conflict_and_does_nothing(field: Field) -> None:
    notice, key = newcomer(field), new_key()
    assert notify(field, notice, key).status == 200
    other = newcomer(field)
    field.refused(notify(field, other, key), 409, "conflict")
    assert address_of(field, other["resident_code"]) is None


def test_the_same_key_for_the_same_notice_written_otherwise_is_a_conflict(field: Field) -> None:
    notice, key = newcomer(field), new_key()
    assert notify(field, notice, key).status == 200
    body = json.dumps({"notifications": [notice]}, indent=1).encode()
    reply = field.ask(CS, "update/notify", body, {"Idempotency-Key": key})
    field.refused(reply, 409, "conflict")


def test_a_key_is_its_senders_own(field: Field) -> None:
    notice, key = newcomer(field), new_key()
    first = notify(field, notice, key)
    stolen = notify(field, notice, key, OTHER_CS)
    (theirs,) = stolen.plain["data"]["results"]
    assert first.plain["data"]["results"][0]["outcome"] == "applied"
    assert theirs["outcome"] == "rejected"


def test_a_notice_cannot_be_sent_without_a_key(field: Field) -> None:
    notice = newcomer(field)
    body = json.dumps({"notifications": [notice]}).encode()
    field.refused(field.ask(CS, "update/notify", body), 400, "malformed")
    assert address_of(field, notice["resident_code"]) is None


@pytest.mark.parametrize("key", ["a" * 15, "a" * 65, "a" * 15 + " ", "a" * 15 + "/", "é" * 16])
def test_a_key_has_one_form(field: Field, key: str) -> None:
    before = field.last_sequence()
    assert notify(field, newcomer(field), key).status == 400
    assert field.last_sequence() == before


def test_a_number_that_was_used_stays_used(field: Field, resident: dict[str, Any]) -> None:
    assert sent(field, resident)["outcome"] == "duplicate"
    other = {**resident, "address": STOLEN}
    assert (sent(field, other)["outcome"], rules(sent(field, other))) == ("rejected", {"G-06"})
    assert address_of(field, resident["resident_code"]) == resident["address"]


def test_a_refused_request_leaves_its_key_free(field: Field) -> None:
    notice, key = newcomer(field), new_key()
    bad = field.ask(CS, "update/notify", b'{"notifications": 1}', {"Idempotency-Key": key})
    field.refused(bad, 400, "malformed")
    reply = notify(field, notice, key)
    assert reply.plain["data"]["results"][0]["outcome"] == "applied"


def test_a_sequence_far_ahead_does_not_make_the_appliance_list_what_is_missing(
    field: Field,
) -> None:
    notice = newcomer(field, OTHER_CS, sequence=2**53, municipality_code=HITOYOSHI)
    reply = field.notify(json.dumps({"notifications": [notice]}).encode(), OTHER_CS)
    assert reply.status == 200
    assert len(reply.plain["data"]["missing"]) == 100
    assert len(reply.body) < 10_000


def test_the_administrator_cannot_register_a_second_server_under_the_same_name(
    field: Field,
) -> None:
    administrator = field.machine.administrator()
    field.machine.issue("second")
    body = {
        "terminal_id": CS,
        "kind": "municipality",
        "certificate": field.machine.credentials("second").certificate.read_text("ascii"),
        "municipality_code": YATSUSHIRO,
    }
    operation = "roster/enrol-terminal"
    alone = administrator.call(operation, body, idempotency_key=new_key())
    assert (alone.status, alone.body["code"]) == (403, "needs-approval")
    number = field.machine.approved(administrator, operation, body, new_key())
    answer = administrator.call(operation, body, idempotency_key=new_key(), approval=number)
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    administrator.close()
    assert accepted(field.witness.call("ledger/search", {"result": "denied", "limit": 1}))
