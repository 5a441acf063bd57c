"""操作履歴 and 本人確認情報利用記録 as an auditor at a terminal sees them."""

import csv
import io
import re
import sys
from dataclasses import replace
from hashlib import sha256

import pytest

from appliance.pipeline import Pipeline
from appliance.testing import Bench, Seat
from plugins.ledger import filters, screens_person
from tests.plugins.people import admit, code
from tests.screens import Seen, Visitor

LOG, PERSON = "/screens/ledger/operations", "/screens/ledger/person"
FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}
INDEX = re.compile(r'<th scope="row" class="number">([0-9]+)</th>')


@pytest.fixture
def visitor(bench: Bench) -> Visitor:
    sits = Visitor.at(bench, "TERM-0100")
    return sits.logs_in(bench, "OP-0100", roles=("auditor",), purposes=(), office="監査室")


def find(clerk: Seat, case: str = "R8-12", **conditions: str) -> None:
    clerk.ask("search/find", conditions or {"name": "熊本花子"}, **FOR_TAX, case_number=case)


def listed(page: Seen) -> list[int]:
    return [int(each) for each in INDEX.findall(page.markup)]


def asked_for(bench: Bench, operation: str) -> int:
    return sum(each.operation == operation for each in bench.ledger())


@pytest.mark.requirement("R134", "R135")
def test_the_newest_entries_are_shown_with_their_words(
    bench: Bench, clerk: Seat, visitor: Visitor
) -> None:
    admit(bench)
    find(clerk)
    page = visitor.goes(LOG)
    assert page.status == 200
    for words in (
        *("県税の賦課徴収に関する事務", "納税義務者の住所の確認", "R8-12", "検索", "search/find"),
        *("OP-0001", "P-OP-0001 県税事務所", "許可", "令和8年"),
    ):
        assert words in page.text
    assert "熊本" not in page.text.replace("熊本県", "")


def test_a_list_is_what_the_operation_answers_page_after_page(
    bench: Bench, clerk: Seat, auditor: Seat, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["plugins.ledger.screens"], "PAGE", 2)
    for case in ("1", "2", "3"):
        find(clerk, case)
    told = auditor.ask("ledger/search", {"operator": "OP-0001", "function": "search"}).data
    wanted = [each["index"] for each in told["entries"]]
    page = visitor.presses(f"{LOG}/list", operator="OP-0001", function="search")
    assert listed(page) == wanted[:2]
    (before,) = page.hidden("before")
    more = visitor.presses(
        f"{LOG}/list", operator="OP-0001", function=page.hidden("function")[0], before=before
    )
    assert listed(more) == wanted[2:]
    assert not more.hidden("before")


@pytest.mark.parametrize(
    ("typed", "cases"),
    [
        ({"operator": "OP-0001", "result": "ok"}, ["R8-2", "R8-1"]),
        ({"person": "P-OP-0001", "case": "R8-1"}, ["R8-1"]),
        ({"terminal": "TERM-0001", "operation": "search/find", "since": "R8.4.1"}, None),
        ({"operator": "OP-0001", "function": "search", "until": "R1.5.1"}, []),
        ({"operator": "OP-0001", "function": "search", "result": "denied"}, []),
        ({"reason": "02"}, []),
    ],
)
def test_entries_are_chosen_by_what_is_typed(
    clerk: Seat, visitor: Visitor, typed: dict[str, str], cases: list[str] | None
) -> None:
    find(clerk, "R8-1")
    find(clerk, "R8-2")
    page = visitor.presses(f"{LOG}/list", **{"function": "search", **typed})
    expected = ["R8-2", "R8-1"] if cases is None else cases
    assert re.findall(r"<td>(R8-[0-9])</td>", page.markup) == expected
    assert ("該当する記録はありません。" in page.text) is (not expected)


def test_a_wrong_period_is_told_beside_its_field_and_nothing_is_asked(
    bench: Bench, visitor: Visitor
) -> None:
    before = len(bench.ledger())
    page = visitor.presses(f"{LOG}/list", since="R8.4.2", until="R8.4.1", operator="OP-0001")
    assert "期間の始まりと同じか後の日にしてください。" in page.text
    assert 'value="OP-0001"' in page.markup
    assert 'aria-describedby="h-until e-until"' in page.markup
    assert len(bench.ledger()) == before


