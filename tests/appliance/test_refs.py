from datetime import UTC, datetime, timedelta

import pytest

from appliance import refs as module
from appliance.errors import NotFound
from appliance.refs import Refs
from storage.engine import PersonId

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
WHO = PersonId(7)


def test_a_ref_names_a_person_for_its_session() -> None:
    refs = Refs()
    ref = refs.issue(WHO, "session", NOW)
    assert refs.resolve(ref, "session", NOW + timedelta(minutes=10)) == WHO


def test_a_ref_tells_nothing_and_is_new_each_time() -> None:
    refs = Refs()
    one, two = refs.issue(WHO, "session", NOW), refs.issue(WHO, "session", NOW)
    assert one != two
    assert len(one) >= 24


def test_unknown_old_and_foreign_refs_are_told_alike() -> None:
    refs = Refs()
    ref = refs.issue(WHO, "session", NOW)
    texts = set()
    for tried, session, now in (
        ("guess", "session", NOW),
        (ref, "another", NOW),
        (ref, "session", NOW + timedelta(minutes=10, seconds=1)),
    ):
        with pytest.raises(NotFound) as refused:
            refs.resolve(tried, session, now)
        texts.add(refused.value.text)
    assert len(texts) == 1


def test_with_no_room_at_all_a_ref_is_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 0)
    refs = Refs()
    with pytest.raises(NotFound):
        refs.resolve(refs.issue(WHO, "session", NOW), "session", NOW)


def test_old_refs_are_forgotten_and_there_are_never_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    refs = Refs()
    issued = [refs.issue(PersonId(n), "session", NOW) for n in range(1, 6)]
    with pytest.raises(NotFound):
        refs.resolve(issued[1], "session", NOW)
    assert [refs.resolve(ref, "session", NOW) for ref in issued[2:]] == [3, 4, 5]
    refs.issue(WHO, "other", NOW + timedelta(hours=1))
    assert list(vars(refs)["_sessions"]) == ["other"]


def test_who_searches_much_pushes_out_nobody_elses_refs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    refs = Refs()
    mine = refs.issue(WHO, "mine", NOW)
    for number in range(1, 10):
        refs.issue(PersonId(number), "busy", NOW)
    assert refs.resolve(mine, "mine", NOW) == WHO
