"""One person in two sessions at a time, or in two places: somebody else is at one of them.

A terminal left logged in, or a 操作者ID that was lent. The server lets no 操作者ID work at two
terminals; whoever tries again and again is told of too.
"""

from collections.abc import Iterator

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.findings import MOST_EVIDENCE, Detector, Finding, Surroundings
from plugins.watching.uses import LOGIN, LOGOUT, Use

REFUSED = "conflict"


class Live(msgspec.Struct):
    """A session that is in use."""

    terminal: str
    since: int
    seconds: int
    index: int


class Turns(msgspec.Struct):
    """How often one person has gone back to a session while another was in use."""

    seconds: int
    returns: int = 0
    indices: list[int] = []


class Refused(msgspec.Struct, array_like=True):
    """A login that was refused because of another terminal."""

    index: int
    day: int
    terminal: str


class State(msgspec.Struct):
    """What is in use, by 照合ID."""

    live: dict[str, dict[str, Live]] = {}
    turns: dict[str, Turns] = {}
    refused: dict[str, list[Refused]] = {}


class Overlap(Detector[State]):
    """Tells of sessions in turn, of places too far apart, and of logins that were refused."""

    name = "overlap"

    def __init__(self, rule: thresholds.Overlap) -> None:
        self._rule = rule
        self.state = State()

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Hold a use against the other sessions of the same person."""
        if use.operation.startswith(LOGIN) and use.refusal == REFUSED and use.tried:
            yield from self._refused(use)
        if not use.person or not use.session:
            return
        sessions = self.state.live.setdefault(use.person, {})
        self._forget(sessions, use.seconds)
        mine = sessions.get(use.session)
        others = sorted(
            (each for key, each in sessions.items() if key != use.session),
            key=lambda each: each.index,
        )
        yield from self._far(use, mine, others, around)
        if mine is not None:
            yield from self._returned(use, mine, others)
        if use.operation == LOGOUT:
            sessions.pop(use.session, None)
        else:
            since = mine.since if mine else use.seconds
            sessions[use.session] = Live(use.terminal, since, use.seconds, use.index)

    def day_over(self, day: int) -> Iterator[Finding]:
        """Forget logins that were refused, and who has no session."""
        self.state.refused.clear()
        for person in [who for who, sessions in self.state.live.items() if not sessions]:
            del self.state.live[person]
        yield from ()

    def _returned(self, use: Use, mine: Live, others: list[Live]) -> Iterator[Finding]:
        between = [
            each for each in others if each.terminal != use.terminal and each.seconds > mine.seconds
        ]
        if not between:
            return
        turns = self.state.turns.get(use.person)
        if turns is None or turns.seconds < use.seconds - self._rule.hours * 3600:
            turns = self.state.turns[use.person] = Turns(use.seconds, 0, [])
        turns.returns += 1
        indices = {*turns.indices, mine.index, use.index, *(each.index for each in between)}
        turns.indices = sorted(indices)[-MOST_EVIDENCE:]
        if turns.returns >= self._rule.returns:
            terminals = {use.terminal, *(each.terminal for each in between)}
            yield self._finding(
                use, "returns", terminals, turns.indices, {"returns": turns.returns}
            )

    def _far(
        self, use: Use, mine: Live | None, others: list[Live], around: Surroundings
    ) -> Iterator[Finding]:
        here = around.places.get(use.terminal, "")
        since = use.seconds - self._rule.travel_minutes * 60
        for other in others:
            there = around.places.get(other.terminal, "")
            if here and there and here != there and other.seconds >= since:
                figures = {"seconds_between": use.seconds - other.seconds}
                terminals = {use.terminal, other.terminal}
                yield self._finding(use, "places", terminals, [other.index, use.index], figures)
                return

    def _refused(self, use: Use) -> Iterator[Finding]:
        refused = self.state.refused.setdefault(use.tried, [])
        refused.append(Refused(use.index, use.day, use.terminal))
        if len(refused) >= self._rule.refused_logins:
            yield Finding(
                detector=self.name,
                key=f"{use.tried}/refused/{use.day}",
                day=use.day,
                persons=(use.tried,),
                terminals=tuple(sorted({each.terminal for each in refused})),
                figures={"refused_logins": len(refused)},
                evidence=tuple(each.index for each in refused)[-MOST_EVIDENCE:],
            )

    def _forget(self, sessions: dict[str, Live], now: int) -> None:
        since = now - self._rule.hours * 3600
        for key in [key for key, live in sessions.items() if live.seconds < since]:
            del sessions[key]

    def _finding(
        self, use: Use, how: str, terminals: set[str], indices: list[int], figures: dict[str, int]
    ) -> Finding:
        return Finding(
            detector=self.name,
            key=f"{use.person}/{how}/{use.day}",
            day=use.day,
            persons=(use.person,),
            operators=(use.operator,),
            offices=(use.office,),
            terminals=tuple(sorted(terminals)),
            figures=dict(figures),
            evidence=tuple(indices),
        )
