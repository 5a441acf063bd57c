"""訂正等の申出: from the wish to the 通報, the new notification and the written result (R75)."""

from pathlib import Path
from typing import Any

import cbor2
import pytest

from appliance.errors import Conflict, Rejected
from appliance.plugin_api import Printed
from plugins import disclosure
from plugins.disclosure import form
from tests.plugins.disclosure.desk import MOTHER, Desk, read
from tests.plugins.people import KUMAMOTO, YATSUSHIRO, admit, change

RIGHT = {"address": "熊本県八代市松江城町１番２６号", "notified_on": "2026-04-02", "reason": "33"}
EXPLAINED = {"explanation": "八代市において住民票の記載を確認しました。"}


@pytest.mark.requirement("R75", "R82")
def test_a_correction_goes_all_the_way(desk: Desk, tmp_path: Path) -> None:
    who = admit(desk.bench)
    number = desk.wrong(desk.disclosed())
    told = desk.ask("report", number=number)
    assert (told["state"], told["by"], told["municipality_code"]) == (
        "reported",
        "message",
        YATSUSHIRO,
    )
    assert not desk.ask("case", number=number)["answered"]
    change(desk.bench, who, **RIGHT)
    assert desk.ask("case", number=number)["answered"]
    assert desk.ask("link", number=number)["state"] == "linked"
    put_out = desk.ask("result", number=number, outcome="corrected", **EXPLAINED)
    text = read(put_out["pdf"], tmp_path)
    for part in (
        "本人確認情報訂正等調査結果通知書",
        "熊本花子様",
        "令和8年4月1日に申出のあった本人確認情報の訂正について",
        "住所",
        "記録を改めました",
        "令和8年4月1日に通報しました",
        "令和8年4月2日に通知を受けた記録",
        EXPLAINED["explanation"],
        "第30条の35",
    ):
        assert part in "".join(text.split()), part
    desk.ask("deliver", sheet=put_out["sheet"], method="post")
    assert desk.ask("close", number=number, why="completed")["state"] == "closed"
    seen = desk.ask("case", number=number)
    assert seen["states"] == [
        "received",
        "investigated",
        "reported",
        "linked",
        "issued",
        "delivered",
        "closed",
    ]
    assert (seen["disclosure"], seen["linked"]["version"]) == (1, 2)


@pytest.mark.requirement("R82")
def test_the_municipality_is_told_of_the_case_and_the_items_only(desk: Desk) -> None:
    who = admit(desk.bench)
    number = desk.wrong(desk.disclosed())
    desk.ask("report", number=number)
    with desk.bench.vault.view() as view:
        (parcel,) = view.parcels(f"cs/{YATSUSHIRO}", 0, 10)
    assert (parcel.kind, parcel.version.person) == ("report", who)
    assert cbor2.loads(parcel.note) == {
        "case": str(number),
        "wish": "correct",
        "items": "address",
        "reported_on": "2026-04-01",
        "basis": "住民基本台帳法第12条の5",
        "text": "都道府県知事から、住民基本台帳法第12条の5の規定により通報します。"
        "次の項目に誤り又は記載漏れの疑いがあります: 住所。"
        "住民票を確認し、誤りがあるときは職権修正等(33)の通知を送信してください。",
        "at": desk.bench.now.isoformat(),
    }
    entry = desk.bench.ledger()[-1]
    assert entry.subjects == (who,)
    assert entry.note == f"case {number}: message to {YATSUSHIRO}"


@pytest.mark.parametrize("wish", ["correct", "add", "delete"], ids=lambda wish: f"R75-{wish}")
def test_all_or_part_may_be_corrected_added_or_deleted(desk: Desk, wish: str) -> None:
    admit(desk.bench)
    items = ["name", "address", "birth_date", "sex", "resident_code", "my_number", "reason"]
    asked = {"wish": wish, "items": [*items, "effective_date"]}
    seen = desk.ask("case", number=desk.correction(desk.disclosed(), **asked))
    assert (seen["wish"], len(seen["items"]), seen["claim"]) == (wish, 8, "番地が違う")
    assert seen["due_on"] == "2026-04-30"


