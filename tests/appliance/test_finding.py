import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from appliance import index as x
from appliance.errors import AddConditions, Malformed
from appliance.finding import Conditions, Why, judge, plan, worth
from appliance.index import Index
from appliance.items import ItemName, Values
from appliance.values.identifiers import Municipalities
from tests.plugins.people import KUMAMOTO, UTO, YATSUSHIRO, person

INDEX = Index(bytes(32), 21)
MUNICIPALITIES = Municipalities.load()
HANAKO = person()
TODAY = date(2026, 4, 1)


def around(sought: Conditions) -> frozenset[str]:
    code = sought.municipality_code
    return frozenset() if code is None else frozenset(MUNICIPALITIES.covered_by(code))


def why(sought: Conditions, values: Values = HANAKO) -> Why | None:
    return judge(sought, around(sought), values)


def given(**conditions: Any) -> Conditions:
    return Conditions(today=TODAY, **conditions)


CITY = {"municipality_code": YATSUSHIRO}
TOWN = {**CITY, "town_code": "001001"}
ROWS = {
    "full kanji name": (given(name="熊本花子"), x.NAME, 1),
    "full kanji name and the rest": (given(name="熊本花子", sex="2", **TOWN), x.NAME, 1),
    "full kana": (given(kana="くまもとはなこ"), x.KANA, 1),
    "kana and birth date": (
        given(kana="くま", kana_prefix=True, birth_date="1990-04-05"),
        x.KANA_BIRTH,
        1,
    ),
    "kanji prefix and birth date": (
        given(name="熊", name_prefix=True, birth_date="1990-04-05"),
        x.KANJI_BIRTH,
        1,
    ),
    "birth date and municipality": (given(birth_date="1990-04-05", **CITY), x.BIRTH_PLACE, 3),
    "birth date, municipality, sex": (
        given(birth_date="1990-04-05", sex="2", **CITY),
        x.BIRTH_PLACE,
        1,
    ),
    "birth date and 指定都市": (
        given(birth_date="1990-04-05", sex="2", municipality_code=KUMAMOTO),
        x.BIRTH_PLACE,
        6,
    ),
    "kana, municipality, year": (
        given(kana="くま", kana_prefix=True, birth_year="1990", **CITY),
        x.KANA_YEAR,
        1,
    ),
    "kana and town": (given(kana="くま", kana_prefix=True, **TOWN), x.KANA_TOWN, 3),
    "kana, town, sex": (given(kana="くま", kana_prefix=True, sex="2", **TOWN), x.KANA_TOWN, 1),
    "birth date with unknown parts, and place": (
        given(birth_date="1990-04-05", birth_open=True, sex="2", **TOWN),
        x.BIRTH_PLACE,
        4,
    ),
    "kana prefix, birth date with unknown parts": (
        given(kana="くま", kana_prefix=True, birth_date="1990-04-00", birth_open=True),
        x.KANA_BIRTH,
        34,
    ),
    "full address": (given(address="熊本県八代市松江城町１番２５号"), x.ADDRESS, 1),
    "full address and sex": (given(address="八代市松江城町1-25", sex="2"), x.ADDRESS, 1),
    "kanji prefix and town": (given(name="熊", name_prefix=True, **TOWN), x.KANJI_TOWN, 3),
    "kanji prefix, town, sex": (
        given(name="熊", name_prefix=True, sex="2", **TOWN),
        x.KANJI_TOWN,
        1,
    ),
}


NARROWED = {
    "full kanji name and birth date": (
        given(name="熊本花子", birth_date="1990-04-05"),
        x.KANJI_BIRTH,
        {x.NAME},
    ),
    "full kana and birth date": (
        given(kana="くまもとはなこ", birth_date="1990-04-05"),
        x.KANA_BIRTH,
        {x.KANA},
    ),
    "both names and birth date": (
        given(name="熊本花子", kana="くまもとはなこ", birth_date="1990-04-05"),
        x.KANA_BIRTH,
        {x.NAME},
    ),
    "full kanji name, one kana, birth date": (
        given(name="熊本花子", kana="く", kana_prefix=True, birth_date="1990-04-05"),
        x.KANJI_BIRTH,
        {x.NAME},
    ),
    "both names": (given(name="熊本花子", kana="くまもとはなこ"), x.NAME, {x.KANA}),
    "kanji prefix, full kana": (
        given(name="熊本", name_prefix=True, kana="くまもとはなこ"),
        x.KANA,
        set(),
    ),
}


