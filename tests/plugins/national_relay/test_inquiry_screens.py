"""機構への照会 as a clerk and a registrar see it at a terminal."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.audit import Reading
from appliance.items import PROVIDED, ItemName
from appliance.testing import Bench, FakeNational
from plugins import national_relay
from tests.plugins.people import code, number, person, shipped_policy
from tests.plugins.protection.office import at_work
from tests.screens import Seen, Visitor

PATH = "/screens/relay/inquire"
TAX = {"ground": "prefectural-tax/01", "case": "2026-15"}
KEEPING = {"ground": "register-administration/01", "case": "2026-15"}
ADDRESS = "福岡県福岡市博多区博多駅前１番地"
ELSEWHERE = {
    ItemName(name): value
    for name, value in person(7, name="福岡　太郎", sex="1", address=ADDRESS, reason="12").items()
    if name in PROVIDED
}
ITEMS = ["name", "birth_date", "sex", "address"]


def spaced(digits: str) -> str:
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


@pytest.fixture
def other() -> FakeNational:
    return FakeNational([ELSEWHERE])


@pytest.fixture
def bench(tmp_path: Path, other: FakeNational) -> Iterator[Bench]:
    plugins = {"national_relay": national_relay}
    with Bench.open(tmp_path, plugins, shipped_policy(), other) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench)
    return visitor.logs_in(bench, roles=("clerk",), purposes=("prefectural-tax",))


@pytest.fixture
def registrar(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0002")
    purposes = ("register-administration",)
    return visitor.logs_in(bench, "OP-0002", roles=("registrar",), purposes=purposes)


def asks(visitor: Visitor, why: dict[str, str] = TAX, **typed: Any) -> Seen:
    return visitor.presses(f"{PATH}/ask", **{"items": ITEMS, **why, **typed})


def asked(bench: Bench) -> list[Reading]:
    return [entry for entry in bench.ledger() if entry.operation == "relay/inquire"]


def carried(page: Seen) -> dict[str, Any]:
    names = ("ground", "case", "answered", "name", "my_number", "resident_code", "birth_date")
    return {**{n: v for n in names for v in page.hidden(n)}, "items": page.hidden("items")}


def test_the_form_offers_what_whoever_asks_may_ask_by_and_for(
    clerk: Visitor, registrar: Visitor
) -> None:
    page = clerk.goes(PATH)
    assert 'id="f-my_number"' in page.markup
    assert 'id="f-resident_code"' not in page.markup
    assert 'value="resident_code"' not in page.markup
    assert 'value="my_number"' not in page.markup
    page = registrar.goes(PATH)
    assert 'id="f-resident_code"' in page.markup
    assert 'value="resident_code"' in page.markup


@pytest.mark.requirement("R83", "R84", "R86")
@pytest.mark.parametrize(
    ("typed", "by", "told"),
    [
        ({"my_number": f"　{spaced(number(7))}"}, {"my_number": number(7)}, "個人番号"),
        ({"resident_code": code(7)}, {"resident_code": code(7)}, "住民票コード"),
        (
            {"name": "福岡　太郎", "birth_date": "H2.4.5", "sex": "1", "address": ADDRESS},
            {"name": "福岡　太郎", "birth_date": "1990-04-05", "sex": "1", "address": ADDRESS},
            "漢字氏名、生年月日、性別、住所",
        ),
    ],
)
def test_what_the_national_server_answers_is_shown_with_ground_and_time(
    bench: Bench,
    registrar: Visitor,
    other: FakeNational,
    typed: dict[str, str],
    by: dict[str, str],
    told: str,
) -> None:
    page = asks(registrar, KEEPING, **typed)
    assert "回答あり" in page.text
    for shown in ("福岡　太郎", "平成2年4月5日 (1990年4月5日)", "男", ADDRESS):
        assert shown in page.text
    assert f"照会の方法{told}" in page.text
    assert "照会した日時2026-04-01 10:00" in page.text
    assert "回答の根拠住民基本台帳法第30条の11" in page.text
    assert 'class="watermark"' in page.markup
    (question,) = other.asked
    assert (dict(question.by), question.items) == (by, tuple(ITEMS))
    entry = asked(bench)[-1]
    assert f"記録番号{entry.request_id}" in page.text
    assert (entry.purpose, entry.reason, entry.case_number) == (
        "register-administration",
        "01",
        "2026-15",
    )


@pytest.mark.requirement("R85")
def test_the_number_is_hidden_until_somebody_says_why(
    bench: Bench, clerk: Visitor, other: FakeNational
) -> None:
    page = asks(clerk, name="福岡　太郎", birth_date="H2.4.5")
    assert "●●●●" in page.text
    assert number(7) not in page.markup
    assert "my_number" not in other.asked[-1].items
    refused = clerk.presses(f"{PATH}/my-number", **carried(page), my_number_reason="")
    assert "個人番号を表示する理由を入力してください。" in refused.text
    assert 'id="f-my_number_reason"' in refused.markup
    assert len(other.asked) == 1
    shown = clerk.presses(f"{PATH}/my-number", **carried(refused), my_number_reason="02")
    assert spaced(number(7)) in shown.text
    assert other.asked[-1].items == (*ITEMS, "my_number")
    assert [entry.reason for entry in asked(bench)] == ["01", "02"]


def test_whoever_asks_by_the_number_is_not_shown_it(clerk: Visitor) -> None:
    page = asks(clerk, my_number=number(7))
    assert "福岡　太郎" in page.text
    assert "●●●●" not in page.text
    assert spaced(number(7)) not in page.text
    assert number(7) not in page.markup


def test_nobody_and_several_are_said_with_what_to_do(clerk: Visitor, other: FakeNational) -> None:
    page = asks(clerk, my_number=number(8))
    assert "全国サーバに該当する者はいません。" in page.text
    assert 'class="watermark"' not in page.markup
    other.people.append({**ELSEWHERE, ItemName("resident_code"): code(9)})
    page = asks(clerk, name="福岡　太郎", sex="1")
    assert "複数の者が該当したため、回答がありません。" in page.text
    assert ADDRESS not in page.text


@pytest.mark.parametrize(
    ("typed", "told", "field"),
    [
        ({}, "いずれか一つの方法で照会してください。", "my_number"),
        (
            {"my_number": number(7), "name": "福岡　太郎"},
            "いずれか一つの方法で照会してください。",
            "my_number",
        ),
        ({"name": "福岡　太郎"}, "住所のうち一つ以上を入力してください。", "name"),
        ({"birth_date": "H2.4.5", "sex": "1"}, "住所のうち一つ以上を入力してください。", "name"),
        ({"my_number": "123456789012"}, "検査数字が合いません。", "my_number"),
        ({"name": "福岡　太郎", "birth_date": "きのう"}, "日付を読み取れません。", "birth_date"),
        ({"my_number": number(7), "items": []}, "照会する項目を選んでください。", "items"),
        ({"my_number": number(7), "case": ""}, "使用簿番号を入力してください。", "case"),
        ({"my_number": number(7), "ground": ""}, "利用する事務と利用事由を入力", "ground"),
    ],
)
def test_what_cannot_be_asked_is_told_beside_its_field_and_not_asked(
    bench: Bench, clerk: Visitor, typed: dict[str, Any], told: str, field: str
) -> None:
    page = asks(clerk, **typed)
    assert told in page.text
    assert f'href="#f-{field}"' in page.markup
    assert asked(bench) == []
    if "name" in typed:
        assert 'value="福岡　太郎"' in page.markup


def test_an_item_beyond_the_purpose_is_refused_and_recorded(
    bench: Bench, clerk: Visitor, other: FakeNational
) -> None:
    page = asks(clerk, my_number=number(7), items=["resident_code"])
    assert 'class="banner wrong summary"' in page.markup
    assert other.asked == []
    assert asked(bench)[-1].refusal == "not-permitted"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("unreachable", "全国サーバに接続できません。"),
        ("timed-out", "制限時間内に回答がありません。"),
        ("nonsense", "回答が照会と対応しないため使用していません。"),
        ("refused", "全国サーバが照会を拒否しました。"),
    ],
)
def test_no_answer_is_said_with_who_is_at_fault_and_what_was_typed_stays(
    clerk: Visitor, other: FakeNational, fault: Any, told: str
) -> None:
    other.fault = fault
    page = asks(clerk, name="福岡　太郎", sex="1")
    assert told in page.text
    assert 'value="福岡　太郎"' in page.markup
    assert 'href="#f-national"' in page.markup
    assert 'id="f-national"' in page.markup


def test_maintenance_is_said_with_its_end(bench: Bench, clerk: Visitor) -> None:
    administrator = bench.clerk("ADMIN", roles=("system-administrator",), purposes=())
    until = (bench.now + timedelta(hours=2)).isoformat()
    administrator.ask("relay/maintenance", {"on": True, "reason": "回線工事", "until": until})
    page = asks(clerk, my_number=number(7))
    assert "保守のため停止中です(2026年04月01日 12時00分まで)" in page.text


def test_a_protected_resident_is_asked_for_by_two(tmp_path: Path) -> None:
    with at_work(tmp_path) as office:
        office.mark(1)
        visitor = Visitor.at(office.bench, "TERM-0004")
        visitor.logs_in(
            office.bench, "OP-K", roles=("registrar",), purposes=("register-administration",)
        )
        page = asks(visitor, KEEPING, my_number=number(1))
        assert "要注意: 二人で開いてください" in page.text
        assert "熊本　花子" not in page.text
        sought = visitor.presses(page.action("/go-on/"), how="opening", why="本人来庁のため")
        assert "二人で開くことを求めました。" in sought.text
        assert office.bench.ledger()[-1].operation == "protection/ask-opening"


def test_nobody_stands_in_a_path_or_a_title(clerk: Visitor) -> None:
    page = asks(clerk, name="福岡　太郎", sex="1")
    title = page.markup.partition("<title>")[2].partition("</title>")[0]
    assert page.path.startswith("/screens/r/")
    assert "福岡" not in page.path + title


def test_without_a_purpose_there_is_no_such_screen(bench: Bench) -> None:
    nobody = Visitor.at(bench, "TERM-0002").logs_in(
        bench, "OP-N", roles=("clerk",), purposes=("unknown-purpose",)
    )
    assert nobody.goes(PATH).status == 403


def test_whoever_has_nothing_to_do_with_it_has_no_such_screen(bench: Bench) -> None:
    auditor = Visitor.at(bench, "TERM-0002").logs_in(bench, "OP-A", roles=("auditor",), purposes=())
    assert "機構への照会" not in auditor.goes("/screens/menu").text
    assert auditor.goes(PATH).status == 403
