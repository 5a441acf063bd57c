"""承認: two persons, each at a terminal, and nothing is done before the second agreed."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.model import OperationName
from appliance.operation import (
    Answer,
    AnyOperation,
    Arguments,
    Operation,
)
from appliance.plugin_api import Answered, Case, Desk, Form, Page, Screen, hookimpl
from appliance.screens.approvals import PATH
from appliance.testing import PIN, Bench
from tests.plugins.people import shipped_policy
from tests.screens import Seen, Visitor

PROBE = "/screens/probe/second"
NEW = {
    "operator_id": "OP-0200",
    "office": "県税事務所",
    "roles": ["clerk"],
    "purposes": ["prefectural-tax"],
    "holders": ["P-OP-0300"],
    "expires_on": "2027-03-31",
    "form": "操作者付-7",
}
PERIOD = {"since": "2026-04-01T00:00:00+09:00", "format": "csv"}
GRANTED = {
    "person_id": "P-0400",
    "name": "県税　次郎",
    "office": "県税事務所",
    "expires_on": "2027-03-31",
    "form": "照合付-3",
}
ASKED: Mapping[str, Mapping[str, Any]] = {
    "roster/add-operator": NEW,
    "roster/grant": GRANTED,
    "ledger/export": PERIOD,
}


def send(desk: Desk, form: Form) -> Answered:
    operation = form.raw("operation")
    desk.ask(operation, ASKED[operation])
    return Page(template="probe.html", data={"said": operation})


PRESSED = Screen(
    path=PROBE,
    title="試験画面",
    group="システム",
    package="tests.appliance.screens",
    needs=OperationName("approval/request"),
    show=lambda desk: Page(template="probe.html"),
    acts={"send": send},
)


@dataclass
class Two:
    """Whoever asks, whoever is to agree, and what they did so far."""

    bench: Bench
    asker: Visitor
    second: Visitor

    def pressed(self, operation: str = "roster/add-operator") -> Seen:
        return self.asker.presses(f"{PROBE}/send", operation=operation)

    def asks(self, operation: str = "roster/add-operator") -> tuple[str, Seen]:
        """Press, and ask for the second one; return the number and the page."""
        wanted = {"how": "request", "form": "申請-12", "why": "4月の異動"}
        seen = self.asker.presses(self.pressed(operation).action("/go-on/"), **wanted)
        found = re.search("受付番号は([0-9]+)です", seen.text)
        assert found is not None, seen.text
        return found[1], seen

    def gives(self, number: str) -> Seen:
        return self.second.presses(f"{PATH}/give", number=number, compared="1")

    def again(self, seen: Seen, number: str) -> Seen:
        return self.asker.presses(seen.action("/go-on/"), how="again", approval=number)


@contextmanager
def two_persons(folder: Path) -> Iterator[Two]:
    """Yield a システム管理者 who asks, and the セキュリティ責任者 of his 所属."""
    with Bench.open(folder, policy=shipped_policy()) as bench:
        bench.appoint("OP-0300", "P-OP-0300", roles=("clerk",), purposes=("prefectural-tax",))
        asker = Visitor.at(bench, screens=(PRESSED,))
        asker.logs_in(bench, "OP-0001", roles=("system-administrator",), purposes=())
        second = Visitor.at(bench, "TERM-0002")
        second.logs_in(bench, "OP-0002", roles=("security-officer",), purposes=())
        yield Two(bench, asker, second)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_persons(tmp_path) as two:
        yield two


def opened(visitor: Visitor, number: str) -> Seen:
    return visitor.presses(f"{PATH}/open", number=number)


# --- the whole path ---


@pytest.mark.requirement("R127")
def test_what_one_asks_for_the_other_sees_and_agrees_to_and_the_first_goes_on(two: Two) -> None:
    number, seen = two.asks()
    assert "あなたの承認を待っている申請" in two.second.goes("/screens/menu").text
    listed = two.second.goes(PATH).text
    asked = "操作者IDの付与P-OP-0001 (OP-0001、市町村課)令和8年4月1日 (2026年4月1日) 10:00"
    assert f"{asked}令和8年4月8日 (2026年4月8日) 10:00" in listed
    shown = opened(two.second, number)
    assert "取り下げる" not in shown.text
    agreed = two.gives(number)
    assert "承認しました。申請した人が令和8年4月2日 (2026年4月2日) 10:00までに" in agreed.text
    assert "受け取ったもの" in two.again(seen, number).text
    assert two.bench.ledger()[-1].operation == "roster/add-operator"
    assert "実行済み" in opened(two.second, number).text


@pytest.mark.requirement("R127")
def test_whoever_asked_comes_back_another_day_and_carries_out_what_was_agreed_to(two: Two) -> None:
    number, _ = two.asks()
    two.gives(number)
    two.asker.asks("POST", "/screens/session/close", b"{}")
    two.bench.now += timedelta(hours=20)
    two.asker.logs_in(two.bench, "OP-0001", roles=("system-administrator",), purposes=())
    menu = two.asker.goes("/screens/menu").text
    assert "1件 承認され、あなたの実行を待っている申請" in menu
    assert "実行の期限" in opened(two.asker, number).text
    forgot = two.asker.presses(f"{PATH}/carry-out", number=number)
    assert "印を付けてから実行してください" in forgot.text
    done = two.asker.presses(f"{PATH}/carry-out", number=number, meant="1")
    assert "承認された内容で、操作者IDの付与を実行しました。" in done.text
    assert "操作者 (clerk)" in done.text
    entry = two.bench.ledger()[-1]
    assert (entry.operation, entry.person) == ("roster/add-operator", "P-OP-0001")
    assert entry.approved_by == "P-OP-0002"
    before = len(two.bench.ledger())
    twice = two.asker.presses(f"{PATH}/carry-out", number=number, meant="1")
    assert "実行済み" in twice.text
    assert {entry.operation for entry in two.bench.ledger()[before:]} == {"approval/show"}


def test_what_is_told_only_once_is_told_where_it_is_carried_out(two: Two) -> None:
    number, _ = two.asks("roster/grant")
    two.gives(number)
    done = two.asker.presses(f"{PATH}/carry-out", number=number, meant="1")
    assert "ここで一度だけ表示します" in done.text
    assert re.search("<dt>登録コード</dt><dd>[A-Za-z0-9_-]{8,}</dd>", done.markup)
    assert "<dt>認証方法</dt><dd>照合情報 (device)</dd>" in done.markup


def test_a_file_that_was_agreed_to_comes_as_a_file(two: Two) -> None:
    auditor, keeper = two.second, two.asker
    auditor = Visitor.at(two.bench, "TERM-0003", screens=(PRESSED,))
    auditor.logs_in(two.bench, "OP-0003", roles=("auditor",), purposes=())
    number, _ = Two(two.bench, auditor, keeper).asks("ledger/export")
    Two(two.bench, auditor, keeper).gives(number)
    seen = auditor.presses(f"{PATH}/carry-out", number=number, meant="1")
    assert seen.headers["Content-Disposition"] == f'attachment; filename="approval-{number}.csv"'
    assert "approval/give" in seen.body.decode()


@pytest.mark.parametrize(
    ("operation", "asker", "may"),
    [
        ("roster/add-operator", "system-administrator", ("セキュリティ責任者(所属)", "監査責任者")),
        ("ledger/export", "auditor", ("システム管理者",)),
    ],
)
def test_whoever_asks_is_told_whose_agreement_counts_and_nobody_else(
    two: Two, operation: str, asker: str, may: tuple[str, ...]
) -> None:
    visitor = Visitor.at(two.bench, "TERM-0003", screens=(PRESSED,))
    visitor.logs_in(two.bench, "OP-0003", roles=(asker,), purposes=())
    before = Two(two.bench, visitor, two.second).pressed(operation)
    assert "セキュリティ責任者" not in before.text
    _, seen = Two(two.bench, visitor, two.second).asks(operation)
    told = seen.text.partition("承認できる役割: ")[2].partition("この役割を持つ職員")[0]
    assert all(role in told for role in may)
    assert ("セキュリティ責任者" in told) == (operation == "roster/add-operator")
    assert f'href="{PATH}"' in seen.markup


def test_going_on_too_early_keeps_the_number_and_asks_for_nothing_new(two: Two) -> None:
    number, seen = two.asks()
    early = two.again(seen, number)
    assert "まだ承認されていません。承認者に依頼してください。" in early.text
    assert re.search(f'name="approval"[^>]* value="{number}"', early.markup)
    assert "<summary>新たに承認を求める</summary>" in early.markup
    two.gives(number)
    assert "受け取ったもの" in two.again(early, number).text


# --- deciding ---


def test_every_argument_is_shown_in_words(two: Two) -> None:
    number, _ = two.asks()
    text = opened(two.second, number).text
    for told in (
        "申請された操作 操作者IDの付与",
        "申請書の番号 申請-12",
        "申請の理由 4月の異動",
        "役割 操作者 (clerk)",
        "事務 ",
        "(prefectural-tax)",
        "保有者の照合ID P-OP-0300",
        "任期の末日 令和9年3月31日 (2027年3月31日)",
        "申請書等の番号 操作者付-7",
    ):
        assert told.replace(" ", "") in text.replace(" ", ""), told
    assert "表示しない項目" not in text


def test_nobody_agrees_without_having_compared_or_proved_himself(two: Two) -> None:
    number, _ = two.asks()
    untouched = two.second.presses(f"{PATH}/give", number=number)
    assert '<a href="#f-compared">申請書と照合し' in untouched.markup
    assert f"承認 受付番号{number}" in untouched.text
    two.bench.now += timedelta(minutes=3)
    asked = two.gives(number)
    assert "もう一度認証してください" in asked.text
    agreed = two.second.presses(asked.action("/go-on/"), how="verify", pin=PIN)
    assert "承認しました。" in agreed.text


def test_whoever_does_not_agree_says_why_and_the_asker_reads_it(two: Two) -> None:
    number, seen = two.asks()
    silent = two.second.presses(f"{PATH}/refuse", number=number, reason="")
    assert "承認しない理由を入力してください。" in silent.text
    refused = two.second.presses(f"{PATH}/refuse", number=number, reason="申請書と違う")
    assert "承認しないことを記録しました。" in refused.text
    told = opened(two.asker, number).text
    assert "申請書と違う" in told
    assert "不承認" in told
    assert "承認された内容で実行する" not in told
    assert "却下、取下げ又は期限切れ" in two.again(seen, number).text


def test_whoever_asked_takes_it_back_and_nobody_decides_it_any_more(two: Two) -> None:
    number, _ = two.asks()
    own = opened(two.asker, number)
    assert "承認しない理由" not in own.text
    assert "印を付けてから取り下げてください" in (
        two.asker.presses(f"{PATH}/withdraw", number=number).text
    )
    back = two.asker.presses(f"{PATH}/withdraw", number=number, taken_back="1")
    assert "取り下げました。" in back.text
    assert "内容は表示できません。" in back.text
    late = two.gives(number)
    assert "番号を確認してください" in late.text or "既に決定されたか" in late.text
    assert "承認を待っている申請 該当する記録はありません。" in two.second.goes(PATH).text


@pytest.mark.parametrize("act", ["give", "refuse"])
def test_nobody_decides_his_own(two: Two, act: str) -> None:
    number, _ = two.asks()
    seen = two.asker.presses(f"{PATH}/{act}", number=number, compared="1", reason="不要")
    assert "自分で承認を求めたものは、承認も却下もできません" in seen.text


def test_the_list_is_what_the_operation_answers(two: Two) -> None:
    numbers = [two.asks()[0] for _ in range(3)]
    two.gives(numbers[0])
    two.second.presses(f"{PATH}/refuse", number=numbers[1], reason="重複")
    seat = two.bench.log_in("P-OP-0002", "OP-0002", "TERM-0002")
    told = seat.ask("approval/list", {}).data
    assert [str(each["number"]) for each in told["to_decide"]] == numbers[2:]
    assert [str(each["number"]) for each in told["decided"]] == numbers[1::-1]
    two.second.cookie = seat.bearer or ""
    page = two.second.goes(PATH)
    waits, _, decided = page.markup.partition('id="decided"')
    for part, name in ((waits, "to_decide"), (decided, "decided")):
        shown = re.findall(r'<th scope="row" class="number">([0-9]+)</th>', part)
        assert shown == [str(each["number"]) for each in told[name]]


def test_who_has_nothing_to_decide_is_told_so(two: Two) -> None:
    text = two.asker.goes(PATH).text
    assert text.count("該当する記録はありません。") == 3
    assert "二人で行う操作を実行しようとすると" in text
    assert "自分が申請したもの" not in two.second.goes(PATH).text
    assert "承認を待っている" not in two.second.goes("/screens/menu").text


@pytest.mark.parametrize("number", ["", "999", "x"])
def test_a_number_that_is_none_leads_back_to_the_list(two: Two, number: str) -> None:
    seen = opened(two.second, number)
    assert "<title>エラー: " in seen.markup
    assert "承認を待っている申請" in seen.text


def test_whoever_has_no_part_in_it_has_no_such_screen(two: Two) -> None:
    clerk = Visitor.at(two.bench, "TERM-0009")
    clerk.logs_in(two.bench, "OP-0300", roles=("clerk",), purposes=("prefectural-tax",))
    assert PATH not in clerk.goes("/screens/menu").markup
    assert clerk.goes(PATH).status == 403


# --- what is not shown ---


class Hidden(Arguments, frozen=True, kw_only=True):
    text: str
    secret: str


class Done(Answer, frozen=True, kw_only=True):
    text: str


class Discreet:
    """An operation that takes two, of which the second sees only a part."""

    def handle(self, case: Case, asked: Hidden) -> Done:
        return Done(text=asked.text)

    def operation(self, name: str, **more: Any) -> AnyOperation:
        return Operation(
            name=OperationName(name),
            summary="A test.",
            asks=Hidden,
            answers=Done,
            handler=self.handle,
            changes=True,
            seconded=True,
            records=("text",),
            drops=("secret",),
            **more,
        )

    @hookimpl
    def operations(self) -> list[AnyOperation]:
        return [
            self.operation("test/change", purposed=False),
            self.operation("test/purposed", shows=("secret",)),
        ]


def test_what_is_not_shown_is_named_and_is_carried_out_where_it_was_typed(tmp_path: Path) -> None:
    with Bench.open(tmp_path, {"test": Discreet()}) as bench:
        asker = Visitor.at(bench).logs_in(bench)
        second = Visitor.at(bench, "TERM-0002").logs_in(bench, "OP-0002")
        body = {"text": "hello", "secret": "s3cret"}
        wanted = {"operation": "test/change", "arguments": body, "form": "1", "reason": "試験"}
        seat = bench.log_in("P-OP-0001", "OP-0001")
        number = str(seat.ask("approval/request", wanted).data["number"])
        asker.cookie = seat.bearer or ""
        shown = opened(second, number)
        assert "test/change" in shown.text
        assert "表示しない項目: secret" in shown.text
        assert "s3cret" not in shown.text
        second.presses(f"{PATH}/give", number=number, compared="1")
        assert "申請した画面で同じ内容を入力して実行し" in opened(asker, number).text
        asker.presses(f"{PATH}/carry-out", number=number, meant="1")
        assert bench.ledger()[-1].operation == "approval/show"


@pytest.mark.requirement("R90")
def test_what_was_agreed_to_for_a_purpose_is_carried_out_for_it_with_the_case(
    tmp_path: Path,
) -> None:
    with Bench.open(tmp_path, {"test": Discreet()}) as bench:
        body = {"text": "hello", "secret": "s3cret"}
        wanted = {"operation": "test/purposed", "arguments": body, "form": "1", "reason": "試験"}
        seat = bench.clerk()
        asked = seat.ask("approval/request", wanted, purpose="all", reason="01")
        number = str(asked.data["number"])
        second = bench.clerk("OP-0002", terminal_id="TERM-0002")
        second.ask("approval/give", {"number": asked.data["number"]})
        asker = Visitor.at(bench)
        asker.cookie = seat.bearer or ""
        assert "<dt>利用事由</dt><dd>test (01)</dd>" in opened(asker, number).markup
        pressed = {"number": number, "meant": "1"}
        wrong = asker.presses(f"{PATH}/carry-out", **pressed, case="使用簿 1")
        assert '<a href="#f-case">' in wrong.markup
        asker.presses(f"{PATH}/carry-out", **pressed, case="2026-1")
        entry = bench.ledger()[-1]
        assert (entry.operation, entry.purpose, entry.case_number) == (
            "test/purposed",
            "all",
            "2026-1",
        )
