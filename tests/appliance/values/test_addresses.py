from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.values import spelling
from appliance.values.addresses import (
    address_key,
    begins,
    names_a_house,
    prefecture_in,
    prefecture_of,
)

ADDRESS = st.text(
    "熊本県八代市中央区大字町村霞が関旭ヶケノの之一二十百千番地丁目号室"
    "0123３ー－- 　ＡaさサﾊﾂﾞCF()、{}〓"
)


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "熊本県八代市松江城町１番２５号　八代ハイツ３０１号室",
            "八代市松江城町一番二十五号八代ハイツ301",
            "八代市松江城町1-25 八代ハイツ３０１号",
            "八代市松江城町１－２５　八代ﾊｲﾂ　301",
            "八代市松江城町1ー25（八代はいつ301）",
        ),
        (
            "熊本県下益城郡美里町大字佐俣字下ノ坪203番地2",
            "美里町佐俣字下の坪二百三番地の二",
            "下益城郡美里町佐俣字下之坪２０３ノ２",
        ),
        (
            "東京都千代田区霞が関二丁目１番２号",
            "千代田区霞ヶ関2-1-2",
            "千代田区霞ケ関２丁目１の２",
            "千代田区霞ガ関2丁目1番地2",
        ),
        ("札幌市中央区北一条西二丁目３番地", "北海道札幌市中央区北1条西2-3"),
        ("千代田区三番町6番地", "千代田区３番町６"),
        ("京都府京都市上京区藪之内町", "京都市上京区薮ノ内町"),
        ("八代市本町二〇三番地", "八代市本町203", "八代市本町二百三番地"),
        ("堺市堺区南半町二丁1番3号", "堺市堺区南半町２丁１－３"),
        ("八代市千二百番地", "八代市1200"),
        ("サンハイツ(A棟)A-101", "さんハイツＡ棟A101"),
        ("渡邉町１", "渡辺町1"),
        ("{gaiji:1:1}町１", "〓町1"),
    ],
    ids=lambda spellings: spellings[0],
)
def test_the_ways_to_write_an_address_have_one_key(spellings: tuple[str, ...]) -> None:
    assert len({address_key(spelling) for spelling in spellings}) == 1


def test_the_key_reads_like_the_shortest_way_to_write_it() -> None:
    full = "熊本県八代市松江城町１番２５号　八代ハイツ３０１号室"
    assert address_key(full) == "八代市松江城町1-25八代ハイツ301"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("本町1-23", "本町12-3"),
        ("本町1番2号", "本町12号"),
        ("三番町1", "二番町1"),
        ("八代市本町1", "玉名市本町1"),
        ("本町1-2ハイツ3", "本町1-23ハイツ"),
        ("蒲郡市本町", "本町"),
        ("大和郡山市本町", "山市本町"),
        ("郡山市本町", "山市本町"),
    ],
)
def test_different_addresses_have_different_keys(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


@pytest.mark.parametrize(
    ("whole", "beginning"),
    [
        ("熊本県八代市松江城町１番２５号", "八代市"),
        ("熊本県八代市松江城町１番２５号", "熊本県八代市松江城町"),
        ("熊本県八代市松江城町１番２５号", "八代市松江城町1番"),
        ("熊本県八代市松江城町１番２５号", "八代市松江城町1-"),
        ("熊本県八代市松江城町１番２５号", "八代市松江城町1番25号"),
        ("熊本県八代市松江城町１番２５号", "熊本県"),
        ("熊本県八代市松江城町１番２５号", ""),
        ("千代田区霞が関二丁目１番２号", "千代田区霞が"),
        ("美里町大字佐俣字下ノ坪203番地2", "美里町佐俣字下の"),
    ],
)
def test_an_address_begins_with_what_it_begins_with(whole: str, beginning: str) -> None:
    assert begins(whole, beginning)


@pytest.mark.parametrize(
    ("whole", "beginning"),
    [
        ("本町23番4号", "本町2丁目"),
        ("本町2丁目34番", "本町2-3"),
        ("本町2丁目", "本町2-3"),
        ("本町", "新町"),
    ],
)
def test_a_number_is_taken_as_a_whole(whole: str, beginning: str) -> None:
    assert not begins(whole, beginning)


def test_every_cut_of_an_address_outside_numbers_and_names_begins_it() -> None:
    whole = "八代市松江城町２丁目１番２５号　八代ハイツＡ棟３０１号室"
    for cut, (before, after) in enumerate(pairwise(whole), start=1):
        if not (before.isdigit() and after.isdigit()):
            assert begins(whole, whole[:cut]), whole[:cut]


@given(ADDRESS)
def test_a_key_holds_nothing_that_only_separates(text: str) -> None:
    assert not set(address_key(text)) & set(" 　、()")


@given(ADDRESS | st.text())
def test_an_address_begins_with_itself(text: str) -> None:
    assert begins(text, text)


@given(st.integers(1, 9999))
def test_kanji_numerals_are_read(value: int) -> None:
    digits = "〇一二三四五六七八九"
    powers = [(1000, "千"), (100, "百"), (10, "十"), (1, "")]
    parts = [(value // power % 10, name) for power, name in powers]
    spoken = "".join((digits[d] if d > 1 or not name else "") + name for d, name in parts if d)
    assert spelling.number(spoken) == value
    assert spelling.number("".join(digits[int(d)] for d in str(value))) == value


@pytest.mark.parametrize(
    "text", ["一" * 50_000 + "番", "1" + "-" * 50_000, "1ノ" * 50_000, "十" * 50_000 + "号"]
)
def test_a_senseless_address_takes_no_time_and_raises_nothing(text: str) -> None:
    assert isinstance(address_key(text), str)


@pytest.mark.parametrize(
    ("address", "goes_so_far"),
    [
        ("熊本県八代市松江城町１番２５号", True),
        ("八代市松江城町一番", True),
        ("八代市坂本町無番地", True),
        ("熊本県八代市松江城町", False),
        ("熊本県", False),
        ("１番２５号", False),
        ("　", False),
    ],
)
def test_an_address_names_a_house_by_its_number(address: str, goes_so_far: bool) -> None:
    assert names_a_house(address) is goes_so_far


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("　熊本県八代市", "432024"),
        ("北海道札幌市", "011002"),
        ("神奈川県横浜市", "141003"),
        ("{MJ000001}八代市", "990000"),
        ("八代市", ""),
    ],
)
def test_the_prefecture_of_an_address_is_that_of_its_code(address: str, code: str) -> None:
    assert prefecture_in(address) == prefecture_of(code)
    assert bool(prefecture_in(address)) is (code[:2] in ("43", "01", "14"))
