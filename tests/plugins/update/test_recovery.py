"""A municipality's full set after a loss of data: compared, and never over newer data."""

from datetime import timedelta

import pytest

from appliance.errors import Malformed, NotPermitted
from plugins.update import recovery
from tests.plugins.update.making import (
    HITOYOSHI,
    NEW_ADDRESS,
    YATSUSHIRO,
    code,
    heard,
    kept,
    moved,
    notify,
    number,
    recorded,
    to_hitoyoshi,
    told_nation,
    waits,
    wire,
)


@pytest.fixture
def opened(bench):
    _open(bench)


def _open(bench, municipality_code=YATSUSHIRO, days=7):
    body = {"municipality_code": municipality_code, "days": days}
    return bench.clerk().ask("update/open-recovery", body).data["until"]


def recover(seat, *records, **more):
    return seat.ask("update/recover", {"records": list(records), **more}).data


def came_of(seat, record):
    """Send one record; return what came of it and the rules or items that are named."""
    answer = recover(seat, record)
    [outcome] = [name for name, count in answer["counts"].items() if count]
    for result in answer["results"]:
        assert (result["resident_code"], result["outcome"]) == (record["resident_code"], outcome)
        return outcome, [problem["item"] for problem in result["problems"]]
    return outcome, []


def test_it_must_have_been_opened_and_ends_with_the_day(bench, cs):
    with pytest.raises(NotPermitted):
        recover(cs, kept(wire()))
    assert _open(bench, days=2) == "2026-04-03"
    with pytest.raises(NotPermitted):
        recover(bench.municipality(HITOYOSHI), kept(to_hitoyoshi(1, 1)))
    bench.now += timedelta(days=2)
    assert came_of(cs, kept(wire())) == ("entered", [])
    bench.now += timedelta(days=1)
    with pytest.raises(NotPermitted):
        recover(cs, kept(wire()))


def test_it_is_opened_for_a_municipality_and_not_for_long(bench):
    with pytest.raises(NotPermitted):
        _open(bench, "999999")
    with pytest.raises(Malformed):
        _open(bench, days=recovery.MOST_DAYS + 1)


def test_nobody_but_a_cs_recovers(bench, opened):
    with pytest.raises(NotPermitted):
        recover(bench.clerk("OP-0009"))


@pytest.mark.usefixtures("opened")
def test_who_was_lost_is_entered_with_the_number_he_has(bench, cs):
    assert came_of(cs, kept(moved(9, 7))) == ("entered", [])
    [values] = recorded(bench, code(1))
    assert (values["update_number"], values["removed_flag"], values["reason"]) == (7, False, "31")
    assert told_nation(bench) == [1]


@pytest.mark.usefixtures("opened")
def test_who_was_struck_off_is_entered_as_such(bench, cs):
    record = kept(wire(reason="33", update_number=4), removed=True)
    assert came_of(cs, record) == ("entered", [])
    [values] = recorded(bench, code(1))
    assert (values["removed_flag"], values["retention_flag"]) == (True, "1")
    assert came_of(cs, record) == ("same", [])


@pytest.mark.usefixtures("opened")
def test_who_was_struck_off_in_between_is_not_present(bench, cs):
    notify(cs, wire())
    record = kept(wire(reason="33", update_number=4, name="佐藤　一郎"), removed=True)
    assert came_of(cs, record) == ("updated", [])
    there = {"name": "佐藤　一郎", "update_number": 5}
    assert heard(cs, wire(sequence=2, reason="22", **there)) == [(2, "rejected", ["L-07"])]
    assert heard(cs, wire(sequence=3, reason="13", **there)) == [(3, "applied", [])]


@pytest.mark.usefixtures("opened")
def test_a_newer_record_is_put_on_top_of_ours_and_ours_becomes_history(bench, cs):
    notify(cs, wire())
    assert came_of(cs, kept(moved(9, 5))) == ("updated", [])
    assert [values["update_number"] for values in recorded(bench, code(1))] == [1, 5]
    assert heard(cs, moved(10, 6, address="熊本県八代市"))[0][1] == "applied"


@pytest.mark.usefixtures("opened")
def test_newer_data_of_ours_is_never_overwritten(bench, cs):
    notify(cs, wire(), moved(2, 2))
    assert came_of(cs, kept(wire())) == ("newer", [])
    assert recorded(bench, code(1))[-1]["address"] == NEW_ADDRESS


@pytest.mark.usefixtures("opened")
def test_what_differs_under_the_same_number_is_named_and_left(bench, cs):
    notify(cs, wire())
    record = kept(wire(sex="2", address=NEW_ADDRESS), removed=True)
    assert came_of(cs, record) == ("different", ["sex", "address", "removed_flag"])
    assert len(recorded(bench, code(1))) == 1


