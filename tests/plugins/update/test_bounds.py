"""What a municipality cannot do to the others: make them wait, or read what is theirs."""

import pytest

from appliance.errors import Malformed
from appliance.values.characters import composed, outsiders
from plugins.update import batch, clashes
from tests.plugins.update.making import (
    HITOYOSHI,
    NEW_ADDRESS,
    code,
    heard,
    moved,
    moving_out,
    notify,
    number,
    recorded,
    to_hitoyoshi,
    waits,
    wire,
)

LONGEST = {
    "resident_code": 32,
    "previous_resident_code": 32,
    "name": 1000,
    "kana": 1000,
    "birth_date": 32,
    "birth_date_as_written": 200,
    "sex": 32,
    "address": 2000,
    "my_number": 32,
    "reason": 32,
    "effective_date": 32,
    "municipality_code": 32,
    "town_code": 32,
}


def test_every_text_of_a_notice_has_a_limit():
    assert {item for item, value in wire().items() if not isinstance(value, int)} == set(LONGEST)


@pytest.mark.parametrize("item", LONGEST)
def test_a_text_beyond_its_limit_is_malformed_and_within_it_is_judged_alone(cs, item):
    assert notify(cs, wire(**{item: "9" * LONGEST[item]}))["results"][0]["outcome"] == "rejected"
    with pytest.raises(Malformed) as refusal:
        notify(cs, wire(sequence=2, **{item: "9" * (LONGEST[item] + 1)}))
    assert item in refusal.value.text


@pytest.mark.parametrize("mark", ["\u0301", "\u3099"], ids=["U+0301", "U+3099"])
def test_a_heap_of_combining_marks_is_not_put_in_order_and_is_refused(cs, mark):
    heap = "か" + "\u0316" + mark * 500
    assert composed(heap) == heap
    assert outsiders(heap)
    assert heard(cs, wire(name=heap, kana=heap)) == [(1, "rejected", ["G-09", "G-09"])]


def test_marks_that_names_have_are_put_in_order():
    assert composed("e\u0302\u0323" + "x" * 40) == "\u1ec7" + "x" * 40


# ---- another municipality's residents --------------------------------------------------------


def _same_answer(seat, first, **guesses):
    """Send one guess after another; return the answers without their sequence."""
    notices = [first, *({**first, item: value} for item, value in guesses.items())]
    numbered = [{**each, "sequence": n} for n, each in enumerate(notices, start=1)]
    return {(outcome, tuple(rules)) for _, outcome, rules in heard(seat, *numbered)}


@pytest.mark.parametrize("reason", ["12", "13", "21", "22", "23", "31", "32", "33"])
def test_guessing_about_anothers_resident_always_gets_the_same_answer(bench, cs, reason):
    notify(cs, wire())
    answers = _same_answer(
        bench.municipality(HITOYOSHI),
        to_hitoyoshi(1, 2, reason=reason),
        birth_date="1980-05-18",
        sex="2",
        name="鈴木　花子",
        my_number=number(7),
        address="熊本県人吉市２番",
        update_number=1,
    )
    assert answers == {("rejected", ("L-11",))}


@pytest.mark.parametrize("reason", ["21", "22", "23"])
def test_an_entry_by_another_municipality_takes_nobody_over(bench, cs, reason):
    day = "2026-05-01" if reason == "21" else "2026-03-25"
    notify(cs, wire(), wire(sequence=2, update_number=2, reason=reason, effective_date=day))
    taken = to_hitoyoshi(1, 3, reason="13", name="山田　花子", sex="2", my_number=None)
    assert heard(bench.municipality(HITOYOSHI), taken) == [(1, "rejected", ["L-11"])]
    assert len(recorded(bench, code(1))) == 2
    back = wire(sequence=3, update_number=3, reason="13")
    assert heard(cs, back)[0][1] == "applied"


def test_whoever_moved_out_may_be_entered_by_another_municipality(bench, cs):
    notify(cs, wire(), wire(sequence=2, update_number=2, reason="21"))
    assert heard(bench.municipality(HITOYOSHI), to_hitoyoshi(1, 3, reason="13")) == [
        (1, "applied", [])
    ]


