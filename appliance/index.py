"""The closed list of what a resident can be found by, as keyed tokens X1 to X11.

No token stands for sex, municipality, surname or prefix alone: compounds only, so that the index
tells its holder next to nothing. A plugin cannot add one. Whoever changes a row or a key in
``normalise.py`` raises ``normalise.VERSION`` and rebuilds the index.
"""

from collections.abc import Iterable, Iterator

from appliance.items import ItemName, Values
from appliance.values import normalise
from storage.engine import Token
from storage.tokens import identifier_token, index_key, token

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


class Index:
    """Makes tokens; holds the index keys of one installation."""

    def __init__(self, root: bytes, bits: int) -> None:
        """``bits`` is how much is kept of a compound token: log2 of the residents expected."""
        self._bits = bits
        self._keys = {number: index_key(root, name) for number, name in NAMES.items()}

    def code(self, resident_code: str) -> Token:
        """X1, 住民票コード."""
        return self._identifier(CODE, resident_code)

    def number(self, my_number: str) -> Token:
        """X2, 個人番号."""
        return self._identifier(NUMBER, my_number)

    def compound(self, index: int, *parts: str) -> Token:
        """X3 to X11: a token of parts that are already normalised."""
        encoded = [part.encode() for part in parts]
        return Token(index, token(self._keys[index], encoded, self._bits))

    def tokens_of(self, values: Values) -> frozenset[Token]:
        """Return every token by which this record is found."""
        return frozenset(self._tokens(values))

    def _identifier(self, index: int, text: str) -> Token:
        return Token(index, identifier_token(self._keys[index], [text.encode()]))

    def _tokens(self, values: Values) -> Iterator[Token]:
        if code := _text(values, "resident_code"):
            yield self.code(code)
        if number := _text(values, "my_number"):
            yield self.number(number)
        if address := normalise.address_key(_text(values, "address")):
            yield self.compound(ADDRESS, address)
        birth, sex = _text(values, "birth_date"), _text(values, "sex")
        place, town = _text(values, "municipality_code"), _text(values, "town_code")
        yield self.compound(BIRTH_PLACE, birth, place, sex)
        yield from self._kanji(_text(values, "name"), birth, place, town, sex)
        yield from self._kana(_text(values, "kana"), birth, place, town, sex)

    def _kanji(self, name: str, birth: str, place: str, town: str, sex: str) -> Iterable[Token]:
        for key in filter(None, map(normalise.name_key, normalise.names_in(name))):
            yield self.compound(NAME, key)
            yield self.compound(KANJI_BIRTH, key[:1], birth)
            if town:
                yield self.compound(KANJI_TOWN, key[:1], place, town, sex)

    def _kana(self, kana: str, birth: str, place: str, town: str, sex: str) -> Iterable[Token]:
        if key := normalise.kana_key(kana):
            yield self.compound(KANA, key)
            yield self.compound(KANA_BIRTH, key[:2], birth)
            yield self.compound(KANA_YEAR, key[:2], place, birth[:4])
            if town:
                yield self.compound(KANA_TOWN, key[:2], place, town, sex)


def _text(values: Values, item: str) -> str:
    value = values.get(ItemName(item))
    return "" if value is None else str(value)
