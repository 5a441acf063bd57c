import random
import re
import runpy
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.jp import in_ as oracle

from appliance.values.identifiers import (
    REMAINDER_ZERO,
    Municipalities,
    is_municipality_code,
    is_my_number,
    is_resident_code,
    municipality_code_from,
    my_number_from,
    resident_code_from,
)

KUMAMOTO = """
431001 熊本市 431010 中央区 431028 東区 431036 西区 431044 南区 431052 北区
432024 八代市 432032 人吉市 432041 荒尾市 432059 水俣市 432067 玉名市 432083 山鹿市 432105 菊池市
432113 宇土市 432121 上天草市 432130 宇城市 432148 阿蘇市 432156 天草市 432164 合志市 433489 美里町
433641 玉東町 433675 南関町 433683 長洲町 433691 和水町 434035 大津町 434043 菊陽町 434230 南小国町
434248 小国町 434256 産山村 434281 高森町 434329 西原村 434337 南阿蘇村 434418 御船町 434426 嘉島町
434434 益城町 434442 甲佐町 434477 山都町 434680 氷川町 434825 芦北町 434841 津奈木町 435015 錦町
435058 多良木町 435066 湯前町 435074 水上村 435104 相良村 435112 五木村 435121 山江村 435139 球磨村
435147 あさぎり町 435317 苓北町
"""
NAMES = dict(re.findall(r"(\d+) (\w+)", KUMAMOTO))
WARDS = ("431010", "431028", "431036", "431044", "431052")

LOADED = Municipalities.load()


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


@pytest.mark.parametrize(
    ("ten", "check"),
    [("2472705960", "8"), ("1234567890", "3"), ("1234567804", "0"), ("1234567813", "0")],
    ids=["remainder 3", "remainder 8", "remainder 0", "remainder 1"],
)
def test_a_resident_code_ends_in_the_weighted_sum_of_its_ten_digits(ten: str, check: str) -> None:
    assert resident_code_from(ten) == ten + check
    assert is_resident_code(ten + check)


def test_at_remainder_0_both_digits_are_accepted_until_the_notice_is_read() -> None:
    assert frozenset("01") == REMAINDER_ZERO
    assert is_resident_code("12345678040")
    assert is_resident_code("12345678041")
    assert not is_resident_code("12345678042")


@pytest.mark.parametrize("right", ["0", "1"])
def test_whoever_has_read_the_notice_accepts_one_digit(right: str) -> None:
    accepted = [d for d in "0123456789" if is_resident_code("1234567804" + d, frozenset(right))]
    assert accepted == [right]


def test_at_remainder_1_only_0_is_accepted() -> None:
    assert [d for d in "0123456789" if is_resident_code("1234567813" + d)] == ["0"]


@pytest.mark.parametrize(
    "number",
    [
        "123456789018",
        "621498320257",
        "379474484458",
        "454972364860",
        "507957100721",
        "123456789000",  # remainder 1
        "123456789050",  # remainder 0
    ],
)
def test_published_my_numbers_are_right(number: str) -> None:
    assert is_my_number(number)
    assert my_number_from(number[:11]) == number


def test_a_my_number_with_a_wrong_last_digit_is_not_one() -> None:
    assert not is_my_number("507957100722")


def test_my_numbers_agree_with_python_stdnum_on_100_000_random_inputs() -> None:
    rng = random.Random(43)
    right = 0
    for turn in range(100_000):
        eleven = f"{rng.randrange(10**11):011}"
        number = my_number_from(eleven) if turn % 2 else eleven + str(rng.randrange(10))
        assert is_my_number(number) == oracle.is_valid(number), number
        right += is_my_number(number)
    assert 50_000 < right < 60_000


@pytest.mark.parametrize(
    ("five", "code"),
    [("43000", "430005"), ("43100", "431001"), ("43204", "432041"), ("43213", "432130")],
    ids=["remainder 6", "remainder 10", "remainder 0", "remainder 1"],
)
def test_a_municipality_code_ends_in_the_weighted_sum_of_five_digits(five: str, code: str) -> None:
    assert municipality_code_from(five) == code
    assert is_municipality_code(code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1234567890",
        "1234567890３",
        "１２３４５６７８９０３",
        "1234567890 3",
        "-2345678903",
        "٣" * 11,
    ],
)
def test_only_ascii_digits_in_the_right_number_are_a_code(text: str) -> None:
    assert not is_resident_code(text)
    assert not is_my_number(text)
    assert not is_municipality_code(text)
    for make in (resident_code_from, my_number_from, municipality_code_from):
        if not (text.isascii() and text.isdigit() and len(text) == 10):
            with pytest.raises(ValueError, match="digits"):
                make(text)


def test_an_error_does_not_repeat_the_number() -> None:
    with pytest.raises(ValueError, match=r"^not 11 digits$"):
        my_number_from("12345678901x")


@given(digits(10), st.integers(0, 9), digits(1))
def test_one_wrong_digit_of_a_resident_code_is_found_unless_remainders_0_and_1_meet(
    ten: str, place: int, other: str
) -> None:
    code = resident_code_from(ten)
    wrong = code[:place] + other + code[place + 1 :]
    if wrong != code and is_resident_code(wrong):
        remainders = {remainder(code), remainder(wrong)}
        assert remainders == {0, 1} or (0 in remainders and code[10] == "1")


@given(digits(11), st.integers(0, 10), digits(1))
def test_one_wrong_digit_of_a_my_number_is_found_unless_both_end_in_0(
    eleven: str, place: int, other: str
) -> None:
    number = my_number_from(eleven)
    wrong = number[:place] + other + number[place + 1 :]
    if wrong != number and is_my_number(wrong):
        assert number[11] == "0"


