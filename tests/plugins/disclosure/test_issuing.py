"""開示: what stands on the papers, and that they are the same whenever they are printed."""

import re
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, NotPermitted, Rejected
from appliance.items import ItemName
from appliance.model import Actor, Request
from appliance.plugin_api import Printed, hookimpl
from appliance.testing import Bench
from plugins import disclosure
from plugins.disclosure import form
from plugins.disclosure.form import REASONS
from plugins.update import rules as update_rules
from tests.plugins.disclosure.desk import HANAKO, MOTHER, Desk, read
from tests.plugins.people import admit, change, code, number, shipped_policy

SAWAKO = {
    "name": "髙﨑　澤子",
    "birth_date": "1951-03-08",
    "sex": "2",
    "address": "熊本県八代市本町１番",
}
MOVED = {
    "name": "髙﨑　澤子",
    "birth_date": "1951-03-08",
    "address": "熊本県八代市本町１番",
    "reason": "31",
    "effective_date": "2026-02-03",
}


@pytest.fixture
def paper(desk: Desk, tmp_path: Path) -> str:
    """The text of a 確認書 with two versions."""
    who = admit(desk.bench, name="高崎　沢子", birth_date="1951-03-08", my_number=None)
    change(desk.bench, who, **MOVED)
    return read(desk.issue(desk.matched(SAWAKO))["pdf"], tmp_path)


@pytest.mark.requirement("R65", "R66", "R69")
def test_what_is_recorded_is_put_out_as_the_form_of_the_law(paper: str) -> None:
    assert paper.startswith("別記第3号様式(第6条関係)")
    assert "本人確認情報確認書" in paper


@pytest.mark.requirement("R70")
def test_the_sentence_stands_first_and_the_newest_block_is_labelled(paper: str) -> None:
    sentence = paper.index("あなたの本人確認情報は、以下のように記録されています")
    newest, older = paper.index("髙﨑澤子"), paper.index("高崎沢子")
    assert sentence < paper.index("【最新】") < newest < older
    assert paper.count("最新") == 1


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("住民票コード", code(1)),
        ("個人番号", number(1)),
        ("生年月日", "昭和26年3月8日"),
        ("性別", "女"),
        ("氏名", "髙﨑澤子"),
        ("住所", "熊本県八代市本町１番"),
        ("区分・事由", "修正・転居"),
        ("上記事由に対応", "令和8年2月3日"),
    ],
    ids=lambda text: f"R71-R73-{text}",
)
def test_all_eight_items_are_disclosed_under_their_labels(
    paper: str, label: str, value: str
) -> None:
    assert label in paper
    assert value in paper


def test_an_empty_my_number_stays_empty(paper: str) -> None:
    assert paper.count("個人番号") == 2
    assert paper.count(number(1)) == 1


@pytest.mark.requirement("R72")
def test_it_ends_with_date_governor_and_seal(paper: str) -> None:
    end = paper[paper.index("転入等") :]
    assert re.search(r"令和8年4月1日\s+熊本県知事印", end)


@pytest.mark.parametrize(
    ("code", "kind", "label"),
    [(code, kind, label) for code, (kind, label) in REASONS.items()],
    ids=[f"R71-{code}" for code in REASONS],
)
def test_every_reason_has_its_kind(
    desk: Desk, tmp_path: Path, code: str, kind: str, label: str
) -> None:
    assert kind == {"1": "記載", "2": "消除"}.get(code[0], "修正")
    admit(desk.bench, reason=code, removed_flag=code[0] == "2")
    text = read(desk.issue(desk.matched())["pdf"], tmp_path)
    assert f"{kind}・{label}" in text


def test_the_reasons_are_those_of_the_notices() -> None:
    labels = {row.reason: row.label for row in update_rules._TABLE}
    assert {code: REASONS[code][1] for code in labels} == labels


@pytest.mark.parametrize(
    ("versions", "pages"), [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3)], ids=lambda n: f"R70-{n}"
)
def test_three_blocks_stand_on_a_page(
    desk: Desk, tmp_path: Path, versions: int, pages: int
) -> None:
    who = admit(desk.bench)
    for seen in range(1, versions):
        change(desk.bench, who, seen=seen, reason="32")
    put_out = desk.issue(desk.matched())
    text = read(put_out["pdf"], tmp_path)
    assert put_out["pages"] == pages
    each = [page.count("住民票コード") for page in text.split("\f") if page]
    assert each == [min(3, versions - 3 * page) for page in range(pages)]
    assert text.count("最新") == 1
    assert text.count("熊本県知事") == 1


