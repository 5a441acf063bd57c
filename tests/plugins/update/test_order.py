"""Sequence numbers: what came, what is missing, what came twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.update import order
from plugins.update.order import Gaps, Receipts, Seen
from tests.plugins.update.making import YATSUSHIRO, PaperStack


@given(st.lists(st.integers(1, 60), unique=True))
def test_gaps_are_the_numbers_that_have_not_come(numbers):
    gaps, come = Gaps(), set()
    for number in numbers:
        before = len(gaps)
        opened = gaps.opened_by(number)
        gaps.receive(number)
        come.add(number)
        assert len(gaps) - before == opened
        missing = [n for n in range(1, max(come) + 1) if n not in come]
        assert list(gaps.numbers()) == missing
        assert all((n in gaps) == (n in missing) for n in range(62))
        assert Gaps(gaps.last, gaps.ranges()).ranges() == gaps.ranges()
    assert gaps.last == max(come, default=0)


def _content(number):
    return number.to_bytes(16, "big")


def test_a_number_comes_once():
    papers = PaperStack()
    receipts = Receipts(papers, YATSUSHIRO)
    assert receipts.seen(1, _content(1)) is Seen.NEW
    receipts.enter(1, _content(1))
    assert receipts.seen(1, _content(1)) is Seen.SAME
    assert receipts.seen(1, _content(2)) is Seen.OTHER


@given(st.lists(st.integers(1, 450), unique=True, min_size=1))
def test_what_has_come_is_known_in_the_next_batch(numbers):
    papers = PaperStack()
    receipts = Receipts(papers, YATSUSHIRO)
    for number in numbers:
        receipts.enter(number, _content(number))
    receipts.save()
    again = Receipts(papers, YATSUSHIRO)
    assert again.last == max(numbers)
    for number in range(1, 452):
        seen = again.seen(number, _content(number))
        assert seen is (Seen.SAME if number in numbers else Seen.NEW)
        assert (again.seen(number, b"other") is Seen.OTHER) == (number in numbers)


def test_a_hundred_thousand_numbers_are_kept_in_a_thousand_papers():
    papers = PaperStack()
    for start in range(1, 100_001, 500):
        receipts = Receipts(papers, YATSUSHIRO)
        for number in range(start, start + 500):
            receipts.enter(number, _content(number))
        receipts.save()
    assert len(papers.papers) == 1001 + 1


def test_a_batch_of_what_is_known_writes_nothing():
    papers = PaperStack()
    Receipts(papers, YATSUSHIRO).save()
    assert papers.papers == {}


def test_every_sender_counts_for_itself():
    papers = PaperStack()
    ours = Receipts(papers, YATSUSHIRO)
    ours.enter(5, _content(5))
    ours.save()
    assert Receipts(papers, "432032").last == 0
    assert Receipts(papers, YATSUSHIRO).missing(100) == [1, 2, 3, 4]
    assert Receipts(papers, YATSUSHIRO).missing(2) == [1, 2]


@pytest.mark.parametrize("opening", [6, 2], ids=["above", "in the middle of a gap"])
def test_too_many_gaps_must_be_filled_first(monkeypatch, opening):
    monkeypatch.setattr(order, "MOST_GAPS", 1)
    receipts = Receipts(PaperStack(), YATSUSHIRO)
    receipts.enter(4, _content(4))
    assert receipts.seen(opening, _content(opening)) is Seen.TOO_MANY_GAPS
    assert receipts.seen(5, _content(5)) is Seen.NEW
    assert receipts.seen(1, _content(1)) is Seen.NEW
