"""The general checks: every rule broken once, by one thing, and kept by its neighbours."""

import pytest

from appliance.values.identifiers import Municipalities
from plugins.update.checks import CHECKS, examine
from plugins.update.sender import sender_of
from tests.plugins.update.making import (
    HIGASHI_WARD,
    HITOYOSHI,
    KUMAMOTO,
    MINATO_IN_TOKYO,
    SATO,
    TODAY,
    YATSUSHIRO,
    code,
    notice,
    number,
)

MASTER = Municipalities.load()


def _found(sender=YATSUSHIRO, **changes):
    found = examine(notice(**changes), sender_of(sender, MASTER), TODAY)
    return {(finding.problem.rule, finding.problem.item) for finding in found}


def _wrong(digits):
    return digits[:-1] + str((int(digits[-1]) + 5) % 10)


BROKEN = [
    ("G-01", "resident_code", {"resident_code": _wrong(code(1))}),
    ("G-01", "resident_code", {"resident_code": code(1)[:10]}),
    ("G-01", "resident_code", {"resident_code": "１" * 11}),
    ("G-02", "my_number", {"my_number": _wrong(number(1))}),
    ("G-02", "my_number", {"my_number": ""}),
    ("G-03", "municipality_code", {"municipality_code": HITOYOSHI}),
    ("G-04", "birth_date", {"birth_date": "1980-13-40"}),
    ("G-04", "birth_date", {"birth_date": "1980/05/17"}),
    ("G-04", "birth_date", {"birth_date": "1980-00-17"}),
    ("G-04", "effective_date", {"effective_date": "20260320"}),
    ("G-04", "effective_date", {"effective_date": "2026-02-29"}),
    ("G-04", "effective_date", {"effective_date": "2026-04-02"}),
    ("G-04", "effective_date", {"effective_date": "2026-05-00"}),
    ("G-04", "effective_date", {"effective_date": "1980-05-16"}),
    ("G-04", "effective_date", {"effective_date": "1979-00-00"}),
    ("G-05", "sex", {"sex": "9"}),
    ("G-05", "sex", {"sex": "男"}),
    ("G-07", "name", {"name": ""}),
    ("G-07", "name", {"name": "　"}),
    ("G-07", "address", {"address": " "}),
    ("G-07", "kana", {"kana": ""}),
    ("G-07", "birth_date_as_written", {"birth_date_as_written": ""}),
    ("G-07", "town_code", {"town_code": "12"}),
    ("G-07", "town_code", {"town_code": "０１２０００"}),
    ("G-08", "name_gaiji_count", {"name_gaiji_count": 1}),
    ("G-08", "name_gaiji_count", {"name_gaiji_count": -1}),
    ("G-08", "address_gaiji_count", {"address": "熊本県{gaiji:0:1}町"}),
    ("G-08", "name_gaiji_serial", {"name": "{gaiji:2:1}藤", "name_gaiji_count": 1}),
    ("G-08", "name_gaiji_serial", {"name": "{gaiji:0:2}藤", "name_gaiji_count": 1}),
    ("G-08", "name_gaiji_serial", {"name_gaiji_serial": -1}),
    ("G-08", "address_gaiji_serial", {"address": "熊本県{gaiji:1:1}", "address_gaiji_count": 1}),
    ("G-09", "name", {"name": "佐藤　😀"}),
    ("G-09", "name", {"name": "佐藤{gaiji:1}"}),
    ("G-09", "name", {"name": "佐藤\n太郎"}),
    ("G-09", "name", {"name": "佐" * 201}),
    ("G-09", "address", {"address": "熊本県🏠"}),
    ("G-09", "address", {"address": "熊" * 401}),
    ("G-09", "kana", {"kana": "さとう😀"}),
    ("G-09", "kana", {"kana": "さ" * 201}),
    ("G-09", "birth_date_as_written", {"birth_date_as_written": "昭和😀"}),
    ("G-09", "birth_date_as_written", {"birth_date_as_written": "昭" * 41}),
    ("G-11", "reason", {"reason": "99"}),
    ("G-07", "previous_resident_code", {"reason": "41"}),
    ("G-07", "previous_resident_code", {"reason": "42"}),
    ("G-07", "my_number", {"reason": "51", "my_number": None}),
    ("G-07", "my_number", {"reason": "53", "my_number": None}),
    ("G-11", "previous_resident_code", {"previous_resident_code": code(2)}),
]


