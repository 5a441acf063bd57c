"""The front door: what a municipality sends, what it hears, and what is then in the file."""

from types import SimpleNamespace

import msgspec
import pytest

import plugins.update as update
from appliance.errors import Failed, Malformed, NotPermitted
from appliance.loading import installed
from appliance.model import OperationName
from appliance.operation import Answer, Arguments, Operation
from appliance.plugin_api import hookimpl
from appliance.testing import Bench
from tests.plugins.update.making import (
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
    told_nation,
    waits,
    wire,
)
from tests.simulators.movements import Movements
from tests.simulators.population import Population

# ---- applied ---------------------------------------------------------------------------------


def test_a_notice_becomes_the_latest_version_and_the_old_one_history(bench, cs):
    assert heard(cs, wire(), moved(2, 2)) == [(1, "applied", []), (2, "applied", [])]
    first, latest = recorded(bench, code(1))
    assert (first["address"], latest["address"]) == (wire()["address"], NEW_ADDRESS)
    assert (first["update_number"], latest["update_number"]) == (1, 2)
    assert latest["recorded_at"] == "2026-04-01T01:00:00.000000Z"
    assert latest["notified_on"] == "2026-04-01"


def test_the_day_of_receipt_is_the_day_in_japan(bench, cs):
    bench.now = bench.now.replace(hour=15, minute=30)
    notify(cs, wire())
    assert recorded(bench, code(1))[0]["notified_on"] == "2026-04-02"


@pytest.mark.parametrize("reason", ["21", "22", "23"])
def test_somebody_struck_off_is_kept_and_marked(bench, cs, reason):
    notify(cs, wire(), wire(sequence=2, update_number=2, reason=reason))
    before, latest = recorded(bench, code(1))
    assert (before["removed_flag"], before["retention_flag"]) == (False, "0")
    assert (latest["removed_flag"], latest["retention_flag"]) == (True, "1")
    assert latest["name"] == wire()["name"]


def test_r25_every_applied_change_is_told_and_no_other(bench, cs):
    notify(cs, wire(), wire(sequence=2, reason="12"), moved(3, 2), moved(4, 9))
    assert told_nation(bench) == [1, 2]


def test_the_national_relay_puts_every_change_in_the_outbox(tmp_path):
    plugins = installed(("update", "national_relay"))
    with Bench.open(tmp_path / "relayed", plugins) as bench:
        notify(bench.municipality(YATSUSHIRO), wire(), moved(2, 2))
        assert told_nation(bench) == [1, 2]


# ---- refused ---------------------------------------------------------------------------------


def test_r30_somebody_who_is_present_cannot_move_in(bench, cs):
    notify(cs, wire())
    assert heard(cs, wire(sequence=2, update_number=2)) == [(2, "rejected", ["L-01"])]
    assert len(recorded(bench, code(1))) == 1


def test_r31_a_move_changes_nothing_but_the_address(bench, cs):
    notify(cs, wire())
    assert heard(cs, moved(2, 2, sex="2")) == [(2, "rejected", ["L-10"])]
    assert recorded(bench, code(1))[-1]["sex"] == "1"


def test_a_bad_notice_among_good_ones_is_refused_alone(bench, cs):
    others = [wire(sequence=n, resident_code=code(n), my_number=number(n)) for n in range(1, 4)]
    others[1]["sex"] = "9"
    answers = heard(cs, *others)
    assert answers == [(1, "applied", []), (2, "rejected", ["G-05"]), (3, "applied", [])]
    assert [bool(recorded(bench, code(n))) for n in range(1, 4)] == [True, False, True]


def test_all_that_is_wrong_with_a_notice_is_told_together(cs):
    notify(cs, wire())
    answers = heard(cs, moved(2, 2, sex="9", kana="さとう", municipality_code=HITOYOSHI))
    assert answers == [(2, "rejected", ["G-03", "G-05", "L-10", "L-10"])]


def test_what_is_told_names_item_and_rule_and_never_a_value(cs):
    notify(cs, wire())
    [result] = notify(cs, moved(2, 2, sex="9", name="鈴木　花子"))["results"]
    for problem in result["problems"]:
        assert problem["item"] in wire()
        assert not any(str(value) in problem["text"] for value in ("鈴木", "9", NEW_ADDRESS))


def test_an_alert_is_told_and_the_notice_applied(bench, cs):
    notify(cs, wire())
    assert heard(cs, wire(sequence=2, update_number=2, reason="31")) == [(2, "applied", ["L-12"])]
    assert len(recorded(bench, code(1))) == 2


def test_the_correction_comes_with_a_new_sequence_and_the_same_update_number(cs):
    notify(cs, wire())
    assert heard(cs, moved(2, 2, sex="2")) == [(2, "rejected", ["L-10"])]
    assert heard(cs, moved(3, 2)) == [(3, "applied", [])]


