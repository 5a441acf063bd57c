"""From entries of the ledger to uses."""

from typing import Any

import pytest

from appliance.audit import Event, Reading, Result
from plugins.usebook.uses import Used, put_together
from storage.engine import PersonId

pytestmark = pytest.mark.requirement("R136")
TOLERANCE = 15 * 60
MINUTE_MS = 60_000


def entry(index: int, **more: Any) -> Reading:
    """Return an entry of a clerk, a minute after the one before it."""
    subjects = tuple(PersonId(each) for each in more.pop("subjects", ()))
    says: dict[str, Any] = {
        "at_ms": index * MINUTE_MS,
        "event": Event.READ,
        "result": Result.OK,
        "request_id": f"request-{index}",
        "operation": "provision/inquire",
        "terminal": "TERM-1",
        "person": "P-1",
        "operator": "OP-1",
        "office": "県税事務所",
        "purpose": "prefectural-tax",
        "reason": "01",
        "case_number": "R8-1",
        "conditions": {},
        "items": (),
        "compared": (),
        "hits": None,
        "candidates": 0,
        "refusal": None,
        "why": None,
        "note": "",
        "outcomes": (),
        "policy": b"",
        **more,
    }
    return Reading(index=index, subjects=subjects, **says)


def uses(*readings: Reading) -> list[Used]:
    return put_together(readings, TOLERANCE)


def test_one_person_asked_about_twice_counts_once() -> None:
    (used,) = uses(entry(1, subjects=[7]), entry(2, subjects=[7, 8]))
    assert (used.requests, used.use.count, used.use.key) == (2, 2, 1)


def test_a_longer_pause_than_the_tolerance_makes_another_use() -> None:
    first, second = uses(entry(1), entry(16), entry(32))
    assert (first.requests, second.requests) == (2, 1)


def test_without_a_number_only_a_few_minutes_belong_together() -> None:
    readings = [entry(at, case_number=None) for at in (1, 6, 12)]
    assert [used.requests for used in uses(*readings)] == [2, 1]


@pytest.mark.parametrize(
    "other",
    [
        {"operator": "OP-2"},
        {"person": "P-2"},
        {"purpose": "x"},
        {"reason": "02"},
        {"office": "監理課"},
    ],
)
def test_uses_of_different_people_and_grounds_are_different(other: dict[str, str]) -> None:
    assert len(uses(entry(1), entry(2, **other))) == 2


def test_whoever_was_opened_counts_and_not_who_was_only_listed() -> None:
    listed = entry(1, operation="search/find", subjects=[1, 2, 3])
    (used,) = uses(listed, entry(2, operation="search/detail", subjects=[2]))
    assert used.use.count == 1
    (used,) = uses(listed)
    assert used.use.count == 3


def test_of_a_bulk_inquiry_the_rows_count() -> None:
    note = "bulk 3: 120 rows, sha256 00"
    (used,) = uses(entry(1, operation="provision/bulk-submit", note=note))
    assert used.use.count == 120


def test_whom_only_the_national_server_knows_counts_with_every_answer() -> None:
    told = {"operation": "relay/inquire", "note": "by my_number, 30条の9; national server: one"}
    none = {"operation": "relay/inquire", "note": "by my_number, 30条の9; national server: none"}
    (used,) = uses(entry(1, **told), entry(2, **told), entry(3, **none))
    assert used.use.count == 2


def test_entries_of_one_request_are_one_request() -> None:
    (used,) = uses(entry(1, subjects=[1]), entry(2, request_id="request-1", subjects=[2]))
    assert (used.requests, used.use.count) == (1, 2)
