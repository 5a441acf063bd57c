from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from japanera import EraDate

from appliance.values.dates import Eras, PartialDate, western

ERAS = Eras.load()


def dates() -> st.SearchStrategy[PartialDate]:
    def cut(day: PartialDate, known: int) -> PartialDate:
        parts = (day.year, day.month, day.day)
        return PartialDate(*parts[:known], *(0,) * (3 - known))

    whole = st.builds(PartialDate, st.integers(1, 9999), st.integers(1, 12), st.integers(1, 31))
    return st.builds(cut, whole, st.integers(0, 3))


@given(dates())
def test_what_is_written_is_read_back(day: PartialDate) -> None:
    assert PartialDate.parse(str(day)) == day
    assert len(str(day)) == 10


@pytest.mark.parametrize("text", ["1950-02-03", "1950-02-00", "1950-00-00", "0000-00-00"])
def test_a_date_and_the_three_forms_of_an_unknown_one_are_dates(text: str) -> None:
    assert str(PartialDate.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "0000-02-03",
        "0000-00-03",
        "1950-00-03",
        "1950-13-01",
        "1950-01-32",
        "1950-1-1",
        "19500101",
        "1950/01/01",
        "1950-01-01 ",
        "1950-01-01\n",
        "１９５０-01-01",
        "",
    ],
)
def test_anything_else_is_not_and_the_reason_does_not_repeat_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(not of the form|no such date|a known part)") as told:
        PartialDate.parse(text)
    assert not text or text not in str(told.value)


@pytest.mark.parametrize(
    ("text", "lower", "upper"),
    [
        ("1950-02-03", date(1950, 2, 3), date(1950, 2, 3)),
        ("1950-02-00", date(1950, 2, 1), date(1950, 2, 28)),
        ("1952-02-00", date(1952, 2, 1), date(1952, 2, 29)),
        ("1950-00-00", date(1950, 1, 1), date(1950, 12, 31)),
        ("0000-00-00", date.min, date.max),
        ("1999-02-29", date(1999, 2, 28), date(1999, 2, 28)),
    ],
)
def test_an_unknown_part_leaves_a_range(text: str, lower: date, upper: date) -> None:
    day = PartialDate.parse(text)
    assert (day.lower(), day.upper()) == (lower, upper)
    assert day.is_complete == (lower == upper)


@pytest.mark.parametrize("text", ["1999-02-29", "1999-02-30", "1900-02-29", "1999-04-31"])
def test_a_birth_date_in_no_calendar_stands_and_says_so(text: str) -> None:
    assert not PartialDate.parse(text).in_calendar


@pytest.mark.parametrize("text", ["2000-02-29", "1999-02-00", "1999-00-00", "0000-00-00"])
def test_a_date_that_may_be_in_the_calendar_says_so(text: str) -> None:
    assert PartialDate.parse(text).in_calendar


@given(st.dates())
def test_a_day_of_the_calendar_is_a_date_of_the_register(day: date) -> None:
    kept = PartialDate.of(day)
    assert str(kept) == day.isoformat()
    assert kept.in_calendar
    assert kept.lower() == kept.upper() == day


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [
        ("1950-02-03", "1950-02-04", True),
        ("1950-02-03", "1950-02-03", False),
        ("1950-02-00", "1950-03-01", True),
        ("1950-02-00", "1950-02-28", False),
        ("1950-00-00", "1951-00-00", True),
        ("0000-00-00", "1951-01-01", False),
        ("1951-01-01", "0000-00-00", False),
    ],
)
def test_only_what_is_certain_is_before(one: str, other: str, before: bool) -> None:
    earlier, later = PartialDate.parse(one), PartialDate.parse(other)
    assert earlier.certainly_before(later) == before
    assert later.certainly_after(earlier) == before


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1950-02-03", "1950-02-03", True),
        ("1950-02-03", "1950-02-00", True),
        ("1950-00-00", "1950-02-03", True),
        ("0000-00-00", "1950-02-03", True),
        ("1950-02-03", "1950-02-04", False),
        ("1950-03-00", "1950-02-03", False),
    ],
)
def test_an_unknown_part_may_be_anything(one: str, other: str, same: bool) -> None:
    assert PartialDate.parse(one).may_be(PartialDate.parse(other)) == same