def test_a_number_that_was_ever_anothers_is_refused_l_30(cs):
    suzuki = {"resident_code": code(2), "name": "鈴木　花子", "kana": None}
    notify(cs, wire(), wire(sequence=2, reason="21", update_number=2))
    # Sato comes back with a new 個人番号; nobody else may ever have the old one.
    back = wire(sequence=3, update_number=3, my_number=number(7))
    answers = heard(cs, back, wire(sequence=4, **suzuki), wire(sequence=5, sex="9", **suzuki))
    assert answers[0] == (3, "applied", [])
    assert answers[1] == (4, "rejected", ["L-30"])
    assert answers[2] == (5, "rejected", ["G-05"])
    assert heard(cs, wire(sequence=6, **suzuki, my_number=number(8))) == [(6, "applied", [])]


def test_a_wrong_resident_code_is_nobodys(bench, cs):
    wrong = "12345678901"
    assert heard(cs, wire(resident_code=wrong)) == [(1, "rejected", ["G-01"])]
    assert recorded(bench, wrong) == []


# ---- states that only time or history tells --------------------------------------------------


def test_who_is_moving_out_can_still_die_here(bench, cs):
    notify(cs, wire(), moving_out())
    assert heard(cs, wire(sequence=3, update_number=3, reason="22")) == [(3, "applied", [])]


def test_who_has_moved_out_cannot(bench, cs):
    notify(cs, wire(), moving_out())
    bench.now = bench.now.replace(day=15)
    dead = wire(sequence=3, update_number=3, reason="22", effective_date="2026-04-10")
    assert heard(cs, dead) == [(3, "rejected", ["L-07"])]


def test_a_correction_of_somebody_struck_off_leaves_them_struck_off(bench, cs):
    notify(cs, wire(), wire(sequence=2, update_number=2, reason="22"))
    corrected = [
        wire(sequence=n, update_number=n, reason="33", name=name)
        for n, name in ((3, "佐藤　二郎"), (4, "佐藤　三郎"))
    ]
    assert heard(cs, *corrected) == [(3, "applied", ["L-09"]), (4, "applied", ["L-09"])]
    latest = recorded(bench, code(1))[-1]
    assert (latest["removed_flag"], latest["retention_flag"]) == (True, "1")
    back = wire(sequence=5, update_number=5, name="佐藤　三郎")
    assert heard(cs, back) == [(5, "rejected", ["L-02"])]


def test_a_correction_does_not_make_a_planned_day_come(cs):
    notify(cs, wire(), moving_out())
    notify(cs, wire(sequence=3, update_number=3, reason="33", name="佐藤　二郎"))
    dead = wire(sequence=4, update_number=4, reason="22", name="佐藤　二郎")
    assert heard(cs, dead) == [(4, "applied", [])]


def test_g_10_and_l_03_a_code_that_was_replaced(tmp_path):
    with Bench.open(tmp_path / "a", {"update": update, "recoding": RECODING}) as bench:
        cs = bench.municipality(YATSUSHIRO)
        notify(cs, wire())
        bench.clerk().ask(
            "test/recode", {"old": code(1), "new": code(2)}, purpose="all", reason="01"
        )
        answers = heard(cs, wire(sequence=2, update_number=2), moved(3, 2))
        assert answers == [(2, "rejected", ["L-03"]), (3, "rejected", ["G-10"])]
        assert heard(cs, moved(4, 2, resident_code=code(2))) == [(4, "applied", [])]


# ---- whole or nothing ------------------------------------------------------------------------


def test_a_change_that_is_refused_on_its_way_leaves_nothing_and_the_others_stand(bench, cs):
    others = [
        wire(sequence=n, resident_code=code(n), my_number=number(n), name=name)
        for n, name in enumerate(["一　人", "断る　人", "黙って断る　人", "四　人"], start=1)
    ]
    answers = heard(cs, *others)
    assert answers == [
        (1, "applied", []),
        (2, "rejected", ["X-01"]),
        (3, "rejected", [""]),
        (4, "applied", []),
    ]
    assert [bool(recorded(bench, code(n))) for n in range(1, 5)] == [True, False, False, True]
    assert len(told_nation(bench)) == 2
    # The 個人番号 of the refused one is nobody's.
    free = wire(sequence=5, resident_code=code(9), my_number=number(2))
    assert heard(cs, free) == [(5, "applied", [])]


def test_a_held_notice_that_is_refused_on_its_way_stays_in_sight(bench, cs):
    renamed = wire(sequence=2, update_number=2, reason="33", name="断る　人")
    assert heard(cs, renamed, wire()) == [(2, "held", ["G-06"]), (1, "applied", [])]
    assert waits(cs) == [(2, ["X-01"])]
    assert len(recorded(bench, code(1))) == 1


def test_a_fault_in_the_middle_undoes_the_batch_and_it_can_be_sent_again(bench, cs, caplog):
    broken = wire(sequence=2, resident_code=code(2), my_number=number(2), name="壊す　人")
    with pytest.raises(Failed):
        notify(cs, wire(), broken, key="the-same-idempotency-key")
    assert recorded(bench, code(1)) == []
    assert told_nation(bench) == []
    assert cs.ask("update/held", {}).data["last_sequence"] == 0
    assert heard(cs, wire()) == [(1, "applied", [])]


