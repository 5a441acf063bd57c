"""本人確認情報検索 as a clerk at a terminal sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.testing import Bench
from plugins import protection, search
from tests.plugins.people import YATSUSHIRO, admit, change, code, number, shipped_policy
from tests.screens import Seen, Visitor

FIND = "/screens/search/find"
GROUND = {"ground": "prefectural-tax/01", "case": "2026-15"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"search": search, "protection": protection}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
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


def finds(visitor: Visitor, **typed: str) -> Seen:
    return visitor.presses(f"{FIND}/list", **{**GROUND, **typed})


def opens(visitor: Visitor, found: Seen, ground: dict[str, str] = GROUND) -> Seen:
    (ref,) = found.hidden("ref")
    return visitor.presses(f"{FIND}/detail", ref=ref, **ground)


def test_the_form_offers_only_the_purposes_and_reasons_of_whoever_asks(clerk: Visitor) -> None:
    page = clerk.goes(FIND)
    assert page.status == 200
    assert "県税の賦課徴収に関する事務" in page.markup
    assert 'value="prefectural-tax/03"' in page.markup
    assert "旅券" not in page.markup
    assert "熊本市" in page.text


@pytest.mark.requirement("R90")
def test_nobody_is_looked_for_without_a_ground_and_what_was_typed_stays(
    bench: Bench, clerk: Visitor
) -> None:
    before = len(bench.ledger())
    page = clerk.presses(f"{FIND}/list", name="熊本　花子")
    assert "利用する事務と利用事由を入力してください。" in page.text
    assert "使用簿番号を入力してください。" in page.text
    assert 'value="熊本　花子"' in page.markup
    assert 'aria-describedby="h-case e-case"' in page.markup
    assert len(bench.ledger()) == before


@pytest.mark.requirement("R88", "R89", "R90")
def test_a_list_shows_who_fits_without_a_number_and_is_entered_with_its_ground(
    bench: Bench, clerk: Visitor
) -> None:
    admit(bench)
    page = finds(clerk, kana="ｸﾏﾓﾄ ﾊﾅｺ", birth_date="H2.4.5")
    assert "該当する人 1人" in page.text
    assert "熊本　花子" in page.text
    assert "平成2年4月5日" in page.text
    assert "現存" in page.text
    assert number(1) not in page.markup
    entry = bench.ledger()[-1]
    assert entry.operation == "search/find"
    assert (entry.purpose, entry.reason, entry.case_number) == ("prefectural-tax", "01", "2026-15")


def test_a_date_that_cannot_be_read_is_told_beside_its_field_and_nothing_is_asked(
    bench: Bench, clerk: Visitor
) -> None:
    before = len(bench.ledger())
    page = finds(clerk, name="熊本　花子", birth_date="きのう")
    assert "日付を読み取れません" in page.text
    assert 'href="#f-birth_date"' in page.markup
    assert len(bench.ledger()) == before


def test_nobody_found_is_said_and_what_to_do_next(clerk: Visitor) -> None:
    page = finds(clerk, name="実在　太郎")
    assert "該当する人はいません。" in page.text


def test_too_many_are_only_counted(bench: Bench, clerk: Visitor) -> None:
    for which in range(1, 52):
        admit(bench, which)
    page = finds(clerk, name="熊本　花子")
    assert "該当者は51人です。" in page.text
    assert "条件を追加してください" in page.text
    assert 'value="熊本　花子"' in page.markup


def test_too_few_conditions_are_told_in_japanese(clerk: Visitor) -> None:
    page = finds(clerk, municipality_code=YATSUSHIRO)
    assert page.status == 200
    assert "条件" in page.text
    assert 'class="banner wrong summary"' in page.markup


def test_the_detail_hides_the_number_until_somebody_says_why(bench: Bench, clerk: Visitor) -> None:
    admit(bench)
    found = finds(clerk, name="熊本　花子")
    page = opens(clerk, found)
    assert "平成2年4月5日 (1990年4月5日)" in page.text
    assert "●●●●" in page.text
    assert number(1)[:4] not in page.text
    assert 'class="watermark"' in page.markup
    refused = clerk.presses(
        f"{FIND}/my-number", ref=page.hidden("ref")[0], my_number_reason="", **GROUND
    )
    assert "個人番号を表示する理由を入力してください。" in refused.text
    shown = clerk.presses(
        f"{FIND}/my-number", ref=page.hidden("ref")[0], my_number_reason="02", **GROUND
    )
    digits = number(1)
    assert f"{digits[:4]} {digits[4:8]} {digits[8:]}" in shown.text
    asked = [e for e in bench.ledger() if e.operation == "search/detail"]
    assert [e.reason for e in asked] == ["01", "02", "01"]


def test_who_may_see_the_history_sees_it_newest_first(bench: Bench, registrar: Visitor) -> None:
    who = admit(bench)
    change(bench, who, address="熊本県八代市本町１番１号", reason="31", effective_date="2026-03-01")
    ground = {"ground": "register-administration/01", "case": "1"}
    found = registrar.presses(f"{FIND}/list", name="熊本　花子", **ground)
    page = opens(registrar, found, ground)
    assert "第2版 最新 転居" in page.text
    assert page.text.index("第2版") < page.text.index("第1版 転入等")


def test_somebody_protected_is_shown_as_such_and_takes_two(
    bench: Bench, clerk: Visitor, registrar: Visitor
) -> None:
    admit(bench)
    officer = bench.clerk("OP-0009", roles=("security-officer",), terminal_id="TERM-0009")
    asked = bench.log_in("P-OP-0002", "OP-0002", "TERM-0002").ask(
        "protection/mark",
        {
            "who": {"resident_code": code(1)},
            "form_number": "2026-1",
            "until": "2027-03-31",
            "reason": "domestic-violence",
        },
        purpose="register-administration",
        reason="01",
    )
    officer.ask("protection/agree", {"number": asked.data["number"]})
    found = finds(clerk, name="熊本　花子")
    assert "要注意" in found.text
    assert "1990" not in found.text
    page = opens(clerk, found)
    assert "要注意: 二人で開いてください" in page.text
    waits = clerk.presses(page.action("/go-on/"), how="opening", why="納税通知の返戻")
    assert "二人で開くことを求めました。" in waits.text


def test_whoever_has_no_right_to_search_is_denied_and_has_no_such_entry(bench: Bench) -> None:
    visitor = Visitor.at(bench, "TERM-0003").logs_in(bench, "OP-0003", roles=("security-officer",))
    assert FIND not in visitor.goes("/screens/menu").markup
    page = visitor.goes(FIND)
    assert page.status == 403
    assert "あなたの役割でこの機能" in page.text


@pytest.mark.parametrize(
    ("name", "chips"),
    [
        ("葛\U000e0100城　花子", 1),
        ("熊{gaiji:1:1}　花子", 1),
        ("葛\U000e0102城　花子", 0),
        ("髙島　花子", 0),
    ],
)
def test_a_name_that_is_not_shown_as_it_is_recorded_says_so(
    bench: Bench, clerk: Visitor, name: str, chips: int
) -> None:
    admit(bench, name=name, name_gaiji_count=name.count("{"))
    found = finds(clerk, kana="くまもと　はなこ", birth_date="H2.4.5")
    assert found.text.count("外字未変換") == chips
    assert opens(clerk, found).text.count("外字未変換") == chips
