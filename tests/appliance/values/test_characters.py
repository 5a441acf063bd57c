import unicodedata
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.values.characters import (
    GETA,
    Gaiji,
    composed,
    fold,
    fold_table,
    gaiji,
    gaiji_count,
    outsiders,
    visible_length,
)

KATSU = "葛\U000e0102", "葛\U000e0103"
NABE = [f"邉{chr(selector)}" for selector in range(0xE010F, 0xE0120)]


def test_the_repertoire_has_the_published_numbers_of_characters_in_each_range() -> None:
    text = (resources.files("appliance.values") / "data/repertoire.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.split("\n") if line and not line.startswith("# ")]
    kanji = {int(code, 16) for code, number, _ in rows if code != "-" and number != "-"}
    ranges = {
        range(0x4E00, 0xA000): 13_185,
        range(0x3400, 0x4E00): 806,
        range(0xAAA0, 0xAC00): 303,
        range(0xF900, 0xFB00): 99,
        range(0xAD00, 0xD700): 5_170,  # of 5,172
    }
    assert {block: len(kanji & set(block)) for block in ranges} == ranges
    assert len(kanji) == sum(ranges.values())


@pytest.mark.parametrize(
    "family",
    [
        "髙高",
        "﨑崎嵜碕",
        "澤沢",
        "邉邊辺",
        "齋斎",
        "齊斉",
        "𠮷吉",
        "濵濱浜",
        "嶋嶌島",
        "冨富",
        "桒桑",
        "舘館",
        "眞真",
        "惠恵",
        "槇槙",
        "檜桧",
        "籠篭",
        "瀧滝",
        "龍竜",
        "劍劔剱剣",
        "靏靍靎鶴",
        "渕渊淵",
        "栁柳",
        "塚塚",
        "德徳",
        "廣広",
        "國圀国",
        "壽寿",
        "神神",
        "礒磯",
        "埜野",
        "峯峰",
        "𣘺橋",
        "彌弥",
        "穐龝秋",
        "藪籔薮",
        "曾曽",
        "驒騨",
        "巖巌",
        "遙遥",
        "麵麺麪",
        "凛凜",
        "亙亘",
        "廻𢌞",
        "⾼高",
    ],
)
def test_the_ways_to_write_a_name_fold_into_one(family: str) -> None:
    assert len({fold(character) for character in family}) == 1


@pytest.mark.parametrize(
    "two",
    [
        "斎斉",
        "齋齊",
        "崎埼",
        "玉王",
        "着著",
        "芸賢",
        "秦奏",
        "充亥",
        "界堺",
        "陽易",
        "功切",
        "師帥",
    ],
)
def test_different_names_stay_apart(two: str) -> None:
    assert fold(two[0]) != fold(two[1])


def test_the_representative_is_the_character_in_everyday_use() -> None:
    assert fold("髙﨑澤邉齋齊𠮷濵嶌瀧龍國") == "高崎沢辺斎斉吉浜島滝竜国"


def test_a_variation_selector_makes_no_difference() -> None:
    assert fold(KATSU[0]) == fold(KATSU[1]) == "葛"
    assert {fold(character) for character in NABE} == {"辺"}
    assert fold("神\ufe00") == fold("\ufa19") == "神"


def test_an_image_folds_into_the_mark_for_it() -> None:
    assert fold("{gaiji:3:1}田{gaiji:3:2}") == f"{GETA}田{GETA}"


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(exclude_characters="{}")), st.text())
def test_the_folded_beginning_is_the_beginning_of_the_folded(begin: str, end: str) -> None:
    assert fold(begin + end).startswith(fold(begin))


def test_no_representative_is_folded_again() -> None:
    table = fold_table()
    assert all(ord(to) not in table for to in table.values() if to)


