"""Notices that wait."""

from datetime import timedelta

import pytest

from plugins.update.held import Held, Turn, Waiting
from tests.plugins.update.making import HITOYOSHI, NOW, YATSUSHIRO, PaperStack, code, notice


def _held(sender=YATSUSHIRO, **changes):
    return Held(sender=sender, notice=notice(**changes), since=NOW, problems=())


def test_nobody_waits_at_first_and_nothing_is_written():
    papers = PaperStack()
    waiting = Waiting(papers, str)
    assert waiting.turns(code(1)) == []
    assert waiting.of_sender(YATSUSHIRO) == []
    assert papers.papers == {}


def test_the_lowest_version_has_its_turn_first_then_who_came_first():
    papers = PaperStack()
    waiting = Waiting(papers, str)
    waiting.add(_held(sequence=1, update_number=4))
    waiting.add(_held(sequence=9, update_number=3))
    waiting.add(_held(HITOYOSHI, sequence=1, update_number=3))
    assert Waiting(papers, str).turns(code(1)) == [
        Turn(3, YATSUSHIRO, 9),
        Turn(3, HITOYOSHI, 1),
        Turn(4, YATSUSHIRO, 1),
    ]
    assert Waiting(papers, str).turns(code(2)) == []


def test_what_waits_is_kept_whole():
    papers = PaperStack()
    held = _held(sequence=7)
    Waiting(papers, str).add(held)
    [turn] = Waiting(papers, str).turns(code(1))
    assert Waiting(papers, str).open(turn) == held


def test_a_municipality_sees_its_own_in_the_order_of_sending():
    waiting = Waiting(PaperStack(), str)
    for sequence in (100, 9, 20):
        waiting.add(_held(sequence=sequence))
    waiting.add(_held(HITOYOSHI, sequence=1))
    assert [held.notice.sequence for held in waiting.of_sender(YATSUSHIRO)] == [9, 20, 100]


def test_who_no_longer_waits_leaves_no_paper():
    papers = PaperStack()
    waiting = Waiting(papers, str)
    waiting.add(_held(sequence=7))
    waiting.amend(_held(sequence=7))
    waiting.add(_held(sequence=8))
    waiting.drop(_held(sequence=7))
    assert [turn.sequence for turn in waiting.turns(code(1))] == [8]
    waiting.drop(_held(sequence=8))
    assert not papers.papers
    assert waiting.oldest() is None


def test_the_oldest_is_known_and_how_many_there_are_of_a_sender():
    papers = PaperStack()
    waiting = Waiting(papers, str)
    waiting.add(_held(sequence=7))
    earlier = NOW - timedelta(days=3, microseconds=1)
    waiting.add(Held(sender=HITOYOSHI, notice=notice(sequence=1), since=earlier, problems=()))
    waiting.add(_held(sequence=8))
    assert waiting.oldest() == earlier
    assert (waiting.count(YATSUSHIRO), waiting.count(HITOYOSHI)) == (2, 1)
    waiting.save()
    assert Waiting(papers, str).count(YATSUSHIRO) == 2


def test_it_is_read_in_pages():
    waiting = Waiting(PaperStack(), str)
    for sequence in range(1, 6):
        waiting.add(_held(sequence=sequence))
    page = waiting.of_sender(YATSUSHIRO, after=2, limit=2)
    assert [held.notice.sequence for held in page] == [3, 4]


def test_no_key_of_a_paper_tells_whom_it_is_about():
    papers = PaperStack()
    Waiting(papers, lambda resident_code: f"alias of {resident_code[-2:]}").add(_held(sequence=7))
    [place] = [key for kind, key in papers.papers if kind == "waiting"]
    assert place.startswith(f"alias of {code(1)[-2:]}/")
    assert not [key for _, key in papers.papers if code(1) in key]


def test_a_list_that_names_what_is_not_there_is_a_fault():
    papers = PaperStack()
    waiting = Waiting(papers, str)
    waiting.add(_held(sequence=7))
    [turn] = waiting.turns(code(1))
    papers.drop("held", f"{YATSUSHIRO}/{7:016}")
    with pytest.raises(LookupError):
        waiting.open(turn)
