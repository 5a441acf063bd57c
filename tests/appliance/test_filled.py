"""A form is understood however people write, and what is not is told beside its field."""

import pytest

from appliance.filled import Form
from tests.plugins.people import code, number


def form(**typed: str) -> Form:
    return Form({name: (text,) for name, text in typed.items()})


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("令和8年4月1日", "2026-04-01"),
        ("R8.4.1", "2026-04-01"),
        ("r8/4/1", "2026-04-01"),
        ("R080401", "2026-04-01"),
        ("H1-1-8", "1989-01-08"),
        ("平成元年1月8日", "1989-01-08"),
        ("昭和４５年３月２日", "1970-03-02"),
        ("19900405", "1990-04-05"),
        ("1990-04-05", "1990-04-05"),
        ("昭和25年月日不詳", "1950-00-00"),
        ("1990-04-00", "1990-04-00"),
    ],
)
def test_a_date_is_read_in_any_way_it_is_typed(typed: str, read: str) -> None:
    asked = form(on=typed)
    assert (asked.date("on"), asked.problems) == (read, [])


@pytest.mark.parametrize(
    "typed", ["きのう", "900405", "R0.4.1", "S65.1.1", "1990-13-01", "19901399"]
)
def test_what_is_no_date_is_told_beside_its_field(typed: str) -> None:
    asked = form(on=typed)
    assert asked.date("on") is None
    assert [problem.item for problem in asked.problems] == ["on"]
    assert typed not in asked.problems[0].text


@pytest.mark.parametrize("typed", ["1990-04-00", "平成2年2月30日"])
def test_a_day_is_whole_and_in_the_calendar(typed: str) -> None:
    asked = form(on=typed)
    assert asked.day("on") is None
    assert asked.problems


def test_a_field_left_empty_is_nothing_and_no_problem() -> None:
    asked = form(on="　", number=" ")
    assert (asked.date("on"), asked.number("number"), asked.text("on")) == (None, None, None)
    assert asked.my_number("number") is None
    assert asked.problems == []


@pytest.mark.parametrize("typed", ["やまだ　たろう", "ヤマダ　タロウ", "ﾔﾏﾀﾞ　ﾀﾛｳ"])
def test_a_reading_is_read_in_any_kana(typed: str) -> None:
    assert form(kana=typed).kana("kana") == "やまだ　たろう"


def test_numbers_are_read_with_hyphens_and_in_any_width_and_a_slip_is_told() -> None:
    mine = number(1)
    spaced = f"{mine[:4]}-{mine[4:8]}　{mine[8:]}".translate({ord("9"): "９"})
    assert form(number=spaced).my_number("number") == mine
    assert form(code=code(1)).resident_code("code") == code(1)
    wrong = form(number=mine[:-1] + str((int(mine[-1]) + 1) % 10), code=code(1)[:-1])
    assert (wrong.my_number("number"), wrong.resident_code("code")) == (None, None)
    assert [problem.text for problem in wrong.problems] == [
        "検査数字が合いません。番号を確認してください。",
        "11桁の数字で入力してください。",
    ]


def test_a_ground_is_one_of_the_list_and_goes_with_a_number_of_the_book() -> None:
    stated = form(ground="prefectural-tax/01", case="２０２６-15").stated()
    assert stated == {"purpose": "prefectural-tax", "reason": "01", "case": "2026-15"}
    nothing = form(ground="<script>", case="番号")
    nothing.stated()
    assert {problem.item for problem in nothing.problems} == {"ground", "case"}