def test_the_same_batch_again_gets_the_same_answer(bench, cs):
    first = notify(cs, wire(), moved(3, 3), key="the-same-idempotency-key")
    again = notify(cs, wire(), moved(3, 3), key="the-same-idempotency-key")
    assert again == first
    assert len(recorded(bench, code(1))) == 1


# ---- the ledger and the rights ---------------------------------------------------------------


def test_the_ledger_lists_what_became_of_each_notice(bench, cs):
    notify(cs, wire(), moved(2, 2, sex="9"), wire())
    entry = bench.ledger()[-1]
    assert entry.operation == "update/notify"
    assert entry.outcomes == ((1, "applied", ""), (2, "rejected", "G-05"), (1, "duplicate", ""))
    assert len(entry.subjects) == 1


def test_a_lost_batch_that_releases_thousands_fits_in_the_ledger(bench, cs):
    people = [{"resident_code": code(n), "my_number": number(n)} for n in range(1, 1001)]
    for version in (2, 3, 4):
        first = version * 1000 - 999
        address = {"address": f"熊本県八代市{version}番"}
        late = [moved(first + n, version, **{**who, **address}) for n, who in enumerate(people)]
        assert {outcome for _, outcome, _ in heard(cs, *late)} == {"held"}
    lost = [wire(sequence=n, **who) for n, who in enumerate(people, start=1)]
    assert {outcome for _, outcome, _ in heard(cs, *lost)} == {"applied"}
    assert waits(cs) == []
    assert len(recorded(bench, code(1000))) == 4


def test_a_thousand_notices_are_a_batch_and_one_more_is_not(bench, cs):
    many = [wire(sequence=n, resident_code=code(n), my_number=number(n)) for n in range(1, 1002)]
    with pytest.raises(Malformed):
        notify(cs, *many)
    assert {outcome for _, outcome, _ in heard(cs, *many[:1000])} == {"applied"}


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": "1"},
        {"sequence": 0},
        {"update_number": 0},
        {"name": None},
        {"sex": 1},
        {"honseki": "熊本県"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_r36_a_notice_of_another_form_makes_the_batch_malformed(cs, change):
    with pytest.raises(Malformed):
        notify(cs, wire(**change))
    assert cs.ask("update/held", {}).data["last_sequence"] == 0


def test_r35_nobody_but_a_cs_notifies(bench):
    clerk = bench.clerk()
    for operation, body in (("update/notify", {"notifications": []}), ("update/held", {})):
        with pytest.raises(NotPermitted):
            clerk.ask(operation, body)


def test_no_notice_is_judged_while_items_are_withheld(tmp_path):
    protector = SimpleNamespace(
        withhold=hookimpl(lambda actor, request: frozenset({"address"}), specname="withhold")
    )
    with Bench.open(tmp_path / "a", {"update": update, "protector": protector}) as bench:
        cs = bench.municipality(YATSUSHIRO)
        notify(cs, wire())
        with pytest.raises(NotPermitted):
            notify(cs, moved(2, 2))


# ---- a whole stream --------------------------------------------------------------------------


@pytest.mark.parametrize("sender", [YATSUSHIRO, KUMAMOTO])
def test_a_generated_stream_is_answered_as_its_maker_expects(bench, sender):
    population = Population(3, sender, 800)
    cs = bench.municipality(sender)
    residents = [msgspec.to_builtins(notice) for notice in population.notices()]
    assert {tuple(map(str, answer[1:])) for answer in heard(cs, *residents)} == {("applied", "[]")}
    lines = list(Movements(population, 3, 250, 0.2).lines())
    for start in range(0, len(lines), 50):
        batch = lines[start : start + 50]
        answers = heard(cs, *(msgspec.to_builtins(line.notice) for line in batch))
        for line, (_, outcome, rules) in zip(batch, answers, strict=True):
            assert outcome == line.expected.outcome, line.fault
            assert (line.expected.rule in rules) if line.expected.rule else not rules, line.fault
    assert cs.ask("update/held", {}).data["held"] == []


# ---- what the tests need ---------------------------------------------------------------------


class Recode(Arguments, frozen=True, kw_only=True):
    old: str
    new: str


def _recode(case, asked):
    items = list(case.grant.items)
    person = case.registry.by_code(asked.old)
    resident = case.registry.read(person, items)
    values = {**resident.values, "resident_code": asked.new}
    case.registry.save(person, values, seen=resident.version)
    return Answer()


RECODING = SimpleNamespace(
    operations=hookimpl(
        lambda: [
            Operation(
                name=OperationName("test/recode"),
                summary="Give somebody another 住民票コード",
                asks=Recode,
                answers=Answer,
                handler=_recode,
                changes=True,
                drops=("old", "new"),
            )
        ],
        specname="operations",
    )
)