@pytest.mark.parametrize(("sought", "index", "also"), NARROWED.values(), ids=NARROWED)
def test_namesakes_are_told_apart_before_anybody_is_opened(
    sought: Conditions, index: int, also: set[int]
) -> None:
    found = plan(sought, INDEX, ())
    assert {token.index for token in found.tokens} == {index}
    assert {token.index for token in found.also} == also
    assert found.tokens & INDEX.tokens_of(person())
    assert bool(found.also & INDEX.tokens_of(person())) is bool(also)
    assert why(sought)


@pytest.mark.parametrize(("sought", "index", "count"), ROWS.values(), ids=ROWS)
def test_each_combination_has_its_index(sought: Conditions, index: int, count: int) -> None:
    tokens, also = plan(sought, INDEX, around(sought))
    assert {token.index for token in tokens} == {index}
    assert len(tokens) == count
    assert not also
    city = {"municipality_code": "431010"} if sought.municipality_code == KUMAMOTO else {}
    assert tokens & INDEX.tokens_of(person(**city))
    assert why(sought, person(**city))


ADVICE = {
    "nothing": (given(), "give a full name"),
    "sex": (given(sex="2"), "give a full name"),
    "municipality": (given(**CITY), "give a full name"),
    "town": (given(**TOWN), "give a full name"),
    "year": (given(birth_year="1990", **CITY), "give a full name"),
    "birth date": (given(birth_date="1990-04-05", sex="2"), "add municipality_code"),
    "kanji prefix": (given(name="熊本", name_prefix=True, **CITY), "town_code"),
    "kanji prefix and address": (
        given(name="熊本", name_prefix=True, address="八代市"),
        "give the full name",
    ),
    "kana prefix": (given(kana="くまもと", kana_prefix=True), "add birth_date"),
    "one kana": (given(kana="く", kana_prefix=True, **TOWN), "2 characters"),
    "one kana and birth date": (
        given(kana="く", kana_prefix=True, birth_date="1990-04-05"),
        "2 characters",
    ),
    "year of birth with unknown parts": (
        given(birth_date="1990-00-00", birth_open=True, name="熊", name_prefix=True),
        "year and month of birth",
    ),
    "month of birth with unknown parts, in the city": (
        given(birth_date="1990-04-00", birth_open=True, municipality_code=KUMAMOTO),
        "add the day of birth or the sex",
    ),
}


@pytest.mark.parametrize(("sought", "advice"), ADVICE.values(), ids=ADVICE)
def test_what_is_too_wide_is_told_what_to_add(sought: Conditions, advice: str) -> None:
    with pytest.raises(AddConditions, match=advice):
        plan(sought, INDEX, around(sought))


