"""What comes twice, too early or not at all, from one municipality and from several."""

from appliance.model import TerminalKind
from plugins.update import order
from tests.plugins.update.making import (
    CHUO_WARD,
    HIGASHI_WARD,
    HITOYOSHI,
    KUMAMOTO,
    NEW_ADDRESS,
    YATSUSHIRO,
    code,
    heard,
    moved,
    moving_out,
    notify,
    number,
    recorded,
    to_hitoyoshi,
    told_nation,
    waits,
    wire,
)

# ---- order -----------------------------------------------------------------------------------


def test_a_gap_holds_up_nobody_but_the_person_it_is_about(bench, cs):
    notify(cs, wire())
    suzuki = wire(sequence=4, resident_code=code(2), my_number=number(2))
    answer = notify(cs, moved(3, 3, address="熊本県八代市"), suzuki)
    assert [result["outcome"] for result in answer["results"]] == ["held", "applied"]
    assert answer["missing"] == [2]
    assert waits(cs) == [(3, ["G-06"])]


def test_the_missing_notice_releases_the_one_that_waits(bench, cs):
    notify(cs, wire(), moved(3, 3, address="熊本県八代市"))
    assert heard(cs, moved(2, 2)) == [(2, "applied", [])]
    assert [values["address"] for values in recorded(bench, code(1))[1:]] == [
        NEW_ADDRESS,
        "熊本県八代市",
    ]
    assert waits(cs) == []
    assert notify(cs)["missing"] == []
    assert told_nation(bench) == [1, 2, 3]


def test_a_whole_chain_is_released_by_its_first(bench, cs):
    late = [moved(n, n, address=f"熊本県八代市{n}番") for n in range(5, 1, -1)]
    answers = heard(cs, *late, wire())
    assert [outcome for _, outcome, _ in answers] == ["held"] * 4 + ["applied"]
    assert [values["update_number"] for values in recorded(bench, code(1))] == [1, 2, 3, 4, 5]
    entry = bench.ledger()[-1]
    assert (len(entry.outcomes), entry.note) == (5, "released 4")


def test_only_what_follows_is_released(bench, cs):
    notify(cs, moved(2, 2), moved(4, 4, address="熊本県"), wire())
    assert [values["update_number"] for values in recorded(bench, code(1))] == [1, 2]
    assert waits(cs) == [(4, ["G-06"])]


def test_a_held_notice_counts_from_the_day_it_came(bench, cs):
    notify(cs, moved(2, 2))
    bench.now = bench.now.replace(day=5)
    notify(cs, wire())
    first, second = recorded(bench, code(1))
    assert (first["notified_on"], second["notified_on"]) == ("2026-04-05", "2026-04-01")
    assert second["recorded_at"].startswith("2026-04-05")


def test_what_waits_is_told_with_since_when(cs):
    notify(cs, moved(3, 2))
    answer = cs.ask("update/held", {}).data
    [held] = answer["held"]
    assert held["since"] == "2026-04-01T01:00:00+00:00"
    assert held["problems"][0]["item"] == "update_number"
    assert (answer["missing"], answer["last_sequence"]) == ([1, 2], 3)


def test_a_faulty_notice_is_refused_at_once_even_in_a_gap(cs):
    assert heard(cs, moved(2, 2, sex="9")) == [(2, "rejected", ["G-05", "G-06"])]
    assert waits(cs) == []


def test_a_held_notice_that_turns_out_wrong_stays_in_sight_until_a_right_one_comes(cs):
    notify(cs, wire(), moved(3, 3, sex="2", address="熊本県八代市"), moved(2, 2))
    assert waits(cs) == [(3, ["L-10"])]
    assert heard(cs, moved(4, 3, address="熊本県八代市")) == [(4, "applied", [])]
    assert waits(cs) == []


def test_a_right_one_may_take_the_place_of_a_wrong_one_while_both_wait(bench, cs):
    notify(cs, wire(), moved(3, 3, sex="2", address="熊本県八代市"), moved(2, 2))
    notify(cs, wire(sequence=4, update_number=3, reason="21", address=NEW_ADDRESS))
    assert waits(cs) == []
    assert [values["update_number"] for values in recorded(bench, code(1))] == [1, 2, 3]


def test_a_version_waits_once(cs):
    answers = heard(cs, moved(2, 2), moved(3, 2, address="熊本県八代市"))
    assert answers == [(2, "held", ["G-06"]), (3, "rejected", ["G-06"])]


def test_an_update_number_that_is_used_is_refused(cs):
    notify(cs, wire(), moved(2, 2))
    assert heard(cs, moved(3, 2, address="熊本県八代市")) == [(3, "rejected", ["G-06"])]


def test_a_used_update_number_does_not_hide_what_the_state_says(cs):
    notify(cs, wire())
    assert heard(cs, wire(sequence=2)) == [(2, "rejected", ["G-06", "L-01"])]


def test_a_used_update_number_of_an_unknown_reason(cs):
    notify(cs, wire())
    assert heard(cs, wire(sequence=2, reason="99")) == [(2, "rejected", ["G-11", "G-06"])]


def test_the_same_notice_again_is_a_duplicate_whatever_became_of_it(bench, cs):
    notices = [wire(), moved(2, 2, sex="2"), moved(3, 3)]
    assert [outcome for _, outcome, _ in heard(cs, *notices)] == ["applied", "rejected", "held"]
    assert heard(cs, *notices) == [(n, "duplicate", []) for n in (1, 2, 3)]
    assert len(recorded(bench, code(1))) == 1