def test_every_selector_and_only_that_is_dropped() -> None:
    dropped = {code for code, to in fold_table().items() if not to}
    assert dropped == {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("田中", ()),
        ("{gaiji:3:1}田", (Gaiji(3, 1),)),
        ("{gaiji:0:1}{gaiji:0:12}", (Gaiji(0, 1), Gaiji(0, 12))),
        ("{gaiji:3}", ()),
        ("{gaiji:3:0}", ()),
        ("{gaiji:03:1}", ()),
        ("{gaiji:3:1", ()),
        ("{gaiji:３:1}", ()),
        ("{gaiji:3:1234567890}", ()),
    ],
)
def test_images_are_counted_by_their_placeholders(text: str, images: tuple[Gaiji, ...]) -> None:
    assert gaiji(text) == images
    assert gaiji_count(text) == len(images)


@pytest.mark.parametrize(
    "text",
    [
        "髙橋 﨑",
        "渡邉　太郎",
        "澤田 花子",
        "齋藤 斎藤 齊藤 斉藤",
        "𠮷野",
        *KATSU,
        "辻\U000e0102 辻\U000e0103",
        "佐々木 ケ ヶ 々 〆",
        "NGUYEN VAN ANH",
        "O'BRIEN-SMITH, É.",
        "ﾏﾘｱ ＡＢＣ",
        "か゚",
        "熊本県八代市松江城町１番２５号（１０１）",
        "{gaiji:1:1}田",
        "神",
        "𛀂𛀙",
        "",
    ],
)
def test_what_the_register_has_may_stand(text: str) -> None:
    assert outsiders(text) == ()


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        ("边", ("边",)),
        ("한글", ("한", "글")),
        ("辺\U000e0102", ("辺\U000e0102",)),
        ("辺\U000e01ef", ("辺\U000e01ef",)),
        ("葛\U000e0100", ("葛\U000e0100",)),
        ("田\n中\n", ("\n",)),
        ("田\x00", ("\x00",)),
        ("😀田😀", ("😀",)),
        ("{gaiji:x:1}", ("{", "}")),
        ("\U000e0102", ("\U000e0102",)),
        ("田\u202e中", ("\u202e",)),
        ("\ue000", ("\ue000",)),
    ],
    ids=ascii,
)
def test_what_it_has_not_is_named_once(text: str, outside: tuple[str, ...]) -> None:
    assert outsiders(text) == outside


def test_every_kanji_of_the_register_folds_into_one_that_stands_for_it() -> None:
    for character in filter(lambda each: not outsiders(each), map(chr, range(0x4E00, 0xA000))):
        folded = fold(character)
        assert len(folded) == 1, character
        assert fold(folded) == folded, character
        assert unicodedata.name(folded).startswith(("CJK UNIFIED", "CJK COMPAT")), character


def test_what_stands_for_a_character_may_be_outside_the_register_for_it_is_never_shown() -> None:
    assert outsiders("鶖") == outsiders("\U00025835\U000e0100") == ()
    assert fold("鶖") == fold("䨂") == "䨂"
    assert fold("\U00025835\U000e0100") == "\U00025835"
    assert outsiders("䨂\U00025835") == ("䨂", "\U00025835")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("abc", 3),
        ("高橋", 2),
        (NABE[0] + "田", 2),
        ("か゚", 1),
        ("が", 1),
        ("E\u0301", 1),
        ("{gaiji:1:1}田{gaiji:1:2}", 3),
        ("𠮷", 1),
    ],
)
def test_length_is_what_the_eye_counts(text: str, length: int) -> None:
    assert visible_length(text) == length


def test_stored_text_is_composed_and_keeps_the_characters_of_the_register() -> None:
    assert composed("か\u3099") == "が"
    assert composed("E\u0301か\u3099\ufa19") == "Éが\ufa19"
    assert composed("﨑神") == "﨑神"
    assert composed(NABE[0]) == NABE[0]
    assert composed("ﾔﾏﾀﾞ") == "ﾔﾏﾀﾞ"


@given(st.text())
def test_composing_twice_is_composing_once(text: str) -> None:
    once = composed(text)
    assert composed(once) == once
    assert unicodedata.normalize("NFC", once) == unicodedata.normalize("NFC", text)
