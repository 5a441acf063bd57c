from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance import repeats
from appliance.errors import Conflict
from appliance.testing import PREPARED, Bench
from storage.engine import Unit

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
BODY = b'{"name": "x"}'
ANSWER = {"results": [{"sequence": 1, "outcome": "applied"}], "missing": []}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


def remember(
    bench: Bench, key: str | None, body: bytes = BODY, now: datetime = NOW, **answer: Any
) -> None:
    def work(unit: Unit) -> None:
        repeats.remember(unit, key, body, answer or ANSWER, now)
        unit.enter(PREPARED)

    bench.vault.write(work)


def recall(bench: Bench, key: str | None, body: bytes = BODY) -> dict[str, Any] | None:
    with bench.vault.view() as view:
        return repeats.recall(view, key, body)


def test_the_same_request_again_gets_the_first_answer(bench: Bench) -> None:
    remember(bench, "key-1")
    assert recall(bench, "key-1") == ANSWER


def test_a_new_key_and_no_key_are_not_known(bench: Bench) -> None:
    remember(bench, "key-1")
    remember(bench, None)
    assert recall(bench, "key-2") is None
    assert recall(bench, None) is None


def test_a_key_used_for_another_request_is_a_conflict(bench: Bench) -> None:
    remember(bench, "key-1")
    with pytest.raises(Conflict, match="another request"):
        recall(bench, "key-1", BODY + b" ")


def test_answers_are_kept_for_three_days(bench: Bench) -> None:
    remember(bench, "key-1")
    remember(bench, "key-2", now=NOW + timedelta(days=2))
    assert recall(bench, "key-1")
    remember(bench, "key-3", now=NOW + timedelta(days=3, seconds=1))
    assert recall(bench, "key-1") is None
    assert recall(bench, "key-2")
    assert recall(bench, "key-3")


def test_old_answers_are_cleared_once_a_day(bench: Bench) -> None:
    remember(bench, "key-1")
    remember(bench, "key-2", now=NOW + timedelta(days=3) - timedelta(hours=5))
    remember(bench, "key-3", now=NOW + timedelta(days=3, hours=2))
    assert recall(bench, "key-1")
    remember(bench, "key-4", now=NOW + timedelta(days=4))
    assert recall(bench, "key-1") is None