def test_a_sequence_number_used_for_something_else_is_refused(bench, cs):
    notify(cs, wire())
    assert heard(cs, wire(sex="2"), wire(sex="2")) == [(1, "rejected", ["G-06"])] * 2
    assert recorded(bench, code(1))[-1]["sex"] == "1"


def test_at_most_a_hundred_missing_numbers_are_told(cs):
    assert notify(cs, wire(sequence=500))["missing"] == list(range(1, 101))


def test_a_number_beyond_too_many_gaps_is_not_used_up(monkeypatch, cs):
    monkeypatch.setattr(order, "MOST_GAPS", 1)
    notify(cs, wire(sequence=2))
    suzuki = wire(sequence=4, resident_code=code(2), my_number=number(2))
    assert heard(cs, suzuki) == [(4, "rejected", ["G-06"])]
    monkeypatch.undo()
    assert heard(cs, suzuki) == [(4, "applied", [])]


# ---- several municipalities ------------------------------------------------------------------


def test_a_moving_in_that_overtakes_the_moving_out_waits_for_it(bench, cs):
    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(cs, wire())
    assert heard(hitoyoshi, to_hitoyoshi(1, 3)) == [(1, "held", ["G-06"])]
    assert waits(hitoyoshi) == [(1, ["G-06"])]
    assert waits(cs) == []
    assert heard(cs, wire(sequence=2, update_number=2, reason="21")) == [(2, "applied", [])]
    assert waits(hitoyoshi) == []
    places = [values["municipality_code"] for values in recorded(bench, code(1))]
    assert places == [YATSUSHIRO, YATSUSHIRO, HITOYOSHI]


def test_a_moving_in_with_the_number_of_the_moving_out_is_shown_until_it_is_corrected(bench, cs):
    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(cs, wire())
    assert heard(hitoyoshi, to_hitoyoshi(1, 2)) == [(1, "held", ["G-06"])]
    notify(cs, wire(sequence=2, update_number=2, reason="21"))
    assert waits(hitoyoshi) == [(1, ["G-06"])]
    assert heard(hitoyoshi, to_hitoyoshi(2, 3)) == [(2, "applied", [])]
    assert waits(hitoyoshi) == []


def test_it_waits_on_while_something_else_changes_there(bench, cs):
    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(cs, wire())
    notify(hitoyoshi, to_hitoyoshi(1, 3))
    notify(cs, moved(2, 2))
    assert waits(hitoyoshi) == [(1, ["G-06"])]
    notify(cs, wire(sequence=3, update_number=3, reason="21", address=NEW_ADDRESS))
    assert waits(hitoyoshi) == [(1, ["G-06"])]
    notify(cs, wire(sequence=4, update_number=4, reason="13", address=NEW_ADDRESS))
    assert waits(hitoyoshi) == [(1, ["G-06"])]
    notify(cs, moved(5, 5, address="熊本県八代市"))
    assert waits(hitoyoshi) == [(1, ["G-06"])]


def test_a_second_wrong_notice_takes_the_place_of_the_first_in_the_list(bench, cs):
    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(cs, wire())
    notify(hitoyoshi, to_hitoyoshi(1, 2))
    notify(cs, moved(2, 2))
    assert waits(hitoyoshi) == [(1, ["G-06"])]
    assert heard(hitoyoshi, to_hitoyoshi(2, 3)) == [(2, "held", ["G-06"])]
    assert waits(hitoyoshi) == [(1, ["G-06"]), (2, ["G-06"])]


def test_a_moving_in_before_the_planned_day_need_not_wait(bench, cs):
    notify(cs, wire(), moving_out())
    hitoyoshi = bench.municipality(HITOYOSHI)
    assert heard(hitoyoshi, to_hitoyoshi(1, 3)) == [(1, "applied", [])]


def test_nobody_corrects_another_municipalitys_resident(bench, cs):
    notify(cs, wire())
    answers = heard(
        bench.municipality(HITOYOSHI),
        to_hitoyoshi(1, 2, reason="31"),
        to_hitoyoshi(2, 2, reason="22"),
        wire(sequence=3, update_number=2, reason="21"),
    )
    assert answers[0] == (1, "rejected", ["L-11"])
    assert answers[1] == (2, "rejected", ["L-11"])
    assert answers[2] == (3, "rejected", ["G-03", "L-11"])


def test_the_sequence_belongs_to_the_municipality_not_to_its_certificate(bench, cs):
    notify(cs, wire())
    renewed = bench.seat("CS-NEW", kind=TerminalKind.MUNICIPALITY, municipality_code=YATSUSHIRO)
    assert heard(renewed, wire()) == [(1, "duplicate", [])]
    hitoyoshi = bench.municipality(HITOYOSHI)
    assert heard(hitoyoshi, to_hitoyoshi(1, 1, resident_code=code(2), my_number=None)) == [
        (1, "applied", [])
    ]


def test_a_city_sends_for_its_wards_with_one_sequence(bench):
    city = bench.municipality(KUMAMOTO)
    answers = heard(
        city,
        wire(municipality_code=CHUO_WARD),
        wire(
            sequence=2,
            resident_code=code(2),
            my_number=number(2),
            municipality_code=HIGASHI_WARD,
        ),
        moved(3, 2, municipality_code=HIGASHI_WARD),
    )
    assert answers == [(n, "applied", []) for n in (1, 2, 3)]
    assert recorded(bench, code(1))[-1]["municipality_code"] == HIGASHI_WARD
