"""操作者ID as the システム管理者 sees them at his terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.testing import Bench
from plugins import roster
from tests.plugins.people import shipped_policy
from tests.plugins.roster.desk import Desk
from tests.screens import Seen, Visitor

OPERATORS, ADD = "/screens/roster/operators", "/screens/roster/add-operator"
NEW: dict[str, Any] = {
    "operator_id": "op-0009",
    "office": "県税事務所",
    "roles": ["clerk"],
    "purposes": ["prefectural-tax"],
    "holders": "P-OP-0002\r\nｐ-op-0003",
    "expires_on": "R9.3.31",
    "form": "照合付-2026-12",
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"roster": roster}, shipped_policy()) as bench:
        bench.appoint(
            "OP-0002",
            "P-OP-0002",
            roles=("clerk",),
            purposes=("prefectural-tax",),
            office="県税事務所",
            name="県税　花子",
        )
        bench.appoint("OP-0003", "P-OP-0003", roles=("clerk",), purposes=(), office="監査室")
        yield bench


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk.of(bench)


def takes(desk: Desk, step: str, **typed: Any) -> Seen:
    return desk.presses(f"{OPERATORS}/take", operator_id="OP-0002", step=step, filled="1", **typed)


def stands(desk: Desk, operator_id: str = "OP-0002") -> dict[str, Any]:
    found = desk.answer("roster/operators")["operators"]
    return dict(next(each for each in found if each["operator_id"] == operator_id))


@pytest.mark.requirement("R125", "R126")
def test_the_list_shows_what_the_operation_answers_in_words(desk: Desk) -> None:
    page = desk.visitor.goes(OPERATORS)
    answer = desk.answer("roster/operators")
    assert f"操作者ID {len(answer['operators'])}件" in page.text
    for each in answer["operators"]:
        assert f'<th scope="row" class="code">{each["operator_id"]}</th>' in page.markup
    assert "操作者 県税の賦課徴収に関する事務 P-OP-0002 令和81年3月31日" in page.text
    assert "clerk" not in page.text
    assert {"clerk", "auditor"} < set(answer["roles"])
    assert not {"municipality", "service", "at-a-terminal"} & set(answer["roles"])


def test_an_authority_is_looked_for_by_whom_it_is_held(desk: Desk) -> None:
    found = desk.presses(f"{OPERATORS}/list", words="p-op-0003")
    assert "操作者ID 1件" in found.text
    nothing = desk.presses(f"{OPERATORS}/list", office="監査室", state="over")
    assert "該当する記録はありません。" in nothing.text


@pytest.mark.requirement("R125", "R126")
def test_an_authority_is_made_with_a_second_person(bench: Bench, desk: Desk) -> None:
    page = desk.agreed(desk.presses(f"{ADD}/enter", **NEW))
    assert "操作者ID OP-0009を登録しました。" in page.text
    made = stands(desk, "OP-0009")
    assert (made["roles"], made["purposes"]) == (("clerk",), ("prefectural-tax",))
    assert made["holders"] == ("P-OP-0002", "P-OP-0003")
    assert made["expires_on"] == "2027-03-31"
    entry = [e for e in bench.ledger() if e.operation == "roster/add-operator"][-1]
    assert (entry.conditions["form"], entry.approved_as) == ("照合付-2026-12", "OFFICER")
    opened = desk.presses(f"{OPERATORS}/open", operator_id="OP-0009")
    assert "担当者 2人" in opened.text
    assert "県税　花子" in opened.text
    assert "操作者 (clerk)" in opened.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"operator_id": "OP 9"}, "16字以内で入力してください。"),
        ({"roles": []}, "役割を入力してください。"),
        ({"holders": " "}, "担当者の照合IDを入力してください。"),
        ({"expires_on": "R8.3.31"}, "本日以降の日を入力してください。"),
        ({"form": ""}, "申請書等の番号を入力してください。"),
    ],
)
def test_what_is_missing_is_told_beside_its_field_and_nothing_is_asked(
    desk: Desk, changed: dict[str, Any], said: str
) -> None:
    page = desk.presses(f"{ADD}/enter", **{**NEW, **changed})
    assert said in page.text
    assert 'class="error"' in page.markup
    assert 'value="県税事務所"' in page.markup
    assert 'value="prefectural-tax" checked' in page.markup


@pytest.mark.requirement("R127")
def test_what_does_not_go_together_is_refused_beside_the_roles(desk: Desk) -> None:
    page = desk.agreed(desk.presses(f"{ADD}/enter", **{**NEW, "roles": ["auditor", "clerk"]}))
    assert "同じ人が兼ねることはできません。別の人を充ててください" in page.text
    assert 'id="e-roles"' in page.markup
    assert 'value="auditor" checked' in page.markup


@pytest.mark.requirement("R125")
def test_only_what_was_changed_is_asked_for(bench: Bench, desk: Desk) -> None:
    page = desk.presses(f"{OPERATORS}/step", operator_id="OP-0002", step="change")
    assert 'value="clerk" checked' in page.markup
    assert 'value="auditor" checked' not in page.markup
    names = ("office", "roles", "purposes", "holders", "expires_on")
    was = {f"was_{name}": page.hidden(f"was_{name}") for name in names}
    stood = {name: was[f"was_{name}"] for name in names}
    done = desk.agreed(takes(desk, "change", **was, **{**stood, "purposes": []}, form="異動-3"))
    assert "登録内容を変更しました。" in done.text
    assert "事務なし" in done.text
    entry = [e for e in bench.ledger() if e.operation == "roster/change-operator"][-1]
    assert entry.conditions == {"operator_id": "OP-0002", "purposes": [], "form": "異動-3"}


@pytest.mark.requirement("R123")
def test_an_authority_is_suspended_at_once_and_resumed_with_a_second_person(desk: Desk) -> None:
    assert "理由を入力してください。" in takes(desk, "suspend").text
    assert stands(desk)["state"] == "active"
    done = takes(desk, "suspend", reason="課の廃止")
    assert "操作者IDを停止しました。" in done.text
    assert "停止中 理由: 課の廃止" in done.text
    assert stands(desk)["state"] == "suspended"
    again = desk.agreed(takes(desk, "resume", reason="誤り"))
    assert "操作者IDを再開しました。" in again.text
    assert stands(desk)["state"] == "active"


def test_one_goes_from_an_authority_to_whom_it_is_held_by_and_back(desk: Desk) -> None:
    authority = desk.presses(f"{OPERATORS}/open", operator_id="OP-0002")
    person = desk.presses(authority.action("people/open"), person_id="P-OP-0002")
    assert "照合ID" in person.text
    again = desk.presses(person.action("operators/open"), operator_id="OP-0002")
    assert "担当者 1人" in again.text


@pytest.mark.requirement("R127")
def test_nobody_is_offered_steps_with_his_own_authority(desk: Desk) -> None:
    page = desk.presses(f"{OPERATORS}/open", operator_id="ADMIN")
    assert "本人が担当する操作者IDの変更や停止はできません。" in page.text
    assert 'name="step"' not in page.markup


def test_the_register_is_printed(bench: Bench, desk: Desk) -> None:
    page = desk.presses(f"{OPERATORS}/print")
    assert "<iframe" in page.markup
    entry = [e for e in bench.ledger() if e.operation == "roster/print"][-1]
    assert entry.conditions["register"] == "operators"
    assert entry.hits == len(desk.answer("roster/operators")["operators"])


@pytest.mark.parametrize("path", [OPERATORS, ADD])
def test_whoever_does_not_keep_the_roster_is_denied_it(bench: Bench, path: str) -> None:
    visitor = Visitor.at(bench, "TERM-0003").logs_in(bench, "OP-0004", roles=("auditor",))
    assert path not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403
