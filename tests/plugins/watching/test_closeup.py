"""A few days entry by entry: sessions, residents seen by several, what one person has done."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from appliance.errors import Malformed, NotPermitted
from appliance.testing import Seat
from plugins.watching import closeup
from tests.plugins.people import code
from tests.plugins.watching.office import FOR_TAX, MONDAY, Watched

BORN = {"birth_date": "1990-04-05"}
TODAY = {"since": "2026-04-06", "until": "2026-04-06"}
OTHERS = "福祉事務所"


def told(seat: Seat, **asked: Any) -> dict[str, Any]:
    answer = seat.ask("watching/week", {**TODAY, **asked}).data
    return dict(msgspec.json.decode(msgspec.json.encode(answer)))


def search(watched: Watched, seat: Seat, minutes: int = 1) -> None:
    watched.bench.now += timedelta(minutes=minutes)
    seat.ask("search/find", {"name": "熊本　花子", **BORN}, **FOR_TAX)


def named(sessions: list[dict[str, Any]]) -> dict[str, bool]:
    return {each["person"]: each["overlaps"] for each in sessions}


def test_a_session_goes_from_its_first_entry_to_its_last(watched: Watched) -> None:
    clerk = watched.clerk()
    search(watched, clerk, 5)
    search(watched, clerk, 3)
    (session,) = told(watched.auditor())["sessions"]
    assert (session["terminal"], session["person"]) == ("TERM-0001", "P-OP-0001")
    assert session["begins"] == "2026-04-06T01:05:00Z"
    assert session["ends"] == "2026-04-06T01:08:00Z"
    assert (session["entries"], session["overlaps"]) == (2, False)


@pytest.mark.requirement("R138")
def test_two_people_in_turn_at_one_terminal_overlap(watched: Watched) -> None:
    first = watched.clerk()
    watched.bench.appoint(
        "OP-0002", "P-OP-0002", roles=("clerk",), purposes=("prefectural-tax",), office=OTHERS
    )
    second = watched.bench.log_in("P-OP-0002", "OP-0002", "TERM-0001")
    for seat in (first, second, first):
        search(watched, seat, 1)
    search(watched, watched.clerk(3), 1)
    sessions = told(watched.auditor())["sessions"]
    assert named(sessions) == {"P-OP-0001": True, "P-OP-0002": True, "P-OP-0003": False}
    assert named(told(watched.officer(OTHERS))["sessions"]) == {"P-OP-0002": True}


def test_one_after_the_other_at_one_terminal_does_not_overlap(watched: Watched) -> None:
    search(watched, watched.clerk(), 1)
    watched.bench.appoint(
        "OP-0002", "P-OP-0002", roles=("clerk",), purposes=("prefectural-tax",), office=OTHERS
    )
    search(watched, watched.bench.log_in("P-OP-0002", "OP-0002", "TERM-0001"), 1)
    assert not any(each["overlaps"] for each in told(watched.auditor())["sessions"])


@pytest.mark.requirement("R137")
def test_a_resident_seen_by_several_is_told_by_the_number_of_an_entry(watched: Watched) -> None:
    for which, name in ((1, "熊本　花子"), (2, "阿蘇　一郎")):
        watched.resident(which, name, "くまもと　はなこ")
    for number, office in ((1, "県税事務所"), (2, "県税事務所"), (3, OTHERS)):
        watched.look(watched.clerk(number, office), f"R8-{number}", name="熊本　花子", **BORN)
    watched.look(watched.clerk(1), "R8-9", name="阿蘇　一郎", **BORN)
    counts = told(watched.auditor())
    (seen,) = counts["residents"]
    assert (seen["persons"], seen["offices"], seen["looks"]) == (3, 2, 6)
    entry = next(each for each in watched.bench.ledger() if each.index == seen["index"])
    assert (entry.operation, entry.person) == ("search/find", "P-OP-0001")
    for word in ("熊本", "花子", code(1)):
        assert word not in str(counts)
    asking = [each for each in watched.bench.ledger() if each.operation == "watching/week"]
    assert [each.subjects for each in asking] == [()]


def test_an_officer_is_shown_the_entry_of_his_own_office(watched: Watched) -> None:
    watched.resident(1, "熊本　花子", "くまもと　はなこ")
    for number, office in ((1, "県税事務所"), (2, OTHERS)):
        watched.look(watched.clerk(number, office), None, name="熊本　花子", **BORN)
    (seen,) = told(watched.officer(OTHERS))["residents"]
    entry = next(each for each in watched.bench.ledger() if each.index == seen["index"])
    assert (entry.office, seen["offices"]) == (OTHERS, 2)
    assert told(watched.officer("監査室", "OFFICER-2"))["residents"] == []


def test_what_one_person_did_is_told_with_its_refusals(watched: Watched) -> None:
    clerk = watched.clerk()
    search(watched, clerk)
    with suppress(NotPermitted):
        clerk.ask("ledger/search", {})
    search(watched, watched.clerk(2))
    entries = told(watched.auditor(), person="P-OP-0001")["entries"]
    assert [(each["operation"], each["refusal"]) for each in entries] == [
        ("search/find", ""),
        ("ledger/search", "not-permitted"),
    ]
    assert told(watched.auditor())["entries"] == []
    assert len(told(watched.officer(), person="P-OP-0001")["entries"]) == 2
    assert told(watched.officer(OTHERS, "OFFICER-2"), person="P-OP-0001")["entries"] == []


def test_another_office_is_not_told_of(watched: Watched) -> None:
    with pytest.raises(NotPermitted, match="auditor"):
        told(watched.officer(), office=OTHERS)
    with pytest.raises(NotPermitted):
        told(watched.clerk())


def test_only_the_days_asked_for_are_read(watched: Watched) -> None:
    watched.bench.now = MONDAY.replace(hour=23, minute=55)
    clerk = watched.clerk()
    search(watched, clerk, 1)
    search(watched, clerk, 2)
    search(watched, clerk, 3)
    days = [{"since": day, "until": day} for day in ("2026-04-05", "2026-04-06", "2026-04-07")]
    auditor = watched.auditor()
    counts = [told(auditor, **day)["sessions"] for day in days]
    assert [
        sum(each["entries"] for each in found if each["person"] == "P-OP-0001") for found in counts
    ] == [0, 2, 1]


def test_a_long_stretch_is_read_from_its_end_and_said_to_be_incomplete(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = watched.clerk()
    for _ in range(5):
        search(watched, clerk, 1)
    auditor = watched.auditor()
    assert told(auditor)["complete"] is True
    monkeypatch.setattr(closeup, "SCANNED", 4)
    counts = told(auditor)
    assert counts["complete"] is False
    assert sum(each["entries"] for each in counts["sessions"]) <= 4


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [("2026-04-07", "2026-04-06", "before"), ("2026-03-30", "2026-04-06", "at most")],
)
def test_a_period_has_an_end_and_is_a_week_at_most(
    watched: Watched, since: str, until: str, why: str
) -> None:
    with pytest.raises(Malformed, match=why):
        told(watched.auditor(), since=since, until=until)
