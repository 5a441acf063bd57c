"""The books as data: whatever one of them names is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.model import Role
from plugins import compliance
from plugins.compliance.book import STAFF, Book, Kind, Step
from plugins.compliance.forms import checklists
from plugins.compliance.rules import ABOUT, RULES
from plugins.compliance.shelf import BOOKS
from tests.plugins.compliance.staff import ADMIN, CLERK, OFFICER, Staff, right
from tests.plugins.people import shipped_policy

FOLDER = Path(compliance.__file__).parent
EACH = pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)


def fields_of(book: Book) -> set[str]:
    return {field.name for step in book.steps for field in step.fields}


@EACH
def test_steps_lead_from_states_to_states_and_every_state_is_reached(book: Book) -> None:
    reached = {step.to for step in book.steps if step.to}
    assert reached == set(book.states)
    assert set(book.ends) <= reached
    assert book.opening.name == "open"
    assert not book.opening.since
    for step in book.steps[1:]:
        assert step.since
        assert set(step.since) <= reached - set(book.ends)
    assert len({step.name for step in book.steps}) == len(book.steps)


@EACH
def test_every_unfinished_state_leads_to_an_end(book: Book) -> None:
    ending = set(book.ends)
    while more := {
        state
        for state in set(book.states) - ending
        if any(step.to in ending for step in book.possible(state))
    }:
        ending |= more
    assert ending == set(book.states)


@EACH
def test_roles_fields_clocks_and_lists_that_a_book_names_are_there(book: Book) -> None:
    steps, fields = {step.name for step in book.steps}, fields_of(book)
    # A clock says by one name from which field or step it runs.
    assert not steps & fields
    roles = shipped_policy().roles
    for step in book.steps:
        assert set(step.roles) <= set(STAFF)
        operation = "compliance/open" if step is book.opening else "compliance/step"
        for role in step.roles:
            assert operation in roles[Role(role)].operations
        assert set(step.after) <= steps
        named = {field.name for s in book.steps for field in s.fields if field.kind is Kind.PERSON}
        assert set(step.apart_from) <= steps | named
        assert step.by_field in {"", *named}
        for field in step.fields:
            assert (field.kind is Kind.CHECKS) == (field.checklist in checklists())
            assert (field.kind in (Kind.CHOICE, Kind.CHOICES)) == (field.choices is not None)
    for clock in book.clocks:
        assert clock.since in steps | fields
        assert set(clock.until) <= steps
        assert set(clock.states) <= set(book.states)
        assert set(clock.when or {}) <= fields


def spreads() -> Iterator[tuple[Book, Step]]:
    for book in BOOKS.values():
        for step in book.steps:
            if step.opens is not None:
                yield book, step


def test_what_one_book_opens_in_another_fills_its_form() -> None:
    opened = set()
    for _, step in spreads():
        assert step.opens is not None
        below = BOOKS[step.opens.book]
        kind = next(field.kind for field in step.fields if field.name == step.opens.by)
        given = {*step.opens.carried, *(("item", "finding") if kind is Kind.CHECKS else ())}
        assert {field.name for field in below.opening.fields} == given
        opened.add(below.name)
    assert opened == {name for name, book in BOOKS.items() if not book.by_hand}


def test_every_rule_is_used_and_told_in_japanese() -> None:
    code = "".join(
        path.read_text("utf-8") for path in FOLDER.rglob("*.py") if path.name != "rules.py"
    )
    assert set(re.findall(r'"(C-[0-9]{2})"', code)) == set(RULES)
    assert set(ABOUT) <= set(RULES)


@EACH
def test_the_form_of_a_book_is_told_to_whoever_fills_it_in(staff: Staff, book: Book) -> None:
    told = next(b for b in staff.ask(CLERK, "books")["books"] if b["name"] == book.name)
    assert told["title"] == book.title
    assert [step["name"] for step in told["steps"]] == [step.name for step in book.steps]
    for step in told["steps"]:
        for field in step["fields"]:
            assert field["title"]
            assert not field["form"].isascii() or field["kind"] == "person"
            assert bool(field["choices"]) == (field["kind"] in ("choice", "choices", "checks"))


def test_what_is_written_stands_in_no_ledger_and_no_refusal(staff: Staff) -> None:
    given = {"discovered_on": "2026-04-01", "what": "熊本花子の票を紛失", "place": "窓口"}
    number = staff.open(CLERK, "incident", **given)
    before = staff.bench.ledger()[-1]
    assert before.conditions == {"book": "incident"}
    assert before.note == f"incident {number} open: discovered"
    staff.step(
        CLERK, "incident", number, "contain", contained_on="2026-04-01", measures="熊本花子に"
    )
    after = staff.bench.ledger()[-1]
    assert after.conditions == {"book": "incident", "number": number, "step": "contain"}
    assert after.note == "incident 1 contain: discovered"
    assert not any("熊本花子" in str(reading) for reading in staff.bench.ledger())


def test_entries_of_another_office_are_seen_by_those_who_oversee_alone(staff: Staff) -> None:
    given = {"discovered_on": "2026-04-01", "what": "紛失", "place": "窓口"}
    mine = staff.open(OFFICER, "incident", **given)
    other = staff.open(ADMIN, "incident", **given)
    assert [e["number"] for e in staff.ask(CLERK, "entries", book="incident")["entries"]] == [mine]
    both = staff.ask(ADMIN, "entries", book="incident")["entries"]
    assert [e["number"] for e in both] == [mine, other]


def test_entries_are_listed_by_office_by_state_and_page_by_page(staff: Staff) -> None:
    given = {"fiscal_year": 2026, "due_on": "2026-06-30"}
    opened = staff.ask(ADMIN, "open", book="self-check-campaign", given=given)["opened"]
    tax = staff.ask(ADMIN, "entries", book="self-check", office=OFFICER.office)["entries"]
    assert len(tax) == 1
    number = tax[0]["number"]
    staff.step(CLERK, "self-check", number, "answer", results=right("self-check"))
    found = staff.ask(ADMIN, "entries", book="self-check", state="answered")["entries"]
    assert [line["number"] for line in found] == [number]
    first = staff.ask(ADMIN, "entries", book="self-check", limit=3)
    assert first["next"] == 3
    rest = staff.ask(ADMIN, "entries", book="self-check", after=3)
    assert rest["next"] is None
    assert len(first["entries"]) + len(rest["entries"]) == len(opened)
    ended = staff.ask(ADMIN, "entries", book="self-check-campaign", unfinished=True)
    assert ended["entries"] == ()
