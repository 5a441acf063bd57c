from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Failed
from appliance.papers import Papers
from appliance.testing import PREPARED, Bench
from storage.engine import Unit


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


def write(bench: Bench, work: Callable[[Papers], Any], owner: str = "forms") -> None:
    def unit_of_work(unit: Unit) -> None:
        work(Papers(unit, unit, owner))
        unit.enter(PREPARED)

    bench.vault.write(unit_of_work)


def test_a_paper_is_read_as_it_was_put(bench: Bench) -> None:
    body = {"office": "県税事務所", "pages": [1, 2], "sealed": True, "stamp": b"\x00\x01"}
    write(bench, lambda papers: papers.put("request", "1", body))
    with bench.vault.view() as view:
        papers = Papers(view, None, "forms")
        assert papers.get("request", "1") == body
        assert papers.get("request", "2") is None
        assert papers.get("answer", "1") is None


def test_papers_come_in_the_order_of_their_keys(bench: Bench) -> None:
    def put(papers: Papers) -> None:
        for key in ("b/1", "a/2", "a/1", "c/1"):
            papers.put("request", key, {"key": key})

    write(bench, put)
    with bench.vault.view() as view:
        papers = Papers(view, None, "forms")
        assert [key for key, _ in papers.every("request")] == ["a/1", "a/2", "b/1", "c/1"]
        assert [body["key"] for _, body in papers.every("request", "a/")] == ["a/1", "a/2"]


def test_a_plugin_sees_its_own_papers_only(bench: Bench) -> None:
    write(bench, lambda papers: papers.put("request", "1", {"mine": True}))
    with bench.vault.view() as view:
        assert Papers(view, None, "others").get("request", "1") is None


def test_a_paper_put_again_keeps_its_older_revisions(bench: Bench) -> None:
    for pages in (1, 2):
        write(bench, lambda papers, n=pages: papers.put("request", "1", {"pages": n}))
    with bench.vault.view() as view:
        assert Papers(view, None, "forms").get("request", "1") == {"pages": 2}
        assert len(list(view.revisions("forms.request", b"1"))) == 2


def test_a_dropped_paper_is_gone(bench: Bench) -> None:
    write(bench, lambda papers: papers.put("request", "1", {}))
    write(bench, lambda papers: papers.drop("request", "1"))
    with bench.vault.view() as view:
        assert Papers(view, None, "forms").get("request", "1") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda papers: papers.put("request", "1", {}),
        lambda papers: papers.drop("request", "1"),
    ],
)
def test_who_only_looks_changes_nothing(bench: Bench, change: Callable[[Papers], Any]) -> None:
    with bench.vault.view() as view, pytest.raises(Failed, match="changes nothing"):
        change(Papers(view, None, "forms"))