@pytest.mark.requirement("R70")
def test_each_block_is_numbered_and_later_pages_have_the_title(desk: Desk, tmp_path: Path) -> None:
    who = admit(desk.bench)
    for seen in range(1, 4):
        change(desk.bench, who, seen=seen, reason="32")
    text = read(desk.issue(desk.matched())["pdf"], tmp_path)
    first, second = ("".join(page.split()) for page in text.split("\f")[:2])
    assert [first.index(label) for label in ("【最新】", "【2】", "【3】")]
    assert "続き" not in first
    assert second.startswith("本人確認情報確認書【続き】【4】")


@pytest.mark.requirement("R70")
def test_three_blocks_of_the_longest_texts_stand_on_a_page(desk: Desk, tmp_path: Path) -> None:
    long = {"name": "寿" * 200, "address": "熊本県八代市" + "長" * 393 + "１"}
    who = admit(desk.bench, **long)
    for seen in range(1, 4):
        change(desk.bench, who, seen=seen, reason="32", **long)
    text = read(desk.issue(desk.matched({**HANAKO, **long}))["pdf"], tmp_path)
    assert [page.count("住民票コード") for page in text.split("\f") if page] == [3, 1]


@pytest.mark.requirement("R68")
def test_a_letter_begins_with_number_date_addressee_and_sender(desk: Desk, tmp_path: Path) -> None:
    pdf = desk.issue(desk.matched())["pdf"]
    assert "".join(read(pdf, tmp_path).split()).startswith(
        "開示第1号令和8年4月1日熊本県八代市松江城町１番２５号熊本花子様熊本県知事印本人確認情報不存在通知書"
    )


def test_whoever_does_not_agree_is_told_where_to_turn(desk: Desk, tmp_path: Path) -> None:
    text = read(desk.issue(desk.matched())["pdf"], tmp_path)
    assert "3か月以内に" in text
    assert "審査請求をすることができます" in text


def test_the_longest_name_and_address_are_whole(desk: Desk, tmp_path: Path) -> None:
    name, address = "寿" * 200, "熊本県八代市" + "長" * 393 + "１"
    admit(desk.bench, name=name, address=address)
    subject = {**HANAKO, "name": name, "address": address}
    text = re.sub(r"\s", "", read(desk.issue(desk.matched(subject))["pdf"], tmp_path))
    assert text.count("寿") == 200
    assert text.count("長") == 393


def test_an_image_of_a_character_is_a_geta_and_explained(desk: Desk, tmp_path: Path) -> None:
    name = "熊{gaiji:1:1}　花子"
    admit(desk.bench, name=name, name_gaiji_count=1, gaiji_flag=True)
    text = read(desk.issue(desk.matched({**HANAKO, "name": name}))["pdf"], tmp_path)
    assert "熊〓花子" in text
    assert "〓は、文字コードのない文字(外字)です" in text


def test_a_birth_date_is_printed_as_it_is_written(desk: Desk, tmp_path: Path) -> None:
    subject = {**HANAKO, "birth_date": "1926-12-25"}
    admit(desk.bench, birth_date="1926-12-25", birth_date_as_written="大正15年12月25日", sex="0")
    number = desk.matched({**subject, "sex": "0"})
    text = read(desk.issue(number)["pdf"], tmp_path)
    assert "大正15年12月25日" in text
    assert "不明" in text


@pytest.mark.parametrize(
    ("birth_date", "printed"),
    [
        ("1950-00-00", "昭和25年月日不詳"),
        ("1860-01-02", "1860年1月2日"),
        ("0000-00-00", "年月日不詳"),
    ],
)
def test_an_unknown_or_very_old_date_is_printed_too(
    desk: Desk, tmp_path: Path, birth_date: str, printed: str
) -> None:
    admit(desk.bench, birth_date=birth_date)
    number = desk.matched({**HANAKO, "birth_date": birth_date})
    assert printed in read(desk.issue(number)["pdf"], tmp_path)


