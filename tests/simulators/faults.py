"""Notices with exactly one thing wrong, and the rule that must catch it.

A fault is made of an otherwise right notice about somebody who fits. It gets a sequence number of
its own; it is not written into the municipality's register, unless the rule is one that only warns.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, NamedTuple

from msgspec.structs import replace

from tests.simulators import names
from tests.simulators.fake_numbers import wrong_my_number, wrong_resident_code
from tests.simulators.happenings import moved, newcomers, recode, renamed_building, renumber
from tests.simulators.notices import Expectation, Notice
from tests.simulators.places import SIZES
from tests.simulators.register import Register, age


class Fault(NamedTuple):
    """What is wrong, the rule that says so, how to make one, and what is answered."""

    name: str
    rule: str
    make: Callable[[Register], Notice]
    outcome: str = "rejected"

    @property
    def expected(self) -> Expectation:
        """What the prefecture must answer."""
        return Expectation(outcome=self.outcome, rule=self.rule)


def _present_with_reason(reason: str) -> Callable[[Register], Notice]:
    return lambda register: register.next_version(register.present(), reason)


def _dead_with_reason(reason: str) -> Callable[[Register], Notice]:
    return lambda register: register.next_version(register.former(register.dead), reason)


def _newcomer_with(**changes: str | int) -> Callable[[Register], Notice]:
    return lambda register: replace(_newcomer(register), **changes)


def _newcomer(register: Register) -> Notice:
    register.meant = newcomers(register)[0]
    return register.meant


def _left_again(register: Register) -> Notice:
    return register.next_version(register.former(register.gone), "21")


def _struck_again(register: Register) -> Notice:
    return register.next_version(register.former(register.struck), "23")


def _moved(register: Register) -> Notice:
    place = register.population.towns.place(register.rng)
    return moved(register, register.present(), place)


def _move_with_new_name(register: Register) -> Notice:
    register.meant = person = _moved(register)
    name = names.full(names.family(register.rng), names.given(register.rng, person.sex, old=False))
    return replace(
        person,
        # Longer than before, so that it is never the old one.
        name=name.written + person.name[-1],
        name_gaiji_count=name.gaiji_count,
        name_gaiji_serial=name.gaiji_serial,
    )


def _move_to_the_same_address(register: Register) -> Notice:
    return register.next_version(register.present(), "31")


def _touch_up_of_birth_date(register: Register) -> Notice:
    person = register.present(
        lambda person: person.birth_date_as_written is None and age(person, register.day) > 1
    )
    birth = date.fromisoformat(person.birth_date) - timedelta(days=1)
    return replace(renamed_building(register, person), birth_date=birth.isoformat())


def _correction_of_my_number(register: Register) -> Notice:
    person = register.present(lambda person: person.my_number is not None)
    return register.next_version(person, "33", my_number=newcomers(register)[0].my_number)


def _known_code(register: Register) -> Notice:
    person, other = register.present(), register.former(register.dead)
    codes = {
        "resident_code": other.resident_code,
        "previous_resident_code": person.resident_code,
    }
    return register.next_version(person, "41", **codes)


def _code_of_the_dead(register: Register) -> Notice:
    dead = register.former(register.dead)
    code = newcomers(register)[0].resident_code
    return register.next_version(
        dead, "42", resident_code=code, previous_resident_code=dead.resident_code
    )


def _new_code_and_sex(register: Register) -> Notice:
    [person] = recode(register)
    return replace(person, sex="2" if person.sex == "1" else "1")


def _new_number_and_sex(register: Register) -> Notice:
    [person] = renumber(register)
    return replace(person, sex="2" if person.sex == "1" else "1")


def _number_again(register: Register) -> Notice:
    [person] = renumber(register)
    return replace(person, reason="53")


def _wrong_code(register: Register) -> Notice:
    person = _newcomer(register)
    return replace(person, resident_code=wrong_resident_code(person.resident_code))


def _wrong_my_number(register: Register) -> Notice:
    person = _newcomer(register)
    return replace(person, my_number=wrong_my_number(person.my_number or "900000000000"))


def _other_municipality(register: Register) -> Notice:
    own = register.population.municipality_code
    other = register.rng.choice([code for code in SIZES if code != own])
    return replace(_newcomer(register), municipality_code=other)


def _before_birth(register: Register) -> Notice:
    person = _newcomer(register)
    return replace(
        person,
        birth_date="1990-05-05",
        birth_date_as_written=None,
        effective_date="1989-04-01",
    )


def _one_gaiji_too_many(register: Register) -> Notice:
    person = _newcomer(register)
    return replace(person, name_gaiji_count=person.name_gaiji_count + 1)


def _strange_character(register: Register) -> Notice:
    person = _newcomer(register)
    return replace(person, name=person.name + "😀")


def _old_version(register: Register) -> Notice:
    register.meant = person = _moved(register)
    return replace(person, update_number=person.update_number - 1)


FAULTS: Final = (
    Fault("転入 of somebody who lives here", "L-01", _present_with_reason("11")),
    Fault("転入 of somebody who has died", "L-02", _dead_with_reason("11")),
    Fault("出生 of somebody who lives here", "L-04", _present_with_reason("12")),
    Fault("職権記載 of somebody who lives here", "L-05", _present_with_reason("13")),
    Fault("転出 of somebody who has left", "L-06", _left_again),
    Fault("死亡 of somebody who has died", "L-07", _dead_with_reason("22")),
    Fault("職権消除 of somebody struck off", "L-08", _struck_again),
    Fault("転居 that changes the name", "L-10", _move_with_new_name),
    Fault("転居 to the same address", "L-12", _move_to_the_same_address, "applied"),
    Fault("軽微な修正 of the birth date", "L-13", _touch_up_of_birth_date),
    Fault("軽微な修正 of nothing", "L-14", _present_with_reason("32")),
    Fault("職権修正 of the 個人番号", "L-15", _correction_of_my_number),
    Fault("職権修正 of nothing", "L-16", _present_with_reason("33")),
    Fault("a new 住民票コード that is somebody's", "L-20", _known_code),
    Fault("a new 住民票コード of somebody who has died", "L-21", _code_of_the_dead),
    Fault("a new 住民票コード with another sex", "L-22", _new_code_and_sex),
    Fault("a new 個人番号 with another sex", "L-31", _new_number_and_sex),
    Fault("a first 個人番号 of somebody who has one", "L-33", _number_again),
    Fault("a new 住民票コード without the one before", "G-07", _present_with_reason("41")),
    Fault("wrong check digit of the 住民票コード", "G-01", _wrong_code),
    Fault("wrong check digit of the 個人番号", "G-02", _wrong_my_number),
    Fault("another municipality's code", "G-03", _other_municipality),
    Fault("a day in the far future", "G-04", _newcomer_with(effective_date="2999-01-01")),
    Fault("a day no calendar has", "G-04", _newcomer_with(effective_date="2026-13-40")),
    Fault("moved in before being born", "G-04", _before_birth),
    Fault("unknown code of sex", "G-05", _newcomer_with(sex="9")),
    Fault("update number used before", "G-06", _old_version),
    Fault("no name", "G-07", _newcomer_with(name="", name_gaiji_count=0, name_gaiji_serial=0)),
    Fault("one 外字 counted too many", "G-08", _one_gaiji_too_many),
    Fault("a character nobody agreed on", "G-09", _strange_character),
    Fault("unknown reason", "G-11", _newcomer_with(reason="99")),
    Fault("a municipality elsewhere", "G-12", _newcomer_with(municipality_code="131016")),
)