@pytest.mark.parametrize(
    ("rule", "item", "changes"),
    BROKEN,
    ids=[f"{rule}-{item}-{at}" for at, (rule, item, _) in enumerate(BROKEN)],
)
def test_a_rule_that_is_broken(rule, item, changes):
    assert _found(**changes) == {(rule, item)}


KEPT = [
    ("G-01", {"previous_resident_code": SATO["resident_code"]}),
    ("G-02", {"my_number": None}),
    ("G-04", {"birth_date": "1943-02-29"}),
    ("G-04", {"birth_date": "0000-00-00", "birth_date_as_written": "生年月日不詳"}),
    ("G-04", {"birth_date": "1980-05-00"}),
    ("G-04", {"birth_date": "2026-00-00"}),
    ("G-04", {"effective_date": "2026-04-01"}),
    ("G-04", {"effective_date": "2026-04-00"}),
    ("G-04", {"effective_date": "0000-00-00"}),
    ("G-04", {"effective_date": "1980-05-00"}),
    ("G-04", {"effective_date": "2027-04-01", "reason": "21"}),
    ("G-05", {"sex": "0"}),
    ("G-05", {"sex": "2"}),
    ("G-07", {"kana": None, "town_code": None}),
    (
        "G-08",
        {
            "name": "{gaiji:3:1}藤　{gaiji:3:2}",
            "name_gaiji_count": 2,
            "name_gaiji_serial": 3,
            "address": "熊本県{gaiji:1:1}",
            "address_gaiji_count": 1,
            "address_gaiji_serial": 1,
        },
    ),
    ("G-08", {"name_gaiji_serial": 4}),
    ("G-09", {"name": "SMITH JOHN PAUL", "kana": None}),
    ("G-09", {"name": "葛\U000e0102城　𠮷郎", "kana": "ﾜﾀﾅﾍﾞ ﾖｼﾛｳ"}),
    ("G-09", {"name": "佐" * 200, "address": "熊" * 400}),
    ("G-11", {"reason": "33"}),
    ("G-11", {"reason": "41", "previous_resident_code": code(2)}),
    ("G-11", {"reason": "51"}),
]


@pytest.mark.parametrize(
    ("rule", "changes"), KEPT, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(KEPT)]
)
def test_a_rule_that_is_kept(rule, changes):
    assert _found(**changes) == set()


def test_g_01_of_a_previous_code_that_is_none():
    assert _found(previous_resident_code="123") == {
        ("G-01", "previous_resident_code"),
        ("G-11", "previous_resident_code"),
    }


@pytest.mark.parametrize("item", ["resident_code", "birth_date", "sex", "effective_date"])
def test_g_07_stands_beside_the_rule_about_the_form(item):
    assert ("G-07", item) in _found(**{item: ""})


def test_g_03_a_city_sends_for_its_wards():
    assert _found(KUMAMOTO, municipality_code=HIGASHI_WARD) == set()
    assert _found(KUMAMOTO, municipality_code=KUMAMOTO) == set()
    assert _found(HIGASHI_WARD, municipality_code=KUMAMOTO) == {("G-03", "municipality_code")}


@pytest.mark.parametrize("elsewhere", [MINATO_IN_TOKYO, "430005", "439999", ""])
def test_g_12_no_municipality_of_the_prefecture(elsewhere):
    found = _found(municipality_code=elsewhere)
    assert {("G-03", "municipality_code"), ("G-12", "municipality_code")} <= found


def test_a_birth_that_is_still_to_come_is_g_04_twice():
    assert _found(birth_date="2026-04-02") == {("G-04", "birth_date"), ("G-04", "effective_date")}


def test_everything_wrong_is_told_at_once():
    found = _found(resident_code="1", my_number="1", sex="9", name="", municipality_code=HITOYOSHI)
    assert {rule for rule, _ in found} == {"G-01", "G-02", "G-03", "G-05", "G-07"}


def test_every_check_says_what_to_do_in_a_sentence():
    assert all(check.text.endswith("。") for check in CHECKS)
