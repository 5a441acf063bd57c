"""保存期間・消去 at a terminal: what is over when, how erasing went, and its book."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest

from appliance.erasing import Erasing
from appliance.errors import Unavailable
from appliance.jobs import Nothing
from appliance.model import OperationName
from appliance.testing import Bench, Seat
from plugins import retention
from tests.plugins.people import admit, change, shipped_policy
from tests.screens import Visitor

PATH = "/screens/retention/book"
ERASE = OperationName("retention/erase")
WHEN_OVER = datetime(2176, 5, 1, 18, tzinfo=UTC)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"retention": retention}, shipped_policy()) as bench:
        yield bench


def at_work(bench: Bench, role: str = "system-administrator", terminal: str = "TERM-1") -> Visitor:
    return Visitor.at(bench, terminal).logs_in(bench, "OP-1", roles=(role,), purposes=())


def asking(bench: Bench) -> Seat:
    """Return whom what stands on screens is compared with."""
    roles = ("system-administrator",)
    return bench.clerk("API", roles=roles, purposes=(), terminal_id="TERM-2")


def erased(bench: Bench, count: int) -> None:
    """Erase one version of each of so many people, long from now, each in a step of its own."""
    for which in range(1, count + 1):
        change(bench, admit(bench, which), which, notified_on="2026-04-01")
    now, bench.now = bench.now, WHEN_OVER
    for step in range(count):
        bench.pipeline.serve(ERASE, Nothing(), f"step-{step}")
    bench.now = now


@pytest.mark.requirement("R154", "R155")
def test_what_is_over_by_a_day_is_what_the_operation_counts(bench: Bench) -> None:
    for which in (1, 2):
        change(bench, admit(bench, which), which, notified_on="2026-04-01")
    visitor = at_work(bench)
    page = visitor.goes(PATH)
    for name, day in (
        ("本日", "令和8年4月1日 (2026年4月1日)"),
        ("今年度の末日", "令和9年3月31日 (2027年3月31日)"),
        ("来年度の末日", "令和10年3月31日 (2028年3月31日)"),
    ):
        assert f'{name}</th><td>{day}</td><td class="number">0</td>' in page.markup
    over = asking(bench).ask("retention/due", {"on": "2176-04-01"}).data["versions"]
    assert over == 2
    then = visitor.presses(f"{PATH}/due", on="2176-04-01")
    assert '(2176年4月1日)</td><td class="number">2</td>' in then.markup
    before = visitor.presses(f"{PATH}/due", on="2176-03-31")
    assert '(2176年3月31日)</td><td class="number">0</td>' in before.markup


def test_a_day_that_is_none_is_told_beside_its_field(bench: Bench) -> None:
    visitor = at_work(bench)
    for typed, said in (("", "確認する日を入力してください。"), ("いつか", "日付を読み取れません")):
        page = visitor.presses(f"{PATH}/due", on=typed)
        assert said in page.text
        assert 'href="#f-on"' in page.markup
        assert f'value="{typed}"' in page.markup
        assert "選んだ日" not in page.text


def test_before_anything_was_erased_that_is_said(bench: Bench) -> None:
    page = at_work(bench).goes(PATH)
    assert "該当する記録はありません。" in page.text
    assert "まだ実行されていません。" in page.text
    assert "150年間" in page.text


@pytest.mark.requirement("R155")
def test_the_book_is_shown_newest_first_page_by_page(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    monkeypatch.setattr(import_module("plugins.retention.screens"), "AT_ONCE", 2)
    erased(bench, 5)
    visitor, seat = at_work(bench, "auditor"), asking(bench)
    entries = seat.ask("retention/book", {}).data["entries"]
    assert len(entries) == 5

    def numbers(markup: str) -> list[int]:
        return [n for n in range(1, 9) if f'<th scope="row" class="number">{n}</th>' in markup]

    page = visitor.goes(PATH)
    assert numbers(page.markup) == [4, 5]
    assert page.markup.index(">5</th>") < page.markup.index(">4</th>")
    assert "新しい順 (全5件)" in page.text
    assert entries[4]["basis"] in page.text
    assert "(2176年5月2日)" in page.text
    second = visitor.presses(f"{PATH}/older", before=page.hidden("before")[0])
    assert numbers(second.markup) == [2, 3]
    last = visitor.presses(f"{PATH}/older", before=second.hidden("before")[0])
    assert numbers(last.markup) == [1]
    assert last.hidden("before") == []


def test_the_administrator_sees_how_erasing_went(bench: Bench) -> None:
    change(bench, admit(bench), notified_on="2026-04-01")
    now, bench.now = bench.now, WHEN_OVER
    assert "retention/erase" in bench.work()
    bench.now = now
    page = at_work(bench).goes(PATH)
    assert '<span class="chip good">完了</span></td><td class="number">1</td>' in page.markup
    assert "2176-05-02 03:00" in page.text
    assert "<td>自動</td>" in page.markup
    assert "続けて失敗" not in page.text


def test_the_administrator_is_told_in_the_menu_that_erasing_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "続けて失敗" not in at_work(bench).goes("/screens/menu").text

    def fails(*_: object) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(Erasing, "expired", fails)
    bench.work()
    visitor = at_work(bench)
    assert "1件 続けて失敗した" in visitor.goes("/screens/menu").text
    page = visitor.goes(PATH)
    assert "1回続けて失敗しています。" in page.text
    assert '<span class="chip bad">失敗</span>' in page.markup


def test_who_confirms_sees_the_book_and_no_more(bench: Bench) -> None:
    visitor = at_work(bench, "security-officer")
    page = visitor.goes(PATH)
    assert "消去の記録" in page.text
    assert "期限を迎える記録" not in page.text
    assert "自動消去の実行状況" not in page.text
    forced = visitor.presses(f"{PATH}/due", on="2176-04-01")
    assert "あなたの役割でこの機能" in forced.text
    assert "選んだ日" not in forced.text


def test_who_has_no_right_has_no_such_screen(bench: Bench) -> None:
    visitor = at_work(bench, "clerk")
    assert PATH not in visitor.goes("/screens/menu").markup
    assert visitor.goes(PATH).status == 403
    assert visitor.posts(f"{PATH}/due").status == 403
