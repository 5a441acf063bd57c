"""操作者名簿 as the システム管理者 sees it at his terminal."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.testing import Bench
from plugins import roster
from tests.plugins.people import shipped_policy
from tests.plugins.roster.desk import Desk
from tests.plugins.roster.test_people import register
from tests.screens import Seen, Visitor
from tests.simulators.device import Device

PEOPLE, GRANT = "/screens/roster/people", "/screens/roster/grant"
NEW = {
    "person_id": "ｐ-0002",
    "name": "県税　花子",
    "kana": "ｹﾝｾﾞｲ　ﾊﾅｺ",
    "office": "県税事務所",
    "expires_on": "R9.3.31",
    "form": "照合付-2026-12",
}
SUSPENDED = {"reason": "退職", "form": "照合無-2026-3"}
"""What is typed when somebody is suspended."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"roster": roster}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk.of(bench)


@pytest.fixture
def clerk(bench: Bench) -> None:
    """P-OP-0002 of 県税事務所, a clerk by PIN."""
    bench.appoint("OP-0002", "P-OP-0002", roles=("clerk",), office="県税事務所", name="県税　花子")


def takes(desk: Desk, step: str, **typed: str) -> Seen:
    return desk.presses(f"{PEOPLE}/take", person_id="P-OP-0002", step=step, filled="1", **typed)


def state(desk: Desk, person_id: str = "P-OP-0002") -> str:
    people = desk.answer("roster/people")["people"]
    return str(next(each["state"] for each in people if each["person_id"] == person_id))


def code_on(page: Seen) -> str:
    (code,) = re.findall("<dt>登録コード</dt><dd>([^<]+)</dd>", page.markup)
    return str(code)


@pytest.mark.requirement("R125", "R126")
def test_the_list_shows_what_the_operation_answers(desk: Desk, clerk: None) -> None:
    page = desk.visitor.goes(PEOPLE)
    assert page.status == 200
    people = desk.answer("roster/people")["people"]
    assert f"操作者 {len(people)}件" in page.text
    for each in people:
        assert f'<th scope="row" class="code">{each["person_id"]}</th>' in page.markup
    assert "県税　花子" in page.text
    assert "県税事務所 操作者 令和81年" in page.text
    assert "記録なし" in page.text
    assert "2099" in page.text


def test_the_list_is_narrowed_by_name_office_and_state(desk: Desk, clerk: None) -> None:
    assert "操作者 1件" in desk.presses(f"{PEOPLE}/list", words="花子").text
    assert "操作者 1件" in desk.presses(f"{PEOPLE}/list", words="Ｐ－ＯＰ 県税").text
    assert "操作者 1件" in desk.presses(f"{PEOPLE}/list", words="p-op").text
    found = desk.presses(f"{PEOPLE}/list", office="県税事務所")
    assert "操作者 1件" in found.text
    assert 'value="県税事務所" selected' in found.markup
    assert "操作者 3件" in desk.presses(f"{PEOPLE}/list", state="active").text
    nobody = desk.presses(f"{PEOPLE}/list", state="suspended")
    assert "該当する記録はありません。" in nobody.text
    assert "一覧の条件を見直してください。" in nobody.text


def test_a_long_list_is_turned_page_by_page_with_its_conditions(bench: Bench, desk: Desk) -> None:
    bench.appoint("OP-0100", *(f"P-{which:04}" for which in range(60)), office="監査室")
    first = desk.presses(f"{PEOPLE}/list", office="監査室")
    assert "操作者 60件 (1件目から50件目まで)" in first.text
    assert "前の一覧" not in first.text
    second = desk.presses(f"{PEOPLE}/list", office=first.hidden("office")[-1], page="1")
    assert "操作者 60件 (51件目から60件目まで)" in second.text
    assert ">P-0059</th>" in second.markup
    assert "次の一覧" not in second.text


