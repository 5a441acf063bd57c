from collections import Counter, defaultdict
from datetime import date
from functools import cache
from itertools import islice

import pytest

from appliance.values.characters import gaiji_count, outsiders, visible_length
from appliance.values.dates import PartialDate
from appliance.values.identifiers import Municipalities, is_my_number, is_resident_code
from tests.simulators import names, places
from tests.simulators.fake_numbers import Numbers, wrong_my_number, wrong_resident_code
from tests.simulators.notices import Notice, digest, eight_of
from tests.simulators.population import DEFAULT_DAY, NEWCOMERS, Population
from tests.simulators.register import age, is_foreign

YATSUSHIRO = "432024"


@cache
def people(seed: int = 7, code: str = YATSUSHIRO, residents: int = 20_000) -> tuple[Notice, ...]:
    return tuple(Population(seed, code, residents).notices())


def share(wanted: Counter[str] | int, of: int) -> float:
    return (wanted if isinstance(wanted, int) else wanted.total()) / of


def test_the_same_seed_makes_the_same_people() -> None:
    again = Population(7, YATSUSHIRO, 20_000)

    assert tuple(again.notices()) == people()


def test_another_seed_makes_other_people() -> None:
    ours = {person.resident_code for person in people()}
    theirs = {person.resident_code for person in people(seed=8)}

    assert len(ours & theirs) < 5
    assert people()[0].name != people(seed=8)[0].name


def test_a_larger_population_begins_with_the_smaller_one() -> None:
    larger = Population(7, YATSUSHIRO, 30_000).notices()

    assert tuple(islice(larger, 20_000)) == people()


def test_any_household_can_be_made_again_alone() -> None:
    population = Population(7, YATSUSHIRO, 20_000)
    known = {person.resident_code: person.name for person in people()}

    for index in range(0, population.households, 97):
        for person in population.household(index):
            assert known[person.resident_code] == person.name


def test_everybody_counts_in_whole_households_but_the_last() -> None:
    population = Population(7, YATSUSHIRO, 20_000)
    whole = sum(len(population.household(index)) for index in range(population.households))

    assert whole <= 20_000 < whole + len(population.household(population.households))


def test_sequence_numbers_have_no_gaps() -> None:
    assert [person.sequence for person in people()] == list(range(1, 20_001))


def test_every_number_is_fake_unique_and_has_the_right_check_digit() -> None:
    codes = [person.resident_code for person in people()]
    numbers = [person.my_number for person in people() if person.my_number is not None]

    assert len(set(codes)) == len(codes)
    assert len(set(numbers)) == len(numbers)
    assert all(code[0] == "9" and is_resident_code(code) for code in codes)
    assert all(number[0] == "9" and is_my_number(number) for number in numbers)


def test_two_municipalities_share_no_numbers() -> None:
    here = {person.resident_code for person in people()}
    there = {person.resident_code for person in people(code="431001", residents=5_000)}

    assert not here & there


def test_newcomers_share_no_numbers_with_residents() -> None:
    population = Population(7, YATSUSHIRO, 20_000)
    residents = {person.resident_code for person in people()}
    newcomers = {p.resident_code for i in range(50) for p in population.household(NEWCOMERS + i)}

    assert not residents & newcomers


@pytest.mark.parametrize("counter", [0, 1, 10**9 - 1])
def test_a_wrong_check_digit_is_wrong_and_nothing_else_is(counter: int) -> None:
    code, number = Numbers(1).resident_code(counter), Numbers(1).my_number(counter)

    assert wrong_resident_code(code)[:-1] == code[:-1]
    assert not is_resident_code(wrong_resident_code(code))
    assert wrong_my_number(number)[:-1] == number[:-1]
    assert not is_my_number(wrong_my_number(number))


def test_the_age_pyramid_is_that_of_an_ageing_prefecture() -> None:
    ages = [age(person, DEFAULT_DAY) for person in people()]

    assert share(sum(a < 15 for a in ages), len(ages)) == pytest.approx(0.13, abs=0.02)
    assert share(sum(a >= 65 for a in ages), len(ages)) == pytest.approx(0.31, abs=0.03)
    assert max(ages) < 110


def test_women_live_longer() -> None:
    old = Counter(person.sex for person in people() if age(person, DEFAULT_DAY) >= 85)
    everybody = Counter(person.sex for person in people())

    assert old["2"] > 1.3 * old["1"]
    assert share(everybody["2"], everybody.total()) == pytest.approx(0.53, abs=0.015)


def test_a_household_shares_its_address_and_its_surname() -> None:
    population = Population(7, YATSUSHIRO, 20_000)

    for index in range(300):
        household = population.household(index)
        assert len({person.address for person in household}) == 1
        if not is_foreign(household[0]):
            assert len({p.name.partition(names.SPACE)[0] for p in household}) == 1


def test_households_are_about_as_large_as_in_the_census() -> None:
    population = Population(7, YATSUSHIRO, 20_000)

    assert 20_000 / population.households == pytest.approx(2.3, abs=0.1)