@pytest.mark.usefixtures("opened")
def test_another_municipalitys_resident_is_not_touched_and_nothing_is_told(bench, cs):
    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(hitoyoshi, to_hitoyoshi(1, 1))
    for record in (kept(wire(update_number=9)), kept(wire(sex="2"))):
        assert came_of(cs, record) == ("elsewhere", ["municipality_code"])
    notify(hitoyoshi, to_hitoyoshi(2, 2, reason="21"))
    assert came_of(cs, kept(wire(update_number=2))) == ("elsewhere", ["municipality_code"])
    assert came_of(cs, kept(wire(update_number=3))) == ("updated", [])


@pytest.mark.usefixtures("opened")
def test_the_general_rules_hold(bench, cs):
    notify(cs, wire())
    taken = {"resident_code": code(2)}
    assert came_of(cs, kept(wire(**taken))) == ("rejected", ["my_number"])
    assert came_of(cs, kept(wire(sex="9"))) == ("rejected", ["sex"])
    assert came_of(cs, kept(wire(resident_code="1"))) == ("rejected", ["resident_code"])
    refused = kept(wire(**taken, my_number=None, name="断る　人"))
    assert came_of(cs, refused) == ("rejected", ["name"])


@pytest.mark.usefixtures("opened")
def test_a_changed_code_is_found_by_the_one_before(bench, cs):
    notify(cs, wire())
    codes = {"resident_code": code(2), "previous_resident_code": code(1)}
    record = kept(wire(update_number=2, reason="41", **codes))
    assert came_of(cs, record) == ("updated", [])
    assert came_of(cs, record) == ("same", [])
    assert len(recorded(bench, code(2))) == 2


@pytest.mark.usefixtures("opened")
def test_the_end_of_the_set_settles_what_was_missing_and_who_waited(bench, cs):
    notify(cs, moved(3, 3), wire(sequence=8, resident_code=code(2), my_number=number(2)))
    answer = recover(cs, kept(wire(sequence=2, update_number=2)), last_sequence=6)
    assert answer["counts"]["entered"] == 1
    assert waits(cs) == []
    assert [values["update_number"] for values in recorded(bench, code(1))] == [2, 3]
    told = cs.ask("update/held", {}).data
    assert (told["missing"], told["last_sequence"]) == ([7], 8)
    assert heard(cs, moved(5, 4, address="熊本県"))[0] == (5, "rejected", ["G-06"])
    assert heard(cs, moved(9, 4, address="熊本県"))[0] == (9, "applied", [])


@pytest.mark.usefixtures("opened")
def test_a_whole_set_again_changes_nothing(bench, cs):
    people = [{"resident_code": code(n), "my_number": number(n)} for n in range(1, 301)]
    records = [kept(wire(sequence=n, **who)) for n, who in enumerate(people, start=1)]
    notify(cs, *(wire(sequence=n, **who) for n, who in enumerate(people[:150], start=1)))
    first = recover(cs, *records, last_sequence=300)
    assert (first["counts"]["same"], first["counts"]["entered"]) == (150, 150)
    again = recover(cs, *records, last_sequence=300)
    assert (again["results"], again["counts"]["same"]) == ([], 300)
    entry = bench.ledger()[-1]
    assert (entry.operation, len(entry.outcomes), len(entry.subjects)) == (
        "update/recover",
        300,
        300,
    )


def changed_code(sequence, update_number, before, after, reason="41"):
    return wire(
        sequence=sequence,
        update_number=update_number,
        reason=reason,
        previous_resident_code=before,
        resident_code=after,
    )


@pytest.mark.usefixtures("opened")
def test_nobody_is_turned_back_to_a_former_code(bench, cs):
    notify(cs, wire(), changed_code(2, 2, code(1), code(50)))
    assert came_of(cs, kept(moved(9, 9))) == ("rejected", ["resident_code"])
    assert recorded(bench, code(50))[-1]["resident_code"] == code(50)
    assert came_of(cs, kept(wire())) == ("newer", [])
    back = kept(changed_code(9, 9, code(50), code(1)))
    assert came_of(cs, back) == ("rejected", ["resident_code"])


@pytest.mark.usefixtures("opened")
def test_a_change_of_code_that_was_taken_back_is_recovered(bench, cs):
    notify(cs, wire(), changed_code(2, 2, code(1), code(50)))
    back = kept(changed_code(9, 3, code(50), code(1), reason="42"))
    assert came_of(cs, back) == ("updated", [])
    assert recorded(bench, code(1))[-1]["resident_code"] == code(1)
