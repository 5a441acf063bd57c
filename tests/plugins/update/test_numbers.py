"""Changes of 住民票コード and 個人番号, and movements that are taken back."""

import pytest

from appliance.testing import PREPARED
from storage.engine import VersionId
from tests.plugins.update.making import (
    HITOYOSHI,
    code,
    heard,
    moved,
    notify,
    number,
    recorded,
    to_hitoyoshi,
    told_nation,
    waits,
    wire,
)


def recoded(sequence, update_number, new=2, old=1, reason="41", **changes):
    codes = {"resident_code": code(new), "previous_resident_code": code(old)}
    return wire(sequence=sequence, update_number=update_number, reason=reason, **codes, **changes)


@pytest.mark.parametrize("reason", ["41", "42"])
def test_a_new_code_is_the_same_person_and_the_old_one_stands_for_nobody(bench, cs, reason):
    notify(cs, wire())
    assert heard(cs, recoded(2, 2, reason=reason)) == [(2, "applied", [])]
    assert [each["resident_code"] for each in recorded(bench, code(2))] == [code(1), code(2)]
    assert heard(cs, moved(3, 3)) == [(3, "rejected", ["G-10"])]
    assert heard(cs, wire(sequence=4, update_number=3)) == [(4, "rejected", ["L-03"])]
    assert heard(cs, moved(5, 3, resident_code=code(2))) == [(5, "applied", [])]
    assert told_nation(bench) == [1, 2, 3]


def test_l_20_a_code_that_is_or_was_somebodys_is_not_given_again(cs):
    notify(cs, wire(), wire(sequence=2, resident_code=code(2), my_number=number(2)))
    assert heard(cs, recoded(3, 2)) == [(3, "rejected", ["L-20"])]
    assert heard(cs, recoded(4, 2, new=3)) == [(4, "applied", [])]
    second = {"old": 2, "my_number": number(2)}
    assert heard(cs, recoded(5, 2, new=1, **second)) == [(5, "rejected", ["L-20"])]
    assert heard(cs, recoded(6, 2, new=1, reason="42", **second)) == [(6, "rejected", ["L-20"])]


def test_l_21_and_l_22_who_is_not_present_and_what_else_is_changed(cs):
    assert heard(cs, recoded(1, 1)) == [(1, "rejected", ["L-21"])]
    notify(cs, wire(sequence=2))
    assert heard(cs, recoded(3, 2, sex="2")) == [(3, "rejected", ["L-22"])]
    notify(cs, wire(sequence=4, update_number=2, reason="22"))
    assert heard(cs, recoded(5, 3)) == [(5, "rejected", ["L-21"])]


def test_a_change_of_code_that_was_an_error_is_taken_back_ex_officio(bench, cs):
    notify(cs, wire(), recoded(2, 2))
    assert heard(cs, recoded(3, 3, new=1, old=2)) == [(3, "rejected", ["L-20"])]
    assert heard(cs, recoded(4, 3, new=1, old=2, reason="42")) == [(4, "applied", [])]
    assert recorded(bench, code(1))[-1]["resident_code"] == code(1)
    assert heard(cs, moved(5, 4)) == [(5, "applied", [])]


def test_who_waits_under_either_code_is_released_by_the_change(bench, cs):
    after = moved(4, 4, resident_code=code(2))
    assert heard(cs, after, recoded(3, 3, address=moved(2, 2)["address"]), wire()) == [
        (4, "held", ["G-06"]),
        (3, "held", ["G-06"]),
        (1, "applied", []),
    ]
    # Otherwise the last one would change nothing.
    notify(cs, moved(2, 2))
    assert [each["update_number"] for each in recorded(bench, code(2))] == [1, 2, 3, 4]
    assert waits(cs) == []


def test_a_wrong_previous_code_is_nobodys(cs):
    given = {**recoded(1, 1), "previous_resident_code": "12345678901"}
    assert heard(cs, given) == [(1, "rejected", ["G-01"])]


@pytest.mark.parametrize("reason", ["51", "52"])
def test_a_changed_number_is_the_persons_and_the_old_one_never_anybody_elses(bench, cs, reason):
    notify(cs, wire())
    changed = wire(sequence=2, update_number=2, reason=reason, my_number=number(2))
    assert heard(cs, changed) == [(2, "applied", [])]
    assert [each["my_number"] for each in recorded(bench, code(1))] == [number(1), number(2)]
    other = wire(sequence=3, resident_code=code(3))
    assert heard(cs, other) == [(3, "rejected", ["L-30"])]
    back = wire(sequence=4, update_number=3, reason="52")
    assert heard(cs, back) == [(4, "applied", [])]


