"""要注意 at terminals: who asks, who agrees, and the whole way from 「要注意」 to the record."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from appliance.testing import PIN, Bench, Seat
from plugins import disclosure, protection, search
from tests.plugins.people import admit, code, number, shipped_policy
from tests.plugins.protection.office import HERS
from tests.screens import Seen, Visitor

BOOK, MARK = "/screens/protection/marks", "/screens/protection/mark"
OPENING, FIND = "/screens/protection/opening", "/screens/search/find"
TAX = {"ground": "prefectural-tax/01", "case": "2026-15"}
WORK = {"ground": "register-administration/01", "case": "1"}
MARKED = {"form_number": "S-2026-12", "until": "R9.3.31", "reason": "stalking"}
book = import_module("plugins.protection.screens.book")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"search": search, "protection": protection, "disclosure": disclosure}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
        admit(bench)
        yield bench


@pytest.fixture
def registrar(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0001")
    purposes = ("register-administration", "disclosure")
    return visitor.logs_in(bench, "REG", roles=("registrar",), purposes=purposes)


@pytest.fixture
def officer(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0002")
    return visitor.logs_in(bench, "SEC", roles=("security-officer",), purposes=())


@pytest.fixture
def clerk(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0003")
    return visitor.logs_in(bench, "TAX", roles=("clerk",), purposes=("prefectural-tax",))


@pytest.fixture
def seat(bench: Bench) -> Seat:
    """Another registrar, without a browser: whom what stands on screens is compared with."""
    return bench.clerk("API", roles=("registrar",), purposes=(), terminal_id="TERM-0008")


def marks(registrar: Visitor, officer: Visitor) -> None:
    """Have her marked, by two persons at two screens."""
    told = registrar.presses(f"{MARK}/ask", resident_code=code(1), **MARKED)
    assert "要注意の登録を申請しました。受付番号は1です。" in told.text
    assert "受付番号1を承認しました。" in agrees(officer, 1).text


def agrees(second: Visitor, request: int) -> Seen:
    page = second.presses(f"{BOOK}/request", number=str(request))
    carried = {"number": page.hidden("number")[0], "step": page.hidden("step")[0]}
    return second.presses(f"{BOOK}/agree", **carried)


def finds(visitor: Visitor, ground: dict[str, str], **typed: str) -> Seen:
    return visitor.presses(f"{FIND}/list", name="熊本　花子", **typed, **ground)


def opens(visitor: Visitor, found: Seen, ground: dict[str, str]) -> Seen:
    (ref,) = found.hidden("ref")
    return visitor.presses(f"{FIND}/detail", ref=ref, **ground)


def test_a_clerk_who_is_refused_asks_another_agrees_and_the_same_act_goes_through(
    bench: Bench, registrar: Visitor, officer: Visitor, clerk: Visitor
) -> None:
    marks(registrar, officer)
    refused = opens(clerk, finds(clerk, TAX), TAX)
    assert "要注意: 二人で開いてください" in refused.text
    waits = clerk.presses(refused.action("/go-on/"), how="opening", why="納税通知の返戻")
    assert "受付番号は2です。" in waits.text
    assert HERS not in clerk.presses(waits.action("/go-on/"), how="again").text
    assert "1件 二人で開くことの承認待ち" in officer.goes("/screens/menu").text
    listed = officer.goes(BOOK)
    assert "納税通知の返戻" in listed.text
    request = officer.presses(f"{BOOK}/request", number="2")
    assert "県税の賦課徴収に関する事務" in request.text
    assert "2026-15" in request.text
    assert "花子" not in listed.text + request.text
    assert "これから10分間" in agrees(officer, 2).text
    opened = clerk.presses(waits.action("/go-on/"), how="again")
    assert HERS in opened.text
    assert bench.ledger()[-1].note == "opening 2 with P-SEC"
    assert "承認待ち" not in officer.goes("/screens/menu").text
    bench.now += timedelta(minutes=4)
    clerk.goes("/screens/menu")
    bench.now += timedelta(minutes=4)
    clerk.goes("/screens/menu")
    bench.now += timedelta(minutes=2)
    again = opens(clerk, finds(clerk, TAX), TAX)
    assert "要注意: 二人で開いてください" in again.text


def test_opening_is_asked_for_ahead_on_a_screen_of_its_own(
    registrar: Visitor, officer: Visitor, clerk: Visitor
) -> None:
    marks(registrar, officer)
    assert "住民票コード" not in clerk.goes(OPENING).text
    told = clerk.presses(f"{OPENING}/ask", my_number=number(1), why="来庁", **TAX)
    assert "二人で開くことを求めました。受付番号は2です。" in told.text
    assert "これから10分間" in agrees(officer, 2).text
    assert HERS in opens(clerk, finds(clerk, TAX), TAX).text


def test_what_names_nobody_is_opened_by_asking_on_that_screen_and_going_on(
    registrar: Visitor, officer: Visitor
) -> None:
    marks(registrar, officer)
    written = {"name": "熊本　花子", "birth_date": "H2.4.5", "sex": "2", "address": HERS}
    received = registrar.presses(
        "/screens/disclosure/receive/enter",
        method="counter",
        identity="passport",
        stamps_yen="10",
        **written,
    )
    assert "受付番号1で受け付けました。要注意の方の請求である可能性があります。" in received.text
    assert HERS not in received.text
    shown = registrar.presses("/screens/disclosure/cases/case", number="1")
    assert "要注意: 二人で開いてください" in shown.text
    assert HERS not in shown.text
    refused = registrar.presses("/screens/disclosure/cases/match", number="1")
    assert "要注意: 二人で開いてください" in refused.text
    where = registrar.presses(refused.action("/go-on/"), how="opening", why="来庁")
    assert "「二人で開く申請」から申請してください。" in where.text
    assert f'href="{OPENING}"' in where.markup
    ground = {"ground": "disclosure/01", "case": "1"}
    asked = registrar.presses(f"{OPENING}/ask", why="来庁", resident_code=code(1), **ground)
    assert "受付番号は2です。" in asked.text
    agrees(officer, 2)
    assert HERS in registrar.presses("/screens/disclosure/cases/case", number="1").text
    assert "突合しました。" in registrar.presses(refused.action("/go-on/"), how="again").text


def test_the_second_person_proves_anew_who_he_is_and_the_agreement_goes_on(
    bench: Bench, registrar: Visitor, officer: Visitor
) -> None:
    registrar.presses(f"{MARK}/ask", resident_code=code(1), **MARKED)
    bench.now += timedelta(minutes=3)
    prompt = agrees(officer, 1)
    assert "もう一度認証してください" in prompt.text
    told = officer.presses(prompt.action("/go-on/"), how="verify", pin=PIN)
    assert "受付番号1を承認しました。" in told.text


def test_nobody_agrees_to_what_he_asked_for_and_may_take_it_back(
    registrar: Visitor, officer: Visitor
) -> None:
    registrar.presses(f"{MARK}/ask", resident_code=code(1), **MARKED)
    page = registrar.presses(f"{BOOK}/request", number="1")
    assert "自分の申請は承認できません。" in page.text
    assert "/agree" not in page.markup
    assert "承認待ち" not in registrar.goes("/screens/menu").text
    forced = registrar.presses(f"{BOOK}/agree", number="1", step="request")
    assert "同じ人はこの操作をできません。" in forced.text
    assert "受付番号1 要注意の登録" in forced.text
    nothing = registrar.presses(f"{BOOK}/refuse", number="1", step="request", why=" ")
    assert "理由を入力してください。" in nothing.text
    told = registrar.presses(f"{BOOK}/refuse", number="1", step="request", why="申出の取下げ")
    assert "受付番号1(要注意の登録)を却下又は取り下げました。" in told.text
    gone = officer.presses(f"{BOOK}/request", number="1")
    assert "受付番号1は、もう承認を待っていません。" in gone.text
    late = officer.presses(f"{BOOK}/agree", number="1", step="request")
    assert "この申請は回答済みです。" in late.text


def test_nobody_agrees_at_the_terminal_it_was_asked_from(bench: Bench, registrar: Visitor) -> None:
    registrar.presses(f"{MARK}/ask", resident_code=code(1), **MARKED)
    registrar.goes("/screens/menu")
    registrar.asks("POST", "/screens/session/close", b"{}")
    other = Visitor.at(bench).logs_in(bench, "REG-2", roles=("registrar",), purposes=())
    told = agrees(other, 1)
    assert "申請した端末では承認できません。別の端末で承認してください。" in told.text


def test_somebody_is_marked_by_name_and_birth_date(registrar: Visitor, officer: Visitor) -> None:
    nobody = registrar.presses(f"{MARK}/ask", name="存在　せぬ男", birth_date="19900405", **MARKED)
    assert "0人を超えて" not in nobody.text
    assert nobody.path != MARK
    told = registrar.presses(f"{MARK}/ask", name="熊本　花子", birth_date="H2.4.5", **MARKED)
    assert "要注意の登録を申請しました。受付番号は1です。" in told.text


def test_somebody_found_by_a_search_is_marked_without_a_number_typed(
    bench: Bench, registrar: Visitor, officer: Visitor
) -> None:
    detail = opens(registrar, finds(registrar, WORK), WORK)
    form = registrar.presses(detail.action("/of-search"), ref=detail.hidden("ref")[-1])
    assert "検索で表示した人を対象者とします。" in form.text
    assert "花子" not in form.text
    (ref,) = form.hidden("ref")
    wrong = registrar.presses(f"{MARK}/ask", ref=ref, **{**MARKED, "until": "R9.4.2"})
    assert "期限は、本日から1年以内の日にしてください。" in wrong.text
    assert wrong.hidden("ref") == [ref]
    registrar.presses(f"{MARK}/ask", ref=ref, **MARKED)
    agrees(officer, 1)
    assert "要注意" in finds(registrar, WORK).text
    assert all(ref not in each.operation for each in bench.ledger())


def test_whoever_marks_nobody_has_no_button_for_it_beside_a_record(clerk: Visitor) -> None:
    assert "of-search" not in opens(clerk, finds(clerk, TAX), TAX).markup


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "対象者を指定してください。"),
        ({"resident_code": "91234567890"}, "検査数字が合いません。"),
        ({"resident_code": code(1), "my_number": number(1)}, "いずれかで対象者を指定"),
        ({"name": "熊本　花子"}, "いずれかで対象者を指定"),
        ({"resident_code": code(5)}, "対象者が見つからないか、一人に決まりません。"),
        ({"resident_code": code(1), "form_number": ""}, "申出書の番号を入力してください。"),
        ({"resident_code": code(1), "form_number": "申出 1"}, "申出書の番号"),
        ({"resident_code": code(1), "reason": ""}, "理由を選んでください。"),
        ({"resident_code": code(1), "until": "令和9年"}, "年月日をすべて入力してください。"),
    ],
)
def test_a_mark_that_cannot_be_asked_for_is_told_and_what_was_typed_stays(
    registrar: Visitor, seat: Seat, typed: dict[str, str], said: str
) -> None:
    page = registrar.presses(f"{MARK}/ask", **{**MARKED, **typed})
    assert said in page.text
    assert 'class="banner wrong summary"' in page.markup
    assert 'value="stalking" checked' in page.markup or "reason" in typed
    assert seat.ask("protection/list", {}).data["waiting"] == ()


def test_a_mark_is_extended_alone_and_lifted_by_two(
    bench: Bench, registrar: Visitor, officer: Visitor
) -> None:
    marks(registrar, officer)
    page = registrar.presses(f"{BOOK}/extending", number="1")
    assert "令和9年3月31日" in page.text
    asked = {"number": "1", "step": "extend", "form_number": "Ｓ－2027－2"}
    short = registrar.presses(f"{BOOK}/extend", until="R8.12.31", **asked)
    assert "現在の期限より前にはできません。" in short.text
    assert 'value="Ｓ－2027－2"' in short.markup
    told = registrar.presses(f"{BOOK}/extend", until="R9.4.1", **asked)
    assert "要注意の番号1の期限を延長しました。" in told.text
    assert "S-2027-2" in told.text
    assert "令和9年4月1日 (2027年4月1日)" in told.text
    assert "要注意の番号1の解除" in registrar.presses(f"{BOOK}/lifting", number="1").text
    lifting = {"number": "1", "step": "lift", "form_number": "S-9"}
    assert "解除の理由を入力" in registrar.presses(f"{BOOK}/lift", why="", **lifting).text
    asked_for = registrar.presses(f"{BOOK}/lift", why="本人の申出", **lifting)
    assert "受付番号は2です。" in asked_for.text
    request = officer.presses(f"{BOOK}/request", number="2")
    assert "解除する番号1" in request.text
    assert "要注意を解除しました。" in agrees(officer, 2).text
    assert "熊本　花子" in finds(registrar, WORK).text
    gone = registrar.presses(f"{BOOK}/extend", until="R9.4.1", **asked)
    assert "この番号の有効な要注意はありません。" in gone.text
    assert "承認を待つ申請はありません。" in gone.text


def test_the_book_shows_what_the_operation_answers_and_nobody(
    registrar: Visitor, officer: Visitor, seat: Seat
) -> None:
    assert "該当する記録はありません。" in officer.goes(BOOK).text
    assert "承認を待つ申請はありません。" in officer.goes(BOOK).text
    marks(registrar, officer)
    page = officer.goes(BOOK)
    (mark,) = seat.ask("protection/list", {}).data["marks"]
    for shown in (mark["form_number"], mark["asked_by"], mark["agreed_by"], "364日", "有効"):
        assert str(shown) in page.text
    assert "ストーカー行為" in page.text
    assert "花子" not in page.text
    assert "/extending" not in page.markup
    assert "/extending" in registrar.goes(BOOK).markup
    assert "期限の近い順 1件" in officer.presses(f"{BOOK}/list", sought="Ｓ-2026-12").text
    assert "番号を確認するか" in officer.presses(f"{BOOK}/list", sought="S-1").text


def test_ended_marks_are_listed_only_when_asked_for(registrar: Visitor, officer: Visitor) -> None:
    registrar.presses(f"{MARK}/ask", resident_code=code(1), **MARKED)
    officer.presses(f"{BOOK}/refuse", number="1", step="request", why="書類不備")
    assert "却下又は取下げ" not in officer.goes(BOOK).text
    assert "却下又は取下げ" in officer.presses(f"{BOOK}/list", ended="1").text


def test_a_long_list_says_how_to_find_the_rest(
    monkeypatch: pytest.MonkeyPatch, bench: Bench, registrar: Visitor, officer: Visitor
) -> None:
    monkeypatch.setattr(book, "MOST", 1)
    marks(registrar, officer)
    assert "絞り込んで" not in officer.goes(BOOK).text
    admit(bench, 2)
    registrar.presses(f"{MARK}/ask", resident_code=code(2), **{**MARKED, "form_number": "S-13"})
    page = officer.goes(BOOK)
    assert "期限の近い順 2件" in page.text
    assert "期限の近いものから1件を表示しています。" in page.text
    assert "期限の近い順 1件" in officer.presses(f"{BOOK}/list", sought="S-13").text


def test_who_may_extend_is_told_which_marks_end_soon(
    bench: Bench, registrar: Visitor, officer: Visitor
) -> None:
    registrar.presses(f"{MARK}/ask", resident_code=code(1), **{**MARKED, "until": "R8.4.30"})
    assert "1件 要注意の登録・解除の承認待ち" in officer.goes("/screens/menu").text
    agrees(officer, 1)
    assert "1件 1か月以内に終わる要注意" in registrar.goes("/screens/menu").text
    assert "1か月以内に終わる要注意" not in officer.goes("/screens/menu").text


def test_an_opening_that_nobody_agreed_to_within_an_hour_waits_no_more(
    bench: Bench, registrar: Visitor, officer: Visitor, clerk: Visitor, seat: Seat
) -> None:
    marks(registrar, officer)
    clerk.presses(f"{OPENING}/ask", my_number=number(1), why="来庁", **TAX)

    def waiting() -> list[Any]:
        again = bench.log_in("P-API", "API", "TERM-0008")
        return list(again.ask("protection/list", {}).data["waiting"])

    bench.now += timedelta(hours=1)
    assert [(each["number"], each["kind"]) for each in waiting()] == [(2, "opening")]
    bench.now += timedelta(seconds=1)
    assert waiting() == []


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("clerk", BOOK),
        ("clerk", MARK),
        ("security-officer", MARK),
        ("security-officer", OPENING),
        ("auditor", BOOK),
        ("auditor", OPENING),
    ],
)
def test_who_has_no_right_has_no_such_screen(bench: Bench, role: str, path: str) -> None:
    visitor = Visitor.at(bench, "TERM-0004").logs_in(bench, "NO", roles=(role,))
    assert f'"{path}"' not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403
    assert visitor.posts(f"{path}/ask" if path != BOOK else f"{path}/agree").status == 403