@pytest.mark.requirement("R75")
def test_it_may_be_asked_for_after_a_disclosure_only(desk: Desk) -> None:
    admit(desk.bench)
    asked = {
        "method": "counter",
        "identity": ["passport"],
        "wish": "correct",
        "items": ["name"],
        "claim": "x",
    }
    number = desk.matched()
    assert desk.refused("correct", disclosure=number, **asked) == [("D-15", "disclosure")]
    sheet = desk.issue(number)["sheet"]
    assert desk.refused("correct", disclosure=number, **asked) == [("D-15", "disclosure")]
    desk.ask("deliver", sheet=sheet, method="counter")
    early = {**asked, "received_on": "2026-03-31"}
    late = {**asked, "received_on": "2026-04-02"}
    for wrong in (early, late):
        assert desk.refused("correct", disclosure=number, **wrong) == [("D-25", "received_on")]
    desk.ask("close", number=number, why="completed")
    correction = desk.ask("correct", disclosure=number, **asked, representative=MOTHER)["number"]
    assert desk.ask("case", number=correction)["representative"] == MOTHER
    assert desk.refused("correct", disclosure=correction, **asked) == [("D-04", "number")]


def test_what_the_resident_says_is_not_in_the_ledger(desk: Desk) -> None:
    admit(desk.bench)
    desk.wrong(desk.disclosed())
    with desk.bench.vault.view() as view:
        written = b"".join(entry.body for entry in view.entries(0, view.ledger_size()))
    assert "番地が違う".encode() not in written
    assert "転記の誤り".encode() not in written


def test_where_no_error_is_found_nobody_is_told_and_the_result_says_so(
    desk: Desk, tmp_path: Path
) -> None:
    admit(desk.bench)
    number = desk.correction(desk.disclosed())
    outcome = {"outcome": "not-corrected", **EXPLAINED}
    assert desk.refused("report", number=number) == [("D-16", "number")]
    assert desk.refused("result", number=number, **outcome) == [("D-16", "number")]
    desk.ask("investigate", number=number, finding="no-error", account="住民票と一致")
    assert desk.refused("report", number=number) == [("D-17", "number")]
    assert desk.refused("link", number=number) == [("D-27", "number")]
    text = read(desk.ask("result", number=number, **outcome)["pdf"], tmp_path)
    assert "記録を改める事由は認められませんでした" in text
    assert text.count("なし") == 2
    assert desk.refused("result", number=number, **outcome) == [("D-10", "number")]
    again = {"finding": "error", "account": "x"}
    assert desk.refused("investigate", number=number, **again) == [("D-26", "number")]
    assert desk.refused("report", number=number) == [("D-26", "number")]


def test_an_error_is_not_answered_before_the_mayor_is_told(desk: Desk) -> None:
    admit(desk.bench)
    number = desk.wrong(desk.disclosed())
    result = {"number": number, "outcome": "not-corrected", **EXPLAINED}
    assert desk.refused("result", **result) == [("D-21", "number")]
    desk.ask("report", number=number)
    assert desk.refused("report", number=number) == [("D-26", "number")]
    desk.ask("result", **result)


@pytest.mark.parametrize("outcome", ["corrected", "partly"])
def test_nothing_is_called_corrected_before_the_municipality_says_so(
    desk: Desk, outcome: str
) -> None:
    who = admit(desk.bench)
    number = desk.wrong(desk.disclosed())
    change(desk.bench, who, **RIGHT)
    desk.ask("report", number=number)
    assert desk.refused("link", number=number) == [("D-18", "number")]
    result = {"number": number, "outcome": outcome, **EXPLAINED}
    assert desk.refused("result", **result) == [("D-18", "number")]
    change(desk.bench, who, seen=2, **RIGHT)
    assert desk.refused("result", **result) == [("D-29", "number")]
    desk.ask("link", number=number)
    assert desk.refused("link", number=number) == [("D-26", "number")]
    desk.ask("result", **result)


