"""Parts B and H of the founding document, each demand once, by its number.

R23 to R39 are what function 1 does; R96 to R120 are the items of a record, each as it was notified
or as the appliance adds it. R40, the municipality's window, is not ours.
"""

import pytest
from msgspec import json

import plugins.update as update
from appliance.errors import Malformed, NotPermitted, Unidentified
from appliance.items import ITEMS, PROVIDED
from appliance.loading import installed
from appliance.model import TerminalKind
from appliance.testing import Bench
from tests.plugins.update.making import (
    NEW_ADDRESS,
    YATSUSHIRO,
    code,
    heard,
    moved,
    notify,
    number,
    recorded,
    wire,
)

# ---- H: the items of a record ----------------------------------------------------------------

GIVEN = wire(
    name="{gaiji:3:1}藤　太郎",
    name_gaiji_count=1,
    name_gaiji_serial=3,
    kana="サトウ　ジョウジ",
    birth_date="1980-05-00",
    birth_date_as_written="昭和55年5月日不詳",
    address="熊本県八代市{gaiji:2:1}町１番　城下ハイツ２０１",
    address_gaiji_count=1,
    address_gaiji_serial=2,
)
KEPT = {
    "R96": ("resident_code", code(1)),
    "R97": ("name", "{gaiji:3:1}藤　太郎"),
    "R98": ("name_gaiji_count", 1),
    "R99": ("kana", "さとう　じょうじ"),
    "R100": ("birth_date", "1980-05-00"),
    "R101": ("sex", "1"),
    "R102": ("address", "熊本県八代市{gaiji:2:1}町１番　城下ハイツ２０１"),
    "R103": ("address_gaiji_count", 1),
    "R104": ("my_number", number(1)),
    "R105": ("reason", "11"),
    "R106": ("effective_date", "2026-03-20"),
    "R107": ("retention_flag", "0"),
    "R108": ("search_kana", "さとうしようし"),
    "R109": ("municipality_code", YATSUSHIRO),
    "R110": ("town_code", "012000"),
    "R111": ("operator_id", "SYSTEM"),
    "R112": ("terminal_id", "SYSTEM"),
    "R113": ("recorded_at", "2026-04-01T01:00:00.000000Z"),
    "R114": ("notified_on", "2026-04-01"),
    "R115": ("gaiji_flag", True),
    "R116": ("removed_flag", False),
    "R117": ("update_number", 1),
    "R118": ("name_gaiji_serial", 3),
    "R119": ("address_gaiji_serial", 2),
}


@pytest.mark.parametrize(
    ("item", "value"), KEPT.values(), ids=[f"{n}-{item}" for n, (item, _) in KEPT.items()]
)
def test_an_item_of_the_record(bench, cs, item, value):
    notify(cs, GIVEN)
    [values] = recorded(bench, code(1))
    assert values[item] == value


def test_r120_the_file_has_these_24_items_in_this_order():
    assert [item.name for item in ITEMS] == [item for item, _ in KEPT.values()]
    assert 10 <= len(ITEMS) < 50


STRUCK_OFF = {
    "R105": ("reason", "22"),
    "R107": ("retention_flag", "1"),
    "R116": ("removed_flag", True),
}


@pytest.mark.parametrize(
    ("item", "value"),
    STRUCK_OFF.values(),
    ids=[f"{n}-{item}" for n, (item, _) in STRUCK_OFF.items()],
)
def test_an_item_of_somebody_struck_off(bench, cs, item, value):
    notify(cs, wire(), wire(sequence=2, update_number=2, reason="22"))
    assert recorded(bench, code(1))[-1][item] == value


@pytest.mark.parametrize("birth_date", ["0000-00-00", "1943-02-29", "1980-00-00"])
def test_r100_a_birth_date_may_be_unknown_or_in_no_calendar(bench, cs, birth_date):
    notify(cs, wire(birth_date=birth_date))
    assert recorded(bench, code(1))[0]["birth_date"] == birth_date


def test_r104_a_number_may_come_later(bench, cs):
    notify(cs, wire(my_number=None), wire(sequence=2, update_number=2, reason="53"))
    assert [values["my_number"] for values in recorded(bench, code(1))] == [None, number(1)]


def test_r106_a_moving_out_has_its_planned_day(bench, cs):
    leaving = wire(sequence=2, update_number=2, reason="21", effective_date="2026-06-30")
    assert heard(cs, wire(), leaving)[1] == (2, "applied", [])
    assert recorded(bench, code(1))[-1]["effective_date"] == "2026-06-30"


# ---- B: function 1 ---------------------------------------------------------------------------


@pytest.fixture
def relayed(tmp_path):
    with Bench.open(tmp_path / "relayed", installed(("update", "national_relay"))) as opened:
        yield opened


def _fed(bench):
    return bench.national().ask("relay/feed", {}).data["messages"]


def test_r23_and_r24_what_a_municipality_notifies_updates_the_file_and_the_old_is_history(
    bench, cs
):
    assert heard(cs, wire(), moved(2, 2)) == [(1, "applied", []), (2, "applied", [])]
    assert [values["address"] for values in recorded(bench, code(1))] == [
        wire()["address"],
        NEW_ADDRESS,
    ]