@pytest.mark.requirement("R68")
def test_that_nothing_is_recorded_is_told_in_writing(desk: Desk, tmp_path: Path) -> None:
    put_out = desk.issue(desk.matched())
    text = read(put_out["pdf"], tmp_path)
    assert put_out["form"] == "absence"
    assert "本人確認情報不存在通知書" in text
    assert "都道府県知事保存本人確認情報は、存在しません" in text
    assert "熊本花子様" in text
    assert "第30条の32" in text
    assert "熊本県知事" in text
    assert desk.bench.ledger()[-1].subjects == ()


def test_a_letter_goes_to_the_representative(desk: Desk, tmp_path: Path) -> None:
    number = desk.matched(representative={**MOTHER, "standing": "adult-ward"})
    text = read(desk.issue(number)["pdf"], tmp_path)
    assert "熊本母子様" in text


@pytest.mark.parametrize("exists", [True, False], ids=["confirmation", "absence"])
def test_a_paper_put_out_once_more_has_the_same_bytes(desk: Desk, exists: bool) -> None:
    if exists:
        who = admit(desk.bench)
    number = desk.matched()
    first = desk.issue(number)
    if exists:
        change(desk.bench, who, address="熊本県宇土市浦田町５１")
    desk.bench.now += timedelta(days=3)
    desk = Desk(desk.bench, desk.bench.clerk(roles=("registrar",), purposes=("disclosure",)))
    again = desk.ask("reissue", sheet=1, why="汚損")
    assert again["pdf"] == first["pdf"]
    assert again["sheet"] == first["sheet"] + 1
    assert desk.ask("sheets")["sheets"][0]["why"] == "汚損"
    assert desk.ask("sheets")["sheets"][0]["issued_on"] == "2026-04-01"


def test_what_would_differ_is_not_put_out_as_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    admit(desk.bench)
    number = desk.matched()
    desk.issue(number)
    for each in form.FORMS.glob("*.typ"):
        (tmp_path / each.name).write_text(each.read_text("utf-8").replace("29mm", "28mm"), "utf-8")
    monkeypatch.setattr(form, "FORMS", tmp_path)
    assert desk.refused("reissue", sheet=1, why="汚損") == [("D-13", "number")]


def test_the_hash_of_the_file_is_in_ledger_and_register(desk: Desk) -> None:
    who = admit(desk.bench)
    number = desk.matched()
    put_out = desk.issue(number)
    digest = sha256(put_out["pdf"]).hexdigest()
    entry = desk.bench.ledger()[-1]
    assert put_out["sha256"] == digest
    assert entry.note == f"case {number}, sheet 1, confirmation, 1 pages, {digest}"
    assert entry.subjects == (who,)
    assert len(entry.items) == 8
    assert desk.ask("sheets")["sheets"][0]["sha256"] == digest
    assert desk.ask("case", number=number)["issued"]["sha256"] == digest


def test_the_same_request_again_gets_the_same_paper_and_no_second_sheet(desk: Desk) -> None:
    who = admit(desk.bench)
    number = desk.matched()
    body = {"number": number, "sha256": desk.ask("preview", number=number)["sha256"]}
    asking: dict[str, Any] = {"purpose": "disclosure", "reason": "01", "key": "issue-once-0000001"}
    first = desk.seat.ask("disclosure/issue", body, **asking)
    again = desk.seat.ask("disclosure/issue", body, **asking)
    assert first.data == again.data
    shown = desk.bench.ledger()[again.receipt]
    assert (shown.note, shown.subjects, len(shown.items)) == ("repeated", (who,), 8)
    assert len(desk.ask("sheets")["sheets"]) == 1


def test_a_case_that_changes_while_its_paper_is_made_is_a_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(desk.bench)
    number = desk.matched()
    real, once = form.printed, []

    def printed(*arguments: Any, **how: Any) -> Printed:
        if not once:
            once.append(1)
            desk.ask("amend", number=number, stamps_yen=20)
        return real(*arguments, **how)

    monkeypatch.setattr(disclosure.letters, "printed", printed)
    with pytest.raises(Conflict):
        desk.issue(number)
    assert desk.ask("sheets")["sheets"] == []