def test_a_number_is_compared_only_for_who_would_become_its_holder(bench, cs):
    notify(cs, wire())
    hitoyoshi = bench.municipality(HITOYOSHI)
    probe = to_hitoyoshi(1, 1, resident_code=code(8), reason="33", my_number=number(1))
    free = {**probe, "sequence": 2, "my_number": number(77)}
    late = {**probe, "sequence": 3, "reason": "11", "update_number": 2}
    assert heard(hitoyoshi, probe, free, late) == [
        (1, "rejected", ["L-09"]),
        (2, "rejected", ["L-09"]),
        (3, "held", ["G-06"]),
    ]


def test_after_too_many_clashes_nothing_more_is_compared_that_day(bench, cs, monkeypatch):
    monkeypatch.setattr(clashes, "MOST_IN_A_DAY", 2)
    notify(cs, wire(), moving_out(), wire(sequence=3, resident_code=code(2), my_number=None))
    hitoyoshi = bench.municipality(HITOYOSHI)
    guesses = [to_hitoyoshi(n, 3, birth_date=f"1980-05-0{n}") for n in (1, 2, 3)]
    assert [rules for _, _, rules in heard(hitoyoshi, *guesses)] == [["L-17"], ["L-17"], ["G-13"]]
    right = to_hitoyoshi(4, 3)
    taken = to_hitoyoshi(5, 1, resident_code=code(5), my_number=number(1))
    free = {**taken, "sequence": 6, "my_number": number(6)}
    nobody = {**taken, "sequence": 7, "my_number": None}
    assert heard(hitoyoshi, right, taken, free, nobody) == [
        (4, "rejected", ["G-13"]),
        (5, "rejected", ["G-13"]),
        (6, "rejected", ["G-13"]),
        (7, "applied", []),
    ]
    assert heard(cs, moved(4, 2, resident_code=code(2), my_number=None)) == [(4, "applied", [])]
    bench.now = bench.now.replace(day=2)
    assert heard(hitoyoshi, {**right, "sequence": 8}) == [(8, "applied", [])]


# ---- what waits ------------------------------------------------------------------------------


def test_so_many_wait_about_one_person_and_no_more(cs, monkeypatch):
    monkeypatch.setattr(batch, "MOST_OF_PERSON", 2)
    late = [moved(n, n, address=f"熊本県八代市{n}番") for n in (2, 3, 4)]
    answer = notify(cs, *late)["results"]
    assert [result["outcome"] for result in answer] == ["held", "held", "rejected"]
    assert "欠けている" in answer[2]["problems"][0]["text"]
    other = moved(5, 2, resident_code=code(2), my_number=None)
    assert heard(cs, other) == [(5, "held", ["G-06"])]
    assert heard(cs, wire()) == [(1, "applied", [])]
    assert heard(cs, {**late[2], "sequence": 6}) == [(6, "applied", [])]


def test_so_many_wait_of_one_sender_and_no_more(bench, cs, monkeypatch):
    monkeypatch.setattr(batch, "MOST_OF_SENDER", 1)
    late = [moved(n, 2, resident_code=code(n), my_number=None) for n in (1, 2)]
    assert [outcome for _, outcome, _ in heard(cs, *late)] == ["held", "rejected"]
    elsewhere = to_hitoyoshi(1, 2, resident_code=code(3), my_number=None)
    assert heard(bench.municipality(HITOYOSHI), elsewhere)[0][1] == "held"
    assert heard(cs, wire(sequence=3, my_number=None)) == [(3, "applied", [])]
    assert waits(cs) == []
    assert heard(cs, {**late[1], "sequence": 4}) == [(4, "held", ["G-06"])]


def test_what_waits_is_read_in_pages(cs):
    notify(cs, *(moved(n, 2, resident_code=code(n), my_number=None) for n in (3, 4, 5)))
    page = cs.ask("update/held", {"after": 3, "limit": 1}).data
    assert ([held["sequence"] for held in page["held"]], page["count"]) == ([4], 3)


