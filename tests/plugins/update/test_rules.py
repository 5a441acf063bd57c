"""The state machine, cell by cell: the rule number is part of the name of every test."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

import plugins.update as update
from plugins.update.notice import DESCRIBING, told
from plugins.update.rules import (
    CODE_CHANGES,
    MOVEMENTS,
    TEXTS,
    State,
    judge,
    judge_state,
    removed_after,
    state_of,
)
from plugins.update.sender import Sender
from plugins.update.verdict import Severity
from tests.plugins.update.making import (
    CHUO_WARD,
    HIGASHI_WARD,
    HITOYOSHI,
    KUMAMOTO,
    SATO,
    TODAY,
    YATSUSHIRO,
    before,
    code,
    notice,
    number,
)

IN_PREFECTURE = frozenset({YATSUSHIRO, HITOYOSHI, KUMAMOTO, CHUO_WARD, HIGASHI_WARD})
OF_YATSUSHIRO = Sender(YATSUSHIRO, frozenset({YATSUSHIRO}), IN_PREFECTURE)
OF_HITOYOSHI = Sender(HITOYOSHI, frozenset({HITOYOSHI}), IN_PREFECTURE)
OF_KUMAMOTO = Sender(KUMAMOTO, frozenset({KUMAMOTO, CHUO_WARD, HIGASHI_WARD}), IN_PREFECTURE)

# What is new in a notice of this reason, so that it is right when the state is.
NEWS = {
    "11": {},
    "12": {"effective_date": SATO["birth_date"]},
    "13": {},
    "21": {},
    "22": {},
    "23": {},
    "31": {"address": "熊本県八代市松江城町２番"},
    "32": {"address": "熊本県八代市松江城町１番２５号　城下ハイツ"},
    "33": {"name": "佐藤　一郎"},
    "41": {"resident_code": code(2), "previous_resident_code": code(1)},
    "42": {"resident_code": code(2), "previous_resident_code": code(1)},
    "51": {"my_number": number(2)},
    "52": {"my_number": number(2)},
    "53": {"my_number": number(2)},
}
REFUSED = {
    "11": {"S1": "L-01", "S4": "L-02", "S9": "L-03"},
    "12": {"S1": "L-04", "P": "L-04", "S2": "L-04", "S3": "L-04", "S4": "L-04", "S9": "G-10"},
    "13": {"S1": "L-05", "S9": "G-10"},
    "21": {"S0": "L-06", "P": "L-06", "S2": "L-06", "S3": "L-06", "S4": "L-06", "S9": "G-10"},
    "22": {"S0": "L-07", "S2": "L-07", "S3": "L-07", "S4": "L-07", "S9": "G-10"},
    "23": {"S0": "L-08", "S2": "L-08", "S3": "L-08", "S4": "L-08", "S9": "G-10"},
    "31": {"S0": "L-09", "P": "L-09", "S2": "L-09", "S3": "L-09", "S4": "L-09", "S9": "G-10"},
    "32": {"S0": "L-09", "P": "L-09", "S2": "L-09", "S3": "L-09", "S4": "L-09", "S9": "G-10"},
    "33": {"S0": "L-09", "S9": "G-10"},
    **{
        reason: {**dict.fromkeys(["S0", "P", "S2", "S3", "S4"], "L-21"), "S9": "G-10"}
        for reason in ("41", "42")
    },
    **{
        reason: {**dict.fromkeys(["S0", "P", "S2", "S3", "S4"], "L-09"), "S9": "G-10"}
        for reason in ("51", "52", "53")
    },
}
WARNED = {
    "13": {"S4": "L-19"},
    "33": {"P": "L-09", "S2": "L-09", "S3": "L-09", "S4": "L-09"},
}
REQUIREMENTS = {"L-01": "-R30", "L-10": "-R31"}

AS_BEFORE = {
    State.UNKNOWN: None,
    State.PRESENT: before(),
    State.MOVING_OUT: before(reason="21", effective_date="2026-05-01"),
    State.MOVED_OUT: before(reason="21"),
    State.STRUCK_OFF: before(reason="23"),
    State.DEAD: before(reason="22"),
    State.REPLACED: before(resident_code=code(99)),
}


def _found(given, known, sender=OF_YATSUSHIRO):
    state = state_of(known, given.known_by, TODAY)
    return {
        (finding.severity.name, finding.problem.rule, finding.problem.item)
        for finding in judge(told(given), known, state, sender)
    }


def _cells():
    for reason in MOVEMENTS:
        for state in State:
            refusal = REFUSED[reason].get(state.value)
            warning = WARNED.get(reason, {}).get(state.value)
            rule = refusal or warning or "ok"
            name = f"{reason}-{state.value}-{rule}{REQUIREMENTS.get(rule, '')}"
            yield pytest.param(reason, state, refusal, warning, id=name)


@pytest.mark.parametrize(("reason", "state", "refusal", "warning"), [*_cells()])
def test_a_reason_in_a_state(reason, state, refusal, warning):
    given = notice(reason=reason, update_number=2, **NEWS[reason])
    expected = set()
    if refusal:
        expected.add(("ERROR", refusal, "reason"))
    if warning:
        expected.add(("ALERT", warning, "reason"))
    known = AS_BEFORE[state]
    if known is not None and reason == "53":
        known = {**known, "my_number": None}
    assert _found(given, known) == expected


@pytest.mark.parametrize("state", [*State], ids=lambda state: state.value)
def test_the_examples_are_in_the_states_they_stand_for(state):
    assert state_of(AS_BEFORE[state], SATO["resident_code"], TODAY) is state


OTHERWISE = {
    "resident_code": code(2),
    "name": "佐藤　花子",
    "name_gaiji_count": 1,
    "kana": "さとう　はなこ",
    "birth_date": "1980-05-00",
    "birth_date_as_written": "昭和55年5月日不詳",
    "sex": "2",
    "address": "熊本県八代市松江城町３番",
    "address_gaiji_count": 1,
    "my_number": number(2),
    "municipality_code": HIGASHI_WARD,
    "town_code": "013000",
    "name_gaiji_serial": 1,
    "address_gaiji_serial": 1,
}
PLACE = {
    "address",
    "address_gaiji_count",
    "address_gaiji_serial",
    "town_code",
    "municipality_code",
}
WRITING = {"name", "name_gaiji_count", "name_gaiji_serial"}
FREE = {
    "11": set(DESCRIBING),
    "13": set(DESCRIBING),
    "21": set(),
    "22": set(),
    "23": set(),
    "31": PLACE,
    "32": PLACE | WRITING,
    "33": PLACE | WRITING | {"kana", "birth_date", "birth_date_as_written", "sex"},
    "41": {"resident_code"},
    "42": {"resident_code"},
    "51": {"my_number"},
    "52": {"my_number"},
}
BROKEN_BY = {
    "21": "L-06",
    "22": "L-07",
    "23": "L-08",
    "31": "L-10",
    "32": "L-13",
    "33": "L-15",
    "41": "L-22",
    "42": "L-22",
    "51": "L-31",
    "52": "L-31",
}


def _changes():
    for reason, free in FREE.items():
        for item in OTHERWISE if reason in CODE_CHANGES else [*OTHERWISE][1:]:
            rule = None if item in free else BROKEN_BY[reason]
            name = f"{reason}-{item}-{rule or 'ok'}{REQUIREMENTS.get(rule, '')}"
            yield pytest.param(reason, item, rule, id=name)


@pytest.mark.parametrize(("reason", "item", "rule"), [*_changes()])
def test_which_items_a_reason_may_change(reason, item, rule):
    known = before(reason="21" if reason in ("11", "13") else "11", municipality_code=CHUO_WARD)
    right = NEWS[reason] if reason[0] in "45" else {}
    news = {"municipality_code": CHUO_WARD, **right, item: OTHERWISE[item]}
    given = notice(reason=reason, update_number=2, **news)
    errors = {found for found in _found(given, known, OF_KUMAMOTO) if found[0] == "ERROR"}
    assert errors == ({("ERROR", rule, item)} if rule else set())


def test_every_item_that_is_not_allowed_is_named():
    given = notice(reason="31", update_number=2, sex="2", name="佐藤　花子", address="熊本県")
    assert _found(given, before()) == {("ERROR", "L-10", "name"), ("ERROR", "L-10", "sex")}


FOREIGN = [
    pytest.param(reason, state, id=f"R35-{reason}-{state.value}-L-11")
    for reason, movement in MOVEMENTS.items()
    for state in State
    if state is not State.UNKNOWN and state not in movement.from_elsewhere
]


@pytest.mark.parametrize(("reason", "state"), FOREIGN)
def test_another_municipalitys_record_is_out_of_reach_whatever_stands_in_it(reason, state):
    same = notice(reason=reason, update_number=2, municipality_code=HITOYOSHI)
    other = notice(reason=reason, update_number=2, **{**OTHERWISE, "municipality_code": HITOYOSHI})
    for given in (same, other):
        found = _found(given, AS_BEFORE[state], OF_HITOYOSHI)
        assert found == {("ERROR", "L-11", "municipality_code")}


def test_only_moving_in_and_an_entry_of_who_moved_out_reach_another_municipalitys_record():
    reach = {reason: row.from_elsewhere for reason, row in MOVEMENTS.items() if row.from_elsewhere}
    assert reach == {"11": frozenset(State), "13": {State.MOVED_OUT}}


UNLIKE = [
    ("S2", {"birth_date": "1980-05-00"}, ("ALERT", "L-17", "resident_code")),
    ("S2", {"sex": "2", "name": "鈴木　花子"}, ("ALERT", "L-17", "resident_code")),
    ("S3", {"birth_date": "1980-05-00"}, ("ALERT", "L-17", "resident_code")),
    ("P", {"name": "鈴木　太郎"}, ("ALERT", "L-17", "resident_code")),
    ("P", {"birth_date": "1980-05-00"}, ("ERROR", "L-17", "resident_code")),
    ("P", {"sex": "2"}, ("ERROR", "L-17", "resident_code")),
    ("S1", {"sex": "2"}, ("WAIT", "L-01", "reason")),
    ("S4", {"sex": "2"}, ("ERROR", "L-02", "reason")),
]


@pytest.mark.parametrize(
    ("state", "changes", "finding"), UNLIKE, ids=[f"{s}-{'-'.join(c)}" for s, c, _ in UNLIKE]
)
def test_moving_in_from_elsewhere_tells_nothing_of_the_items_of_the_record(state, changes, finding):
    given = notice(reason="11", update_number=3, municipality_code=HITOYOSHI, **changes)
    assert _found(given, AS_BEFORE[State(state)], OF_HITOYOSHI) == {finding}


@pytest.mark.parametrize("reason", ["31", "32", "33"])
def test_l_11_is_kept_by_a_move_from_one_ward_of_the_city_to_another(reason):
    given = notice(
        reason=reason,
        update_number=2,
        municipality_code=HIGASHI_WARD,
        address="熊本県熊本市東区１番",
    )
    assert _found(given, before(municipality_code=CHUO_WARD), OF_KUMAMOTO) == set()


def test_l_01_waits_when_the_resident_is_another_municipalitys():
    given = notice(reason="11", update_number=2, municipality_code=HITOYOSHI)
    assert _found(given, before(), OF_HITOYOSHI) == {("WAIT", "L-01", "reason")}


def test_l_12_warns_of_a_move_to_the_same_address():
    given = notice(reason="31", update_number=2)
    assert _found(given, before()) == {("ALERT", "L-12", "address")}


NOTHING_NEW = [("32", "L-14"), ("33", "L-16"), ("51", "L-34"), ("52", "L-34")]


@pytest.mark.parametrize(("reason", "rule"), NOTHING_NEW)
def test_a_correction_corrects_something(reason, rule):
    given = notice(reason=reason, update_number=2)
    assert _found(given, before()) == {("ERROR", rule, "reason")}


@pytest.mark.parametrize("reason", ["11", "13"])
@pytest.mark.parametrize("item", ["name", "birth_date", "sex"])
def test_l_17_warns_of_somebody_who_comes_back_written_otherwise(reason, item):
    given = notice(reason=reason, update_number=3, **{item: OTHERWISE[item]})
    assert _found(given, AS_BEFORE[State.MOVED_OUT]) == {("ALERT", "L-17", item)}


@pytest.mark.parametrize(
    ("reason", "state"), [("11", "P"), ("13", "P"), ("13", "S4")], ids=["11-P", "13-P", "13-S4"]
)
@pytest.mark.parametrize("item", ["birth_date", "sex"])
def test_l_17_refuses_another_person_in_the_place_of_who_died_or_has_not_gone(reason, state, item):
    given = notice(reason=reason, update_number=3, **{item: OTHERWISE[item]})
    assert ("ERROR", "L-17", item) in _found(given, AS_BEFORE[State(state)])


def test_l_20_a_new_code_is_another_one():
    same = {"previous_resident_code": code(1)}
    given = notice(reason="41", update_number=2, **same)
    assert _found(given, before()) == {("ERROR", "L-20", "reason")}


@pytest.mark.parametrize(
    ("reason", "held"), [("51", None), ("52", None), ("53", number(1))], ids=["51", "52", "53"]
)
def test_l_33_a_first_number_is_entered_and_another_one_changed(reason, held):
    given = notice(reason=reason, update_number=2, my_number=number(2))
    assert _found(given, before(my_number=held)) == {("ERROR", "L-33", "reason")}


def test_l_18_warns_of_a_birth_on_another_day():
    given = notice(reason="12", effective_date="1980-05-18")
    assert _found(given, None) == {("ALERT", "L-18", "effective_date")}


def test_an_unknown_reason_breaks_no_rule_of_this_table():
    given = notice(reason="99")
    assert judge(told(given), None, State.UNKNOWN, OF_YATSUSHIRO) == []
    assert judge_state(told(given), None, State.UNKNOWN, OF_YATSUSHIRO) == []


def test_the_state_alone_is_judged_without_comparing():
    given = notice(reason="22", name="佐藤　花子")
    [found] = judge_state(told(given), before(), State.DEAD, OF_YATSUSHIRO)
    assert (found.severity, found.problem.rule) == (Severity.ERROR, "L-07")


def test_somebody_moving_out_is_a_resident_until_the_day():
    known = before(reason="21", effective_date="2026-04-15")
    day = date(2026, 4, 14)
    assert state_of(known, SATO["resident_code"], day) is State.MOVING_OUT
    assert state_of(known, SATO["resident_code"], day + timedelta(1)) is State.MOVED_OUT


@pytest.mark.parametrize("reason", [*MOVEMENTS])
def test_who_is_struck_off_afterwards(reason):
    assert removed_after(reason, before()) is (reason in ("21", "22", "23"))


def test_a_correction_leaves_the_state_as_it_is():
    assert removed_after("33", before(reason="22")) is True
    assert removed_after("33", before()) is False
    assert removed_after("33", None) is False


def test_every_rule_of_the_table_says_what_to_do():
    cells = {cell for row in MOVEMENTS.values() for cell in row.before.values()} - {"ok"}
    named = {rule for row in MOVEMENTS.values() for rule in (row.otherwise, row.unchanged)} - {""}
    assert cells | named <= TEXTS.keys()
    assert all(text.endswith("。") for text in TEXTS.values())


def test_the_readme_lists_every_rule_there_is():
    folder = Path(update.__file__).parent
    listed = {
        rule
        for line in (folder / "README.md").read_text().splitlines()
        if line.startswith(("| L-", "| G-"))
        for rule in line.split("|")[1].split()
    }
    used = {
        rule
        for file in folder.glob("*.py")
        for rule in re.findall(r'"\(?([GL]-[0-9]{2})\)?"', file.read_text())
    } | {cell.strip("()") for row in MOVEMENTS.values() for cell in row.before.values()}
    assert listed == used - {"ok"}
