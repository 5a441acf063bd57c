#!/usr/bin/env python3
"""Write appliance/values/data/repertoire.tsv and variants.tsv from the MJ tables.

    npm install --prefix /tmp/moji --ignore-scripts @mandel59/mojidata@1.8.1
    scripts/make_characters.py /tmp/moji/node_modules/@mandel59/mojidata/dist/moji.db

The database holds MJ文字情報一覧表, MJ縮退マップ (IPA, CC BY-SA 2.1 JP) and the 漢字データベース
variant lists (MIT); appliance/values/data/NOTICE.md says what is owed to whom. The source is
checked against its digest, and the same source gives the same bytes. Whoever changes the outcome
raises ``appliance.values.normalise.VERSION``: tokens in stores were made with the old table.

Repertoire
    Every kanji with a 住基ネット統一文字コード, as its bare character where it is implemented so
    and as an ideographic variation sequence where it has one. The source has no rows for what is
    not kanji; there the code is the code point (J+0020-33FF, J+FF00-FFFE), and the characters are
    those of JIS X 0213, JIS X 0212 and Windows code page 932: 1,256 and 14 kana with a mark where
    1,274 are published to be, and 163 where 163 are. Of the 168 変体仮名 no source says which, so
    all that Unicode has are let in.

Variants
    Families of characters that one name is written with, merged from the lists in ``LINKS`` in
    the order in which they are to be trusted, closed transitively, each with one representative:
    the 常用漢字, else a 人名用漢字, else one of JIS X 0208, else the lowest code point that is not
    a radical. Two guards keep the closure from running away; the MJ縮退マップ closed without them
    has a family of 207, and 芸 in one with 狐, 鎮 and 賢:

    - two 常用漢字 never share a family: 王 and 玉, 着 and 著, 崎 and 埼, 斎 and 斉 stay apart;
    - a rare character never joins two families of common ones: it goes to the first that
      claims it.

    Not used: 法務省告示582号別表第四 (turns characters of other countries into the nearest
    Japanese one, by sound too: 計 for 峜), 辞書類等による関連字 (related in meaning: 芸 with 賢),
    and the 別字 of 民一2842号 (characters that are also somebody else's right ones).
"""

import hashlib
import sqlite3
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "appliance/values/data"
SOURCE_DIGEST = "fb959e14abdd5b2fd6306513d1e7f477577f7555bc08d3b0ed081a7504526f3d"

Link = tuple[str, str]

OWN = ("崎碕", "磯礒", "鶴靍", "鶴靎", "薮籔", "麺麪")
"""Family names the lists below miss; each is the same name in another hand."""

KEPT_APART = (frozenset("界堺"),)
"""Linked by the lists below, directly or over a third, but 堺 is a city."""

LINKS = (
    "SELECT subject, object FROM [kdpv_joyo/variant]",
    "SELECT subject, object FROM [kdpv_jinmei1/variant]",
    "SELECT subject, object FROM [kdpv_jinmei2/variant]",
    "SELECT subject, object FROM [kdpv_hyogai/variant]",
    "SELECT subject, object FROM [kdpv_non-cjk/radical]",
    "SELECT subject, object FROM [kdpv_non-cjk/kangxi]",
    "SELECT 対応するUCS, 対応する互換漢字 FROM mji WHERE 対応する互換漢字 IS NOT NULL",
    "SELECT 対応するUCS, 縮退UCS FROM mjsm_JIS包摂規準UCS統合規則 JOIN mji USING (MJ文字図形名)",
    "SELECT 対応するUCS, 縮退UCS FROM mjsm_民二5202号通知別表_正字俗字等対照表"
    " JOIN mji USING (MJ文字図形名)",
    "SELECT 対応するUCS, 縮退UCS FROM mjsm_民一2842号通達別表_誤字俗字正字一覧表_無印"
    " JOIN mji USING (MJ文字図形名)",
    "SELECT 対応するUCS, 縮退UCS FROM mjsm_民一2842号通達別表_誤字俗字正字一覧表_俗字"
    " JOIN mji USING (MJ文字図形名)",
    "SELECT 対応するUCS, 縮退UCS FROM mjsm_戸籍統一文字情報_親字正字"
    " JOIN mji USING (MJ文字図形名) WHERE ホップ数 = 1",
    "SELECT 対応するUCS, 縮退UCS FROM mjsm_戸籍統一文字情報_親字正字"
    " JOIN mji USING (MJ文字図形名) WHERE ホップ数 > 1",
    "SELECT 対応するUCS, 縮退UCS FROM mjsm_読み字形による類推 JOIN mji USING (MJ文字図形名)",
    "SELECT subject, object FROM [kdpv_jp/old-style]",
    "SELECT subject, object FROM [kdpv_jisx0213/variant]",
)

IDEOGRAPHS = (
    range(0x2E80, 0x2FE0),  # radicals, which people type for characters
    range(0x3400, 0xA000),
    range(0xF900, 0xFB00),
    range(0x20000, 0x33480),
)
SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
WITHOUT_SELECTORS = dict.fromkeys(SELECTORS)