def test_surnames_come_as_often_as_in_the_country() -> None:
    things, totals = names.surnames()
    first_of_family = {p.address: p.name.partition(names.SPACE)[0] for p in people()}
    found = Counter(first_of_family.values())
    families = found.total()

    for (written, _), count in list(zip(things, totals, strict=True))[:1]:
        assert found[written] / families == pytest.approx(count / totals[-1], rel=0.25)
    assert found["佐藤"] > found["井上"] > found["脇本"]


def test_elder_women_mostly_have_names_that_end_in_ko() -> None:
    by_age: dict[bool, Counter[bool]] = defaultdict(Counter)
    for person in people():
        if person.sex == "2" and not is_foreign(person):
            by_age[age(person, DEFAULT_DAY) >= 65][person.name.endswith("子")] += 1

    assert share(by_age[True][True], by_age[True].total()) > 0.6
    assert share(by_age[False][True], by_age[False].total()) < 0.4


def test_every_character_is_in_the_agreed_repertoire() -> None:
    strange = {
        character
        for person in people()
        for text in (person.name, person.address, person.kana or "")
        for character in outsiders(text)
    }

    assert strange == set()


@pytest.mark.parametrize("form", sorted({v for forms in names.VARIANTS.values() for v in forms}))
def test_every_variant_is_one_character_of_the_agreed_repertoire(form: str) -> None:
    assert outsiders(form) == ()
    assert visible_length(form) == 1


def test_the_names_hold_what_makes_names_hard() -> None:
    text = "".join(person.name for person in people())

    assert all(character in text for character in "髙﨑澤邉邊齋濵")
    assert "邉\U000e010f" in text
    assert "𠮷" in "".join(person.name for person in people(residents=60_000))


def test_images_are_counted() -> None:
    with_images = [person for person in people() if "{gaiji:" in person.name + person.address]

    assert len(with_images) > 20
    for person in people():
        assert person.name_gaiji_count == gaiji_count(person.name)
        assert person.address_gaiji_count == gaiji_count(person.address)
        assert (person.name_gaiji_serial > 0) == (person.name_gaiji_count > 0)


def test_foreigners_have_latin_names_and_no_reading() -> None:
    foreigners = [person for person in people() if is_foreign(person)]

    assert share(len(foreigners), len(people())) == pytest.approx(0.012, abs=0.006)
    assert all(person.name.isascii() and person.kana is None for person in foreigners)
    assert all(person.effective_date >= "2012-07-09" for person in foreigners)


def test_some_have_no_reading_although_they_could() -> None:
    without = [p for p in people() if p.kana is None and not is_foreign(p)]

    assert share(len(without), len(people())) == pytest.approx(0.02, abs=0.006)


def test_every_birth_date_can_be_read_and_odd_ones_say_how_they_are_written() -> None:
    odd = [person for person in people() if person.birth_date_as_written]

    assert len(odd) > 15
    assert {p.birth_date[8:] == "00" for p in odd} >= {True}
    for person in people():
        date_of_birth = PartialDate.parse(person.birth_date)
        assert person.birth_date_as_written or date_of_birth.is_complete
        assert not PartialDate.parse(person.effective_date).certainly_before(date_of_birth)


def test_newborns_have_no_number_yet_and_everybody_else_does() -> None:
    without = {age(person, DEFAULT_DAY) for person in people() if person.my_number is None}

    assert without == {0} or without == {0, 1}


def test_whoever_was_born_here_was_told_on_the_day() -> None:
    born_here = [person for person in people() if person.reason == "12"]

    assert share(len(born_here), len(people())) > 0.3
    assert all(person.effective_date == person.birth_date for person in born_here)


def test_nothing_happened_after_the_day() -> None:
    day = date(2025, 1, 31)
    newest = max(p.effective_date for p in Population(7, YATSUSHIRO, 3_000, day).notices())

    assert newest <= day.isoformat()


def test_the_forty_five_municipalities_are_those_of_the_appliance() -> None:
    municipalities = Municipalities.load()
    entries = [municipalities.lookup(code) for code in municipalities.in_prefecture("430005")]
    senders = {
        entry.code
        for entry in entries
        if entry and entry.parent == "430005" and entry.holds_on(DEFAULT_DAY)
    }

    assert senders == set(places.SIZES)


def test_every_municipality_has_towns_and_their_codes_have_six_digits() -> None:
    for code in places.SIZES:
        population = Population(7, code, 40)
        for person in population.notices():
            assert person.town_code is not None
            assert len(person.town_code) == 6
            assert person.town_code.isdecimal()
            assert person.address.startswith("熊本県")


def test_kumamoto_city_tells_of_its_five_wards() -> None:
    codes = {person.municipality_code for person in people(code="431001", residents=5_000)}

    assert codes == {"431010", "431028", "431036", "431044", "431052"}


def test_a_municipality_elsewhere_has_no_population() -> None:
    with pytest.raises(KeyError):
        Population(7, "131016", 10)


def test_the_digest_changes_with_any_item_of_the_eight() -> None:
    everybody = [eight_of(person) for person in people()[:50]]
    changed = [*everybody[:-1], eight_of(people()[50])]

    assert digest(everybody) == digest(iter(everybody))
    assert digest(everybody) != digest(changed)
