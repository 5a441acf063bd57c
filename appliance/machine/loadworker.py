"""A process of a load that reads, judges and seals, and never has the store.

It is started anew (spawned), and given by its pipe what it needs: the names of the plugins, and the
keys by which versions, tokens and marks are made (``Charge``). Not the page key, not those of the
ledger, and never the root: nothing stands in its arguments or its environment.

::

    Judge  a piece of a file     ->  Judged lines, and by which identifiers they are known
    Seal   which of them, as whom  ->  everything of them that is written

What it says of a failure is where in our code it was, never what was worked on.
"""

import gc
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import pluggy

from appliance.errors import Problem
from appliance.firstload import FirstLoad, Occasion
from appliance.index import Index
from appliance.items import ItemName, Values, seal_form
from appliance.loading import admit, first_load, installed
from appliance.machine import host
from appliance.machine.loadfile import lines_of
from appliance.marks import Marker
from appliance.model import JST, Change, Message
from appliance.registry import encoded
from appliance.standing import until
from appliance.values.identifiers import Municipalities
from storage.engine import PersonId, VersionId
from storage.marks import MarkRow
from storage.sealing import Sealed, Sealer, SealingKeys

RESIDENT_CODE, MY_NUMBER = ItemName("resident_code"), ItemName("my_number")


@dataclass(frozen=True, slots=True, repr=False)
class Charge:
    """What a worker is given, once."""

    plugins: tuple[str, ...]
    sealing: SealingKeys
    index_root: bytes
    mark_root: bytes


class Judge(NamedTuple):
    """Judge the lines of a piece of a file."""

    number: int
    path: Path
    start: int
    size: int
    sender: str
    now: datetime


class Seal(NamedTuple):
    """Seal these lines of a piece that was judged, as persons from ``first`` on."""

    number: int
    first: PersonId
    lines: Sequence[int]


class Line(NamedTuple):
    """What one line came to."""

    sequence: int | None
    content: bytes
    code: bytes | None
    """By which the person is known; None if the line is refused."""
    my_number: bytes | None
    problems: tuple[Problem, ...]


class JudgedPiece(NamedTuple):
    """The lines of a piece, in order."""

    number: int
    lines: list[Line]


class SealedPiece(NamedTuple):
    """All that is written of a piece."""

    number: int
    sealed: Sealed
    marks: list[MarkRow]
    messages: list[tuple[str, str, int, bytes]]
    """Destination, kind, person, and note."""
    tallies: Counter[str]


class Failure(NamedTuple):
    """The worker cannot go on; where in our code."""

    where: str


Order = Judge | Seal
Answer = JudgedPiece | SealedPiece


def serve(pipe: Connection) -> None:
    """Do what the pipe says until it is closed: the whole life of a worker."""
    # The parent ends the load, and the workers with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    host.harden()
    try:
        worker = Worker(pipe.recv())
        # Hundreds of thousands of values come and go, none of them in a circle.
        gc.freeze()
        gc.disable()
        while True:
            pipe.send(worker.carry_out(pipe.recv()))
    except (EOFError, ConnectionError):
        return  # whoever it worked for is gone
    except Exception as problem:
        pipe.send(Failure(_where(problem)))


class Worker:
    """Carries out orders, one after another."""

    def __init__(self, charge: Charge) -> None:
        manager = admit(installed(charge.plugins))
        # As pluggy would ask them, without what that costs a million times.
        self._asked = {name: _askable(manager, name) for name in ("messages", "tallies")}
        self._plugin: FirstLoad = first_load(manager)[1]
        self._index = Index(charge.index_root, charge.sealing.token_bits)
        self._marker = Marker(charge.mark_root)
        self._sealer = Sealer(charge.sealing)
        self._municipalities = Municipalities.load()
        self._judged: dict[int, tuple[datetime, list[Values | None]]] = {}

    def carry_out(self, order: Order) -> Answer:
        """Return what an order comes to."""
        return self._judge(order) if isinstance(order, Judge) else self._seal(order)

    def _judge(self, order: Judge) -> JudgedPiece:
        occasion = Occasion(order.sender, self._municipalities, order.now)
        lines = lines_of(order.path, order.start, order.size)
        judged = [self._plugin.judge(line, occasion) for line in lines]
        self._judged[order.number] = order.now, [each.values for each in judged]
        return JudgedPiece(
            order.number,
            [
                Line(each.sequence, each.content, *self._known_by(each.values), each.problems)
                for each in judged
            ],
        )

    def _known_by(self, values: Values | None) -> tuple[bytes | None, bytes | None]:
        if values is None:
            return None, None
        number = values[MY_NUMBER]
        code = self._index.code(str(values[RESIDENT_CODE])).value
        own = None if number is None else self._index.number(str(number)).value
        return code, own  # type: ignore[return-value]  # identifiers are bytes

    def _messages(self, change: Change) -> Iterator[Message]:
        for ask in self._asked["messages"]:
            yield from ask(change=change)

    def _tallies(self, change: Change, today: date) -> Iterator[tuple[str, int]]:
        for ask in self._asked["tallies"]:
            yield from ask(change=change, today=today).items()

    def _seal(self, order: Seal) -> SealedPiece:
        now, judged = self._judged.pop(order.number)
        whole = [values for at in order.lines if (values := judged[at]) is not None]
        people = [(PersonId(order.first + at), values) for at, values in enumerate(whole)]
        tallies: Counter[str] = Counter()
        messages: list[tuple[str, str, int, bytes]] = []
        today = now.astimezone(JST).date()
        for person, values in people:
            change = Change(VersionId(person, 1), None, values, None, until(values))
            for m in self._messages(change):
                messages.append((m.destination, m.kind, person, encoded(m.note)))
            for name, by in self._tallies(change, today):
                tallies[name] += by
        sealed = [seal_form(values) for _, values in people]
        marks: list[MarkRow] = [
            (mark.group, mark.place, mark.digest, mark.person)
            for (person, values), cells in zip(people, sealed, strict=True)
            if (mark := self._marker.mark(person, values, cells)) is not None
        ]
        return SealedPiece(
            order.number,
            self._sealer.seal(
                (person, cells, self._index.compounds_of(values))
                for (person, values), cells in zip(people, sealed, strict=True)
            ),
            marks,
            messages,
            tallies,
        )


def _askable(manager: pluggy.PluginManager, hook: str) -> list[Callable[..., Any]]:
    """Return the answers of plugins to a question, in pluggy's order, by name of argument."""

    def by_name(implementation: pluggy.HookImpl) -> Callable[..., Any]:
        function, names = implementation.function, implementation.argnames
        return lambda **given: function(*(given[name] for name in names))

    found = getattr(manager.hook, hook).get_hookimpls()
    return [by_name(implementation) for implementation in reversed(found)]


def _where(problem: BaseException) -> str:
    """Return the kind of a problem and where it was raised; its text may hold values."""
    step = problem.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None:
        return type(problem).__name__
    name = Path(step.tb_frame.f_code.co_filename).name
    return f"{type(problem).__name__} at {name}:{step.tb_lineno}"


if __name__ == "__main__":
    # What crosses the pipe is known to the parent by the name of this module.
    from appliance.machine import loadworker

    loadworker.serve(Connection(int(sys.argv[1])))
