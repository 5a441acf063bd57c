"""What must not be found out about a protected resident: where she is, and what is recorded."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from appliance.errors import Conflict, Protected
from appliance.loading import installed
from appliance.testing import Bench
from storage.engine import PersonId
from tests.plugins.people import (
    UTO,
    YATSUSHIRO,
    admit,
    change,
    code,
    number,
    shipped_policy,
)
from tests.plugins.protection.office import (
    DISCLOSING,
    HANAKO,
    HERS,
    NOT_HERS,
    TAX,
    WORK,
    Office,
)
from tests.plugins.provision.desks import Desks, by_four, by_number, inquiry
from tests.plugins.reconcile.files import REPORTING, both, reconcile

BORN = {"birth_date": HANAKO["birth_date"]}
NAMED = {"name": HANAKO["name"], **BORN}
PLACES: list[dict[str, Any]] = [
    {},
    {"address": HERS},
    {"address": NOT_HERS},
    {"municipality_code": YATSUSHIRO},
    {"municipality_code": UTO},
    {"municipality_code": YATSUSHIRO, "town_code": "001001"},
    {"municipality_code": YATSUSHIRO, "town_code": "002002"},
]


def test_a_list_says_that_there_is_somebody_and_nothing_else(office: Office) -> None:
    office.mark()
    (hit,) = office.find(**NAMED)
    assert set(hit) == {"ref", "why", "protected"}
    assert (hit["why"], hit["protected"]) == ("conditions", True)
    assert office.bench.ledger()[-1].subjects == (office.hanako,)
    assert office.bench.ledger()[-1].items == ()


@pytest.mark.parametrize(
    "known",
    [
        NAMED,
        {"kana": "くまもと　はなこ", **BORN},
        {"kana": "くま", "kana_match": "prefix", **BORN},
        {"name": "熊", "name_match": "prefix", **BORN},
    ],
    ids=["name", "kana", "kana-prefix", "name-prefix"],
)
def test_the_answer_is_the_same_whatever_place_is_named(
    office: Office, known: dict[str, Any]
) -> None:
    office.mark()
    told = [[set(hit) for hit in office.find(**known, **place)] for place in PLACES]
    assert told == [[{"ref", "why", "protected"}]] * len(PLACES)


@pytest.mark.parametrize("right", [HERS, YATSUSHIRO, "001001"], ids=["address", "city", "town"])
def test_a_search_that_goes_by_a_place_alone_never_finds_her(office: Office, right: str) -> None:
    searches: dict[str, dict[str, Any]] = {
        HERS: {"address": HERS},
        YATSUSHIRO: {**BORN, "municipality_code": YATSUSHIRO},
        "001001": {"kana": "くま", "kana_match": "prefix", "municipality_code": YATSUSHIRO}
        | {"town_code": "001001"},
    }
    sought = searches[right]
    before = len(office.find(**sought))
    office.mark()
    after = office.find(**sought)
    assert len(after) == before - 1
    assert not any(hit.get("protected") for hit in after)


def test_whether_she_moved_away_is_not_told_either(office: Office) -> None:
    office.mark()
    here = [set(hit) for hit in office.find(**NAMED)]
    gone = {"removed_flag": True, "reason": "12", "effective_date": "2026-03-01"}
    change(office.bench, office.hanako, 1, **gone)
    assert [set(hit) for hit in office.find(**NAMED)] == here
    with pytest.raises(Protected):
        inquire(office, NAMED)


def test_a_namesake_who_fits_wholly_is_answered_as_ever(office: Office) -> None:
    office.mark()
    namesake = {"name": HANAKO["name"], "address": NOT_HERS}
    assert inquire(office, namesake)["resident"]["address"] == NOT_HERS
    with pytest.raises(Protected):
        inquire(office, {"name": HANAKO["name"], "address": "熊本県八代市本町１番"})


@pytest.mark.parametrize("address", [HERS, NOT_HERS], ids=["hers", "not-hers"])
def test_an_inquiry_confirms_no_address(office: Office, address: str) -> None:
    office.mark()
    for by in ({**HANAKO, "address": address}, {**NAMED, "address": address}):
        with pytest.raises(Protected):
            inquire(office, by)
    for claims in ({"address": address}, {"name": "別人　花子"}):
        asked = {"by": {"my_number": number(1)}, "claims": claims}
        with pytest.raises(Protected):
            office.clerk.ask("provision/verify", asked, **TAX)
    elsewhere = {"by": {**NAMED, "address": address}, "items": ["sex"]}
    with pytest.raises(Protected):
        office.registrar.ask("relay/inquire", elsewhere, **WORK)


def test_nothing_about_a_former_number_is_told(office: Office) -> None:
    change(office.bench, office.hanako, 1, my_number=number(5))
    office.mark()
    with pytest.raises(Protected):
        inquire(office, {"my_number": number(1)})


def test_a_disclosure_compares_nothing_with_her(office: Office) -> None:
    office.mark()
    paper = {"method": "counter", "identity": ["passport"], "stamps_yen": 10}
    for address in (HERS, "熊本県八代市本町１番"):
        body = {**paper, "subject": {**HANAKO, "address": address}}
        case = office.registrar.ask("disclosure/receive", body, **DISCLOSING).data["number"]
        with pytest.raises(Protected):
            office.registrar.ask("disclosure/match", {"number": case}, **DISCLOSING)


def test_her_line_stands_beside_a_namesake_wherever_the_namesake_lives(office: Office) -> None:
    office.mark()
    for place in ({}, {"municipality_code": UTO}):
        lines = office.find(name=HANAKO["name"], **place)
        assert [line.get("address") for line in lines] == [NOT_HERS, None]


def test_an_auditor_sees_who_asked_about_her_without_opening_her(office: Office) -> None:
    office.mark()
    with pytest.raises(Protected):
        inquire(office, {"my_number": number(1)})
    auditor = office.bench.clerk("AUD", roles=("auditor",), purposes=(), terminal_id="TERM-0004")
    told = auditor.ask("ledger/person", {"by": {"resident_code": code(1)}}).data["entries"]
    assert ("provision/inquire", "protected") in {
        (entry["operation"], entry["refusal"]) for entry in told
    }


def inquire(office: Office, by: dict[str, Any]) -> dict[str, Any]:
    asked = {"by": by, "items": ["address"]}
    return dict(office.clerk.ask("provision/inquire", asked, **TAX).data)


def test_a_bulk_row_about_her_has_a_code_of_its_own_and_no_items(tmp_path: Path) -> None:
    functions = ("protection", "search", "reconcile")
    with Desks.open(tmp_path, plugins=installed(functions)) as desks:
        hanako = admit(desks.bench, 1)
        admit(desks.bench, 3, name="八代　太郎", sex="1")
        office = at_desks(desks.bench, hanako)
        office.mark()
        wrong = {**HANAKO, "address": NOT_HERS}
        rows = [
            by_number(1),
            by_number(1, address=NOT_HERS),
            by_four("R4", **HANAKO),
            by_four("R5", **wrong),
            by_number(3),
        ]
        # Whoever submits it may have opened her: a job works for nobody who is there.
        told = desks.result(rows)
        step = next(e for e in desks.bench.ledger() if e.operation == "provision/bulk-step")
    assert [row[1:3] for row in told[:4]] == [("91", "")] * 4
    assert all(not any(row[3:]) for row in told[:4])
    assert (told[4][1], told[4][3]) == ("00", "八代　太郎")
    assert hanako in step.subjects


def test_a_bulk_result_made_before_she_was_marked_does_not_leave(tmp_path: Path) -> None:
    functions = ("protection", "search", "reconcile")
    with Desks.open(tmp_path, plugins=installed(functions)) as desks:
        hanako = admit(desks.bench, 1)
        office = at_desks(desks.bench, hanako)
        job = desks.submit(inquiry([by_number(1)]))["job"]
        desks.work()
        desks.approve(job)
        office.mark()
        with pytest.raises(Conflict, match="protected now"):
            desks.fetch(job)
        refused = desks.bench.ledger()[-1]
        assert (refused.operation, refused.subjects) == ("provision/bulk-fetch", (hanako,))


def test_a_comparison_names_her_number_to_nobody(tmp_path: Path) -> None:
    with Bench.open(tmp_path, installed(("protection", "reconcile")), shipped_policy()) as bench:
        theirs = both(bench, [1, 2])
        theirs = {which: replace(each, sex="1") for which, each in theirs.items()}
        with bench.vault.view() as view:
            hanako = view.identified(bench.index.code(code(1)))
        assert hanako is not None
        office = at_desks(bench, hanako)
        office.mark()
        run = reconcile(bench, theirs.values()).run
        page = office.registrar.ask("reconcile/report", {"run": run}, **REPORTING).data
        subjects = bench.ledger()[-1].subjects
    assert {each["resident_code"] for each in page["findings"]} == {None, code(2)}
    assert hanako in subjects


def at_desks(bench: Bench, hanako: PersonId) -> Office:
    """Return those who mark her, in a bench that is there."""
    purposes = ("register-administration",)
    registrar = bench.clerk("REG", roles=("registrar",), purposes=purposes, terminal_id="TERM-0021")
    officer = bench.clerk("SEC", roles=("security-officer",), purposes=(), terminal_id="TERM-0023")
    return Office(bench, registrar, registrar, officer, hanako)
