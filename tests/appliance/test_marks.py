"""Marks: what two files are compared by, kept with every save."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import NotPermitted
from appliance.marks import AGREED, Marker, Marks, digest_of, mark_everybody, place_of
from appliance.testing import PREPARED, Bench
from appliance.values.identifiers import Municipalities
from storage.engine import Mark, PersonId, Unit
from tests.plugins.people import KUMAMOTO, UTO, YATSUSHIRO, admit, change, code, person
from tests.plugins.reconcile.files import notice
from tests.simulators import reconcile as other_side

KEY = bytes(range(32))
GONE = {"removed_flag": True, "reason": "21", "effective_date": "2026-03-01"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


def marks(bench: Bench, group: str = YATSUSHIRO) -> list[Mark]:
    with bench.vault.view() as view:
        return list(view.marks(group))


def due(bench: Bench, who: PersonId, which: int = 1, **items: Any) -> Mark | None:
    return bench.marker.mark(who, person(which, **items))


# --- the format


def test_the_format_is_that_of_the_description() -> None:
    assert place_of(KEY, "90000000013").hex() == "40b4184cf9eccfd123d89517c9df808f"
    assert digest_of(KEY, person(1)).hex() == "9fbaf298c8e6944243fe81aca211a020"
    assert Marker(KEY).key("432024").hex() == (
        "fbdce8d526610498c01f5c6a8cc5b113d3d9502490b1a0ec63106bb1cf7eaa43"
    )


def test_the_other_side_makes_the_same_marks_with_code_of_its_own() -> None:
    values = person(7, birth_date_as_written="平成２年", my_number=None, town_code=None)
    theirs = notice(7, birth_date_as_written="平成２年", my_number=None, town_code=None)
    ours = place_of(KEY, code(7)).hex(), digest_of(KEY, values).hex()
    assert other_side.mark(KEY, AGREED, theirs) == ours


def test_nothing_is_not_an_empty_text() -> None:
    digests = {digest_of(KEY, person(1, kana=kana)) for kana in (None, "", "\uffff")}
    assert len(digests) == 3


def test_every_group_has_a_key_of_its_own() -> None:
    marker = Marker(KEY)
    assert marker.key(UTO) != marker.key(YATSUSHIRO)


# --- kept with every save


def test_a_new_resident_is_marked(bench: Bench) -> None:
    who = admit(bench, 1)
    assert marks(bench) == [due(bench, who)]


def test_a_change_moves_the_mark(bench: Bench) -> None:
    who = admit(bench, 1)
    change(bench, who, 1, address="熊本県八代市本町１番")
    assert marks(bench) == [due(bench, who, address="熊本県八代市本町１番", update_number=2)]


def test_who_is_struck_off_has_no_mark_until_he_is_back(bench: Bench) -> None:
    who = admit(bench, 1)
    change(bench, who, 1, **GONE)
    assert marks(bench) == []
    change(bench, who, 1, seen=2, reason="11")
    assert marks(bench) == [due(bench, who, reason="11", update_number=3)]


def test_who_moves_to_another_municipality_is_marked_there(bench: Bench) -> None:
    who = admit(bench, 1)
    change(bench, who, 1, municipality_code=UTO)
    assert marks(bench) == []
    assert [mark.person for mark in marks(bench, UTO)] == [who]


def test_who_gets_another_code_has_another_place(bench: Bench) -> None:
    who = admit(bench, 1)
    change(bench, who, 2, my_number=person(1)["my_number"])  # type: ignore[index]
    (mark,) = marks(bench)
    assert mark.place == place_of(bench.marker.key(YATSUSHIRO), code(2))


def test_a_change_that_is_undone_leaves_the_mark(bench: Bench) -> None:
    who = admit(bench, 1)
    before = marks(bench)

    def work(unit: Unit) -> None:
        bench.marker.move(unit, who, person(1), person(1, sex="1"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        bench.vault.write(work)
    assert marks(bench) == before


def test_a_store_without_marks_gets_them_all(bench: Bench) -> None:
    people = [admit(bench, which) for which in range(1, 5)]
    change(bench, people[0], 1, **GONE)
    before = marks(bench)
    assert len(before) == 3

    def forget(unit: Unit) -> None:
        for mark in before:
            unit.unmark(mark.group, mark.place)
        unit.enter(PREPARED)

    bench.vault.write(forget)
    assert [mark_everybody(bench.vault, bench.marker) for _ in range(2)] == [4, 4]
    assert marks(bench) == before


# --- who may compare them


@pytest.mark.parametrize("caller", [UTO, None], ids=["another municipality", "nobody"])
def test_only_a_municipality_s_own_are_handed_out(bench: Bench, caller: str | None) -> None:
    admit(bench, 1)
    with bench.vault.view() as view:
        own = Marks(view, bench.marker, Municipalities.load(), caller)
        for look in (own.key, own.each, lambda group: own.at(group, bytes(16))):
            with pytest.raises(NotPermitted):
                look(YATSUSHIRO)


def test_a_designated_city_has_its_wards_too(bench: Bench) -> None:
    who = admit(bench, 1, municipality_code="431010")
    with bench.vault.view() as view:
        own = Marks(view, bench.marker, Municipalities.load(), KUMAMOTO)
        assert len(own.groups) == 6
        (mark,) = own.each("431010")
        assert own.at("431010", mark.place) == mark
        assert own.at(KUMAMOTO, mark.place) is None
        assert mark.person == who
