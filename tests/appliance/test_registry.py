from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import cbor2
import pytest

from appliance import index as x
from appliance.errors import (
    AddConditions,
    Conflict,
    Failed,
    Malformed,
    NotFound,
    NotPermitted,
    Rejected,
)
from appliance.errors import TooMany as TooManyFound
from appliance.finding import CONDITIONS, Conditions, Why
from appliance.items import ITEM_NAMES, ItemName
from appliance.model import Change, Grant, Message
from appliance.registry import Registry
from appliance.seeking import CANDIDATES
from appliance.standing import Standing
from appliance.testing import PREPARED, Bench
from storage.engine import PersonId, Unit, VersionId
from tests.plugins.people import admit, change, code, number, person, unguarded

NAME, ADDRESS, MY_NUMBER = map(ItemName, ("name", "address", "my_number"))
ALL = Grant(
    items=ITEM_NAMES,
    keys=frozenset({"four", "my_number", "resident_code"}),
    removed=True,
    history=True,
    most_results=50,
)
TODAY = date(2026, 4, 1)
HANAKO = Conditions(name="熊本花子", today=TODAY)
GONE = {"removed_flag": True, "reason": "21", "effective_date": "2026-03-01"}


def nothing_told(_: Change) -> Iterable[Any]:
    return ()