def repertoire(moji: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Yield J+ code, MJ number and text of everything that may stand in a name."""
    for code in (*range(0x20, 0x3400), *range(0xFF00, 0xFFFF)):
        if is_known_elsewhere(chr(code)) and not unicodedata.category(chr(code)).startswith("C"):
            yield f"{code:04X}", "-", chr(code)
    for kana in KANA_WITH_MARK:
        yield "-", "-", kana
    rows = moji.execute(
        "SELECT substr(住基ネット統一文字コード, 3), MJ文字図形名, 実装したUCS,"
        " 実装したMoji_JohoコレクションIVS FROM mji WHERE 住基ネット統一文字コード IS NOT NULL"
    )
    for code, number, character, sequence in rows:
        for text in filter(None, (character, sequence)):
            yield code, number, text
    for number, text in moji.execute("SELECT MJ文字図形名, 文字 FROM mjih WHERE 文字 IS NOT NULL"):
        yield "-", number, text


# Plain and small kana with 半濁点, which JIS X 0213 has and Unicode writes as two characters.
KANA_WITH_MARK = tuple(kana + "\u309a" for kana in "かきくけこカキクケコセツトㇷ")


def is_known_elsewhere(character: str) -> bool:
    """Whether JIS X 0213, JIS X 0212 or code page 932 has the character."""
    return any(has(character, codec) for codec in ("euc_jis_2004", "euc_jp", "cp932"))


def has(character: str, codec: str) -> bool:
    try:
        return bool(character.encode(codec))
    except UnicodeEncodeError:
        return False


class Families:
    """Characters merged into families, within the two guards."""

    def __init__(self, moji: sqlite3.Connection) -> None:
        listed = dict(
            moji.execute("SELECT 実装したUCS, 漢字施策 FROM mji WHERE 漢字施策 IS NOT NULL")
        )
        self._regular = {ch for ch, kind in listed.items() if kind == "常用漢字"}
        self._for_names = {ch for ch, kind in listed.items() if kind == "人名用漢字"}
        self._family: dict[str, set[str]] = {}

    def merge(self, links: list[Link]) -> None:
        """Merge along the links: first those between common characters, then the others."""
        for one, other in links:
            if self.is_common(one) and self.is_common(other):
                self._join(one, other, lambda family: not family.isdisjoint(self._regular))
        for one, other in links:
            if not (self.is_common(one) and self.is_common(other)):
                self._join(one, other, lambda family: any(map(self.is_common, family)))

    def _join(self, one: str, other: str, claims: Callable[[set[str]], bool]) -> None:
        ours = self._family.setdefault(one, {one})
        theirs = self._family.setdefault(other, {other})
        if ours is theirs or (claims(ours) and claims(theirs)):
            return
        if any(pair <= ours | theirs for pair in KEPT_APART):
            return
        ours |= theirs
        for character in theirs:
            self._family[character] = ours

    def is_common(self, character: str) -> bool:
        """Whether ordinary people write it."""
        return self._rank(character)[0] < 3

    def _rank(self, character: str) -> tuple[int, str]:
        if character in self._regular:
            return 0, character
        if character in self._for_names:
            return 1, character
        if has(character, "iso2022_jp"):
            return 2, character
        return (4 if ord(character) in IDEOGRAPHS[0] else 3), character

    def __iter__(self) -> Iterator[Link]:
        """Yield representative and the other members of every family that has some."""
        for family in {id(family): family for family in self._family.values()}.values():
            first, *others = sorted(family, key=self._rank)
            if others:
                yield first, "".join(sorted(others))


def links(moji: sqlite3.Connection) -> Iterator[Link]:
    """Yield pairs of characters that are one, the most trusted first, in a fixed order."""
    yield from ((pair[0], pair[1]) for pair in OWN)
    compatible = map(chr, (*range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20)))
    yield from ((unicodedata.normalize("NFC", character), character) for character in compatible)
    for query in LINKS:
        yield from sorted(bare(pair) for pair in moji.execute(query))


def bare(pair: Link) -> Link:
    """Return a pair without variation selectors."""
    one, other = (text.translate(WITHOUT_SELECTORS) for text in pair)
    return one, other


def is_link(pair: Link) -> bool:
    one, other = pair
    one_each = len(one) == 1 == len(other) and one != other
    return one_each and all(map(is_ideograph, pair))


def is_ideograph(character: str) -> bool:
    return any(ord(character) in block for block in IDEOGRAPHS)


def old_kana(moji: sqlite3.Connection) -> Iterator[Link]:
    """Yield a hiragana and the 変体仮名 that have this one reading."""
    rows = moji.execute(
        "SELECT min(音価), 文字 FROM mjih_phonetic WHERE 文字 IS NOT NULL"
        " GROUP BY 文字 HAVING count(DISTINCT 音価) = 1 ORDER BY 文字"
    )
    families: dict[str, str] = {}
    for reading, character in rows:
        families[reading] = families.get(reading, "") + character
    yield from ((kana, old) for kana, old in families.items() if len(kana) == 1)


def write(name: str, header: str, lines: list[str]) -> None:
    text = header + "".join(f"{line}\n" for line in lines)
    (DATA / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(lines)} lines, {len(text.encode())} bytes")


def main() -> None:
    source = Path(sys.argv[1])
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SOURCE_DIGEST:
        sys.exit(f"{source}: not moji.db of @mandel59/mojidata 1.8.1 but {digest}")
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as moji:
        allowed = sorted(repertoire(moji))
        families = Families(moji)
        families.merge(list(filter(is_link, links(moji))))
        variants = sorted((*families, *old_kana(moji)))
    write(
        "repertoire.tsv",
        "# 住基ネット統一文字 (code without J+), MJ文字図形名, text; '-' is nothing. Made by\n"
        "# scripts/make_characters.py; see NOTICE.md for authors and licence.\n",
        ["\t".join(row) for row in allowed],
    )
    write(
        "variants.tsv",
        "# Representative, the characters folded into it for searching. Made by\n"
        "# scripts/make_characters.py; see NOTICE.md for authors and licence.\n",
        ["\t".join(row) for row in variants],
    )


if __name__ == "__main__":
    main()
