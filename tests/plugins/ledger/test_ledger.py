from datetime import timedelta
from typing import Any

import pytest

from appliance.errors import (
    AddConditions,
    Malformed,
    NotFound,
    NotPermitted,
    Refusal,
    Unidentified,
)
from appliance.roster import Roster
from appliance.testing import ORIGIN, PIN, PREPARED, Bench, Seat
from plugins.ledger import filters
from storage.engine import Unit
from storage.merkle import leaf_hash
from storage.note import VerifierKey
from storage.proof import Proof
from tests.plugins.people import admit, code

FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}


def entries(auditor: Seat, **filters: Any) -> tuple[dict[str, Any], ...]:
    found: tuple[dict[str, Any], ...] = auditor.ask("ledger/search", filters).data["entries"]
    return found


def find(clerk: Seat, **conditions: str) -> None:
    clerk.ask("search/find", conditions, **FOR_TAX, case_number="使用簿12")


def test_the_newest_entry_comes_first(clerk: Seat, auditor: Seat) -> None:
    find(clerk, name="熊本花子")
    find(clerk, name="熊本太郎")
    newest, older, *_ = entries(auditor)
    assert newest["conditions"]["name"] == "熊本太郎"
    assert newest["index"] == older["index"] + 1


def test_an_entry_says_who_where_what_for_and_by_what(
    bench: Bench, clerk: Seat, auditor: Seat
) -> None:
    admit(bench)
    find(clerk, name="熊本花子")
    (entry,) = entries(auditor, operation="search/find")
    assert entry["operator"] == "OP-0001"
    assert entry["person"] == "P-OP-0001"
    assert (entry["terminal"], entry["office"]) == ("TERM-0001", "県税事務所")
    assert (entry["purpose"], entry["reason"], entry["case"]) == (
        "prefectural-tax",
        "01",
        "使用簿12",
    )
    assert (entry["event"], entry["result"]) == ("read", "ok")
    assert (entry["hits"], entry["candidates"], entry["subjects"]) == (1, 1, 1)
    assert "my_number" not in entry["items"]
    assert "address" in entry["items"]


def test_denials_are_found_by_their_result(clerk: Seat, auditor: Seat) -> None:
    with pytest.raises(AddConditions):
        find(clerk, sex="2")
    find(clerk, name="熊本花子")
    (denied,) = entries(auditor, result="denied")
    assert (denied["refusal"], denied["operator"]) == ("add-conditions", "OP-0001")
    assert denied["why"].startswith("give a full name")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"operator": "OP-0001"}, 2),
        ({"operator": "AUDIT"}, 0),
        ({"person": "P-OP-0001"}, 3),
        ({"terminal": "TERM-0001", "operation": "search/find"}, 2),
        ({"purpose": "prefectural-tax"}, 2),
        ({"purpose": "passport"}, 0),
        ({"operation": "search/find", "limit": 1}, 1),
        ({"request_id": "request-3"}, 1),
        ({"office": "県税事務所"}, 2),
        ({"office": "市町村課"}, 0),
        ({"function": "search", "operator": "OP-0001"}, 2),
        ({"function": "sea"}, 0),
        ({"reason": "01"}, 2),
        ({"reason": "02"}, 0),
        ({"case": "使用簿12"}, 2),
        ({"case": "使用簿1"}, 0),
        ({"operation": "search/find", "refusal": "not-permitted"}, 0),
        ({"since": "2100-01-01T00:00:00Z"}, 0),
        ({"until": "2000-01-01T00:00:00+09:00"}, 0),
        ({"since": "2020-01-01T00:00:00Z", "operation": "search/find"}, 2),
        ({"since": "0001-01-01T00:00:00Z", "operation": "search/find"}, 2),
        ({"since": "0001-01-01T00:00:00+14:00", "operation": "search/find"}, 2),
        ({"until": "9999-12-31T23:59:59-14:00", "operation": "search/find"}, 2),
    ],
)
def test_filters_hold_together(
    clerk: Seat, auditor: Seat, filters: dict[str, Any], count: int
) -> None:
    find(clerk, name="熊本花子")
    find(clerk, name="熊本太郎")
    assert len(entries(auditor, **filters)) == count


