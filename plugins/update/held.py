"""Notices that wait for another one: for a version that is missing, or for a 転出 elsewhere.

Papers::

    held     431001/0000000000004711   the notice, since when, and what it waits for
    waiting  alias of 住民票コード      which held notices are about this person

The keys of papers are not sealed as their bodies are, and there are few enough 住民票コード to try
them all; so a paper is kept under the registry's alias, a digest with a key.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from appliance.plugin_api import Papers, Problem
from plugins.update.notice import Notice


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that waits."""

    sender: str
    notice: Notice
    since: datetime
    problems: tuple[Problem, ...]
    refused: bool = False
    """Its turn came, and a rule was against it; shown until a right one takes its place."""

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
    """The held notices of everybody."""

    def __init__(self, papers: Papers, alias: Callable[[str], str]) -> None:
        self._papers = papers
        self._alias = alias

    def turns(self, resident_code: str) -> list[Turn]:
        """Return who waits for this person, in the order of their turns, then of arrival."""
        turns = self._turns(self._alias(resident_code))
        return sorted(turns, key=lambda turn: turn.update_number)

    def open(self, turn: Turn) -> Held:
        """Return the notice that waits for this turn."""
        body = self._papers.get("held", _key(turn))
        if body is None:
            raise LookupError("a held notice that is listed is not there")
        return _read(body)

    def of_sender(self, sender: str) -> list[Held]:
        """Return who waits of what this municipality sent, in the order of sending."""
        return [_read(body) for _, body in self._papers.every("held", f"{sender}/")]

    def put(self, held: Held) -> None:
        """Let a notice wait, or write down what has become of one that does."""
        turn, person = held.turn, self._alias(held.notice.resident_code)
        self._papers.drop("held", _key(turn))
        self._papers.put("held", _key(turn), msgspec.to_builtins(held))
        if turn not in (turns := self._turns(person)):
            self._rewrite(person, [*turns, turn])

    def drop(self, held: Held) -> None:
        """Let a notice wait no longer."""
        person = self._alias(held.notice.resident_code)
        self._papers.drop("held", _key(held.turn))
        self._rewrite(person, [turn for turn in self._turns(person) if turn != held.turn])

    def _turns(self, person: str) -> list[Turn]:
        found = self._papers.get("waiting", person)
        return [] if found is None else [Turn(*turn) for turn in found["turns"]]

    def _rewrite(self, person: str, turns: list[Turn]) -> None:
        self._papers.drop("waiting", person)
        if turns:
            self._papers.put("waiting", person, {"turns": [list(turn) for turn in turns]})


def _key(turn: Turn) -> str:
    return f"{turn.sender}/{turn.sequence:016}"


def _read(body: dict[str, Any]) -> Held:
    return msgspec.convert(body, Held)