@pytest.mark.requirement("R122", "R125")
def test_a_id_is_given_by_paper_with_a_second_person_and_its_code_is_shown_once(
    bench: Bench, desk: Desk
) -> None:
    waits = desk.presses(f"{GRANT}/enter", **NEW)
    assert 'value="照合付-2026-12"' in waits.markup
    page = desk.agreed(waits)
    assert "登録コードを発行しました。" in page.text
    assert "令和8年4月2日 (2026年4月2日) 10:00" in page.text
    made = [e for e in bench.ledger() if e.operation == "roster/grant"][-1]
    assert made.conditions["form"] == "照合付-2026-12"
    assert made.approved_as == "OFFICER"
    opened = desk.presses(f"{PEOPLE}/open", person_id="P-0002")
    assert "照合情報未登録" in opened.text
    assert "けんぜい　はなこ" in opened.text
    assert "令和9年3月31日 (2027年3月31日)" in opened.text
    assert "登録された装置はありません。" in opened.text
    assert code_on(page) not in opened.text


def test_what_is_missing_or_wrong_on_the_form_is_told_beside_it(desk: Desk) -> None:
    page = desk.presses(f"{GRANT}/enter", **{**NEW, "form": "", "expires_on": "いつか"})
    assert "照合ID付与申請書の番号を入力してください。" in page.text
    assert "日付を読み取れません。" in page.text
    assert 'aria-describedby="h-expires_on e-expires_on"' in page.markup
    assert 'value="県税　花子"' in page.markup


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"person_id": "P_2"}, "英大文字、数字及びハイフンで、32字以内で入力してください。"),
        ({"expires_on": "R8.3.31"}, "本日以降の日を入力してください。"),
    ],
)
def test_what_cannot_be_granted_is_told_before_anybody_must_agree(
    desk: Desk, changed: dict[str, str], said: str
) -> None:
    page = desk.presses(f"{GRANT}/enter", **{**NEW, **changed})
    assert 'class="banner wrong summary"' in page.markup
    assert said in page.text
    assert 'value="照合付-2026-12"' in page.markup


def test_a_id_that_was_given_out_is_refused_on_the_form(desk: Desk, clerk: None) -> None:
    page = desk.agreed(desk.presses(f"{GRANT}/enter", **{**NEW, "person_id": "P-OP-0002"}))
    assert "この照合IDは以前に付与されています。" in page.text
    assert 'value="県税　花子"' in page.markup


@pytest.mark.requirement("R125")
def test_only_what_was_changed_is_asked_for(bench: Bench, desk: Desk, clerk: None) -> None:
    page = desk.presses(f"{PEOPLE}/step", person_id="P-OP-0002", step="change")
    assert 'value="県税　花子"' in page.markup
    was = {f"was_{n}": page.hidden(f"was_{n}")[0] for n in ("name", "kana", "office", "expires_on")}
    typed = {**{name.removeprefix("was_"): it for name, it in was.items()}, "office": "監査室"}
    done = desk.agreed(takes(desk, "change", **was, **typed, form="異動-3"))
    assert "登録内容を変更しました。" in done.text
    assert "監査室" in done.text
    entry = [e for e in bench.ledger() if e.operation == "roster/change-person"][-1]
    assert entry.conditions == {"person_id": "P-OP-0002", "office": "監査室", "form": "異動-3"}
    nothing = takes(desk, "change", **{**was, "was_office": "監査室"}, **typed, form="異動-3")
    assert "変更する項目を入力してください。" in desk.agreed(nothing).text


@pytest.mark.requirement("R123", "R129")
def test_somebody_is_shut_out_at_once_and_comes_back_with_a_second_person(
    desk: Desk, clerk: None
) -> None:
    assert (
        "直ちに利用できなくなります。"
        in desk.presses(f"{PEOPLE}/step", person_id="P-OP-0002", step="suspend").text
    )
    refused = takes(desk, "suspend", reason="退職")
    assert "照合ID無効化依頼書の番号を入力してください。" in refused.text
    assert 'value="退職"' in refused.markup
    assert state(desk) == "active"
    done = takes(desk, "suspend", **SUSPENDED)
    assert "照合IDを停止しました。" in done.text
    assert "停止中 理由: 退職" in done.text
    assert state(desk) == "suspended"
    assert "登録コードの発行" not in done.text
    assert "照合IDの復帰" in done.text
    code = desk.agreed(takes(desk, "resume", reason="復職", form="照合付-2026-31"))
    assert "照合情報(装置)の登録" in code.text
    assert state(desk) == "not-enrolled"