OTHERS = {
    "nobody": [],
    "present": [wire()],
    "present with more versions": [wire(), moved(2, 2), moved(3, 3, address="熊本県八代市")],
    "moving out": [wire(), moving_out()],
    "struck off": [wire(), wire(sequence=2, update_number=2, reason="23")],
    "dead": [wire(), wire(sequence=2, update_number=2, reason="22")],
    "under another code": [
        wire(),
        wire(
            sequence=2,
            update_number=2,
            reason="41",
            previous_resident_code=code(1),
            resident_code=code(50),
        ),
    ],
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.requirement("R35")
def test_a_moving_in_with_a_later_number_is_held_alike_whoever_it_is(bench, cs, kind):
    notify(cs, *OTHERS[kind])
    hitoyoshi = bench.municipality(HITOYOSHI)
    assert heard(hitoyoshi, to_hitoyoshi(1, 9)) == [(1, "held", ["G-06"])]
    assert waits(hitoyoshi) == [(1, ["G-06"])]


@pytest.mark.parametrize("kind", [kind for kind in OTHERS if kind != "nobody"])
@pytest.mark.parametrize("reason", ["11", "31"])
@pytest.mark.requirement("R35")
def test_a_used_number_tells_nothing_of_another_municipalitys_record(bench, cs, kind, reason):
    notify(cs, *OTHERS[kind])
    [(_, outcome, rules)] = heard(
        bench.municipality(HITOYOSHI), to_hitoyoshi(1, 1, reason=reason, sex="2", name="探　索")
    )
    assert (outcome, rules) == ("rejected", ["G-06" if reason == "11" else "L-11"])


@pytest.mark.parametrize("kind", ["present", "dead", "under another code", "moving out"])
@pytest.mark.requirement("R35")
def test_past_the_limit_no_answer_tells_who_is_known(bench, cs, monkeypatch, kind):
    monkeypatch.setattr(clashes, "MOST_IN_A_DAY", 1)
    notify(cs, *OTHERS[kind])
    hitoyoshi = bench.municipality(HITOYOSHI)
    assert heard(hitoyoshi, to_hitoyoshi(1, 1))[0][2] == ["G-06"]
    tries = [to_hitoyoshi(n, n) for n in (2, 3, 9)]
    strangers = [to_hitoyoshi(n, n, resident_code=code(8)) for n in (12, 13)]
    answers = heard(hitoyoshi, *tries, *strangers)
    assert {(outcome, *rules) for _, outcome, rules in answers} == {("rejected", "G-13")}
    assert waits(hitoyoshi) == []


@pytest.mark.parametrize("kind", ["dead", "under another code"])
@pytest.mark.parametrize("update_number", [1, 3])
@pytest.mark.requirement("R35")
def test_what_the_state_of_another_municipalitys_record_refuses_is_a_clash(
    bench, cs, monkeypatch, kind, update_number
):
    monkeypatch.setattr(clashes, "MOST_IN_A_DAY", 2)
    notify(cs, *OTHERS[kind])
    hitoyoshi = bench.municipality(HITOYOSHI)
    tries = [to_hitoyoshi(n, update_number) for n in (1, 2, 3)]
    rules = [rules for _, _, rules in heard(hitoyoshi, *tries)]
    assert rules[0] == rules[1] != ["G-13"]
    assert rules[2] == ["G-13"]


def test_past_the_limit_whoever_moved_out_is_still_entered(bench, cs, monkeypatch):
    monkeypatch.setattr(clashes, "MOST_IN_A_DAY", 1)
    notify(cs, wire(), moving_out(day="2026-03-25"))
    hitoyoshi = bench.municipality(HITOYOSHI)
    assert heard(hitoyoshi, to_hitoyoshi(1, 1), to_hitoyoshi(2, 3)) == [
        (1, "rejected", ["G-06"]),
        (2, "applied", []),
    ]


def test_what_waits_goes_on_waiting_past_the_limit(bench, cs, monkeypatch):
    monkeypatch.setattr(clashes, "MOST_IN_A_DAY", 1)
    notify(cs, wire())
    hitoyoshi = bench.municipality(HITOYOSHI)
    assert heard(hitoyoshi, to_hitoyoshi(1, 4), to_hitoyoshi(2, 1))[0][1] == "held"
    notify(cs, moved(2, 2))
    assert waits(hitoyoshi) == [(1, ["G-06"])]
    notify(cs, wire(sequence=3, update_number=3, reason="21", address=NEW_ADDRESS))
    assert waits(hitoyoshi) == []