class HidesNumbers:
    @hookimpl
    def withhold(self, actor: Actor, request: Request) -> frozenset[ItemName]:
        return frozenset({ItemName("my_number")})


def test_a_confirmation_with_something_withheld_is_not_issued(tmp_path: Path) -> None:
    plugins = {"disclosure": disclosure, "hider": HidesNumbers()}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
        admit(bench)
        desk = Desk(bench, bench.clerk(roles=("registrar",), purposes=("disclosure",)))
        with pytest.raises(NotPermitted, match="withheld"):
            desk.issue(desk.matched())


def test_a_disclosure_is_put_off_in_writing_within_the_thirty_days(
    desk: Desk, tmp_path: Path
) -> None:
    number = desk.receive(received_on="2026-03-03")
    wrong = {"2026-04-01": "D-12", "2026-03-20": "D-12", "2026-06-01": "D-12", "2026-04-99": "D-37"}
    for until, rule in wrong.items():
        assert desk.refused("extend", number=number, until=until, why="x") == [(rule, "until")]
    put_out = desk.ask(
        "extend", number=number, until="2026-04-20", why="記録の調査に日時を要するため"
    )
    text = read(put_out["pdf"], tmp_path)
    assert "本人確認情報開示期限延長通知書" in text
    for part in (
        "令和8年3月3日に受け付けた",
        "令和8年4月1日",
        "令和8年4月20日",
        "記録の調査に日時を",
    ):
        assert part in text
    seen = desk.ask("case", number=number)
    assert (seen["due_on"], seen["state"]) == ("2026-04-20", "received")
    desk.ask("deliver", sheet=put_out["sheet"], method="post")
    assert desk.state(number) == "received"


def test_it_is_too_late_to_put_off_what_is_late(desk: Desk) -> None:
    number = desk.receive(received_on="2026-03-02")
    assert desk.refused("extend", number=number, until="2026-04-20", why="x") == [("D-12", "until")]


@pytest.mark.parametrize("meanwhile", ["amend", "close"])
def test_a_case_that_changes_while_it_is_put_off_is_a_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    number = desk.receive()
    real = form.printed

    def printed(*arguments: Any, **how: Any) -> Printed:
        more = {"stamps_yen": 20} if meanwhile == "amend" else {"why": "withdrawn"}
        desk.ask(meanwhile, number=number, **more)
        return real(*arguments, **how)

    monkeypatch.setattr(disclosure.letters, "printed", printed)
    with pytest.raises((Conflict, Rejected)):
        desk.ask("extend", number=number, until="2026-05-10", why="x")
    assert desk.ask("sheets")["sheets"] == []


@pytest.mark.requirement("R66")
def test_a_spoiled_notice_of_a_later_date_is_put_out_as_it_was(desk: Desk) -> None:
    number = desk.receive(received_on="2026-03-20")
    asked = {"number": number, "why": "調査"}
    first = desk.ask("extend", **asked, until="2026-05-01")
    assert desk.refused("extend", **asked, until="2026-05-10") == [("D-36", "again")]
    second = desk.ask("extend", **asked, until="2026-05-10", again="市町村の回答が遅れたため")
    assert desk.ask("case", number=number)["due_on"] == "2026-05-10"
    for put_out in (first, second):
        again = desk.ask("reissue", sheet=put_out["sheet"], why="汚損")
        assert (again["pdf"], again["form"]) == (put_out["pdf"], "extension")


def test_an_unprintable_character_of_the_clerk_is_to_be_written_otherwise(desk: Desk) -> None:
    asked = {"number": desk.receive(), "until": "2026-05-10", "why": "調査\U0001f363"}
    with pytest.raises(Rejected) as caught:
        desk.ask("extend", **asked)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.item) == ("F-01", "why")
    assert problem.text == "文字 U+1F363 は使えない文字です。入力し直してください。"


def test_a_sheet_whose_state_changes_while_it_is_printed_again_is_a_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(desk.bench)
    desk.issue(desk.matched())
    real = form.printed

    def printed(*arguments: Any, **how: Any) -> Printed:
        desk.ask("store", sheet=1, place="保管庫A")
        return real(*arguments, **how)

    monkeypatch.setattr(disclosure.letters, "printed", printed)
    with pytest.raises(Conflict):
        desk.ask("reissue", sheet=1, why="汚損")
