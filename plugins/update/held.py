"""Notices that wait for another one: for a version that is missing, or for a 転出 elsewhere.

Papers::

    held     431001/0000000000004711            the notice, since when, and what it waits for
    waiting  ALIAS/00000007/431001/00…4711      one for each turn of a person; ALIAS of 住民票コード
    since    2026-04-01T01:00:00.000000/431001/00…4711    one for each notice, the oldest first
    holding  431001                             how many wait

One paper a turn, so that however many wait for a person, one more costs the same. The keys of
papers are not sealed as their bodies are, and there are few enough 住民票コード to try them all; so
a person is named by the registry's alias, a digest with a key.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from appliance.plugin_api import Papers, Problem
from plugins.update.notice import Notice

MOST_OF_PERSON = 20
"""Notices of one sender that may wait about one person."""
MOST_OF_SENDER = 5000
"""Notices of one sender that may wait in all."""
WAITS_LONG = timedelta(days=3)
"""After which somebody should ask; a notice is due without delay (住民基本台帳法30条の6)."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that waits."""

    sender: str
    notice: Notice
    since: datetime
    problems: tuple[Problem, ...]
    """What it waits for; if its turn came and rules were against it, those."""

    @property
    def turn(self) -> "Turn":
        """Where it waits."""
        return Turn(self.notice.update_number, self.sender, self.notice.sequence)


class Turn(NamedTuple):
    """A place among those who wait for the same person; the lowest 更新順番号 comes first."""

    update_number: int
    sender: str
    sequence: int


class Waiting:
    """The held notices of everybody; how many there are is in memory until ``save``."""

    def __init__(self, papers: Papers, alias: Callable[[str], str]) -> None:
        self._papers = papers
        self._alias = alias
        self._counts: Counter[str] = Counter()
        self._moved: set[str] = set()

    def turns(self, resident_code: str) -> list[Turn]:
        """Return who waits for this person, in the order of their turns, then of arrival."""
        person = self._alias(resident_code)
        found = [
            (_turn(key), body["since"]) for key, body in self._papers.every("waiting", f"{person}/")
        ]
        found.sort(key=lambda each: (each[0].update_number, each[1]))
        return [turn for turn, _ in found]

    def open(self, turn: Turn) -> Held:
        """Return the notice that waits for this turn."""
        held = self.find(turn.sender, turn.sequence)
        if held is None:
            raise LookupError("a held notice that is listed is not there")
        return held

    def find(self, sender: str, sequence: int) -> Held | None:
        """Return the notice of this number, if it waits."""
        body = self._papers.get("held", _numbered(sender, sequence))
        return None if body is None else _read(body)

    def of_sender(self, sender: str, after: int = 0, limit: int = MOST_OF_SENDER) -> list[Held]:
        """Return what waits of a municipality's notices numbered above ``after``, in order."""
        return list(islice(self._numbered_above(sender, after), limit))

    def count(self, sender: str) -> int:
        """Return how many notices of a municipality wait."""
        if sender not in self._counts:
            kept = self._papers.get("holding", sender)
            self._counts[sender] = 0 if kept is None else kept["count"]
        return self._counts[sender]

    def oldest(self) -> datetime | None:
        """Return since when the oldest of all notices waits, or None if none does."""
        return next((since for _, since in self._by_age()), None)

    def oldest_by_sender(self) -> dict[str, datetime]:
        """Return since when the oldest notice of each municipality waits that has any."""
        oldest: dict[str, datetime] = {}
        for sender, since in self._by_age():
            oldest.setdefault(sender, since)
        return oldest

    def add(self, held: Held) -> None:
        """Let a notice wait."""
        self._papers.put("held", _key(held.turn), msgspec.to_builtins(held))
        self._papers.put("waiting", self._place(held), {"since": _moment(held)})
        self._papers.put("since", f"{_moment(held)}/{_key(held.turn)}", {})
        self._count(held.sender, 1)

    def amend(self, held: Held) -> None:
        """Write down what has become of a notice that waits."""
        self._papers.replace("held", _key(held.turn), msgspec.to_builtins(held))

    def drop(self, held: Held) -> None:
        """Let a notice wait no longer."""
        self._papers.drop("held", _key(held.turn))
        self._papers.drop("waiting", self._place(held))
        self._papers.drop("since", f"{_moment(held)}/{_key(held.turn)}")
        self._count(held.sender, -1)

    def save(self) -> None:
        """Write down how many wait."""
        for sender in sorted(self._moved):
            self._papers.replace("holding", sender, {"count": self._counts[sender]})
        self._moved.clear()

    def _by_age(self) -> Iterator[tuple[str, datetime]]:
        """Yield sender and beginning of every notice that waits, the oldest first."""
        for key, _ in self._papers.every("since"):
            moment, sender, _ = key.split("/")
            yield sender, datetime.fromisoformat(moment).replace(tzinfo=UTC)

    def _numbered_above(self, sender: str, after: int) -> Iterator[Held]:
        for key, body in self._papers.every("held", f"{sender}/"):
            if int(key.rpartition("/")[2]) > after:
                yield _read(body)

    def _place(self, held: Held) -> str:
        person = self._alias(held.notice.known_by)
        return f"{person}/{held.turn.update_number:016}/{_key(held.turn)}"

    def _count(self, sender: str, by: int) -> None:
        self._counts[sender] = self.count(sender) + by
        self._moved.add(sender)


def _key(turn: Turn) -> str:
    return _numbered(turn.sender, turn.sequence)


def _numbered(sender: str, sequence: int) -> str:
    return f"{sender}/{sequence:016}"


def _turn(place: str) -> Turn:
    _, update_number, sender, sequence = place.split("/")
    return Turn(int(update_number), sender, int(sequence))


def _moment(held: Held) -> str:
    return held.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _read(body: dict[str, Any]) -> Held:
    return msgspec.convert(body, Held)