@pytest.mark.requirement("R124")
def test_a_pin_is_set_anew_for_a_time_and_a_reason(desk: Desk, clerk: None) -> None:
    past = takes(desk, "pin", reason="指の負傷", until="R8.3.1")
    assert "本日以降の日を入力してください。" in past.text
    late = desk.agreed(takes(desk, "pin", reason="指の負傷", until="R20.1.1"))
    assert "暗証番号の有効期限には、" in late.text
    assert 'class="error"' in late.markup
    page = desk.agreed(takes(desk, "pin", reason="指の負傷", until="R8.4.30"))
    assert "操作者照合暗証番号の設定" in page.text
    opened = desk.presses(f"{PEOPLE}/open", person_id="P-OP-0002")
    assert "令和8年4月30日 (2026年4月30日)まで (理由: 指の負傷)" in opened.text


@pytest.mark.requirement("R122")
def test_a_device_is_registered_with_the_code_and_let_go(
    bench: Bench, desk: Desk, clerk: None, tmp_path: Path
) -> None:
    code = code_on(desk.agreed(takes(desk, "enrol")))
    register(bench.seat("TERM-0002"), code, Device(tmp_path / "device.json"), "指紋 1号")
    page = desk.presses(f"{PEOPLE}/open", person_id="P-OP-0002")
    assert "登録された装置 1台" in page.text
    assert "指紋 1号" in page.text
    (device_id,) = page.hidden("device_id")
    which = {"device_id": device_id}
    asked = desk.presses(f"{PEOPLE}/step", person_id="P-OP-0002", step="retire", **which)
    assert f"指紋 1号 ({device_id})" in asked.text
    assert "理由を入力してください。" in takes(desk, "retire", **which).text
    done = takes(desk, "retire", **which, reason="故障")
    assert "装置を廃止しました。" in done.text
    assert "廃止 故障" in done.text
    assert "使用中" not in done.text


@pytest.mark.requirement("R127")
def test_nobody_is_offered_steps_about_himself(desk: Desk) -> None:
    page = desk.presses(f"{PEOPLE}/open", person_id="P-ADMIN")
    assert "本人に関する変更、停止及び暗証番号の発行はできません。" in page.text
    assert 'value="suspend"' not in page.markup
    assert 'value="pin"' not in page.markup


@pytest.mark.parametrize(
    ("act", "typed"),
    [
        ("open", {"person_id": "P-0099"}),
        ("step", {"person_id": "P-0099", "step": "suspend"}),
        ("step", {"person_id": "P-ADMIN", "step": "promote"}),
        ("take", {"person_id": "P-ADMIN", "step": ""}),
    ],
)
def test_what_is_not_there_is_refused_on_the_list(
    desk: Desk, act: str, typed: dict[str, str]
) -> None:
    page = desk.presses(f"{PEOPLE}/{act}", **typed)
    assert page.status == 200
    assert "選び直してください。" in page.text


def test_the_register_is_printed_of_one_office(bench: Bench, desk: Desk, clerk: None) -> None:
    page = desk.presses(f"{PEOPLE}/print", print_office="県税事務所", history="1")
    assert "<iframe" in page.markup
    entry = [e for e in bench.ledger() if e.operation == "roster/print"][-1]
    assert entry.conditions == {"register": "people", "office": "県税事務所", "history": True}
    assert entry.hits == 1


def test_the_menu_says_whose_term_ends_soon(bench: Bench, desk: Desk, clerk: None) -> None:
    assert "任期が30日以内に満了する操作者" not in desk.visitor.goes("/screens/menu").text
    desk.agreed(desk.presses(f"{GRANT}/enter", **{**NEW, "expires_on": "R8.4.20"}))
    assert "任期が30日以内に満了する操作者" in desk.visitor.goes("/screens/menu").text
    assert "まもなく満了" in desk.visitor.goes(PEOPLE).text


@pytest.mark.parametrize("path", [PEOPLE, GRANT])
def test_whoever_does_not_keep_the_roster_is_denied_it(bench: Bench, path: str) -> None:
    visitor = Visitor.at(bench, "TERM-0003").logs_in(bench, "OP-0003", roles=("clerk",))
    assert path not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403


def test_no_name_stands_in_a_path_or_a_title(desk: Desk, clerk: None) -> None:
    answer = desk.visitor.posts(f"{PEOPLE}/open", person_id="P-OP-0002")
    assert "OP-0002" not in answer.headers["Location"]
    page = desk.visitor.follows(answer)
    assert "県税" not in page.markup.split("<title>")[1].split("</title>")[0]
