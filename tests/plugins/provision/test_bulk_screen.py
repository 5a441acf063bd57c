"""一括提供 as those see it who hand files in, approve results, and take them out."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.media import data_lines, framed, open_sealed, seal_for, unframed
from plugins.provision.screens import bulk, filing, glances
from tests.plugins.people import admit, number
from tests.plugins.provision.desks import MEDIUM_OUT, OFFICE, Desks, Row, by_number, inquiry
from tests.screens import Seen, Visitor

PATH = "/screens/provision/bulk"
OUTPUTS = "/screens/provision/outputs"
GROUND = {"ground": "prefectural-tax/01", "case": "R8-77"}
PURPOSES = ("prefectural-tax", "designated-disease")
MEDIUM_IN = "USB-0001"
ONE_LINE = data_lines(1, [by_number(1)])


@pytest.fixture
def desks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desks]:
    monkeypatch.setattr("plugins.provision.kept.CHUNK", 2)
    monkeypatch.setattr("plugins.provision.bulk.CHUNK", 2)
    with Desks.open(tmp_path) as desks:
        yield desks


def sits(desks: Desks, which: int, *roles: str) -> Visitor:
    visitor = Visitor.at(desks.bench, f"TERM-000{which}")
    named = {"roles": roles, "purposes": PURPOSES, "office": OFFICE}
    return visitor.logs_in(desks.bench, f"OP-000{which}", **named)


@pytest.fixture
def operator(desks: Desks) -> Visitor:
    return sits(desks, 1, "media-operator")


@pytest.fixture
def approver(desks: Desks) -> Visitor:
    return sits(desks, 2, "media-approver")


def multipart(file: bytes, fields: Sequence[tuple[str, str]]) -> bytes:
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="taro.sealed"\r\n'
    return b"".join([*parts, head, b"\r\n", file, b"\r\n--edge--\r\n"])


def hands_in(visitor: Visitor, desks: Desks, content: bytes, **changed: str) -> Seen:
    """Choose a file, fill in the form, and press the button."""
    typed = {**GROUND, "step": "file", "media_id": MEDIUM_IN, "recipient": str(desks.recipient)}
    fields = [*(typed | changed).items(), ("items", "name"), ("items", "address")]
    body = multipart(content, fields)
    kind = "multipart/form-data; boundary=edge"
    return visitor.follows(visitor.asks("POST", f"{PATH}/submit", body, content_type=kind))


def sealed(desks: Desks, rows: Sequence[Row], **more: str) -> bytes:
    return seal_for(desks.media_key, inquiry(rows, **more))


def opens(visitor: Visitor, job: int = 1, **changed: str) -> Seen:
    return visitor.presses(f"{PATH}/job", **{**GROUND, "job": str(job), **changed})


def polls(visitor: Visitor, job: int = 1) -> dict[str, object]:
    seen = visitor.posts(f"{PATH}/progress", **GROUND, job=str(job))
    assert seen.status == 200, seen.body
    return dict(json.loads(seen.body))


def cells(page: Seen) -> str:
    """Return what is read, cells apart."""
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page.markup))


def asked(desks: Desks, operation: str) -> int:
    return sum(entry.operation == f"provision/{operation}" for entry in desks.bench.ledger())


# --- before a file ---


def test_the_ground_comes_first_and_an_empty_list_says_what_to_do(operator: Visitor) -> None:
    page = operator.goes(PATH)
    assert "県税の賦課徴収に関する事務" in page.markup
    assert "使用簿番号を入力してください。" in operator.presses(f"{PATH}/jobs").text
    page = operator.presses(f"{PATH}/jobs", **GROUND)
    assert "該当する申請はありません。" in page.text
    assert "新しく申請してください。" in page.text
    form = operator.presses(f"{PATH}/new", **GROUND)
    assert "県税事務所" in form.text
    assert 'type="file"' in form.markup
    assert 'value="address"' in form.markup
    assert 'value="town_code"' not in form.markup


def test_the_key_by_which_a_file_is_sealed_is_told(desks: Desks, operator: Visitor) -> None:
    page = operator.presses(f"{PATH}/key", **GROUND)
    assert desks.media_key in page.text
    assert "prefectural-tax" in page.text


def test_without_a_key_of_the_recipient_nothing_can_be_handed_in(operator: Visitor) -> None:
    form = operator.presses(f"{PATH}/new", ground="designated-disease/01", case="1")
    assert "提供先の鍵が登録されていません。" in form.text
    assert 'type="file"' not in form.markup


def test_whoever_only_approves_is_offered_no_file_and_an_attempt_is_entered(
    desks: Desks, approver: Visitor
) -> None:
    assert "新しく申請する" not in approver.presses(f"{PATH}/jobs", **GROUND).text
    refused = hands_in(approver, desks, sealed(desks, [by_number(1)]))
    assert "あなたの役割でこの機能" in refused.text
    entry = next(e for e in desks.bench.ledger()[::-1] if e.operation == "provision/bulk-submit")
    assert entry.refusal == "not-permitted"


def test_a_clerk_has_no_such_screen(desks: Desks) -> None:
    clerk = sits(desks, 3, "clerk")
    menu = clerk.goes("/screens/menu").markup
    assert PATH not in menu
    assert OUTPUTS not in menu
    assert clerk.goes(PATH).status == 403
    assert clerk.goes(OUTPUTS).status == 403


# --- a file ---


def test_what_is_missing_beside_a_file_is_told_and_nothing_is_asked(
    desks: Desks, operator: Visitor
) -> None:
    page = operator.presses(f"{PATH}/submit", **GROUND, step="file", recipient="x")
    for said in (
        "照会ファイルを入力してください。",
        "媒体管理番号を入力してください。",
        "数字で入力してください。",
        "項目を1つ以上選んでください。",
    ):
        assert said in page.text
    for field in ("file", "media_id", "recipient", "items"):
        assert f'id="f-{field}"' in page.markup
    assert asked(desks, "bulk-submit") == 0


@pytest.mark.requirement("R44")
def test_a_refused_file_is_told_by_line_and_rule_and_nothing_of_its_content(
    desks: Desks, operator: Visitor
) -> None:
    mistyped = number(1)[:-1] + str((int(number(1)[-1]) + 1) % 10)
    rows = [by_number(2), ["R1", "", mistyped, *[""] * 5], ["R2", "", "", "熊本花子", *[""] * 4]]
    page = hands_in(operator, desks, sealed(desks, rows))
    assert "照会ファイルに誤りがあるため、受け付けませんでした。" in page.text
    told = cells(page)
    assert "3 2件目 B-09 個人番号: 検査数字が合いません。" in told
    assert "4 3件目 B-08 検索キー:" in told
    assert "誤りのある行 2行" in told
    assert "B-09 検査数字 1 " in told
    for personal in (mistyped, "熊本花子", "taro"):
        assert personal not in page.markup
    assert asked(desks, "bulk-submit") == 1
    assert "該当する申請はありません。" in operator.presses(f"{PATH}/jobs", **GROUND).text
    carried = {
        name: page.hidden(name)
        for name in ("ground", "case", "media_id", "recipient", "items")
        if page.hidden(name)
    }
    form = operator.presses(
        page.action("/new"),
        **{name: values if name == "items" else values[0] for name, values in carried.items()},
    )
    assert f'value="{MEDIUM_IN}"' in form.markup
    assert form.markup.count(" checked") == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("きゅう".encode("shift-jis"), "文字コードが UTF-8 ではありません", id="M-01"),
        pytest.param(b"", "1行目は H で始まる見出し", id="M-02"),
        pytest.param(inquiry([by_number(1)], "designated-disease"), "事務コードが", id="B-02"),
        pytest.param(
            framed(
                ["juki-bulk/1", "prefectural-tax", "1"], data_lines(1, [by_number(1)]), 2
            ).encode(),
            "件数が合いません",
            id="M-05",
        ),
    ],
)
def test_what_is_wrong_with_the_file_as_a_whole_is_told_by_its_place(
    desks: Desks, operator: Visitor, content: bytes, said: str
) -> None:
    page = hands_in(operator, desks, seal_for(desks.media_key, content))
    assert said in page.text
    assert "直したファイルを申請する" in page.text


def test_more_problems_than_are_shown_are_counted(
    desks: Desks, operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.provision.bulk.MOST_PROBLEMS", 2)
    monkeypatch.setattr(filing, "MANY", 2)
    rows = [["x", "", "", "熊本花子", *[""] * 4]] * 5
    page = hands_in(operator, desks, sealed(desks, rows))
    assert "ほかに3件の誤りがあります。" in page.text
    assert "先頭の500件" in page.text


@pytest.mark.parametrize(
    ("content", "changed", "said"),
    [
        pytest.param(b"not sealed", {}, "このシステムの公開鍵で暗号化されたファイル", id="seal"),
        pytest.param(None, {"recipient": "99"}, "番号", id="recipient"),
    ],
)
def test_what_is_not_about_rows_is_told_at_the_form_which_keeps_what_was_typed(
    desks: Desks, operator: Visitor, content: bytes | None, changed: dict[str, str], said: str
) -> None:
    file = sealed(desks, [by_number(1)]) if content is None else content
    page = hands_in(operator, desks, file, **changed)
    assert said in page.text
    assert "ファイルは選び直してください。" in page.text
    assert f'value="{MEDIUM_IN}"' in page.markup
    assert 'value="address" checked' in page.markup


def test_the_same_request_is_taken_once(desks: Desks, operator: Visitor) -> None:
    hands_in(operator, desks, sealed(desks, [by_number(1)]))
    assert "受付済みです(申請 1)" in hands_in(operator, desks, sealed(desks, [by_number(1)])).text


# --- a job ---


@pytest.mark.requirement("R44", "R45", "R55", "R56", "R58")
def test_a_file_becomes_a_result_by_two_persons(
    desks: Desks, operator: Visitor, approver: Visitor
) -> None:
    admit(desks.bench, 1)
    page = hands_in(operator, desks, sealed(desks, [by_number(1), by_number(2), by_number(3)]))
    assert "申請番号1で受け付けました。" in page.text
    assert "全3件。処理の順番を待っています。" in page.text
    desks.step()
    page = opens(operator)
    assert "処理中" in page.text
    assert "全3件のうち2件(66%)" in page.text
    desks.work()
    page = opens(operator)
    assert "承認されるまで誰にも表示されません" in page.text
    assert "結果の内訳</caption>" not in page.markup
    assert "承認する</button>" not in page.markup
    page = opens(approver)
    assert "漢字氏名、住所" in page.text
    assert f"{desks.recipient} 県税事務所" in page.text
    assert f"媒体 {MEDIUM_IN}" in page.text
    approval = {**GROUND, "job": "1", "media_id": MEDIUM_OUT}
    refused = approver.presses(f"{PATH}/approve", **approval)
    assert "依頼書と照合し、確認欄にチェックを入れてください。" in refused.text
    page = approver.presses(f"{PATH}/approve", **approval, compared="1")
    assert "媒体への出力を承認しました。" in page.text
    assert "3件のうち2件は、一致する人を1人に決められなかった" in page.text
    assert "20 該当なし 2 番号又は4情報に誤りがないか" in cells(page)
    assert "結果ファイルを出力する</button>" not in page.markup
    wrong = operator.presses(f"{PATH}/fetch", **GROUND, job="1", media_id="USB-9999")
    assert "承認された媒体と番号が違います。" in wrong.text
    assert 'href="#f-media_id"' in wrong.markup
    taken = operator.presses(f"{PATH}/fetch", **GROUND, job="1", media_id=MEDIUM_OUT)
    assert taken.headers["Content-Disposition"] == 'attachment; filename="bulk-result-1.sealed"'
    rows = unframed(open_sealed(desks.key, taken.body)).rows
    assert [row[1] for row in rows] == ["00", "20", "20"]
    page = opens(operator)
    assert "媒体出力" in page.text
    assert "取り消す</button>" not in page.markup
    register = approver.goes(OUTPUTS)
    assert "県税の賦課徴収に関する事務" in register.text
    assert "媒体出力 1件" in register.text
    output = desks.approver.ask("provision/outputs", {}).data["outputs"][0]
    for said in (MEDIUM_OUT, "OP-0001", "OP-0002", output["digest"], OFFICE, "県税事務所"):
        assert said in register.text


def test_everybody_found_is_said_to_be(desks: Desks, operator: Visitor, approver: Visitor) -> None:
    admit(desks.bench, 1)
    hands_in(operator, desks, sealed(desks, [by_number(1)]))
    desks.work()
    approval = {**GROUND, "job": "1", "media_id": MEDIUM_OUT, "compared": "1"}
    page = approver.presses(f"{PATH}/approve", **approval, witness="OP-0001")
    assert "立会者は、申請した者及び承認する者以外の職員でなければなりません。" in page.text
    assert f'value="{MEDIUM_OUT}"' in page.markup
    page = approver.presses(f"{PATH}/approve", **approval, witness="OP-0500")
    assert "1件すべてが一致しました。" in page.text


def test_whoever_handed_a_file_in_neither_is_offered_nor_gives_the_approval(desks: Desks) -> None:
    both = sits(desks, 4, "media-operator", "media-approver")
    hands_in(both, desks, sealed(desks, [by_number(1)]))
    desks.work()
    page = opens(both)
    assert "承認する</button>" not in page.markup
    assert "別の媒体出力承認者に" in page.text
    tried = {**GROUND, "job": "1", "media_id": MEDIUM_OUT, "compared": "1"}
    assert "申請した本人は承認できません。" in both.presses(f"{PATH}/approve", **tried).text


def test_a_job_is_cancelled_only_when_that_is_confirmed(desks: Desks, operator: Visitor) -> None:
    hands_in(operator, desks, sealed(desks, [by_number(1)]))
    page = operator.presses(f"{PATH}/cancel", **GROUND, job="1")
    assert "取り消す場合は、確認欄にチェックを入れてください。" in page.text
    assert "<details open><summary>この申請を取り消す" in page.markup
    assert desks.status(1)["state"] == "queued"
    page = operator.presses(f"{PATH}/cancel", **GROUND, job="1", sure="1")
    assert "申請番号1を取り消しました。" in page.text
    assert "照会と結果は残っていません。" in page.text
    assert "取り消す</button>" not in page.markup
    assert (
        "この申請は終了しています。"
        in operator.presses(f"{PATH}/cancel", **GROUND, job="1", sure="1").text
    )
    assert "該当する申請はありません。" in operator.presses(f"{PATH}/jobs", **GROUND).text
    assert "取消し" in operator.presses(f"{PATH}/jobs", **GROUND, which="all").text


def test_a_result_that_nobody_took_out_is_said_to_be_over(desks: Desks, operator: Visitor) -> None:
    hands_in(operator, desks, sealed(desks, [by_number(1)]))
    desks.work()
    desks.bench.now += timedelta(days=15)
    page = sits(desks, 1, "media-operator")
    assert "保存期間が過ぎたため" in opens(page).text


def test_a_job_of_another_purpose_is_none(desks: Desks, operator: Visitor) -> None:
    hands_in(operator, desks, sealed(desks, [by_number(1)]))
    page = opens(operator, ground="designated-disease/01")
    assert "この事務にその番号のものはありません。" in page.text
    assert "R8-1" not in page.text


def test_a_long_list_is_turned_by_pages(
    desks: Desks, operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "A_PAGE", 2)
    for which in range(1, 4):
        hands_in(operator, desks, sealed(desks, [by_number(1)], number=f"R8-{which}"))
    page = operator.presses(f"{PATH}/jobs", **GROUND)
    assert "終了していない申請 3件" in page.text
    assert page.hidden("job") == ["3", "2"]
    older = operator.presses(f"{PATH}/jobs", **GROUND, page="2")
    assert older.hidden("job") == ["1"]
    assert "2 / 2ページ" in older.text


# --- waiting ---


def test_a_page_that_waits_asks_less_often_than_it_is_told(desks: Desks, operator: Visitor) -> None:
    hands_in(operator, desks, sealed(desks, [by_number(which) for which in range(1, 8)]))
    before = asked(desks, "bulk-status")
    for _ in range(30):
        desks.bench.now += timedelta(seconds=2)
        told = polls(operator)
        assert told["finished"] is False
    assert asked(desks, "bulk-status") - before == 5
    assert "処理の順番を待っています。" in str(told["text"])


def test_what_a_page_is_told_is_what_was_answered_and_says_when(
    desks: Desks, operator: Visitor
) -> None:
    hands_in(operator, desks, sealed(desks, [by_number(which) for which in range(1, 8)]))
    desks.step()
    desks.bench.now += timedelta(seconds=1)
    desks.step()
    assert polls(operator)["done"] == 0
    desks.bench.now += timedelta(seconds=1)
    told = polls(operator)
    assert (told["done"], told["total"]) == (4, 7)
    status = desks.status(1)
    assert f"毎秒{status['rate']:.0f}件" in str(told["text"])
    assert "残り約2秒" in str(told["text"])
    assert str(told["text"]).endswith("10:00:02現在")
    desks.work()
    desks.bench.now += timedelta(seconds=2)
    assert polls(operator)["finished"] is True
    done = operator.presses(f"{PATH}/progress-done", **GROUND, job="1")
    assert "件すべての処理が終わりました。" in done.text


def test_what_one_session_was_told_is_told_to_no_other(
    desks: Desks, operator: Visitor, approver: Visitor
) -> None:
    hands_in(operator, desks, sealed(desks, [by_number(1)]))
    before = asked(desks, "bulk-status")
    assert polls(operator)["total"] == 1
    assert asked(desks, "bulk-status") == before
    assert polls(approver)["total"] == 1
    assert asked(desks, "bulk-status") == before + 1


@pytest.mark.parametrize(
    ("eta", "seconds"), [(1, 2), (60, 6), (3600, 30), (None, 2)], ids=["soon", "", "late", "queued"]
)
def test_the_longer_a_job_takes_the_longer_nobody_asks(eta: float | None, seconds: int) -> None:
    assert glances.pause_after({"eta": eta}, None) == timedelta(seconds=seconds)


def test_no_more_is_remembered_than_so_many_jobs(desks: Desks) -> None:
    some, now = glances.Glances(), desks.bench.now
    for which in range(glances.MOST + 1):
        some.note(which, {"eta": None}, now)
    assert some.still_good(0, now) is None
    assert some.still_good(1, now) is not None


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1秒"), (60, "1分"), (61, "2分"), (3600, "1時間0分")]
)
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert bulk.duration(seconds) == said
