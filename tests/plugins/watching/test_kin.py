"""Whether a name is the operator's own."""

import pytest

from plugins.watching.kin import Kin, StaffName, kin_of, kin_of_conditions

STAFF = StaffName("渡辺　太郎", "わたなべ　たろう")


@pytest.mark.parametrize(
    ("name", "kana", "kin"),
    [
        ("渡辺　太郎", None, Kin.OWN),
        ("渡邉太郎", None, Kin.OWN),
        (None, "ワタナベ　タロウ", Kin.OWN),
        ("渡邊　花子", None, Kin.FAMILY),
        ("渡辺花子", None, Kin.FAMILY),
        ("渡辺", None, Kin.FAMILY),
        (None, "わたなべ　はなこ", Kin.FAMILY),
        ("渡部　花子", "わたなべ　はなこ", Kin.FAMILY),
        ("渡部　花子", "わたべ　はなこ", Kin.NONE),
        ("渡　太郎", None, Kin.NONE),
        (None, None, Kin.NONE),
        ("", "", Kin.NONE),
    ],
)
def test_how_near_a_name_is(name: str | None, kana: str | None, kin: Kin) -> None:
    assert kin_of(STAFF, name, kana) == kin


def test_a_short_family_name_is_not_the_beginning_of_a_longer_one() -> None:
    assert kin_of(StaffName("森　一", "もり　はじめ"), "森田　花子", "もりた　はなこ") == Kin.NONE


def test_whose_name_is_not_recorded_has_no_relatives() -> None:
    assert kin_of(StaffName("", ""), "渡辺　花子", "わたなべ　はなこ") == Kin.NONE


def test_an_inquiry_holds_its_conditions_one_level_down() -> None:
    assert kin_of_conditions(STAFF, {"by": {"name": "渡辺　花子"}}) == Kin.FAMILY
    assert kin_of_conditions(STAFF, {"by": {"birth_date": "1990-01-01"}}) == Kin.NONE
    assert kin_of_conditions(STAFF, {"name": "田中　実", "claimed": {"name": "渡辺　太郎"}}) == 2