@pytest.mark.requirement("R144")
def test_what_the_contractor_did_is_found_alone(bench: Bench, clerk: Seat, auditor: Seat) -> None:
    outsider = bench.clerk(
        "OP-0009", roles=("contractor",), purposes=(), terminal_id="TERM-0009", office="委託先"
    )
    find(clerk, name="熊本花子")
    with pytest.raises(NotPermitted):
        find(outsider, name="熊本花子")
    outside = entries(auditor, contractor=True, function="search")
    assert [(e["operator"], e["refusal"]) for e in outside] == [("OP-0009", "not-permitted")]
    assert {e["person"] for e in entries(auditor, contractor=True)} == {"P-OP-0009"}

    def taken_over(unit: Unit) -> None:
        Roster(unit, unit).change_person("P-OP-0009", contractor=False)
        unit.enter(PREPARED)

    bench.vault.write(taken_over)
    assert {e["person"] for e in entries(auditor, contractor=True)} == {"P-OP-0009"}


def test_a_period_is_gone_through_from_its_end(
    clerk: Seat, auditor: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bench's ledger has a millisecond between entries; a day of grace would hide them all."""
    monkeypatch.setattr(filters, "CLOCK_SET_BACK", timedelta(0))
    for _ in range(8):
        find(clerk, name="熊本花子")
    every = entries(auditor, operation="search/find")
    monkeypatch.setattr(filters, "SCANNED", 3)
    middle = every[4]
    until = {"until": middle["at"], "operation": "search/find"}
    assert [e["index"] for e in entries(auditor, **until)] == [e["index"] for e in every[4:7]]
    since = {"since": middle["at"], "operation": "search/find"}
    monkeypatch.setattr(filters, "SCANNED", 100)
    answer = auditor.ask("ledger/search", since).data
    assert [e["index"] for e in answer["entries"]] == [e["index"] for e in every[:5]]
    assert answer["next"] is None


def test_a_number_beyond_the_end_begins_at_the_end(clerk: Seat, auditor: Seat) -> None:
    find(clerk, name="熊本花子")
    assert entries(auditor, before=10**9)[0]["operation"] == "search/find"


def counted(auditor: Seat, **period: Any) -> dict[str, Any]:
    return dict(auditor.ask("ledger/denials", period).data)


def told(groups: tuple[dict[str, Any], ...]) -> list[tuple[str, int]]:
    return [(group["value"], group["count"]) for group in groups]


@pytest.mark.requirement("R138", "R200")
def test_refusals_are_counted_by_code_operator_and_terminal(
    bench: Bench, clerk: Seat, auditor: Seat
) -> None:
    other = bench.clerk("OP-0002", roles=("clerk",), purposes=(), terminal_id="TERM-0003")
    for seat, conditions in (
        (clerk, {"sex": "2"}),
        (clerk, {"sex": "1"}),
        (other, {"name": "熊本花子"}),
    ):
        with pytest.raises(Refusal):
            find(seat, **conditions)
    find(clerk, name="熊本花子")
    seen = counted(auditor)
    assert seen["count"] == 3
    assert told(seen["codes"]) == [("add-conditions", 2), ("not-permitted", 1)]
    assert told(seen["operators"]) == [("OP-0001", 2), ("OP-0002", 1)]
    assert told(seen["terminals"]) == [("TERM-0001", 2), ("TERM-0003", 1)]
    entry = bench.ledger()[-1]
    assert (entry.operation, entry.hits) == ("ledger/denials", 3)
    assert counted(auditor, since="2100-01-01T00:00:00Z")["count"] == 0


def test_refusals_of_a_long_period_are_counted_in_parts(
    clerk: Seat, auditor: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        with pytest.raises(AddConditions):
            find(clerk, sex="2")
    monkeypatch.setattr(filters, "SCANNED", 3)
    part = counted(auditor)
    total = part["count"]
    while part["next"] is not None:
        part = counted(auditor, before=part["next"])
        total += part["count"]
    assert total == 5


def test_a_long_list_goes_on_where_it_stopped(clerk: Seat, auditor: Seat) -> None:
    for _ in range(5):
        find(clerk, name="熊本花子")
    seen, before = [], None
    while True:
        asked = {"operation": "search/find", "limit": 2}
        answer = auditor.ask("ledger/search", asked | ({"before": before} if before else {})).data
        seen += [entry["index"] for entry in answer["entries"]]
        if (before := answer["next"]) is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


def test_a_search_opens_only_so_many_entries(
    clerk: Seat, auditor: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        find(clerk, name="熊本花子")
    monkeypatch.setattr(filters, "SCANNED", 3)
    answer = auditor.ask("ledger/search", {}).data
    assert len(answer["entries"]) == 3
    assert answer["next"] == answer["entries"][-1]["index"]


@pytest.mark.parametrize(
    "filters",
    [
        {"limit": 0},
        {"limit": 1001},
        {"since": "yesterday"},
        {"since": "2026-04-01T00:00:00"},
        {"result": "fine"},
        {"colour": "red"},
    ],
)
def test_what_is_no_filter_is_malformed(auditor: Seat, filters: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        entries(auditor, **filters)


def test_reading_the_ledger_is_itself_entered(bench: Bench, auditor: Seat) -> None:
    entries(auditor, operator="OP-0001")
    entry = bench.ledger()[-1]
    assert (entry.operation, entry.operator) == ("ledger/search", "AUDIT")
    assert entry.conditions == {"operator": "OP-0001", "limit": 100, "contractor": False}


def test_who_looked_at_whom(bench: Bench, clerk: Seat, auditor: Seat) -> None:
    who = admit(bench, 1)
    admit(bench, 2, name="別人　太郎")
    find(clerk, name="熊本花子")
    find(clerk, name="別人太郎")
    asked = {"by": {"resident_code": code(1)}}
    (entry,) = auditor.ask("ledger/person", asked).data["entries"]
    assert (entry["operation"], entry["operator"]) == ("search/find", "OP-0001")
    assert bench.ledger()[-1].subjects == (who,)
    again = auditor.ask("ledger/person", asked).data["entries"]
    assert [e["operation"] for e in again] == ["ledger/person", "search/find"]


def test_a_long_life_is_told_in_parts(bench: Bench, clerk: Seat, auditor: Seat) -> None:
    admit(bench)
    for _ in range(3):
        find(clerk, name="熊本花子")
    asked = {"by": {"resident_code": code(1)}, "limit": 2}
    first = auditor.ask("ledger/person", asked).data
    assert len(first["entries"]) == 2
    rest = auditor.ask("ledger/person", {**asked, "before": first["next"]}).data
    assert (len(rest["entries"]), rest["next"]) == (1, None)


def test_nobody_has_an_unknown_code(auditor: Seat) -> None:
    with pytest.raises(NotFound):
        auditor.ask("ledger/person", {"by": {"resident_code": code(9)}})


def test_a_mistyped_code_is_no_nobody(auditor: Seat) -> None:
    wrong = code(1)[:-1] + str((int(code(1)[-1]) + 5) % 10)
    with pytest.raises(Malformed, match="resident_code: the check digit is wrong"):
        auditor.ask("ledger/person", {"by": {"resident_code": wrong}})


def test_only_auditors_read_the_ledger(clerk: Seat) -> None:
    by = {"by": {"resident_code": code(1)}}
    asked = {"search": {}, "denials": {}, "export": {}, "person": by, "report": by}
    for operation, body in (asked | {"proof": {"index": 0}}).items():
        with pytest.raises(NotPermitted):
            clerk.ask(f"ledger/{operation}", body)


def test_a_receipt_can_be_proved_to_anybody(bench: Bench, clerk: Seat, auditor: Seat) -> None:
    for which in range(20):
        admit(bench, which + 1)
    receipt = clerk.ask("search/find", {"name": "熊本花子"}, **FOR_TAX).receipt
    answer = auditor.ask("ledger/proof", {"index": receipt}).data
    text = answer["proof"]
    assert answer["witnessed"] is False
    with bench.vault.view() as view:
        (entry,) = view.entries_raw(receipt, receipt + 1)
        assert view.leaf_hashes(receipt, receipt + 1) == [leaf_hash(entry)]
    proof = Proof.parse(text)
    assert proof.extra == entry
    checkpoint = proof.verify(entry, VerifierKey.parse(bench.vault.vkey))
    assert checkpoint.origin == ORIGIN
    assert checkpoint.size > receipt


def test_what_is_not_there_is_not_proved(auditor: Seat) -> None:
    with pytest.raises(NotFound):
        auditor.ask("ledger/proof", {"index": 10_000})


def test_who_logged_in_or_tried_to_is_found_by_his_id(bench: Bench, auditor: Seat) -> None:
    bench.appoint("OP-0099", "P-0099")
    visitor = bench.seat("TERM-0001")
    asked = {"person": "P-0099", "pin": PIN}
    visitor.ask("session/open", asked)
    with pytest.raises(Unidentified):
        visitor.ask("session/open", {**asked, "pin": "19283746"})
    found = auditor.ask("ledger/search", {"person": "P-0099", "function": "session"}).data
    told = [(each["result"], each["named"], each["person"]) for each in found["entries"]]
    assert told == [("denied", "P-0099", None), ("ok", "P-0099", None)]