def test_r25_and_r26_every_update_is_in_the_outbox_when_it_is_answered(relayed):
    cs = relayed.municipality(YATSUSHIRO)
    notify(cs, wire())
    assert len(_fed(relayed)) == 1
    notify(cs, moved(2, 2), moved(3, 2))
    assert [message["address"] for message in _fed(relayed)] == [wire()["address"], NEW_ADDRESS]


def test_r27_exactly_eight_items_are_forwarded(relayed):
    notify(relayed.municipality(YATSUSHIRO), wire())
    [message] = _fed(relayed)
    assert set(message) == {*PROVIDED, "number", "kind"}
    assert {item: message[item] for item in PROVIDED} == {item: wire()[item] for item in PROVIDED}


def test_r28_people_are_matched_by_their_resident_code_and_nothing_else(bench, cs):
    twin = wire(sequence=2, resident_code=code(2), my_number=number(2))
    renamed = wire(sequence=3, update_number=2, reason="33", name="鈴木　花子", kana=None)
    assert heard(cs, wire(), twin, renamed) == [(n, "applied", []) for n in (1, 2, 3)]
    assert [len(recorded(bench, code(n))) for n in (1, 2)] == [2, 1]


LOGICAL = {
    "R30": (wire(sequence=2, update_number=2), "L-01", "reason"),
    "R31": (moved(2, 2, sex="2"), "L-10", "sex"),
}


@pytest.mark.parametrize(
    ("wrong", "rule", "item"), LOGICAL.values(), ids=[f"R29 {number}" for number in LOGICAL]
)
def test_a_logical_check_makes_an_error_and_changes_nothing(bench, cs, wrong, rule, item):
    notify(cs, wire())
    [result] = notify(cs, wrong)["results"]
    assert result["outcome"] == "rejected"
    assert [(each["rule"], each["item"]) for each in result["problems"]] == [(rule, item)]
    assert len(recorded(bench, code(1))) == 1


FORMAT = {
    "G-01": {"resident_code": "90000000009"},
    "G-02": {"my_number": "900000000000"},
    "G-04": {"effective_date": "2026/03/20"},
    "G-05": {"sex": "9"},
    "G-11": {"reason": "99"},
}


@pytest.mark.parametrize(("rule", "wrong"), FORMAT.items(), ids=[f"R32-{rule}" for rule in FORMAT])
def test_format_and_code_are_checked_here_too(cs, rule, wrong):
    assert heard(cs, wire(**wrong)) == [(1, "rejected", [rule])]


@pytest.mark.parametrize(
    "kind", [kind for kind in TerminalKind if kind is not TerminalKind.MUNICIPALITY]
)
@pytest.mark.requirement("R33", "R35")
def test_a_number_enters_the_file_by_a_municipalitys_server_and_no_other_way(bench, kind):
    seat = bench.clerk() if kind is TerminalKind.REPRESENTATIVE else bench.seat("OTHER", kind)
    for operation, body in (
        ("update/notify", {"notifications": [wire()]}),
        ("update/recover", {"records": []}),
    ):
        with pytest.raises((NotPermitted, Unidentified)):
            seat.ask(operation, body)
    assert recorded(bench, code(1)) == []


@pytest.mark.requirement("R33")
def test_no_operation_but_the_municipalitys_takes_a_number_to_be_stored():
    taking = {
        str(operation.name)
        for operation in update.operations()
        if operation.changes and "my_number" in str(json.schema(operation.asks))
    }
    assert taking == {"update/notify", "update/recover"}


def test_r34_there_is_no_operator(bench, cs):
    notify(cs, wire())
    [values] = recorded(bench, code(1))
    assert (values["operator_id"], values["terminal_id"]) == ("SYSTEM", "SYSTEM")
    entry = bench.ledger()[-1]
    assert (entry.operator, entry.person, entry.terminal) == (None, None, f"CS-{YATSUSHIRO}")


@pytest.mark.parametrize("item", ["honseki", "household", "relationship", "insurance"])
def test_r36_what_the_law_does_not_have_notified_is_not_taken(bench, cs, item):
    with pytest.raises(Malformed):
        notify(cs, wire(**{item: "1"}))
    assert recorded(bench, code(1)) == []


# ---- loads -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "news"),
    [
        ("32", {"address": "熊本県八代市新松江町１番２５号", "town_code": "013000"}),
        ("33", {"kana": "さとう　たろう"}),
    ],
    ids=["R24 住所一括変更", "R24 ふりがな"],
)
def test_a_wave_of_corrections_is_taken_without_a_word(bench, cs, reason, news):
    people = [{"resident_code": code(n), "my_number": number(n)} for n in range(1, 301)]
    notify(cs, *(wire(sequence=n, kana=None, **who) for n, who in enumerate(people, start=1)))
    wave = [
        wire(sequence=300 + n, update_number=2, reason=reason, **{"kana": None, **who, **news})
        for n, who in enumerate(people, start=1)
    ]
    assert {(outcome, *rules) for _, outcome, rules in heard(cs, *wave)} == {("applied",)}
    before, after = recorded(bench, code(300))
    assert {item for item in after if after[item] != before[item]} == {
        *news,
        *({"search_kana"} if "kana" in news else ()),
        "reason",
        "update_number",
    }