@pytest.mark.parametrize(
    ("sought", "told"),
    [
        (given(name="　"), "name holds nothing"),
        (given(kana="・"), "kana holds nothing"),
        (given(address="熊本県"), "address holds nothing"),
        (given(name="熊本花子", address="東京都"), "address holds nothing"),
        (given(name="熊本花子", address="　"), "address holds nothing"),
        (given(name="熊本花子", birth_date="1990-13-01"), "birth_date must be"),
        (given(name="熊本花子", birth_date="90-1-1"), "birth_date must be"),
    ],
)
def test_a_condition_that_says_nothing_is_malformed(sought: Conditions, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        plan(sought, INDEX, around(sought))
    if "holds nothing" in told:
        with pytest.raises(Malformed, match=told):
            worth(sought)


@pytest.mark.parametrize(
    ("written", "sought", "reason"),
    [
        ("熊本　花子", given(name="熊本花子"), Why.EXACT),
        ("熊本　花子", given(name="熊本　花子"), Why.EXACT),
        ("渡邉　花子", given(name="渡辺花子"), Why.VARIANT),
        ("𠮷田　花子", given(name="吉田花子"), Why.VARIANT),
        ("NGUYEN VAN ANH", given(name="Nguyễn Văn Anh"), Why.VARIANT),
        ("熊本　花子", given(name="熊本", name_prefix=True), Why.PREFIX),
        ("渡邉　花子", given(name="渡辺", name_prefix=True), Why.PREFIX),
        ("熊本　花子", given(name="熊本花子", name_prefix=True), Why.EXACT),
        ("熊本　花子", given(name="熊本"), None),
        ("熊本　花子", given(name="花子", name_prefix=True), None),
        ("熊本　花子", given(name="熊田花子"), None),
    ],
)
def test_a_name_fits_for_a_reason(written: str, sought: Conditions, reason: Why | None) -> None:
    assert why(sought, HANAKO | {ItemName("name"): written}) is reason


@pytest.mark.parametrize(
    ("written", "sought", "reason"),
    [
        ("くまもと　はなこ", given(kana="くまもとはなこ"), Why.KANA),
        ("くまもと　はなこ", given(kana="クマモト　ハナコ"), Why.KANA),
        ("くまもと　はなこ", given(kana="ｸﾏﾓﾄ ﾊﾅｺ"), Why.KANA),
        ("みやじ　じゅん", given(kana="みやぢじゅん"), Why.SEION),
        ("くまもと　はなこ", given(kana="くまもとばなこ"), Why.SEION),
        ("くまもと　はなこ", given(kana="くま", kana_prefix=True), Why.PREFIX),
        ("くまもと　はなこ", given(kana="くまもと"), None),
        (None, given(kana="くまもとはなこ"), None),
    ],
)
def test_a_reading_fits_for_a_reason(
    written: str | None, sought: Conditions, reason: Why | None
) -> None:
    assert why(sought, HANAKO | {ItemName("kana"): written}) is reason


def test_the_best_reason_is_told() -> None:
    assert why(given(name="熊", name_prefix=True, kana="くまもとはなこ")) is Why.KANA
    assert why(given(name="熊本花子", kana="くま", kana_prefix=True)) is Why.EXACT
    assert why(given(birth_date="1990-04-05", **CITY)) is Why.CONDITIONS


def test_both_names_must_hold() -> None:
    assert why(given(name="熊本花子", kana="やまだ", kana_prefix=True)) is None
    assert why(given(name="山田花子", kana="くまもとはなこ")) is None


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({"sex": "2"}, True),
        ({"sex": "1"}, False),
        ({"birth_date": "1990-04-05"}, True),
        ({"birth_date": "1990-04-00"}, False),
        ({"birth_year": "1990"}, True),
        ({"birth_year": "1991"}, False),
        ({"municipality_code": YATSUSHIRO}, True),
        ({"municipality_code": UTO}, False),
        ({"town_code": "001001"}, True),
        ({"town_code": "001002"}, False),
        ({"address": "熊本県八代市松江城町１番２５号"}, True),
        ({"address": "八代市松江城町1-25"}, True),
        ({"address": "熊本県八代市"}, True),
        ({"address": "八代市松江城町1-2"}, False),
        ({"address": "宇土市"}, False),
        ({"address": "東京都八代市松江城町1-25"}, False),
        ({"address": "宮崎県八代市"}, False),
    ],
)
def test_everything_given_must_hold(conditions: dict[str, str], fits: bool) -> None:
    assert (why(given(name="熊本花子", **conditions)) is not None) is fits


@pytest.mark.parametrize(
    ("recorded", "asked", "fits"),
    [
        ("八代市本町１番", "熊本県八代市本町1", True),
        ("八代市本町１番", "東京都八代市本町1", False),
        ("東京都八代市本町１番", "熊本県八代市本町1", False),
        ("北海道八代市本町１番", "北海道八代市本町1", True),
    ],
)
def test_a_prefecture_left_out_is_that_of_the_municipality(
    recorded: str, asked: str, fits: bool
) -> None:
    values = HANAKO | {ItemName("address"): recorded}
    assert (why(given(name="熊本花子", address=asked), values) is not None) is fits


def test_a_ward_belongs_to_its_city_but_not_the_other_way_round() -> None:
    in_a_ward = HANAKO | {ItemName("municipality_code"): "431010"}
    assert why(given(name="熊本花子", municipality_code=KUMAMOTO), in_a_ward)
    assert not why(given(name="熊本花子", municipality_code="431028"), in_a_ward)


@pytest.mark.parametrize(
    ("removed", "include", "fits"),
    [
        ({"reason": "22"}, False, False),
        ({"reason": "22"}, True, True),
        ({"reason": "21", "effective_date": "2026-04-01"}, False, False),
        ({"reason": "21", "effective_date": "2026-04-02"}, False, True),
        ({"reason": "21", "effective_date": "0000-00-00"}, False, False),
    ],
)
def test_struck_off_residents_are_found_on_request(
    removed: dict[str, Any], include: bool, fits: bool
) -> None:
    values = person(removed_flag=True, **removed)
    sought = replace(given(name="熊本花子"), include_removed=include)
    assert (why(sought, values) is not None) is fits


