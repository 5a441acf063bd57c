"""即時提供 as a clerk at a terminal sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.testing import Bench
from plugins import protection, provision
from tests.plugins.people import admit, code, number, shipped_policy
from tests.screens import Seen, Visitor

PATH, VERIFY = "/screens/provision/inquire", "/screens/provision/verify"
GROUND = {"ground": "prefectural-tax/01", "case": "R8-15"}
REGISTER = {"ground": "register-administration/01", "case": "R8-16"}
HANAKO = {"key": "four", "name": "熊本　花子", "birth_date": "H2.4.5"}
GONE = {"removed_flag": True, "effective_date": "2026-03-01"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"provision": provision, "protection": protection}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Visitor:
    purposes = ("prefectural-tax", "passport")
    return Visitor.at(bench).logs_in(bench, roles=("clerk",), purposes=purposes)


@pytest.fixture
def registrar(bench: Bench) -> Visitor:
    purposes = ("register-administration",)
    visitor = Visitor.at(bench, "TERM-0002")
    return visitor.logs_in(bench, "OP-0002", roles=("registrar",), purposes=purposes)


def asks(visitor: Visitor, *items: str, **typed: str) -> Seen:
    return visitor.presses(
        f"{PATH}/inquire", items=items or ("name", "address"), step="whom", **{**GROUND, **typed}
    )


def test_the_ground_comes_first_and_a_person_without_a_purpose_is_told_what_to_do(
    bench: Bench, clerk: Visitor
) -> None:
    page = clerk.goes(PATH)
    assert "県税の賦課徴収に関する事務" in page.markup
    assert "住民票コード" not in page.text
    before = len(bench.ledger())
    refused = clerk.presses(f"{PATH}/whom", key="four")
    assert "利用する事務と利用事由を入力してください。" in refused.text
    assert "使用簿番号を入力してください。" in refused.text
    assert len(bench.ledger()) == before
    nobody = Visitor.at(bench, "TERM-0009").logs_in(bench, "OP-0009", roles=("clerk",), purposes=())
    assert PATH not in nobody.goes("/screens/menu").markup
    assert nobody.goes(PATH).status == 403


@pytest.mark.parametrize("act", ["whom", "inquire"])
def test_a_purpose_that_is_not_his_is_refused_and_entered(
    bench: Bench, clerk: Visitor, act: str
) -> None:
    admit(bench)
    page = clerk.presses(f"{PATH}/{act}", step="whom", items="name", **{**HANAKO, **REGISTER})
    assert "選び直してください" in page.text
    assert "松江城町" not in page.text
    entry = bench.ledger()[-1]
    assert (entry.operation, entry.purpose) == ("provision/inquire", "register-administration")
    assert entry.refusal == "not-permitted"


@pytest.mark.requirement("R46", "R47")
def test_only_items_and_keys_of_the_purpose_can_be_chosen(
    clerk: Visitor, registrar: Visitor
) -> None:
    for_tax = clerk.presses(f"{PATH}/whom", key="my_number", **GROUND)
    assert 'value="address"' in for_tax.markup
    assert 'value="town_code"' not in for_tax.markup
    assert 'name="my_number"' in for_tax.markup
    refused = clerk.presses(f"{PATH}/whom", ground="passport/01", case="1", key="my_number")
    assert "この事務では個人番号による照会はできません。" in refused.text
    by_code = registrar.presses(f"{PATH}/whom", key="resident_code", **REGISTER)
    assert 'name="resident_code"' in by_code.markup
    assert 'value="town_code"' in by_code.markup


@pytest.mark.requirement("R41", "R42", "R48")
@pytest.mark.parametrize(
    ("visitor", "typed"),
    [
        ("clerk", {"key": "my_number", "my_number": number(1)}),
        ("clerk", HANAKO),
        ("registrar", {"key": "resident_code", "resident_code": code(1), **REGISTER}),
    ],
)
def test_the_items_asked_for_are_shown_and_nothing_else(
    bench: Bench, visitor: str, typed: dict[str, str], request: pytest.FixtureRequest
) -> None:
    admit(bench)
    page = asks(request.getfixturevalue(visitor), "address", "birth_date", **typed)
    assert "該当者1人" in page.text
    assert "熊本県八代市松江城町１番２５号" in page.text
    assert "平成2年4月5日 (1990年4月5日)" in page.text
    assert "熊本　花子" not in page.text
    assert "性別" not in page.text
    assert 'class="watermark"' in page.markup
    entry = bench.ledger()[-1]
    assert entry.operation == "provision/inquire"
    assert entry.case_number == typed.get("case", "R8-15")
    assert set(entry.items) == {"address", "birth_date"}
    assert entry.request_id in page.text


def test_a_number_that_was_asked_for_is_folded_away(bench: Bench, clerk: Visitor) -> None:
    admit(bench)
    page = asks(clerk, "my_number", **HANAKO)
    assert "<details><summary>●●●● ●●●● ●●●●" in page.markup
    one = number(1)
    assert f"{one[:4]} {one[4:8]} {one[8:]}</span></details>" in page.markup
    assert one not in page.markup
    without = asks(clerk, "name", key="my_number", my_number=one)
    assert one not in without.markup


@pytest.mark.requirement("R49")
def test_informations_beside_a_number_must_hold(bench: Bench, clerk: Visitor) -> None:
    admit(bench)
    by = {"key": "my_number", "my_number": number(1)}
    assert "氏名が一致" in asks(clerk, **by, name="熊本　花子").text
    differs = asks(clerk, **by, name="熊本　太郎")
    assert "該当する人はいません。" in differs.text
    assert 'class="watermark"' not in differs.markup


@pytest.mark.parametrize(
    ("people", "typed", "said"),
    [
        pytest.param([], HANAKO, "該当する人はいません。", id="nobody"),
        pytest.param([{}, {}], HANAKO, "該当する人が複数いるため、回答し", id="several"),
        pytest.param([{"reason": "21", **GONE}], HANAKO, "他の都道府県に転出", id="moved"),
    ],
)
def test_without_one_person_the_page_says_what_to_do(
    bench: Bench, clerk: Visitor, people: list[dict[str, object]], typed: dict[str, str], said: str
) -> None:
    for which, items in enumerate(people, start=1):
        admit(bench, which, **items)
    page = asks(clerk, **typed)
    assert said in page.text
    assert "提供した項目</h2>" not in page.markup


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"key": "four", "birth_date": "H2.4.5"}, "name", "氏名又はふりがなを入力してください。"),
        ({"key": "four", "kana": "くまもと"}, "birth_date", "生年月日、性別又は住所を入力"),
        ({**HANAKO, "birth_date": "きのう"}, "birth_date", "日付を読み取れません"),
        ({"key": "my_number"}, "my_number", "個人番号を入力してください。"),
        ({"key": "my_number", "my_number": "123456789012"}, "my_number", "検査数字が合いません"),
        ({**HANAKO, "items": ""}, "items", "項目を1つ以上選んでください。"),
    ],
)
def test_what_is_missing_is_told_beside_its_field_and_nothing_is_asked(
    bench: Bench, clerk: Visitor, typed: dict[str, str], field: str, said: str
) -> None:
    before = len(bench.ledger())
    page = clerk.presses(f"{PATH}/inquire", **{"items": "name", "step": "whom", **GROUND, **typed})
    assert said in page.text
    assert f'href="#f-{field}"' in page.markup
    assert 'id="f-items"' in page.markup
    assert len(bench.ledger()) == before


def test_one_goes_on_under_the_same_ground_with_the_same_items(
    bench: Bench, clerk: Visitor
) -> None:
    admit(bench)
    page = asks(clerk, "address", **HANAKO)
    carried = {name: page.hidden(name)[0] for name in ("ground", "case", "key", "items")}
    onward = clerk.presses(page.action("/whom"), **carried)
    assert 'value="address" checked' in onward.markup
    assert "熊本" not in onward.text.replace("熊本県 都道府県サーバ", "")


def test_somebody_protected_takes_two(bench: Bench, clerk: Visitor, registrar: Visitor) -> None:
    admit(bench)
    officer = bench.clerk("OP-0009", roles=("security-officer",), terminal_id="TERM-0009")
    mark = {
        "who": {"resident_code": code(1)},
        "form_number": "2026-1",
        "until": "2027-03-31",
        "reason": "domestic-violence",
    }
    by_registrar = bench.log_in("P-OP-0002", "OP-0002", "TERM-0002")
    asked = by_registrar.ask(
        "protection/mark", mark, purpose="register-administration", reason="01"
    )
    officer.ask("protection/agree", {"number": asked.data["number"]})
    page = asks(clerk, **HANAKO)
    assert "要注意: 二人で開いてください" in page.text
    assert "松江城町" not in page.text
    waits = clerk.presses(page.action("/go-on/"), how="opening", why="納税通知の返戻")
    assert "二人で開くことを求めました。" in waits.text


# --- 照合 ---


@pytest.mark.requirement("R48")
@pytest.mark.parametrize(
    "by", [HANAKO, {"key": "my_number", "my_number": number(1)}], ids=["four", "number"]
)
def test_a_comparison_tells_what_holds_and_no_value(
    bench: Bench, clerk: Visitor, by: dict[str, str]
) -> None:
    admit(bench)
    claimed = {"claim_address": "熊本県熊本市中央区１番", "claim_kana": "ｸﾏﾓﾄ ﾊﾅｺ"}
    page = clerk.presses(f"{VERIFY}/verify", step="whom", **GROUND, **by, **claimed)
    told = " ".join(page.text.split())
    assert "該当者1人" in told
    assert "ふりがな氏名一致" in told
    assert "住所不一致" in told
    assert "生年月日" not in told
    assert "松江城町" not in page.markup
    assert "熊本市" not in page.markup
    assert 'class="watermark"' in page.markup
    entry = bench.ledger()[-1]
    assert (entry.operation, entry.note[-14:]) == ("provision/verify", ", 1 of 2 match")


def test_nobody_is_compared_with_what_nobody_claims(bench: Bench, clerk: Visitor) -> None:
    before = len(bench.ledger())
    page = clerk.presses(f"{VERIFY}/verify", step="whom", **GROUND, **HANAKO)
    assert "照合する内容を1つ以上入力してください。" in page.text
    assert 'href="#f-claim_name"' in page.markup
    assert len(bench.ledger()) == before
    page = clerk.presses(
        f"{VERIFY}/verify", step="whom", **GROUND, **HANAKO, claim_birth_date="H2.4.5"
    )
    assert "該当する人はいません。" in page.text


def test_only_what_the_purpose_reaches_can_be_claimed(clerk: Visitor) -> None:
    form = clerk.presses(f"{VERIFY}/whom", key="four", **GROUND)
    assert 'name="claim_kana"' in form.markup
    refused = clerk.presses(f"{VERIFY}/whom", ground="passport/01", case="1", key="my_number")
    assert "この事務では個人番号による照会はできません。" in refused.text


@pytest.mark.parametrize("path", [PATH, VERIFY])
def test_whoever_provides_nothing_has_no_such_screen(bench: Bench, path: str) -> None:
    visitor = Visitor.at(bench, "TERM-0005").logs_in(bench, "OP-0005", roles=("auditor",))
    assert path not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403
