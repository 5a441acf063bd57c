import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import index as x
from appliance.index import Index
from appliance.items import ItemName
from storage.engine import Token
from tests.plugins.people import code, number, person

INDEX = Index(bytes(32), 21)
HANAKO = person()


def test_a_record_has_one_token_of_each_kind() -> None:
    tokens = INDEX.tokens_of(HANAKO)
    assert sorted(token.index for token in tokens) == list(range(1, 12))


def test_identifiers_are_blobs_and_compounds_small_numbers() -> None:
    for token in INDEX.tokens_of(HANAKO):
        if token.index in (x.CODE, x.NUMBER):
            assert isinstance(token.value, bytes)
            assert len(token.value) == 12
        else:
            assert isinstance(token.value, int)
            assert 0 <= token.value < 2**21


def test_the_tokens_are_those_a_search_asks_for() -> None:
    assert INDEX.tokens_of(HANAKO) == {
        INDEX.code(code(1)),
        INDEX.number(number(1)),
        INDEX.compound(x.NAME, "熊本花子"),
        INDEX.compound(x.KANA, "くまもとはなこ"),
        INDEX.compound(x.KANA_BIRTH, "くま", "1990-04-05"),
        INDEX.compound(x.BIRTH_PLACE, "1990-04-05", "432024", "2"),
        INDEX.compound(x.KANA_YEAR, "くま", "432024", "1990"),
        INDEX.compound(x.KANA_TOWN, "くま", "432024", "001001", "2"),
        INDEX.compound(x.ADDRESS, "八代市松江城町1-25"),
        INDEX.compound(x.KANJI_BIRTH, "熊", "1990-04-05"),
        INDEX.compound(x.KANJI_TOWN, "熊", "432024", "001001", "2"),
    }


@pytest.mark.parametrize(
    ("item", "missing"),
    [
        ("my_number", {x.NUMBER}),
        ("kana", {x.KANA, x.KANA_BIRTH, x.KANA_YEAR, x.KANA_TOWN}),
        ("town_code", {x.KANA_TOWN, x.KANJI_TOWN}),
        ("address", {x.ADDRESS}),
        ("name", {x.NAME, x.KANJI_BIRTH, x.KANJI_TOWN}),
        ("resident_code", {x.CODE}),
    ],
)
def test_what_is_not_known_is_not_indexed(item: str, missing: set[int]) -> None:
    tokens = INDEX.tokens_of(HANAKO | {ItemName(item): None})
    assert {token.index for token in tokens} == set(range(1, 12)) - missing


@pytest.mark.parametrize("variant", ["渡邉　太郎", "渡邊太郎", "渡辺　太郎", "渡辺 太郎"])
def test_variants_have_one_name_token(variant: str) -> None:
    tokens = INDEX.tokens_of(person(name=variant))
    assert INDEX.compound(x.NAME, "渡辺太郎") in tokens


def test_another_key_gives_other_tokens() -> None:
    other = Index(bytes([1]) * 32, 21)
    assert not INDEX.tokens_of(HANAKO) & other.tokens_of(HANAKO)


def test_one_value_in_two_indexes_has_two_tokens() -> None:
    assert INDEX.compound(x.NAME, "花").value != INDEX.compound(x.KANA, "花").value


def test_parts_do_not_run_together() -> None:
    assert INDEX.compound(x.KANA_BIRTH, "ab", "c") != INDEX.compound(x.KANA_BIRTH, "a", "bc")


@given(bits=st.integers(8, 40))
def test_a_token_is_as_wide_as_the_installation_says(bits: int) -> None:
    token = Index(bytes(32), bits).compound(x.NAME, "熊本花子")
    assert isinstance(token, Token)
    assert 0 <= int(token.value) < 2**bits
