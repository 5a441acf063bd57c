"""突合: what the requester wrote against the file, and nothing shown (R65, R67)."""

from typing import Any

import pytest

from appliance.testing import Bench
from plugins.disclosure.matching import FOUR
from tests.plugins.disclosure.desk import HANAKO, UNSEEN, Desk
from tests.plugins.people import admit, change, code

OTHERWISE = {
    "name": "熊本　華江",
    "birth_date": "1990-04-06",
    "sex": "1",
    "address": "熊本県宇土市浦田町５１",
}
BY_CODE = {**HANAKO, "resident_code": code(1)}


@pytest.mark.parametrize(
    ("subject", "state"),
    [
        (HANAKO, "matched"),
        ({**HANAKO, "name": "熊本 花子"}, "matched"),
        ({**HANAKO, "address": "八代市松江城町1-25"}, "matched"),
        (BY_CODE, "matched"),
        ({**HANAKO, "name": "熊本　華江", "sex": "1"}, "absent"),
        ({**BY_CODE, "resident_code": code(2)}, "mismatch"),
    ],
    ids=["R65-four", "R65-spaces", "R65-spelling", "R65-code", "R68-nobody", "R67-other-code"],
)
def test_a_request_is_matched_by_code_or_four_informations(
    desk: Desk, subject: dict[str, str], state: str
) -> None:
    who = admit(desk.bench)
    answer = desk.ask("match", number=desk.receive(subject))
    assert answer["state"] == state
    assert answer["advice"]
    entry = desk.bench.ledger()[-1]
    assert entry.items == ()
    assert entry.subjects == ((who,) if state != "absent" else ())


@pytest.mark.parametrize("by", [HANAKO, BY_CODE], ids=["by-four", "by-code"])
@pytest.mark.parametrize("item", FOUR, ids=[f"R67-{item}" for item in FOUR])
def test_one_information_that_differs_is_named_and_nothing_is_printed(
    desk: Desk, by: dict[str, str], item: str
) -> None:
    admit(desk.bench)
    number = desk.receive({**by, item: OTHERWISE[item]})
    answer = desk.ask("match", number=number)
    assert (answer["state"], answer["differing"]) == ("mismatch", [item])
    assert desk.refused("issue", number=number, sha256=UNSEEN) == [("D-08", "number")]
    assert desk.ask("sheets")["sheets"] == []


@pytest.mark.requirement("R65")
@pytest.mark.parametrize("confirmed", [False, True], ids=["first", "confirmed"])
@pytest.mark.parametrize("by", [HANAKO, BY_CODE], ids=["by-four", "by-code"])
@pytest.mark.parametrize("address", ["東京都", "　", "・", "熊本県八代市", "八代市松江城町"])
def test_an_address_without_a_number_confirms_nobody_and_proves_no_absence(
    desk: Desk, by: dict[str, str], address: str, confirmed: bool
) -> None:
    admit(desk.bench)
    number = desk.receive({**by, "address": address})
    answer = desk.ask("match", number=number)
    if confirmed:
        answer = desk.ask("match", number=number, confirmed=True)
    assert (answer["state"], answer["differing"]) == ("mismatch", ["address"])


def test_two_of_the_same_are_told_apart_by_the_code(desk: Desk) -> None:
    admit(desk.bench, 1)
    second = admit(desk.bench, 2)
    number = desk.matched()
    assert desk.state(number) == "several"
    assert desk.refused("issue", number=number, sha256=UNSEEN) == [("D-07", "number")]
    desk.ask("amend", number=number, subject={**HANAKO, "resident_code": code(2)})
    assert desk.ask("match", number=number)["state"] == "matched"
    desk.issue(number)
    assert desk.bench.ledger()[-1].subjects == (second,)


def test_very_many_of_the_same_are_several_too(desk: Desk) -> None:
    for which in range(51):
        admit(desk.bench, which + 1)
    assert desk.ask("match", number=desk.receive())["state"] == "several"


def test_a_former_code_is_nobodys(desk: Desk) -> None:
    who = admit(desk.bench)
    change(desk.bench, who, 2)
    answer = desk.ask("match", number=desk.receive(BY_CODE))
    assert (answer["state"], answer["differing"]) == ("mismatch", ["resident_code"])


@pytest.mark.parametrize(
    "gone",
    [
        {"reason": "21", "removed_flag": True, "effective_date": "2026-03-01"},
        {"reason": "23", "removed_flag": True, "effective_date": "2026-03-01"},
    ],
    ids=["moved-out", "struck-off"],
)
@pytest.mark.parametrize("by", [HANAKO, BY_CODE], ids=["by-four", "by-code"])
def test_who_was_struck_off_is_in_the_file_still(
    desk: Desk, by: dict[str, str], gone: dict[str, Any]
) -> None:
    admit(desk.bench, **gone)
    assert desk.ask("match", number=desk.receive(by))["state"] == "matched"


@pytest.mark.requirement("R67")
def test_a_request_that_was_not_matched_is_not_printed(desk: Desk) -> None:
    admit(desk.bench)
    assert desk.refused("issue", number=desk.receive(), sha256=UNSEEN) == [("D-07", "number")]


@pytest.mark.requirement("R67")
def test_a_record_that_changed_since_is_matched_again(desk: Desk, bench: Bench) -> None:
    who = admit(bench)
    number = desk.matched()
    change(bench, who, address="熊本県宇土市浦田町５１")
    assert desk.refused("issue", number=number, sha256=UNSEEN) == [("D-09", "number")]
    assert desk.ask("match", number=number)["differing"] == ["address"]


@pytest.mark.requirement("R68")
def test_who_came_into_the_file_since_is_not_told_to_be_absent(desk: Desk) -> None:
    number = desk.matched()
    assert desk.state(number) == "absent"
    admit(desk.bench)
    assert desk.refused("issue", number=number, sha256=UNSEEN) == [("D-09", "number")]


@pytest.mark.requirement("R68")
def test_a_namesake_does_not_keep_anybody_from_being_told_that_he_is_absent(desk: Desk) -> None:
    admit(desk.bench)
    number = desk.receive({**HANAKO, "address": OTHERWISE["address"]})
    assert desk.ask("match", number=number)["state"] == "mismatch"
    assert desk.ask("match", number=number, confirmed=True)["state"] == "absent"
    assert desk.issue(number)["form"] == "absence"


@pytest.mark.requirement("R67")
def test_what_was_confirmed_does_not_make_a_match(desk: Desk) -> None:
    admit(desk.bench)
    number = desk.receive({**BY_CODE, "name": OTHERWISE["name"]})
    assert desk.ask("match", number=number, confirmed=True)["state"] == "mismatch"
    assert desk.refused("issue", number=number, sha256=UNSEEN) == [("D-08", "number")]