class Office:
    """Registries over a real store."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.withheld: frozenset[ItemName] = frozenset()
        self.asked = 0

    def _withheld(self) -> frozenset[ItemName]:
        self.asked += 1
        return self.withheld

    def look(self, work: Callable[[Registry], Any], grant: Grant = ALL) -> Any:
        with self.bench.vault.view() as view:
            tools = self.bench.parts.tools
            return work(
                Registry(
                    *(view, None, tools, grant, self._withheld, nothing_told, nothing_told),
                    unguarded(view),
                )
            )

    def write(
        self,
        work: Callable[[Registry], Any],
        grant: Grant = ALL,
        told: Callable[[Change], Iterable[Message]] = nothing_told,
    ) -> Any:
        def unit_of_work(unit: Unit) -> Any:
            unit.enter(PREPARED)
            tools = self.bench.parts.tools
            return work(
                Registry(
                    *(unit, unit, tools, grant, self._withheld, told, nothing_told),
                    unguarded(unit),
                )
            )

        return self.bench.vault.write(unit_of_work)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Bench.open(tmp_path, {}) as bench:
        yield Office(bench)


def test_a_person_is_found_by_each_number(office: Office) -> None:
    who = admit(office.bench)
    assert office.look(lambda r: r.by_code(code(1))) == who
    assert office.look(lambda r: r.by_number(number(1))) == who
    assert office.look(lambda r: r.by_code(code(2))) is None
    assert office.look(lambda r: r.by_number(number(2))) is None


def test_a_number_names_for_ever_who_once_had_it(office: Office) -> None:
    who = admit(office.bench)
    change(office.bench, who, my_number=number(5))
    for which in (1, 5):
        assert office.look(lambda r, n=which: r.by_number(number(n))) == who
    assert office.look(lambda r: r.holds(who, MY_NUMBER, number(5)))
    assert not office.look(lambda r: r.holds(who, MY_NUMBER, number(1)))


@pytest.mark.parametrize(
    ("key", "ask"),
    [
        ("resident_code", lambda r: r.by_code(code(1))),
        ("my_number", lambda r: r.by_number(number(1))),
        ("four", lambda r: r.find(HANAKO)),
        ("four", lambda r: r.placed(HANAKO)),
    ],
)
def test_each_key_needs_its_right(office: Office, key: str, ask: Callable[[Registry], Any]) -> None:
    with pytest.raises(NotPermitted, match=f"ask by {key}"):
        office.look(ask, replace(ALL, keys=ALL.keys - {key}))


def test_an_alias_tells_nothing_and_is_always_the_same(office: Office) -> None:
    alias = office.look(lambda r: r.alias(code(1)))
    assert alias == office.look(lambda r: r.alias(code(1)))
    assert alias != office.look(lambda r: r.alias(code(2)))
    assert code(1) not in alias


def test_only_the_items_asked_for_are_opened_and_noted(office: Office) -> None:
    who = admit(office.bench)

    def work(registry: Registry) -> Any:
        resident = registry.read(who, [NAME, NAME])
        assert resident.values == {NAME: "熊本　花子"}
        assert (resident.person, resident.version, resident.withheld) == (who, 1, ())
        return registry.touched

    touched = office.look(work)
    assert (list(touched.subjects), touched.items) == ([who], {NAME})


def test_the_spelling_of_a_birth_date_comes_with_it(office: Office) -> None:
    who = admit(office.bench, birth_date_as_written="平成２年４月５日")
    resident = office.look(lambda r: r.read(who, [ItemName("birth_date")]))
    assert resident.values == {
        ItemName("birth_date"): "1990-04-05",
        ItemName("birth_date_as_written"): "平成２年４月５日",
    }


def test_beyond_the_grant_nothing_is_opened(office: Office) -> None:
    who = admit(office.bench)
    narrow = replace(ALL, items=frozenset({NAME}))

    def work(registry: Registry) -> Any:
        with pytest.raises(NotPermitted, match="address, my_number"):
            registry.read(who, [NAME, MY_NUMBER, ADDRESS])
        return registry.touched

    touched = office.look(work, narrow)
    assert (touched.subjects, touched.items) == ({}, set())


def test_what_is_no_item_is_not_repeated(office: Office) -> None:
    for item in ("熊本花子", "birth_date_as_written"):
        with pytest.raises(Malformed) as refused:
            office.look(lambda r, item=item: r.require([ItemName(item)]))
        assert item not in str(refused.value)


def test_withheld_items_are_named_and_asked_for_once(office: Office) -> None:
    who = admit(office.bench)
    office.withheld = frozenset({ADDRESS, MY_NUMBER})

    def work(registry: Registry) -> Any:
        registry.read(who, [NAME])
        return registry.read(who, [NAME, ADDRESS]), registry.touched

    resident, touched = office.look(work)
    assert resident.values == {NAME: "熊本　花子"}
    assert resident.withheld == (ADDRESS,)
    assert touched.items == {NAME}
    assert office.asked == 1


def test_a_birth_date_withheld_takes_its_spelling_along(office: Office) -> None:
    who = admit(office.bench, birth_date_as_written="平成２年４月５日")
    office.withheld = frozenset({ItemName("birth_date")})
    resident = office.look(lambda r: r.read(who, [NAME, ItemName("birth_date")]))
    assert resident.values == {NAME: "熊本　花子"}


def test_the_history_is_newest_first(office: Office) -> None:
    who = admit(office.bench)
    change(office.bench, who, address="宇土市")
    versions = office.look(lambda r: r.history(who, [ADDRESS]))
    assert [(v.version, v.values[ADDRESS]) for v in versions] == [
        (2, "宇土市"),
        (1, "熊本県八代市松江城町１番２５号"),
    ]
    assert office.look(lambda r: r.read(who, [ADDRESS], version=1)).version == 1
    with pytest.raises(NotPermitted, match="history"):
        office.look(lambda r: r.history(who, [ADDRESS]), replace(ALL, history=False))


def test_nobody_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        office.look(lambda r: r.read(PersonId(99), [NAME]))
    who = admit(office.bench)
    with pytest.raises(NotFound):
        office.look(lambda r: r.read(who, [NAME], version=2))


def test_hits_come_best_first(office: Office) -> None:
    variant = admit(office.bench, 1, name="渡邉　太郎")
    exact = admit(office.bench, 2, name="渡辺　太郎")
    hits = office.look(lambda r: r.find(Conditions(name="渡辺太郎", today=TODAY)))
    assert [(hit.person, hit.why) for hit in hits] == [(exact, Why.EXACT), (variant, Why.VARIANT)]


def test_searching_opens_nothing_for_the_ledger_but_the_count(office: Office) -> None:
    admit(office.bench)

    def work(registry: Registry) -> Any:
        registry.find(HANAKO)
        return registry.touched

    touched = office.look(work, replace(ALL, items=HANAKO.items))
    assert (touched.subjects, touched.items, touched.candidates) == ({}, set(), 1)
    assert touched.compared == HANAKO.items


SECRETS = Conditions(
    name="熊本　花子",
    kana="くまもと　はなこ",
    birth_date="1990-04-05",
    birth_year="1990",
    sex="2",
    address="熊本県",
    municipality_code="432024",
    town_code="001001",
)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("way", ["find", "placed", "fits"])
def test_whoever_may_not_see_an_item_cannot_ask_whether_it_is_so(
    office: Office, condition: str, way: str
) -> None:
    admit(office.bench)
    only = Conditions(**{condition: getattr(SECRETS, condition)})
    (item,) = only.items
    asking = {
        "find": lambda registry: registry.find(only),
        "placed": lambda registry: registry.placed(only),
        "fits": lambda registry: registry.fits(PersonId(1), only),
    }
    with pytest.raises(NotPermitted, match=item):
        office.look(asking[way], replace(ALL, items=ALL.items - {item}))


def test_comparing_is_told_to_the_ledger(office: Office) -> None:
    """Who was compared, and in which items; what decides of the standing too."""
    person = admit(office.bench)
    today = date(2026, 4, 1)
    sex = Conditions(sex="2")
    ways: list[tuple[Callable[[Registry], object], set[str]]] = [
        (lambda registry: registry.fits(person, sex), {"sex"}),
        (lambda registry: registry.holds(person, ItemName("sex"), "1"), {"sex"}),
        (
            lambda registry: registry.standing(person, today),
            {"reason", "effective_date", "removed_flag"},
        ),
    ]
    for way, items in ways:

        def work(registry: Registry, way: Callable[[Registry], object] = way) -> Any:
            way(registry)
            return registry.touched

        touched = office.look(work)
        assert (list(touched.subjects), touched.items, touched.compared) == ([person], set(), items)


def test_a_number_may_be_compared_by_whom_it_may_be_asked_by(office: Office) -> None:
    person, code = admit(office.bench), ItemName("resident_code")
    held = replace(ALL, items=frozenset())
    assert office.look(lambda r: r.holds(person, code, "0"), held) is False
    with pytest.raises(NotPermitted, match="resident_code"):
        office.look(lambda r: r.holds(person, code, "0"), replace(held, keys=frozenset()))


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.fits(PersonId(1), Conditions(address="八代市")),
        lambda r: r.holds(PersonId(1), ADDRESS, "八代市"),
        lambda r: r.find(replace(HANAKO, address="八代市")),
        lambda r: r.placed(replace(HANAKO, address="八代市")),
    ],
    ids=["fits", "holds", "find", "placed"],
)
def test_what_is_withheld_is_not_compared_either(
    office: Office, ask: Callable[[Registry], Any]
) -> None:
    admit(office.bench)
    assert office.look(ask) is not None
    office.withheld = frozenset({ADDRESS})
    with pytest.raises(NotPermitted, match="withheld here: address"):
        office.look(ask)
    assert office.look(lambda r: r.find(HANAKO))


def test_a_claim_that_would_hold_of_everybody_is_refused(office: Office) -> None:
    person = admit(office.bench)
    with pytest.raises(Malformed, match="address holds nothing"):
        office.look(lambda r: r.fits(person, Conditions(address="東京都")))


def test_whose_rights_reach_nobody_learns_no_standing(office: Office) -> None:
    person = admit(office.bench)
    with pytest.raises(NotPermitted):
        office.look(lambda r: r.standing(person, date(2026, 4, 1)), replace(ALL, keys=frozenset()))


def test_struck_off_residents_need_their_right(office: Office) -> None:
    admit(office.bench, removed_flag=True, reason="22")
    sought = replace(HANAKO, include_removed=True)
    assert office.look(lambda r: r.find(HANAKO)) == []
    assert len(office.look(lambda r: r.find(sought))) == 1
    with pytest.raises(NotPermitted, match="struck-off"):
        office.look(lambda r: r.find(sought), replace(ALL, removed=False))


def test_over_the_cap_there_is_only_a_count(office: Office) -> None:
    for which in range(51):
        admit(office.bench, which + 1)
    with pytest.raises(TooManyFound) as refused:
        office.look(lambda r: r.find(HANAKO))
    assert refused.value.count == 51


def test_too_many_candidates_are_not_opened(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CANDIDATES == 500
    monkeypatch.setattr("appliance.seeking.CANDIDATES", 3)
    for which in range(4):
        admit(office.bench, which + 1)
    with pytest.raises(AddConditions, match="more than 3 candidates"):
        office.look(lambda r: r.find(HANAKO))
    assert len(office.look(lambda r: r.find(replace(HANAKO, name="別人")))) == 0


@pytest.mark.parametrize("removed", [True, False])
def test_who_moved_out_is_placed_whatever_the_rights(office: Office, removed: bool) -> None:
    here, gone = admit(office.bench, 1), admit(office.bench, 2, **GONE)
    dead = admit(office.bench, 3, removed_flag=True, reason="22")
    placed = office.look(lambda r: r.placed(HANAKO), replace(ALL, removed=removed))
    assert {(hit.person, standing) for hit, standing in placed} == {
        (here, Standing.HERE),
        (gone, Standing.ELSEWHERE),
        (dead, Standing.DEAD),
    }


def test_why_somebody_was_struck_off_survives_corrections(office: Office) -> None:
    who = admit(office.bench)
    change(office.bench, who, seen=1, **GONE)
    change(office.bench, who, seen=2, **(GONE | {"reason": "33", "effective_date": "2026-03-20"}))
    change(office.bench, who, seen=3, **(GONE | {"reason": "33", "effective_date": "2026-03-21"}))
    assert office.look(lambda r: r.standing(who, TODAY)) is Standing.ELSEWHERE


def test_a_removal_before_a_return_is_not_why_somebody_is_struck_off_now(office: Office) -> None:
    # The version that struck off the second time came by a recovery, with the reason 33.
    who = admit(office.bench)
    change(office.bench, who, seen=1, **GONE)
    change(office.bench, who, seen=2, reason="11", effective_date="2026-03-10")
    change(office.bench, who, seen=3, **(GONE | {"reason": "33", "effective_date": "2026-03-20"}))
    assert office.look(lambda r: r.standing(who, TODAY)) is Standing.STRUCK_OFF


def test_a_record_that_never_was_here_is_struck_off(office: Office) -> None:
    who = admit(office.bench, removed_flag=True, reason="33")
    assert office.look(lambda r: r.standing(who, TODAY)) is Standing.STRUCK_OFF


def test_rights_that_are_narrowed_never_grow_again(office: Office) -> None:
    who = admit(office.bench)
    less = replace(ALL, items=frozenset({ItemName("name")}), keys=frozenset({"my_number"}))

    def narrowed(registry: Registry) -> None:
        registry.narrow(less)
        registry.narrow(ALL)
        assert registry.by_number(number(1)) == who
        assert registry.read(who, (ItemName("name"),)).values
        with pytest.raises(NotPermitted, match="resident_code"):
            registry.by_code(code(1))
        with pytest.raises(NotPermitted, match="address"):
            registry.read(who, (ItemName("address"),))

    office.look(narrowed)


def test_claims_are_graded_without_being_opened(office: Office) -> None:
    who = admit(office.bench, name="渡邉　花子")

    def grade(**claimed: str) -> Why | None:
        reason: Why | None = office.look(lambda r: r.fits(who, Conditions(**claimed)))
        return reason

    assert grade(name="渡邉花子") is Why.EXACT
    assert grade(name="渡辺花子") is Why.VARIANT
    assert grade(kana="くまもとはなこ") is Why.KANA
    assert grade(sex="2", birth_date="1990-04-05") is Why.CONDITIONS
    assert grade(name="渡辺花子", sex="1") is None


def test_whom_a_request_concerns_is_a_subject(office: Office) -> None:
    who = admit(office.bench)

    def work(registry: Registry) -> Any:
        registry.concerns(who)
        return registry.touched

    touched = office.look(work)
    assert (list(touched.subjects), touched.items) == ([who], set())


def test_a_save_moves_the_index(office: Office) -> None:
    who = admit(office.bench)
    change(office.bench, who, name="宇土　花子")
    assert office.look(lambda r: r.find(HANAKO)) == []
    assert len(office.look(lambda r: r.find(replace(HANAKO, name="宇土花子")))) == 1


def test_a_save_is_noted_and_told(office: Office) -> None:
    changes: list[Change] = []

    def told(change_: Change) -> Iterable[Message]:
        changes.append(change_)
        return [Message("national", "update", {"at": "now"}), Message("others", "update")]

    def work(registry: Registry) -> Any:
        version = registry.save(None, person())
        return version, registry.touched

    version, touched = office.write(work, told=told)
    assert version == VersionId(PersonId(1), 1)
    assert (list(touched.subjects), touched.saved) == ([1], [version])
    (first,) = changes
    assert (first.version, first.before, first.after[NAME]) == (version, None, "熊本　花子")
    with office.bench.vault.view() as view:
        (parcel,) = view.parcels("national", 0, 10)
        assert (parcel.version, cbor2.loads(parcel.note)) == (version, {"at": "now"})
        (parcel,) = view.parcels("others", 0, 10)
        assert parcel.note == b""

    changed = person(address="宇土市")
    office.write(lambda r: r.save(version.person, changed, seen=1), told=told)
    assert changes[1].before is not None
    assert changes[1].before[ADDRESS] == "熊本県八代市松江城町１番２５号"
    assert changes[1].after[ADDRESS] == "宇土市"


def test_who_saves_over_a_newer_version_is_told_to_read_again(office: Office) -> None:
    who = admit(office.bench)
    change(office.bench, who)
    with pytest.raises(Conflict, match="read it again"):
        office.write(lambda r: r.save(who, person(), seen=1))


def test_a_version_saved_otherwise_after_an_undo_is_the_one_before(office: Office) -> None:
    """The index must lose the tokens of the version that is there, not of one that was undone."""
    who = admit(office.bench)

    def undone(registry: Registry) -> None:
        registry.save(who, person(name="誤記　花子"), seen=1)
        registry.read(who, sorted(ITEM_NAMES))
        raise RuntimeError

    def work(unit: Unit) -> None:
        unit.enter(PREPARED)
        tools = office.bench.parts.tools
        registry = Registry(
            unit, unit, tools, ALL, frozenset, nothing_told, nothing_told, unguarded(unit)
        )
        with pytest.raises(RuntimeError):
            within_savepoint(unit, lambda: undone(registry))
        registry.save(who, person(name="正記　花子"), seen=1)
        registry.save(who, person(name="再記　花子"), seen=2)

    office.bench.vault.write(work)
    for name, count in (("誤記花子", 0), ("正記花子", 0), ("再記花子", 1)):
        sought = replace(HANAKO, name=name)
        assert len(office.look(lambda r, sought=sought: r.find(sought))) == count
    with office.bench.vault.view() as view:
        token = office.bench.index.compound(x.NAME, "正記花子")
        assert view.candidates([token], 10) == []


def within_savepoint(unit: Unit, work: Callable[[], None]) -> None:
    with unit.savepoint():
        work()


def test_a_record_has_only_so_many_versions(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.registry.MOST_VERSIONS", 2)
    who = admit(office.bench)
    change(office.bench, who)
    with pytest.raises(Rejected, match="as many versions"):
        office.write(lambda r: r.save(who, person(), seen=2))


def test_what_was_just_read_whole_is_not_opened_again(office: Office) -> None:
    who = admit(office.bench)

    def work(registry: Registry) -> Any:
        registry.read(who, sorted(ITEM_NAMES))
        return registry.save(who, person(name="宇土　花子"), seen=1)

    assert office.write(work).number == 2
    assert office.look(lambda r: r.find(HANAKO)) == []


def test_a_hook_that_fails_undoes_the_save(office: Office) -> None:
    def told(_: Change) -> Iterable[Message]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        office.write(lambda r: r.save(None, person()), told=told)
    assert office.look(lambda r: r.by_code(code(1))) is None


def test_who_only_looks_saves_nothing(office: Office) -> None:
    with pytest.raises(Failed, match="changes nothing"):
        office.look(lambda r: r.save(None, person()))


def test_the_municipality_master_is_at_hand(office: Office) -> None:
    assert office.look(lambda r: r.municipalities.lookup("432024")).name == "八代市"