def test_a_search_that_has_not_reached_the_end_says_so(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "SCANNED", 1)
    page = visitor.presses(f"{LOG}/list", operator="OP-0001", function="search")
    assert "ここまでの記録に、該当する記録はありません。" in page.text
    assert page.hidden("before")


@pytest.mark.requirement("R136")
def test_an_entry_is_shown_whole_with_what_was_asked_by_and_numbers_by_their_end(
    bench: Bench, clerk: Seat, auditor: Seat, visitor: Visitor
) -> None:
    admit(bench)
    find(clerk, name="熊本花子", birth_date="1990-04-05")
    auditor.ask("ledger/person", {"by": {"resident_code": code(1)}})
    searched, looked = (each.index for each in bench.ledger()[-2:])
    page = visitor.presses(f"{LOG}/entry", index=str(searched))
    assert "<dt>漢字氏名</dt><dd>熊本花子</dd>" in page.markup
    assert "<dt>生年月日</dt><dd>1990-04-05</dd>" in page.markup
    assert "<dt>氏名の照合</dt><dd>完全一致</dd>" in page.markup
    assert "令和8年4月1日 (2026年4月1日) 08:" in page.text
    assert 'class="watermark"' in page.markup
    assert "熊本" not in re.findall("<title>.*</title>", page.markup)[0]
    page = visitor.presses(f"{LOG}/entry", index=str(looked))
    assert f"(末尾4桁) {code(1)[-4:]}" in page.text
    assert code(1) not in page.markup
    beside = visitor.presses(f"{LOG}/around", index=str(searched))
    assert {searched - 1, searched, looked} <= set(listed(beside))


@pytest.mark.parametrize("index", ["", "999999", "x"])
def test_an_entry_that_is_not_there_is_said_to_be_missing(visitor: Visitor, index: str) -> None:
    page = visitor.presses(f"{LOG}/entry", index=index)
    assert page.status == 200
    assert 'class="banner wrong summary"' in page.markup
    assert listed(page) == []


@pytest.mark.requirement("R135")
def test_the_state_of_the_log_is_that_of_its_checkpoint(
    bench: Bench, auditor: Seat, visitor: Visitor
) -> None:
    before = len(bench.ledger())
    page = visitor.goes(LOG)
    proof = auditor.ask("ledger/proof", {"index": 0}).data["proof"]
    origin = proof.partition("\n\n")[2].split("\n")[0]
    assert origin in page.text
    # The list of the page itself is an entry, and is signed with its commit.
    assert f"{before + 1}件(番号{before}まで)署名済み" in page.text
    assert "副署なし" in page.text


@pytest.mark.requirement("R135")
def test_the_state_of_the_log_says_how_far_it_is_witnessed(bench: Bench, visitor: Visitor) -> None:
    with bench.vault.view() as view:
        cosigned, size = view.checkpoint(), view.ledger_size()
    bench.pipeline = Pipeline(replace(bench.parts, witnessed=lambda: cosigned))
    page = visitor.goes(LOG)
    assert f"{size}件(番号{size - 1}まで)副署済み すべて副署済み" in page.text
    page = visitor.goes(LOG)
    assert f"{size}件(番号{size - 1}まで)副署済み 副署待ち 3件" in page.text


def test_the_proof_of_an_entry_is_saved_as_the_operation_gives_it(visitor: Visitor) -> None:
    file = visitor.presses(f"{LOG}/proof", index="0")
    assert file.headers["Content-Disposition"] == 'attachment; filename="0.tlog-proof"'
    assert file.body.startswith(b"c2sp.org/tlog-proof@v1\n")


@pytest.mark.requirement("R144")
def test_a_csv_takes_two_and_its_digest_is_in_the_log_and_in_its_name(
    bench: Bench, clerk: Seat, visitor: Visitor
) -> None:
    find(clerk)
    asked = {"operator": "OP-0001", "function": "search"}
    seen = visitor.presses(f"{LOG}/export", **asked)
    assert "別の職員の承認が必要です" in seen.text
    waits = visitor.presses(seen.action("/go-on/"), how="request", form="2026-1", why="監査")
    number = re.search("受付番号は([0-9]+)です", waits.text)
    assert number is not None
    keeper = bench.clerk(
        "OP-9001", roles=("system-administrator",), purposes=(), terminal_id="TERM-9001"
    )
    keeper.ask("approval/give", {"number": int(number[1])})
    file = visitor.presses(waits.action("/go-on/"), how="again", approval=number[1])
    (row,) = csv.DictReader(io.StringIO(file.body.decode("utf-8-sig"), newline=""))
    assert (row["操作者ID"], row["操作"]) == ("OP-0001", "search/find")
    assert "検索条件" not in row
    digest = sha256(file.body).hexdigest()
    assert f"operations-1-{digest[:12]}.csv" in file.headers["Content-Disposition"]
    entry = visitor.presses(f"{LOG}/list", operation="ledger/export", result="ok")
    assert digest in visitor.presses(f"{LOG}/entry", index=str(listed(entry)[0])).text


