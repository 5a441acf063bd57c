"""帳票管理簿: every paper from the printer to its end (R66)."""

from typing import Any

import pytest

from appliance.errors import Rejected
from plugins.disclosure import receiving
from tests.plugins.disclosure.desk import Desk
from tests.plugins.people import admit


@pytest.fixture
def sheet(desk: Desk) -> int:
    """A paper that was just printed."""
    admit(desk.bench)
    return int(desk.issue(desk.matched())["sheet"])


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
    other = desk.issue(desk.matched())["sheet"]
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


@pytest.mark.requirement("R66")
def test_what_was_replaced_can_but_be_destroyed(desk: Desk, sheet: int) -> None:
    again = desk.ask("reissue", sheet=sheet, why="汚損")["sheet"]
    assert desk.refused("deliver", sheet=sheet, method="counter") == [("D-14", "sheet")]
    assert desk.refused("store", sheet=sheet, place="保管庫A") == [("D-14", "sheet")]
    assert desk.refused("reissue", sheet=sheet, why="汚損") == [("D-14", "sheet")]
    (seen,) = desk.ask("sheets", state="replaced")["sheets"]
    assert (seen["sheet"], seen["replaced_by"]) == (sheet, again)
    desk.ask("dispose", sheet=sheet, how="shredded", witness="OP-0002")
    assert desk.refused("reissue", sheet=sheet, why="汚損") == [("D-14", "sheet")]


def test_what_was_destroyed_may_be_put_out_again_and_stays_destroyed(
    desk: Desk, sheet: int
) -> None:
    desk.ask("dispose", sheet=sheet, how="shredded", witness="OP-0002")
    again = desk.ask("reissue", sheet=sheet, why="汚損")["sheet"]
    assert [each["sheet"] for each in desk.ask("sheets", state="disposed")["sheets"]] == [sheet]
    desk.ask("deliver", sheet=again, method="counter")


def test_what_was_handed_over_is_asked_for_anew(desk: Desk, sheet: int) -> None:
    desk.ask("deliver", sheet=sheet, method="counter")
    assert desk.refused("reissue", sheet=sheet, why="紛失") == [("D-32", "sheet")]


@pytest.mark.requirement("R66")
@pytest.mark.parametrize("state", ["printed", "stored", "replaced"])
def test_a_case_is_not_closed_over_a_paper_in_hand(desk: Desk, sheet: int, state: str) -> None:
    said = str(sheet)
    if state == "stored":
        desk.ask("store", sheet=sheet, place="保管庫A")
    if state == "replaced":
        desk.ask(
            "deliver", sheet=desk.ask("reissue", sheet=sheet, why="汚損")["sheet"], method="post"
        )
    with pytest.raises(Rejected) as caught:
        desk.ask("close", number=1, why="withdrawn")
    (problem,) = caught.value.problems
    assert problem.rule == "D-31"
    assert f"(帳票番号{said})" in problem.text
    desk.ask("dispose", sheet=sheet, how="shredded", witness="OP-0002")
    desk.ask("close", number=1, why="withdrawn")


def test_a_paper_of_a_closed_case_is_not_handed_over(
    desk: Desk, sheet: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "in_hand", lambda case, number: ())
    desk.ask("close", number=1, why="withdrawn")
    assert desk.refused("deliver", sheet=sheet, method="counter") == [("D-30", "sheet")]
    assert desk.refused("reissue", sheet=sheet, why="汚損") == [("D-05", "number")]
    desk.ask("store", sheet=sheet, place="保管庫A")


@pytest.mark.parametrize("witness", ["OP-0001", "P-OP-0001"])
def test_nobody_witnesses_himself_under_another_of_his_names(
    desk: Desk, sheet: int, witness: str
) -> None:
    asked = {"sheet": sheet, "how": "burnt", "witness": witness}
    assert desk.refused("dispose", **asked) == [("D-22", "witness")]


def test_the_state_of_a_sheet_is_told_in_japanese(desk: Desk, sheet: int) -> None:
    desk.ask("deliver", sheet=sheet, method="counter")
    with pytest.raises(Rejected) as caught:
        desk.ask("store", sheet=sheet, place="保管庫A")
    assert "現在の状態(交付済み)では" in caught.value.problems[0].text
