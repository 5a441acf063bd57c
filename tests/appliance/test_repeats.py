import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance import repeats
from appliance.errors import Conflict
from appliance.repeats import CLEARED_AT_ONCE, RECENT, Repeat, Repeats
from appliance.testing import PREPARED, Bench
from appliance.traces import Touched
from storage.engine import Unit

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
BODY = b'{"name": "x"}'
ANSWER = {"results": [{"sequence": 1, "outcome": "applied"}], "missing": []}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


@pytest.fixture
def book() -> Repeats:
    return Repeats(most_a_day=300_000)


def repeat(key: str, body: bytes = BODY, caller: str = "aa") -> Repeat:
    return Repeat(caller, f"OP-0001/update/notify/{key}", body)


def remember(
    bench: Bench,
    book: Repeats,
    asked: Repeat,
    answer: dict[str, Any] | None = ANSWER,
    now: datetime = NOW,
) -> None:
    def work(unit: Unit) -> None:
        receipt = unit.enter(PREPARED)
        book.remember(unit, asked, answer, receipt, now, Touched())

    bench.vault.write(work)


def recall(
    bench: Bench, book: Repeats, asked: Repeat, now: datetime = NOW
) -> dict[str, Any] | None:
    with bench.vault.view() as view:
        known = book.recall(view, asked, now)
    return None if known is None else known.answer


def kept(bench: Bench) -> list[bytes]:
    with bench.vault.view() as view:
        return list(view.document_keys(RECENT))


def test_the_same_request_again_gets_the_first_answer(bench: Bench, book: Repeats) -> None:
    remember(bench, book, repeat("key-1"))
    assert recall(bench, book, repeat("key-1")) == ANSWER


def test_a_new_key_is_not_known(bench: Bench, book: Repeats) -> None:
    remember(bench, book, repeat("key-1"))
    assert recall(bench, book, repeat("key-2")) is None


def test_a_key_is_the_certificates_own(bench: Bench, book: Repeats) -> None:
    """A terminal that was enrolled anew is another caller, though its name is the same."""
    remember(bench, book, repeat("key-1"))
    assert recall(bench, book, repeat("key-1", caller="bb")) is None


def test_a_key_used_for_another_request_is_a_conflict(bench: Bench, book: Repeats) -> None:
    remember(bench, book, repeat("key-1"))
    with pytest.raises(Conflict, match="another request"):
        recall(bench, book, repeat("key-1", BODY + b" "))


def test_answers_are_kept_for_three_days(bench: Bench, book: Repeats) -> None:
    remember(bench, book, repeat("key-1"))
    assert recall(bench, book, repeat("key-1"), NOW + timedelta(days=3)) == ANSWER
    assert recall(bench, book, repeat("key-1"), NOW + timedelta(days=4)) is None


def test_a_change_clears_a_few_outdated_answers_and_opens_none(
    bench: Bench, book: Repeats, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * CLEARED_AT_ONCE):
        remember(bench, book, repeat(f"key-{number}"))
    later = NOW + timedelta(days=4)
    loads = repeats.cbor2.loads
    opened: list[bytes] = []
    monkeypatch.setattr(repeats.cbor2, "loads", lambda body: (opened.append(body), loads(body))[1])
    for left in (CLEARED_AT_ONCE, 0, 0):
        remember(bench, book, repeat(f"later-{left}"), now=later)
        assert sum(key.startswith(b"2026-04-01") for key in kept(bench)) == left
    assert not opened


def test_a_thousand_results_are_kept_in_little_room(bench: Bench, book: Repeats) -> None:
    problems = [
        {"rule": f"L-{number:02}", "item": "birth_date", "text": "日付として正しくありません"}
        for number in range(17)
    ]
    results = [
        {"sequence": number, "outcome": "rejected", "problems": problems} for number in range(1000)
    ]
    remember(bench, book, repeat("key-1"), {"results": results})
    assert recall(bench, book, repeat("key-1")) == {"results": results}
    with bench.vault.view() as view:
        (paper,) = view.documents(RECENT)
    assert len(paper.body) < repeats.MOST_BYTES


def test_what_must_not_be_kept_is_told_by_its_entry(bench: Bench, book: Repeats) -> None:
    remember(bench, book, repeat("key-1"), None)
    with pytest.raises(Conflict, match=r"carried out already \(ledger entry 0\)"):
        recall(bench, book, repeat("key-1"))
    with pytest.raises(Conflict, match="another request"):
        recall(bench, book, repeat("key-1", b"{}"))


def test_what_is_too_long_is_told_by_its_entry(bench: Bench, book: Repeats) -> None:
    noise = {"file": os.urandom(repeats.MOST_BYTES + 1)}
    remember(bench, book, repeat("key-1"), noise)
    with pytest.raises(Conflict, match="ledger entry"):
        recall(bench, book, repeat("key-1"))


def test_one_certificate_has_so_much_kept_in_a_day(bench: Bench, book: Repeats) -> None:
    noise = {"file": os.urandom(100_000)}
    for number in range(4):
        remember(bench, book, repeat(f"key-{number}"), noise)
    assert recall(bench, book, repeat("key-1")) == noise
    with pytest.raises(Conflict, match="ledger entry 3"):
        recall(bench, book, repeat("key-3"))
    remember(bench, book, repeat("key-4", caller="bb"), noise)
    assert recall(bench, book, repeat("key-4", caller="bb")) == noise
    tomorrow = NOW + timedelta(days=1)
    remember(bench, book, repeat("key-5"), noise, tomorrow)
    assert recall(bench, book, repeat("key-5"), tomorrow) == noise
