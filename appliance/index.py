"""The closed list of what a resident can be found by, as keyed tokens X1 to X11.

No token stands for sex, municipality, surname or prefix alone: compounds only, so that the index
tells its holder next to nothing. A plugin cannot add one. Whoever changes a row or a key in
``normalise.py`` raises ``normalise.VERSION`` and rebuilds the index.
"""

from functools import lru_cache

from appliance.items import ItemName, Values
from appliance.values import normalise
from storage.engine import Token
from storage.tokens import Tokens, index_key

CODE, NUMBER = 1, 2
NAME, KANA, KANA_BIRTH, BIRTH_PLACE, KANA_YEAR, KANA_TOWN, ADDRESS, KANJI_BIRTH, KANJI_TOWN = range(
    3, 12
)
NAMES = {
    CODE: "code",
    NUMBER: "number",
    NAME: "name",
    KANA: "kana",
    KANA_BIRTH: "kana2_birth",
    BIRTH_PLACE: "birth_place_sex",
    KANA_YEAR: "kana2_place_year",
    KANA_TOWN: "kana2_town_sex",
    ADDRESS: "address",
    KANJI_BIRTH: "kanji1_birth",
    KANJI_TOWN: "kanji1_town_sex",
}


Pair = tuple[int, int]
"""The number of an index and a compound token of it."""
_AT_ONE_ADDRESS = 32
"""Addresses whose key is remembered: who lives together is mostly written one after another."""

(
    RESIDENT_CODE_ITEM,
    MY_NUMBER_ITEM,
    NAME_ITEM,
    KANA_ITEM,
    BIRTH_DATE_ITEM,
    SEX_ITEM,
    ADDRESS_ITEM,
    MUNICIPALITY_CODE_ITEM,
    TOWN_CODE_ITEM,
) = map(
    ItemName,
    (
        "resident_code",
        "my_number",
        "name",
        "kana",
        "birth_date",
        "sex",
        "address",
        "municipality_code",
        "town_code",
    ),
)


class Index:
    """Makes tokens; holds the index keys of one installation."""

    def __init__(self, root: bytes, bits: int) -> None:
        """``bits`` is how much is kept of a compound token: log2 of the residents expected."""
        self._of = {number: Tokens(index_key(root, name), bits) for number, name in NAMES.items()}
        self._address_key = lru_cache(_AT_ONE_ADDRESS)(normalise.address_key)

    def code(self, resident_code: str) -> Token:
        """X1, 住民票コード."""
        return Token(CODE, self._of[CODE].identifier(resident_code))

    def number(self, my_number: str) -> Token:
        """X2, 個人番号."""
        return Token(NUMBER, self._of[NUMBER].identifier(my_number))

    def compound(self, index: int, *parts: str) -> Token:
        """X3 to X11: a token of parts that are already normalised."""
        return Token(index, self._of[index].token(*parts))

    def tokens_of(self, values: Values) -> frozenset[Token]:
        """Return every token by which this record is found."""
        identifiers = []
        if code := _text(values, RESIDENT_CODE_ITEM):
            identifiers.append(self.code(code))
        if number := _text(values, MY_NUMBER_ITEM):
            identifiers.append(self.number(number))
        return frozenset((*identifiers, *(Token(*pair) for pair in self.compounds_of(values))))

    def compounds_of(self, values: Values) -> set[Pair]:
        """Return the compound tokens among them, as they are made by the million."""
        pairs: set[Pair] = set()
        add, of = pairs.add, self._of
        if address := self._address_key(_text(values, ADDRESS_ITEM)):
            add((ADDRESS, of[ADDRESS].token(address)))
        birth, sex = _text(values, BIRTH_DATE_ITEM), _text(values, SEX_ITEM)
        place, town = _text(values, MUNICIPALITY_CODE_ITEM), _text(values, TOWN_CODE_ITEM)
        add((BIRTH_PLACE, of[BIRTH_PLACE].token(birth, place, sex)))
        for key in filter(
            None, map(normalise.name_key, normalise.names_in(_text(values, NAME_ITEM)))
        ):
            add((NAME, of[NAME].token(key)))
            add((KANJI_BIRTH, of[KANJI_BIRTH].token(key[:1], birth)))
            if town:
                add((KANJI_TOWN, of[KANJI_TOWN].token(key[:1], place, town, sex)))
        if key := normalise.kana_key(_text(values, KANA_ITEM)):
            add((KANA, of[KANA].token(key)))
            add((KANA_BIRTH, of[KANA_BIRTH].token(key[:2], birth)))
            add((KANA_YEAR, of[KANA_YEAR].token(key[:2], place, birth[:4])))
            if town:
                add((KANA_TOWN, of[KANA_TOWN].token(key[:2], place, town, sex)))
        return pairs


def _text(values: Values, item: ItemName) -> str:
    value = values.get(item)
    return "" if value is None else str(value)