@pytest.mark.requirement("R136")
def test_who_looked_at_one_person_is_listed_page_after_page_without_his_number(
    bench: Bench, clerk: Seat, auditor: Seat, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens_person, "PAGE", 2)
    admit(bench, 1)
    admit(bench, 2, name="別人　太郎")
    for case in ("1", "2", "3"):
        find(clerk, case)
    find(clerk, name="別人太郎")
    told = auditor.ask("ledger/person", {"by": {"resident_code": code(1)}}).data["entries"]
    page = visitor.presses(f"{PERSON}/list", resident_code=code(1))
    assert len(listed(page)) == 2
    (before,) = page.hidden("before")
    more = visitor.presses(f"{PERSON}/list", resident_code=code(1), before=before)
    # The looks at the list are themselves about him.
    assert listed(page)[1] == told[0]["index"]
    assert listed(more) == [each["index"] for each in told[1:3]]
    assert f"末尾4桁が{code(1)[-4:]}の方" in page.text
    assert code(1) not in page.text
    assert code(1) not in page.path
    assert "熊本　花子" not in page.text


@pytest.mark.requirement("R136")
def test_the_paper_for_the_person_is_what_the_operation_makes(
    bench: Bench, clerk: Seat, visitor: Visitor
) -> None:
    admit(bench)
    find(clerk)
    page = visitor.presses(f"{PERSON}/paper", resident_code=code(1))
    assert "本人確認情報利用記録 1件" in page.text
    source = re.search(r'<iframe class="paper" src="([^"]+)"', page.markup)
    assert source is not None
    pdf = visitor.goes(source[1])
    assert pdf.body.startswith(b"%PDF-")
    assert bench.ledger()[-1].file == sha256(pdf.body).hexdigest()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"resident_code": ""}, "住民票コードを入力してください。"),
        ({"resident_code": "12345678901"}, "検査数字が合いません。"),
        ({"resident_code": code(1), "since": "あす"}, "日付を読み取れません。"),
    ],
)
def test_whom_nobody_can_look_up_is_told_beside_the_field(
    bench: Bench, visitor: Visitor, typed: dict[str, str], told: str
) -> None:
    page = visitor.presses(f"{PERSON}/list", **typed)
    assert told in page.text
    assert asked_for(bench, "ledger/person") == 0


def test_somebody_unknown_and_somebody_nobody_looked_at_are_told_apart(
    bench: Bench, visitor: Visitor
) -> None:
    page = visitor.presses(f"{PERSON}/list", resident_code=code(1))
    assert 'class="banner wrong summary"' in page.markup
    admit(bench)
    page = visitor.presses(f"{PERSON}/list", resident_code=code(1), until="H31.4.30")
    assert "この期間に、この方の本人確認情報は利用されていません。" in page.text


def test_whoever_does_not_audit_has_no_such_screens(bench: Bench) -> None:
    clerk = Visitor.at(bench, "TERM-0200").logs_in(bench, "OP-0200", roles=("clerk",))
    assert "操作履歴" not in clerk.goes("/screens/menu").text
    assert [clerk.goes(path).status for path in (LOG, PERSON)] == [403, 403]


def test_nothing_on_the_pages_is_styled_or_scripted_inline(
    bench: Bench, clerk: Seat, visitor: Visitor
) -> None:
    admit(bench)
    find(clerk)
    for page in (
        visitor.goes(LOG),
        visitor.presses(f"{LOG}/entry", index="0"),
        visitor.goes(PERSON),
        visitor.presses(f"{PERSON}/list", resident_code=code(1)),
    ):
        assert not re.search(r"<style|<script(?! src)| style=| on[a-z]+=", page.markup)
        ids = re.findall(r' id="([^"]+)"', page.markup)
        assert len(ids) == len(set(ids))
