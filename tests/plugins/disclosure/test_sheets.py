"""帳票管理簿: every paper from the printer to its end (R66)."""

from typing import Any

import pytest

from tests.plugins.disclosure.desk import Desk
from tests.plugins.people import admit


@pytest.fixture
def sheet(desk: Desk) -> int:
    """A paper that was just printed."""
    admit(desk.bench)
    return int(desk.ask("issue", number=desk.matched())["sheet"])


def line(desk: Desk) -> dict[str, Any]:
    return dict(desk.ask("sheets")["sheets"][0])


@pytest.mark.requirement("R66")
def test_a_paper_is_in_the_register_from_the_printer_on(desk: Desk, sheet: int) -> None:
    seen = line(desk)
    assert (seen["sheet"], seen["number"], seen["form"]) == (sheet, 1, "confirmation")
    assert (seen["operator"], seen["terminal"]) == ("OP-0001", "TERM-0001")
    assert (seen["state"], seen["issued_on"], seen["pages"]) == ("printed", "2026-04-01", 1)


@pytest.mark.parametrize("method", ["counter", "post"], ids=["R66-R77-visit", "R66-R77-post"])
def test_a_paper_is_handed_over(desk: Desk, sheet: int, method: str) -> None:
    handed = desk.ask("deliver", sheet=sheet, method=method)["handed"]
    assert handed == {"method": method, "on": "2026-04-01", "operator": "OP-0001"}
    assert desk.state(1) == "delivered"
    assert desk.bench.ledger()[-2].note == f"case 1, sheet {sheet}"
    assert len(desk.bench.ledger()[-2].subjects) == 1


@pytest.mark.parametrize("day", ["2026-03-31", "2026-04-02", "2026-04-31"])
def test_a_paper_is_handed_over_between_its_printing_and_today(
    desk: Desk, sheet: int, day: str
) -> None:
    asked = {"sheet": sheet, "method": "counter", "on": day}
    assert desk.refused("deliver", **asked) == [("D-24", "on")]


@pytest.mark.requirement("R66")
def test_a_spoiled_paper_is_kept_and_destroyed_before_a_witness(desk: Desk, sheet: int) -> None:
    stored = desk.ask("store", sheet=sheet, place="保管庫A")
    assert stored["stored"] == {"place": "保管庫A", "on": "2026-04-01", "operator": "OP-0001"}
    by = {"sheet": sheet, "how": "shredded"}
    assert desk.refused("dispose", **by, witness="OP-0001") == [("D-22", "witness")]
    assert desk.ask("dispose", **by, witness="OP-0002")["disposed"] == {
        "how": "shredded",
        "witness": "OP-0002",
        "on": "2026-04-01",
        "operator": "OP-0001",
    }
    assert desk.state(1) == "issued"


@pytest.mark.parametrize(
    ("operation", "how"),
    [
        ("deliver", {"method": "counter"}),
        ("store", {"place": "保管庫A"}),
        ("dispose", {"how": "burnt", "witness": "OP-0002"}),
    ],
)
def test_what_was_handed_over_or_destroyed_is_gone(
    desk: Desk, sheet: int, operation: str, how: dict[str, str]
) -> None:
    desk.ask("deliver", sheet=sheet, method="counter")
    assert desk.refused(operation, sheet=sheet, **how) == [("D-14", "sheet")]
    other = desk.ask("issue", number=desk.matched())["sheet"]
    desk.ask("dispose", sheet=other, how="dissolved", witness="OP-0002")
    assert desk.refused(operation, sheet=other, **how) == [("D-14", "sheet")]


def test_a_paper_put_out_once_more_may_be_the_one_that_is_handed_over(
    desk: Desk, sheet: int
) -> None:
    again = desk.ask("reissue", sheet=sheet, why="汚損")["sheet"]
    desk.ask("dispose", sheet=sheet, how="shredded", witness="OP-0002")
    desk.ask("deliver", sheet=again, method="counter")
    assert desk.state(1) == "delivered"
    assert [each["sheet"] for each in desk.ask("sheets")["sheets"]] == [again, sheet]
    assert [each["sheet"] for each in desk.ask("sheets", state="disposed")["sheets"]] == [sheet]
    assert desk.ask("sheets", number=2)["sheets"] == []
    assert len(desk.ask("sheets", limit=1)["sheets"]) == 1