@given(digits(5), st.integers(0, 4), digits(1))
def test_one_wrong_digit_of_a_municipality_code_is_found_unless_both_end_in_1(
    five: str, place: int, other: str
) -> None:
    code = municipality_code_from(five)
    wrong = code[:place] + other + code[place + 1 :]
    if wrong != code and is_municipality_code(wrong):
        assert code[5] == "1"


@given(digits(10))
def test_a_wrong_last_digit_is_found(ten: str) -> None:
    right = [d for d in "0123456789" if is_resident_code(ten + d, frozenset("0"))]
    assert right == [resident_code_from(ten)[10]]


def remainder(code: str) -> int:
    weights = (2, 3, 4, 5, 6, 7, 2, 3, 4, 5)
    return sum(int(d) * w for d, w in zip(code[9::-1], weights, strict=True)) % 11


def test_the_master_holds_kumamoto_with_its_45_municipalities_and_five_wards() -> None:
    here = [code for code in LOADED.in_prefecture("430005") if LOADED.lookup(code).last is None]
    assert {code: LOADED.lookup(code).name for code in here} == NAMES
    assert len(NAMES) == 45 + 5


def test_every_code_of_the_master_verifies_and_has_a_parent_that_is_there() -> None:
    for prefecture in range(1, 48):
        codes = LOADED.in_prefecture(f"{prefecture:02}")
        assert len(codes) >= 15, prefecture
        for code in codes:
            assert is_municipality_code(code)
            assert LOADED.lookup(LOADED.lookup(code).parent) is not None


def test_the_master_holds_all_of_japan_today() -> None:
    today = date(2026, 1, 1)
    everywhere = [code for p in range(1, 48) for code in LOADED.in_prefecture(f"{p:02}")]
    codes = [code for code in everywhere if LOADED.lookup(code, today)]
    wards = [c for c in codes if not LOADED.lookup(LOADED.lookup(c).parent).is_prefecture]
    assert len(codes) - len(wards) == 1741
    assert len(wards) == 171


def test_kumamoto_city_covers_itself_and_its_wards_and_nothing_else() -> None:
    assert LOADED.covered_by("431001") == ("431001", *WARDS)
    assert LOADED.covers("431001", "431010")
    assert LOADED.covers("431001", "431001")
    assert not LOADED.covers("431010", "431001")
    assert not LOADED.covers("431001", "432024")
    assert not LOADED.covers("432024", "431010")


@pytest.mark.parametrize(
    ("code", "office"),
    [
        ("431010", "431001"),
        ("431001", "431001"),
        ("432024", "432024"),
        ("131016", "131016"),
        ("430005", "430005"),
        ("999999", "999999"),
    ],
)
def test_a_ward_is_kept_by_its_city(code: str, office: str) -> None:
    assert LOADED.office_of(code) == office


def test_a_prefecture_and_an_unknown_code_cover_only_themselves() -> None:
    assert LOADED.covered_by("430005") == ("430005",)
    assert LOADED.covered_by("999999") == ("999999",)


def test_the_special_wards_of_tokyo_are_municipalities() -> None:
    assert LOADED.lookup("131016").parent == "130001"
    assert LOADED.covered_by("130001") == ("130001",)


def test_a_code_is_looked_up_as_of_a_day() -> None:
    assert LOADED.lookup("282219", date(2019, 4, 30)).name == "篠山市"
    assert LOADED.lookup("282219", date(2019, 5, 1)).name == "丹波篠山市"
    assert LOADED.lookup("282219").name == "丹波篠山市"
    assert LOADED.lookup("432016", date(2012, 3, 31)).name == "熊本市"
    assert LOADED.lookup("432016", date(2012, 4, 1)) is None
    assert LOADED.lookup("431001", date(2012, 3, 31)) is None
    assert LOADED.lookup("000000") is None


def test_a_ward_of_former_days_is_still_covered_by_its_city() -> None:
    assert LOADED.covers("221309", "221317")
    assert LOADED.lookup("221317", date(2024, 1, 1)) is None


def test_a_name_is_spelled_as_in_an_address() -> None:
    assert LOADED.lookup("433489").full_name == "下益城郡美里町"
    assert LOADED.lookup("431010").full_name == "熊本市中央区"
    assert LOADED.lookup("432024").full_name == "八代市"


def test_a_new_municipality_is_a_line_of_data() -> None:
    small = Municipalities.parse(
        "# a comment\n430005\t熊本県\t-\t-\t-\t-\n432024\t八代市\t-\t430005\t2030-04-01\t-\n"
    )
    assert small.in_prefecture("43") == ("432024",)
    assert small.lookup("432024", date(2030, 3, 31)) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("432025\t八代市\t-\t-\t-\t-", "wrong check digit"),
        ("432024\t八代市\t-\t430005\t-\t-", "parents without an entry"),
        ("432024\t八代市\t-\t-", "not enough values"),
        ("432024\t八代市\t-\t-\t2030-4-1\t-", "isoformat"),
    ],
)
def test_a_bad_line_of_the_master_is_refused(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Municipalities.parse(line)


def test_the_master_is_what_its_script_makes() -> None:
    root = Path(__file__).parents[3]
    made = runpy.run_path(str(root / "scripts/make_municipalities.py"))["table"]()
    assert made == (root / "appliance/values/data/municipalities.tsv").read_text("utf-8")