def test_who_is_not_in_the_file_has_the_mayor_told_by_letter(desk: Desk, tmp_path: Path) -> None:
    number = desk.correction(desk.disclosed(), wish="add", items=["name"])
    desk.ask("investigate", number=number, finding="error", account="通知の漏れ")
    assert desk.refused("report", number=number) == [("D-20", "municipality_code")]
    told = desk.ask("report", number=number, municipality_code=YATSUSHIRO)
    assert (told["by"], told["message"]) == ("letter", None)
    paper = told["paper"]
    text = "".join(read(paper["pdf"], tmp_path).split())
    for said in (
        "八代市長様",
        "第12条の5",
        "熊本花子",
        "平成2年4月5日",
        "疑いのある項目氏名",
        "追加",
    ):
        assert said in text, said
    again = desk.ask("reissue", sheet=paper["sheet"], why="汚損")
    assert (again["form"], again["pdf"]) == ("report", paper["pdf"])
    assert desk.refused("link", number=number) == [("D-18", "number")]
    who = admit(desk.bench)
    assert desk.ask("link", number=number)["state"] == "linked"
    assert desk.bench.ledger()[-1].subjects == (who,)


@pytest.mark.parametrize("operation", ["match", "preview", "amend"])
def test_a_correction_is_no_disclosure(desk: Desk, operation: str) -> None:
    admit(desk.bench)
    number = desk.correction(desk.disclosed())
    assert desk.refused(operation, number=number) == [("D-04", "number")]


def test_a_case_that_changes_while_its_result_is_made_is_a_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(desk.bench)
    number = desk.wrong(desk.disclosed())
    desk.ask("report", number=number)
    real = form.printed

    def printed(*arguments: Any, **how: Any) -> Printed:
        desk.ask("close", number=number, why="withdrawn")
        return real(*arguments, **how)

    monkeypatch.setattr(disclosure.letters, "printed", printed)
    assert desk.refused("result", number=number, outcome="not-corrected", **EXPLAINED) == [
        ("D-05", "number")
    ]


def test_a_case_investigated_anew_while_its_result_is_made_is_a_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(desk.bench)
    number = desk.correction(desk.disclosed())
    found = {"number": number, "finding": "no-error"}
    desk.ask("investigate", **found, account="x")
    real = form.printed

    def printed(*arguments: Any, **how: Any) -> Printed:
        desk.ask("investigate", **found, account="y")
        return real(*arguments, **how)

    monkeypatch.setattr(disclosure.letters, "printed", printed)
    with pytest.raises(Conflict):
        desk.ask("result", number=number, outcome="not-corrected", **EXPLAINED)


def reported(desk: Desk) -> int:
    number = desk.wrong(desk.disclosed())
    desk.ask("report", number=number)
    return number


@pytest.mark.requirement("R75")
def test_a_result_does_not_deny_what_the_municipality_corrected(desk: Desk) -> None:
    who = admit(desk.bench)
    number = reported(desk)
    change(desk.bench, who, **RIGHT)
    desk.ask("link", number=number)
    result = {"number": number, **EXPLAINED}
    assert desk.refused("result", **result, outcome="not-corrected") == [("D-23", "outcome")]
    desk.ask("result", **result, outcome="partly")


@pytest.mark.requirement("R75")
def test_that_the_municipality_did_not_correct_what_it_was_told_is_said(
    desk: Desk, tmp_path: Path
) -> None:
    admit(desk.bench)
    result = {"number": reported(desk), "outcome": "not-corrected", **EXPLAINED}
    text = "".join(read(desk.ask("result", **result)["pdf"], tmp_path).split())
    assert "市町村長に通報しましたが、記録を改める通知はありませんでした。" in text
    assert "記録を改める事由は認められませんでした" not in text


