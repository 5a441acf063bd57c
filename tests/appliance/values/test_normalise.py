import hashlib
import json
from collections.abc import Callable
from importlib import resources
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.values import normalise
from appliance.values.kana import fuzzy, seion
from appliance.values.normalise import (
    VERSION,
    address_begins,
    address_key,
    birth_key,
    hiragana,
    kana_key,
    kana_prefix,
    kanji_prefix,
    name_key,
    names_in,
)

# Without ゔ, the documented exception.
READING = st.text("".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F4)))) + "ー・ 　")

# Raise normalise.VERSION with every change of these, and note the new digest beside it.
DIGESTS = {2: "27dba054af6d2ddc4c4a2c8c9ef222edc5a87147f2cbd0ff69ab5e6f1388f3e6"}


def all_keys() -> str:
    """Every key of every character there is one by one, and the data the keys stand on."""
    keys = (name_key, kana_key, address_key)
    blocks = (*range(0x20, 0xD800), *range(0xF900, 0x10000), *range(0x1B000, 0x1B130))
    text = [[key(chr(code)) for key in keys] for code in (*blocks, *range(0x20000, 0x33480))]
    examples = [address_key(f"{region}本町一丁目") for region in regions()]
    longer = [
        "おうのこうづき　ヴァ",
        "大字字下の坪二百三番地の二（Ａ棟１０１号）",
        "霞が関１－２　３",
        "ＮＧＵＹＥＮ　ＶＡＮ　ＡＮＨ（阮　文英）",
    ]
    combined = [[*(key(example) for key in keys), names_in(example)] for example in longer]
    return hashlib.sha256(json.dumps([text, examples, combined]).encode()).hexdigest()


def regions() -> list[str]:
    table = resources.files("appliance.values") / "data/municipalities.tsv"
    rows = table.read_text("utf-8").splitlines()
    columns = [row.split("\t") for row in rows if not row.startswith("#")]
    return sorted({row[1] for row in columns if row[3] == "-"} | {row[2] for row in columns})


def test_keys_change_only_together_with_the_version() -> None:
    assert all_keys() == DIGESTS[VERSION]


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("熊本　花子", []),
        ("NGUYEN VAN ANH（阮　文英）", ["NGUYEN VAN ANH", "阮　文英"]),
        ("WANG WEI (王　偉)", ["WANG WEI", "王　偉"]),
        ("（王　偉）", []),
        ("WANG（）", []),
        ("WANG（王）LI", []),
    ],
)
def test_a_name_item_may_hold_a_name_and_a_tsushou(written: str, names: list[str]) -> None:
    assert names_in(written) == (written, *names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("渡邉\U000e0110　太郎", "渡辺太郎"),
        ("髙橋 花子", "高橋花子"),
        ("﨑山　𠮷郎", "崎山吉郎"),
        ("袖ヶ浦", "袖ケ浦"),
        ("Nguyễn Văn Anh", "NGUYEN  VAN ANH"),
        ("ＮＧＵＹＥＮ　ＶＡＮ　ＡＮＨ", "NGUYEN VAN ANH"),
        ("O'Brien-Smith", "OBRIEN SMITH"),
        ("Müller Straße", "MULLER STRASSE"),
        ("Đặng Łukasz Ørsted", "DANG LUKASZ ORSTED"),
        ("マリー・ジョーンズ", "マリー ジョーンズ"),
        ("ﾏﾘｱ", "マリア"),
        ("か\u3099", "が"),
        ("{gaiji:1:1}田", "{gaiji:2:7}田"),
        ("{gaiji:1:1}田", "〓田"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("斎藤", "斉藤"), ("さくら", "サクラ"), ("ANH VAN", "VAN ANH"), ("佐々木", "佐木")],
)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_the_first_character_is_a_character_of_the_key() -> None:
    assert kanji_prefix("邉\U000e0110田 太郎") == "辺"
    assert kanji_prefix("{gaiji:1:1}田") == "〓"
    assert kanji_prefix("O'Brien") == "O"
    assert kanji_prefix("高橋太郎", 3) == "高橋太"


@given(READING, READING)
def test_whatever_is_equal_as_seion_or_sounds_alike_has_one_kana_key(one: str, other: str) -> None:
    assert kana_key(one) == kana_key(seion(one))
    if seion(one) == seion(other) or fuzzy(one) == fuzzy(other):
        assert kana_key(one) == kana_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("みやぢ", "みやじ"),
        ("みやぢ", "みやち"),
        ("こうづき　ジョウジ", "コオズキしょうし"),
        ("おうの", "ｵｵﾉ"),
        ("ヴィクトリア", "びくとりあ"),
        ("わだ", "はだ"),
    ],
)
def test_readings_that_the_standard_wants_found_together_are(one: str, other: str) -> None:
    assert kana_key(one) == kana_key(other)


def test_readings_that_differ_in_a_sound_are_not() -> None:
    assert kana_key("さとう") != kana_key("かとう")
    assert kana_key("おの") != kana_key("おおの")


@given(READING, READING)
def test_two_kana_of_a_beginning_are_two_kana_of_the_whole(begin: str, end: str) -> None:
    if len(kana_prefix(begin)) == 2:
        assert kana_prefix(begin + end) == kana_prefix(begin)


def test_a_reading_is_compared_without_its_spaces() -> None:
    assert hiragana("ヤマダ　ジョウジ") == hiragana("やまだじょうじ") == "やまだじょうじ"
    assert hiragana("やまた") != hiragana("やまだ")


def test_a_birth_date_is_eight_digits() -> None:
    assert birth_key("1950-02-00") == "19500200"


def test_an_address_is_compared_from_its_beginning() -> None:
    assert address_begins("八代市本町２丁目３番", "熊本県八代市本町2丁目")
    assert not address_begins("八代市本町２３番", "八代市本町2丁目")


KEYS = [name_key, kana_key, address_key, hiragana, birth_key, kana_prefix, kanji_prefix]


@pytest.mark.parametrize("key", KEYS)
@given(text=st.text())
def test_any_text_has_a_key(key: Callable[[str], str], text: str) -> None:
    assert isinstance(key(text), str)


@pytest.mark.parametrize("key", [name_key, kana_key, kana_prefix, kanji_prefix])
@given(text=st.text())
def test_a_key_of_a_key_is_the_key(key: Callable[[str], str], text: str) -> None:
    assert key(key(text)) == key(text)


@pytest.mark.parametrize("key", [name_key, kana_key, address_key])
def test_nothing_to_search_for_is_an_empty_key(key: Callable[[str], str]) -> None:
    assert key("") == key(" 　\n") == key("・") == ""


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (name_key, "渡邉\U000e0110　太郎"),
        (kana_key, "わたなべ　しょうたろう"),
        (address_key, "熊本県八代市松江城町１番２５号　八代ハイツ３０１号室"),
    ],
)
def test_a_key_takes_microseconds(key: Callable[[str], str], text: str) -> None:
    key(text)
    fastest = min(timed(key, text) for _ in range(5))
    assert fastest < 50e-6  # measured 0.4 to 6; the rest is for slow machines


def timed(key: Callable[[str], str], text: str) -> float:
    begin = perf_counter()
    for _ in range(500):
        key(text)
    return (perf_counter() - begin) / 500


def test_the_module_offers_what_it_names() -> None:
    assert all(hasattr(normalise, name) for name in normalise.__all__)
