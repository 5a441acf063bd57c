from datetime import date

import pytest

from appliance.errors import Malformed
from appliance.finding import Hit, Why
from appliance.items import ItemName, Value
from appliance.standing import Standing
from appliance.values.identifiers import my_number_from, resident_code_from
from plugins.provision.match import By, Four, Meant, key_of, same, settled
from storage.engine import PersonId

HERE, ELSEWHERE, STRUCK_OFF = Standing.HERE, Standing.ELSEWHERE, Standing.STRUCK_OFF
DEAD = Standing.DEAD
CODE, NUMBER = resident_code_from("9000000001"), my_number_from("91234567890")


def hit(person: int) -> Hit:
    return Hit(PersonId(person), Why.EXACT)


@pytest.mark.parametrize(
    ("by", "key"),
    [
        (By(resident_code=CODE), "resident_code"),
        (By(my_number=NUMBER), "my_number"),
        (By(name="熊本花子", birth_date="1990-04-05"), "four"),
        (By(name="熊本花子", sex="2"), "four"),
        (By(name="熊本花子", address="八代市"), "four"),
        (By(kana="くまもとはなこ", birth_date="1990-04-05"), "four"),
    ],
)
def test_a_person_is_named_by_one_key(by: By, key: str) -> None:
    assert key_of(by, None) == key


@pytest.mark.parametrize(
    "by",
    [
        By(),
        By(resident_code=CODE, my_number=NUMBER),
        By(my_number=NUMBER, name="熊本花子", sex="2"),
        By(name="熊本花子"),
        By(name="熊本花子", kana="くまもとはなこ"),
        By(birth_date="1990-04-05", sex="2", address="八代市"),
        By(name="熊本花子", address=" "),
        By(name="熊本花子", address="熊本県"),
    ],
)
def test_too_little_or_two_keys_are_malformed(by: By) -> None:
    with pytest.raises(Malformed, match="by: give"):
        key_of(by, None)


def test_claimed_goes_with_a_number_and_says_something() -> None:
    assert key_of(By(my_number=NUMBER), Four(name="熊本花子")) == "my_number"
    with pytest.raises(Malformed, match="at least one"):
        key_of(By(my_number=NUMBER), Four())
    with pytest.raises(Malformed, match="claimed goes with"):
        key_of(By(name="熊本花子", sex="2"), Four(name="熊本花子"))


@pytest.mark.parametrize(
    ("standings", "removed", "meant"),
    [
        ([], True, Meant("none")),
        ([HERE], False, Meant("one", hit(0))),
        ([HERE, HERE], False, Meant("several")),
        ([ELSEWHERE, HERE], False, Meant("one", hit(1))),
        ([ELSEWHERE, ELSEWHERE], False, Meant("several")),
        ([ELSEWHERE], False, Meant("elsewhere", hit(0), standing=ELSEWHERE)),
        ([STRUCK_OFF, ELSEWHERE], True, Meant("elsewhere", hit(1), standing=ELSEWHERE)),
        ([STRUCK_OFF], False, Meant("none")),
        ([STRUCK_OFF], True, Meant("one", hit(0), standing=STRUCK_OFF)),
        ([DEAD], False, Meant("none")),
        ([DEAD], True, Meant("one", hit(0), standing=DEAD)),
        ([STRUCK_OFF, STRUCK_OFF], True, Meant("several")),
        ([HERE, STRUCK_OFF], True, Meant("one", hit(0))),
    ],
)
def test_residents_come_before_whoever_was_struck_off(
    standings: list[Standing], removed: bool, meant: Meant
) -> None:
    placed = [(hit(n), standing) for n, standing in enumerate(standings)]
    assert settled(placed, removed=removed) == meant


@pytest.mark.parametrize(
    ("item", "stored", "claimed", "holds"),
    [
        ("name", "熊本　花子", "熊本花子", True),
        ("name", "熊本　花子", " 熊本 花子　", True),
        ("name", "渡邉　花子", "渡辺　花子", False),
        ("kana", "くまもと　はなこ", "くまもとはなこ", True),
        ("address", "八代市１番　２号", "八代市１番 　２号 ", True),
        ("address", "八代市１番　２号", "八代市１番２号", False),
        ("birth_date", "1990-04-05", "1990-04-05", True),
        ("birth_date", "1990-04-05", "1990-04-06", False),
        ("my_number", None, None, True),
        ("my_number", None, "", False),
        ("my_number", NUMBER, None, False),
        ("gaiji_flag", True, True, True),
        ("gaiji_flag", True, 1, False),
        ("name_gaiji_count", 1, 1, True),
        ("name_gaiji_count", 1, True, False),
        ("name_gaiji_count", 1, "1", False),
    ],
)
def test_a_claim_holds_if_it_is_the_stored_value(
    item: str, stored: Value, claimed: Value, holds: bool
) -> None:
    assert same(ItemName(item), stored, claimed) is holds


def test_conditions_of_a_provision_never_match_by_a_part_of_the_name() -> None:
    from plugins.provision.match import conditions

    asked = conditions(Four(name="熊", kana="く", sex="2"), date(2026, 4, 1))
    assert not asked.name_prefix
    assert not asked.kana_prefix