@pytest.mark.parametrize("outcome", ["corrected", "partly"])
def test_where_no_error_was_found_nothing_is_called_corrected(desk: Desk, outcome: str) -> None:
    admit(desk.bench)
    number = desk.correction(desk.disclosed())
    desk.ask("investigate", number=number, finding="no-error", account="住民票と一致")
    result = {"number": number, "outcome": outcome, **EXPLAINED}
    assert desk.refused("result", **result) == [("D-28", "outcome")]


@pytest.mark.requirement("R66", "R75")
def test_a_spoiled_result_is_put_out_once_more_byte_for_byte(desk: Desk) -> None:
    who = admit(desk.bench)
    number = reported(desk)
    change(desk.bench, who, **RIGHT)
    desk.ask("link", number=number)
    first = desk.ask("result", number=number, outcome="corrected", **EXPLAINED)
    change(desk.bench, who, seen=2, **{**RIGHT, "notified_on": "2026-04-09"})
    again = desk.ask("reissue", sheet=first["sheet"], why="汚損")
    assert again["pdf"] == first["pdf"]
    desk.ask("deliver", sheet=again["sheet"], method="post")
    assert desk.state(number) == "delivered"


@pytest.mark.parametrize(
    "place",
    ["401307", "430005", "432016", "439999"],
    ids=["other-prefecture", "prefecture", "abolished", "nowhere"],
)
def test_a_letter_goes_to_a_municipality_of_the_prefecture_only(desk: Desk, place: str) -> None:
    number = desk.correction(desk.disclosed(), wish="add", items=["name"])
    desk.ask("investigate", number=number, finding="error", account="通知の漏れ")
    asked = {"number": number, "municipality_code": place}
    assert desk.refused("report", **asked) == [("D-33", "municipality_code")]


def test_a_letter_about_a_ward_goes_to_its_city(desk: Desk) -> None:
    number = desk.correction(desk.disclosed(), wish="add", items=["name"])
    desk.ask("investigate", number=number, finding="error", account="通知の漏れ")
    told = desk.ask("report", number=number, municipality_code="431010")
    assert told["municipality_code"] == KUMAMOTO


def test_a_case_investigated_anew_while_the_mayor_is_written_to_is_a_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = desk.correction(desk.disclosed(), wish="add", items=["name"])
    found = {"number": number, "finding": "error"}
    desk.ask("investigate", **found, account="x")
    real = form.printed

    def printed(*arguments: Any, **how: Any) -> Printed:
        desk.ask("investigate", **found, account="y")
        return real(*arguments, **how)

    monkeypatch.setattr(disclosure.letters, "printed", printed)
    with pytest.raises(Conflict):
        desk.ask("report", number=number, municipality_code=YATSUSHIRO)
    assert desk.state(number) == "investigated"


def test_of_whom_there_is_a_record_the_municipality_is_not_chosen(desk: Desk) -> None:
    admit(desk.bench)
    asked = {"number": desk.wrong(desk.disclosed()), "municipality_code": KUMAMOTO}
    assert desk.refused("report", **asked) == [("D-34", "municipality_code")]


def test_a_long_explanation_is_whole_and_goes_on_overleaf(desk: Desk, tmp_path: Path) -> None:
    admit(desk.bench)
    number = desk.correction(desk.disclosed(), items=["name"])
    desk.ask("investigate", number=number, finding="no-error", account="住民票と一致")
    long = {"outcome": "not-corrected", "explanation": "甲" * 2000}
    put_out = desk.ask("result", number=number, **long)
    text = "".join(read(put_out["pdf"], tmp_path).split())
    assert put_out["pages"] > 1
    assert text.count("甲") == 2000
    assert "申出のあった項目氏名" in text


def test_what_the_state_of_a_case_does_not_allow_names_the_state(desk: Desk) -> None:
    admit(desk.bench)
    number = reported(desk)
    with pytest.raises(Rejected) as caught:
        desk.ask("report", number=number)
    assert "現在の状態(通報済み)では" in caught.value.problems[0].text
