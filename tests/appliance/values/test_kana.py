import unicodedata

import jaconv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.values.kana import fuzzy, hiragana, seion
from appliance.values.spelling import HYPHENS, SPACES

HIRAGANA = "".join(map(chr, range(0x3041, 0x3097)))
KATAKANA = "".join(map(chr, range(0x30A1, 0x30F7)))
HALF_WIDTH = "".join(map(chr, range(0xFF66, 0xFFA0)))
READING = st.text(HIRAGANA + KATAKANA + HALF_WIDTH + "ー・ 　-―ＡａZz\u3099")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ヤマダ　ジョウジ", "やまたしようし"),
        ("ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟ", "かきくはひ"),
        ("ヱビス", "えひす"),
        ("みやぢ", "みやち"),
        ("みやじ", "みやし"),
        ("わたなべ　しょうたろう", "わたなへしようたろう"),
        ("ゆうこ", "ゆうこ"),
        ("ヴィクトリア", "ういくとりあ"),
        ("マリー・ジョーンズ", "まりしよんす"),
        ("ゐゑを", "いえお"),
        ("ぁぃぅぇぉっゃゅょゎゕゖ", "あいうえおつやゆよわかけ"),
        ("ヷヸヹヺ", "わいえお"),
        ("ㇰㇷ゚", "くふ"),
        ("か\u3099", "か"),
        ("ー―－‐ ｰ-", ""),
        ("Nguyễn Văn Anh", "NGUYENVANANH"),
        ("ｎｇｕｙｅｎ", "NGUYEN"),
        ("", ""),
    ],
)
def test_seion_is_the_reading_without_marks_sizes_and_spaces(text: str, key: str) -> None:
    assert seion(text) == key


def by_definition(text: str) -> str:
    """Item 13 word by word, with the normalisation of this Python."""
    wide = unicodedata.normalize("NFKC", text).upper()
    flat = unicodedata.normalize("NFD", wide).replace("\u3099", "").replace("\u309a", "")
    flat = "".join(chr(ord(c) - 0x60) if 0x30A1 <= ord(c) <= 0x30F6 else c for c in flat)
    flat = "".join(c for c in flat if ord(c) not in SPACES and ord(c) not in HYPHENS)
    flat = flat.replace("・", "").replace("ー", "")
    return flat.translate(
        str.maketrans("ぁぃぅぇぉっゃゅょゎゕゖゐゑを", "あいうえおつやゆよわかけいえお")
    )


@given(READING)
def test_the_tables_do_what_the_definition_says(text: str) -> None:
    assert seion(text) == by_definition(text)


def test_the_tables_do_what_the_definition_says_for_every_kana() -> None:
    for character in HIRAGANA + KATAKANA + HALF_WIDTH + "ゝゞヷヸヹヺ゛゜":
        assert seion(character) == by_definition(character), character


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("みやぢ", "みやじ"),
        ("おうの", "おおの"),
        ("こうづき", "こうずき"),
        ("ヴァイオレット", "バイオレット"),
        ("ヴィクトリア", "ビクトリア"),
        ("ｳﾞｨｸﾄﾘｱ", "ﾋﾞｸﾄﾘｱ"),
        ("ヴェラ", "ベラ"),
        ("ヴォルフ", "ボルフ"),
        ("イヴ", "イブ"),
        ("かヲる", "かおる"),
        ("しょうじ", "しょおじ"),
        ("サトウ　ヨウコ", "さとおようこ"),
    ],
)
def test_what_sounds_alike_has_one_fuzzy_key(one: str, other: str) -> None:
    assert fuzzy(one) == fuzzy(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("みやち", "みやし"), ("さとう", "さと"), ("ゆうこ", "ゆこ"), ("はた", "わた")],
)
def test_what_does_not_has_two(one: str, other: str) -> None:
    assert fuzzy(one) != fuzzy(other)


@given(READING)
def test_a_key_of_a_key_is_the_key(text: str) -> None:
    assert seion(seion(text)) == seion(text)
    assert fuzzy(fuzzy(text)) == fuzzy(text)


@given(READING, READING)
def test_the_key_of_a_beginning_is_the_beginning_of_the_key(begin: str, end: str) -> None:
    assert seion(begin + end).startswith(seion(begin))


@given(st.text())
def test_any_text_has_keys(text: str) -> None:
    assert "　" not in seion(text)
    assert len(fuzzy(text)) <= len(seion(text)) + text.count("ゟ")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ヤマダ　ジョウジ", "やまだ　じょうじ"),
        ("ﾔﾏﾀﾞ ｼﾞｮｳｼﾞ", "やまだ じょうじ"),
        ("やまだ", "やまだ"),
        ("カ\u3099", "が"),
        ("マリー", "まりー"),
        ("ヴヵヶヮ", "ゔゕゖゎ"),
        ("SMITH", "SMITH"),
    ],
)
def test_a_reading_is_stored_in_hiragana(text: str, written: str) -> None:
    assert hiragana(text) == written


@given(READING)
def test_writing_in_hiragana_changes_no_key(text: str) -> None:
    assert seion(hiragana(text)) == seion(text)
    assert fuzzy(hiragana(text)) == fuzzy(text)
    assert hiragana(hiragana(text)) == hiragana(text)


@given(st.text(HIRAGANA))
def test_katakana_and_half_width_kana_are_the_same_reading(text: str) -> None:
    katakana = jaconv.hira2kata(text)
    assert seion(katakana) == seion(jaconv.z2h(katakana)) == seion(text)