def test_a_first_number_is_entered_ex_officio(bench, cs):
    notify(cs, wire(my_number=None, reason="12", effective_date="1980-05-17"))
    given = wire(sequence=2, update_number=2, reason="53")
    assert heard(cs, given) == [(2, "applied", [])]
    assert recorded(bench, code(1))[-1]["my_number"] == number(1)


def test_l_31_and_l_33(cs):
    notify(cs, wire())
    news = {"reason": "51", "my_number": number(2)}
    assert heard(cs, wire(sequence=2, update_number=2, sex="2", **news))[0][2] == ["L-31"]
    assert heard(cs, wire(sequence=3, update_number=2, **{**news, "reason": "53"}))[0][2] == [
        "L-33"
    ]
    assert heard(cs, wire(sequence=4, update_number=2, reason="51"))[0][2] == ["L-34"]


# ---- taken back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "alerts"), [("21", []), ("22", ["L-19"]), ("23", [])], ids=["21", "22", "23"]
)
def test_a_removal_is_taken_back_by_an_entry_and_both_stay_in_the_history(
    bench, cs, reason, alerts
):
    notify(cs, wire(), wire(sequence=2, update_number=2, reason=reason))
    assert heard(cs, wire(sequence=3, update_number=3, reason="13")) == [(3, "applied", alerts)]
    removed = [each["removed_flag"] for each in recorded(bench, code(1))]
    assert removed == [False, True, False]


def test_when_a_moving_in_is_taken_back_the_municipality_before_restores_its_resident(bench, cs):
    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(cs, wire(), wire(sequence=2, update_number=2, reason="21"))
    notify(hitoyoshi, to_hitoyoshi(1, 3), to_hitoyoshi(2, 4, reason="23"))
    third = bench.municipality("432041")
    taken = wire(update_number=5, reason="13", municipality_code="432041", town_code=None)
    assert heard(third, taken) == [(1, "rejected", ["L-11"])]
    assert heard(cs, wire(sequence=3, update_number=5, reason="13")) == [(3, "applied", [])]
    assert recorded(bench, code(1))[-1]["municipality_code"] == wire()["municipality_code"]


@pytest.mark.requirement("R154")
def test_versions_whose_retention_has_ended_do_not_stand_in_the_way(bench, cs):
    notify(cs, wire(), wire(sequence=2, update_number=2, reason="23"))
    renamed = wire(sequence=3, update_number=3, reason="33", name="佐藤　一郎")
    assert heard(cs, renamed) == [(3, "applied", ["L-09"])]

    def erase(unit):
        person = unit.identified(bench.index.code(code(1)))
        for version in (1, 2):
            unit.erase(VersionId(person, version))
        unit.enter(PREPARED)

    bench.vault.write(erase)
    back = wire(sequence=4, update_number=4, reason="13", name="佐藤　一郎")
    assert heard(cs, {**back, "reason": "22"}) == [(4, "rejected", ["L-07"])]
    elsewhere = {**back, "sequence": 1, "municipality_code": HITOYOSHI}
    assert heard(bench.municipality(HITOYOSHI), elsewhere) == [(1, "rejected", ["L-11"])]
    assert heard(cs, {**back, "sequence": 5}) == [(5, "applied", [])]


def test_somebody_first_entered_there_is_not_restored_by_anybody_else(bench, cs):
    notify(cs, wire(), wire(sequence=2, update_number=2, reason="23"))
    taken = to_hitoyoshi(1, 3, reason="13")
    assert heard(bench.municipality(HITOYOSHI), taken) == [(1, "rejected", ["L-11"])]


@pytest.mark.parametrize(("reason", "item"), [("33", "name"), ("32", "address")])
def test_a_correction_is_taken_back_by_another_one(bench, cs, reason, item):
    notify(cs, wire(), wire(sequence=2, update_number=2, reason=reason, **{item: "熊本　一郎"}))
    assert heard(cs, wire(sequence=3, update_number=3, reason="33")) == [(3, "applied", [])]
    assert recorded(bench, code(1))[-1][item] == wire()[item]