@pytest.mark.parametrize(
    ("text", "spellings"),
    [
        ("1868-01-01", ["明治元年1月1日"]),
        ("1912-07-29", ["明治45年7月29日"]),
        ("1912-07-30", ["大正元年7月30日", "明治45年7月30日"]),
        ("1912-07-31", ["大正元年7月31日"]),
        ("1926-12-24", ["大正15年12月24日"]),
        ("1926-12-25", ["昭和元年12月25日", "大正15年12月25日"]),
        ("1926-12-26", ["昭和元年12月26日"]),
        ("1989-01-07", ["昭和64年1月7日"]),
        ("1989-01-08", ["平成元年1月8日"]),
        ("2019-04-30", ["平成31年4月30日"]),
        ("2019-05-01", ["令和元年5月1日"]),
        ("1999-02-29", ["平成11年2月29日"]),
        ("1950-02-00", ["昭和25年2月日不詳"]),
        ("1950-00-00", ["昭和25年月日不詳"]),
        ("1926-00-00", ["大正15年月日不詳", "昭和元年月日不詳"]),
        ("1926-12-00", ["大正15年12月日不詳", "昭和元年12月日不詳"]),
        ("0000-00-00", ["年月日不詳"]),
        ("1867-12-31", []),
    ],
)
def test_a_date_has_its_legal_spellings_and_each_reads_back(
    text: str, spellings: list[str]
) -> None:
    day = PartialDate.parse(text)
    assert list(ERAS.spellings(day)) == spellings
    assert all(ERAS.read(spelling) == day for spelling in spellings)


def test_the_usual_spelling_agrees_with_japanera_since_the_solar_calendar() -> None:
    day, last = date(1873, 1, 1), date(2030, 12, 31)
    eras = set()
    while day <= last:
        era = EraDate.from_date(day).era
        year = era.absolute_year_to_relative_year(day.year)
        expected = f"{era.kanji}{'元' if year == 1 else year}年{day.month}月{day.day}日"
        assert ERAS.spellings(PartialDate.of(day))[0] == expected
        eras.add(era.kanji)
        # Every day of the years in which an era changes, one in nine of the others.
        day += timedelta(days=1 if day.year in (1912, 1926, 1989, 2019) else 9)
    assert eras == {"明治", "大正", "昭和", "平成", "令和"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("昭和５０年３月３日", "1975-03-03"),
        ("昭和五十年十二月二十三日", "1975-12-23"),
        ("昭和50年 3月 3日生", "1975-03-03"),
        ("S50.3.3", "1975-03-03"),
        ("R1/5/1", "2019-05-01"),
        ("平成元年1月8日", "1989-01-08"),
        ("平成１１年２月２９日", "1999-02-29"),
        ("1975年3月3日", "1975-03-03"),
        ("1975-03-00", "1975-03-00"),
        ("昭和20年頃", "1945-00-00"),
        ("昭和20年3月頃", "1945-03-00"),
        ("昭和20年3月3日頃", "1945-03-03"),
        ("推定昭和20年", "1945-00-00"),
        ("昭和20年推定", "1945-00-00"),
        ("昭和20年春", "1945-00-00"),
        ("昭和20年3月上旬", "1945-03-00"),
        ("昭和20年3月中旬頃", "1945-03-00"),
        ("昭和20年月日不詳", "1945-00-00"),
        ("昭和20年3月日不詳", "1945-03-00"),
        ("年月日不詳", "0000-00-00"),
        ("不詳", "0000-00-00"),
        ("昭和20年3月1日から3月9日までの間", "1945-03-00"),
        ("昭和20年3月1日から9日まで", "1945-03-00"),
        ("昭和20年3月1日から昭和20年5月1日までの間", "1945-00-00"),
        ("昭和20年から昭和22年までの間", "0000-00-00"),
        ("昭和20年3月3日から昭和20年3月3日まで", "1945-03-03"),
    ],
)
def test_the_spellings_of_the_standard_are_read(text: str, read: str) -> None:
    assert str(ERAS.read(text)) == read


@pytest.mark.parametrize(
    "text",
    [
        "昭和64年1月8日",
        "明治45年7月31日",
        "大正15年12月26日",
        "昭和65年",
        "昭和0年1月1日",
        "昭和元年12月24日",
        "平成31年5月1日",
        "慶応3年1月1日",
        "昭和20年13月1日",
        "0年",
        "昭和20年から何時か",
        "",
        "一" * 50_000 + "年",
    ],
)
def test_what_is_no_day_of_its_era_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(not a date|not a day of|no such date|there is no)"):
        ERAS.read(text)


@given(st.text() | st.text("昭和平成元年月日頃不詳から0123456789一十.-/", max_size=15))
def test_reading_ends_in_a_date_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert str(ERAS.read(text))


@given(dates())
def test_every_spelling_reads_back(day: PartialDate) -> None:
    assert all(ERAS.read(spelling) == day for spelling in ERAS.spellings(day))
    assert ERAS.read(western(day)) == day


def test_a_new_era_is_a_line_of_data() -> None:
    lines = ["令和\tR\t2019-05-01\t2040-03-31\t2040-03-31", "未来\tX\t2040-04-01\t-\t-"]
    eras = Eras.parse("\n".join(lines))
    assert eras.spellings(PartialDate(2040, 4, 1)) == ("未来元年4月1日",)
    assert eras.read("X1.4.1") == PartialDate(2040, 4, 1)
    with pytest.raises(ValueError, match="era it names"):
        eras.read("令和22年4月1日")
