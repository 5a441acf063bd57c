from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import AddConditions, Malformed, NotFound, NotPermitted
from appliance.testing import ORIGIN, Bench, Seat
from plugins import ledger, search
from storage.merkle import leaf_hash
from storage.note import VerifierKey
from storage.proof import Proof
from tests.plugins.people import admit, code, shipped_policy

FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"search": search, "ledger": ledger}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Seat:
    return bench.clerk(roles=("clerk",), purposes=("prefectural-tax",), office="県税事務所")


@pytest.fixture
def auditor(bench: Bench) -> Seat:
    return bench.clerk("AUDIT", roles=("auditor",), purposes=(), terminal_id="TERM-0002")


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
        ({"person": "P-OP-0001"}, 2),
        ({"terminal": "TERM-0001", "operation": "search/find"}, 2),
        ({"purpose": "prefectural-tax"}, 2),
        ({"purpose": "passport"}, 0),
        ({"operation": "search/find", "limit": 1}, 1),
        ({"request_id": "request-3"}, 1),
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
    monkeypatch.setattr(ledger, "SCANNED", 3)
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
    assert entry.conditions == {"operator": "OP-0001", "limit": 100}


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
    for operation, body in (("search", {}), ("proof", {"index": 0})):
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
    checkpoint = Proof.parse(text).verify(entry, VerifierKey.parse(bench.vault.vkey))
    assert checkpoint.origin == ORIGIN
    assert checkpoint.size > receipt


def test_what_is_not_there_is_not_proved(auditor: Seat) -> None:
    with pytest.raises(NotFound):
        auditor.ask("ledger/proof", {"index": 10_000})