SURNAMES = [("渡邉", "わたなべ"), ("渡辺", "わたなべ"), ("髙橋", "たかはし"), ("高橋", "たかばし")]
GIVEN = [("太郎", "たろう"), ("花子", "はなこ"), ("吉", "よし"), ("𠮷", "よし")]
DATES = ["1990-04-05", "1990-04-00", "1991-01-01", "0000-00-00"]
PLACES = [(YATSUSHIRO, "001001"), (YATSUSHIRO, None), ("431010", "001001"), (UTO, "002001")]


def population(chance: random.Random, count: int) -> list[Values]:
    people = []
    for which in range(count):
        (kanji, kana), (given_kanji, given_kana) = chance.choice(SURNAMES), chance.choice(GIVEN)
        place, town = chance.choice(PLACES)
        people.append(
            person(
                which,
                name=f"{kanji}　{given_kanji}",
                kana=chance.choice([f"{kana}　{given_kana}", None]),
                birth_date=chance.choice(DATES),
                sex=chance.choice("012"),
                municipality_code=place,
                town_code=town,
                removed_flag=chance.random() < 0.1,
                reason="22",
            )
        )
    return people


BORN = [
    ("1990-04-05", "1990-04-05", True),
    ("1990-04-05", "1990-04-00", True),
    ("1990-04-05", "1990-00-00", True),
    ("1990-04-05", "0000-00-00", True),
    ("1990-04-05", "1990-04-06", False),
    ("1990-04-05", "1990-05-00", False),
    ("1990-04-00", "1990-04-30", True),
    ("1990-04-00", "1990-05-01", False),
]


@pytest.mark.parametrize(("asked", "recorded", "fits"), BORN)
def test_unknown_parts_of_a_birth_date_match_on_request(
    asked: str, recorded: str, fits: bool
) -> None:
    sought = given(name="熊本花子", birth_date=asked)
    values = person(birth_date=recorded)
    assert (why(replace(sought, birth_open=True), values) is not None) is fits
    assert (why(sought, values) is not None) is (asked == recorded)


ALIASED = [
    ("NGUYEN VAN ANH", Why.EXACT),
    ("Nguyễn Văn Anh", Why.VARIANT),
    ("阮文英", Why.EXACT),
    ("ＮＧＵＹＥＮ　ＶＡＮ　ＡＮＨ（阮　文英）", Why.VARIANT),
    ("文英", None),
]


@pytest.mark.parametrize(("name", "reason"), ALIASED)
def test_a_foreigner_is_found_by_name_and_by_tsushou(name: str, reason: Why | None) -> None:
    values, sought = person(name="NGUYEN VAN ANH（阮　文英）", kana=None), given(name=name)
    assert why(sought, values) is reason
    tokens, _ = plan(sought, INDEX, ())
    assert bool(tokens & INDEX.tokens_of(values)) is (reason is not None)


def question(chance: random.Random) -> Conditions:
    maybe = chance.random
    (kanji, kana), (given_kanji, given_kana) = chance.choice(SURNAMES), chance.choice(GIVEN)
    prefix = chance.choice([True, False])
    place, town = chance.choice(PLACES)
    return given(
        name=(kanji if prefix else kanji + given_kanji) if maybe() < 0.5 else None,
        name_prefix=prefix,
        kana=(kana if prefix else kana + given_kana) if maybe() < 0.4 else None,
        kana_prefix=prefix,
        birth_date=chance.choice(DATES) if maybe() < 0.5 else None,
        birth_open=maybe() < 0.3,
        birth_year="1990" if maybe() < 0.3 else None,
        sex=chance.choice("012") if maybe() < 0.3 else None,
        municipality_code=chance.choice([place, KUMAMOTO]) if maybe() < 0.6 else None,
        town_code=town if maybe() < 0.5 else None,
        include_removed=maybe() < 0.3,
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_index_misses_nobody_who_fits(seed: int) -> None:
    """What is found through tokens is what a look at every record would find."""
    chance = random.Random(seed)
    people = population(chance, 150)
    tokens = [INDEX.tokens_of(values) for values in people]
    answered = found = 0
    for _ in range(150):
        sought = question(chance)
        try:
            under = plan(sought, INDEX, around(sought))
        except AddConditions:
            continue
        through = {
            n
            for n, values in enumerate(people)
            if tokens[n] & under.tokens
            and (not under.also or tokens[n] & under.also)
            and why(sought, values)
        }
        assert through == {n for n, values in enumerate(people) if why(sought, values)}
        answered, found = answered + 1, found + len(through)
    assert answered > 50
    assert found > 50
