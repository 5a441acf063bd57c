"""The courier: carries the outbox to the national server (全国サーバ), in order and at least once.

One thread. It looks whether a message waits (which opens nothing and is not entered), asks for the
messages down the same line as anybody (``relay/feed``, entered in the ledger with whom they are
about), posts them over mutual TLS, and remembers what was heard (``relay/acknowledge``)::

    POST {url}/v1/notify   {"messages": [{number, kind, the eight items}, ...]}
    200                    {"request_hash": SHA-256 of the body asked, in hex,
                            "acknowledged": n,    it has heard everything up to n
                            "results": [{number, outcome, rule}, ...]}   one a message, in order

``outcome`` is *taken*, *known* (it had it already) or *refused* by a rule of its own. A refused
message would be refused for ever, and every message tells all eight items of its person: so it is
set aside for staff to see (``relay/cases``) and the others go on. If everything is refused, that is
no matter of single messages: ``relay/acknowledge`` allows only so many, and then the line stops.
Where a whole batch is answered 400, 413 or 422, fewer and fewer are sent until it is one message; a
422 to one message is a refusal too, anything else stops the line and names it.

Updates never wait for it. While the other side is down, answers nonsense or is under maintenance,
messages wait in the outbox; it tries again, later and later. A lost answer only repeats messages,
which the receiver knows by their number.
"""

import http.client
import logging
import random
import secrets
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec

from appliance.edge.problems import origin
from appliance.errors import Refusal
from appliance.machine.link import Link, TooLong
from appliance.model import OperationName
from appliance.national import maintenance
from appliance.operation import Arguments
from appliance.outgoing import Backlog, backlog
from appliance.parts import utc_now
from appliance.pipeline import Pipeline
from storage.engine import Engine
from storage.errors import OutcomeUnknown

log = logging.getLogger(__name__)

DESTINATION = "national"
PATH = "/v1/notify"
FEED = OperationName("relay/feed")
ACKNOWLEDGE = OperationName("relay/acknowledge")
LARGEST_ANSWER = 256 * 1024

UNACCEPTABLE = frozenset({400, 413, 422})
"""Statuses of a batch that may be the fault of one message, or of its size."""
NOTHING = Backlog(0, 0, None)

State = Literal["idle", "delivering", "failing", "paused", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often, how much, how long; times in seconds."""

    look: float = 1.0
    """Between two looks at an empty outbox."""
    first: float = 1.0
    """After the first failure; doubled after each further one."""
    longest: float = 300.0
    connect: float = 5.0
    exchange: float = 30.0
    """For a whole exchange, TLS handshake included, however slowly bytes arrive."""
    batch: int = 500

    def after(self, failures: int, chance: float) -> float:
        """Return how long to wait; ``chance`` (0 to 1) keeps 47 couriers from coming together."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 30)) * (0.5 + chance / 2)


class Undelivered(Exception):
    """The national server did not take the messages; the text is ours."""


class Refused(Arguments, frozen=True, kw_only=True):
    """A message that the national server will never take, and the number of its rule."""

    number: int
    rule: str


class _Feed(Arguments, frozen=True, kw_only=True):
    limit: int


class _Acknowledge(Arguments, frozen=True, kw_only=True):
    through: int
    refused: tuple[Refused, ...]


class _Result(msgspec.Struct, frozen=True):
    number: int
    outcome: Literal["taken", "known", "refused"]
    rule: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{1,16}$")] = "unnamed"


class _Heard(msgspec.Struct, frozen=True):
    request_hash: str
    acknowledged: int
    results: tuple[_Result, ...]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Messages as they leave."""

    body: bytes
    numbers: tuple[int, ...]

    @property
    def hash(self) -> str:
        """What an answer to this batch carries."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class _Status:
    state: State = "idle"
    backlog: Backlog = NOTHING
    last_error: str | None = None
    failing_since: datetime | None = None
    last_delivery: datetime | None = None
    paused_until: datetime | None = None
    attempts: int = 0


class Courier:
    """Delivers while it runs; ``start``, ``stop`` and ``status`` may be called from any thread.

    Args:
        pipeline: the line that messages are asked for on.
        engine: where to look whether something waits.
        url: ``https://host:port`` of the national server.
        context: how we prove ourselves, and whom we believe (``tls.client_context``).
        on_unknown: told once, from the courier's thread, that a commit failed on its way to disk.
        clock: the time.
        pace: how often and how long.
        chance: random numbers from 0 to 1.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        engine: Engine,
        *,
        url: str,
        context: ssl.SSLContext,
        on_unknown: Callable[[], None],
        clock: Callable[[], datetime] = utc_now,
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._pipeline = pipeline
        self._engine = engine
        self._pace = pace = pace or Pace()
        self._link = Link(
            url, context, connect=pace.connect, exchange=pace.exchange, largest=LARGEST_ANSWER
        )
        self._on_unknown = on_unknown
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._batch: _Batch | None = None
        self._most = pace.batch
        self._status = _Status()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """Finish or break off the exchange under way, and end."""
        self._ending.set()
        while self._thread.is_alive():
            self._link.hang_up()
            self._thread.join(0.1)

    def status(self) -> dict[str, Any]:
        """Return how deliveries go; ``last_error`` is None while they go well."""
        status = self._status
        return {
            "state": status.state,
            "acknowledged": status.backlog.acknowledged,
            "depth": status.backlog.depth,
            "oldest_age": status.backlog.age(self._clock()),
            "last_error": status.last_error,
            "failing_since": _written(status.failing_since),
            "last_delivery": _written(status.last_delivery),
            "paused_until": _written(status.paused_until),
            "attempts": status.attempts,
        }

    def _run(self) -> None:
        wait = 0.0
        try:
            while not self._ending.wait(wait):
                wait = self._turn()
        except OutcomeUnknown:
            log.critical("the store stopped after a failed commit; nothing more is delivered")
            self._on_unknown()
        finally:
            self._link.close()
            self._status = replace(self._status, state="stopped")

    def _turn(self) -> float:
        """Deliver one batch if there is one; return how long to wait then."""
        try:
            if not self._something_waits():
                self._link.close()
                return self._pace.look
            self._deliver()
        except OutcomeUnknown:
            raise
        except Refusal as refusal:
            return self._failed(f"not told: {refusal.code}")
        except Undelivered as problem:
            return self._failed(str(problem))
        except (OSError, http.client.HTTPException) as problem:
            return self._failed(f"the national server is not reached: {type(problem).__name__}")
        except Exception as bug:
            log.error("the courier failed: %s", origin(bug))
            return self._failed(f"a fault of the appliance: {type(bug).__name__}")
        return 0.0

    def _something_waits(self) -> bool:
        """Look; whether there is something to deliver, and nobody said to wait with it."""
        with self._engine.view() as view:
            waiting = backlog(view, DESTINATION)
            paused = maintenance(view, self._clock())
        until = paused.until if paused else None
        self._status = replace(self._status, backlog=waiting, paused_until=until)
        if paused is not None:
            self._went_well("paused")
            return False
        if waiting.depth == 0:
            self._went_well("idle")
        return waiting.depth > 0

    def _deliver(self) -> None:
        # What could not be delivered is kept for the next try: opened once, entered once.
        batch = self._batch = self._batch or self._fed()
        self._status = replace(self._status, attempts=self._status.attempts + 1)
        asked = _understood(self._heard(batch), batch, self._status.backlog)
        self._pipeline.serve(ACKNOWLEDGE, asked, _request_id())
        self._batch, self._most = None, min(self._pace.batch, self._most * 2)
        self._status = replace(self._status, last_delivery=self._clock())
        self._went_well("delivering")

    def _fed(self) -> _Batch:
        fed = self._pipeline.serve(FEED, _Feed(limit=self._most), _request_id()).data
        numbers = tuple(message["number"] for message in fed["messages"])
        return _Batch(msgspec.json.encode({"messages": fed["messages"]}), numbers)

    def _heard(self, batch: _Batch) -> _Heard:
        """Post; return what is said to have been heard.

        Raises:
            Undelivered: the answer is a no, or not understood.
            OSError, HTTPException: there is none.
        """
        try:
            answer = self._link.post(PATH, batch.body)
        except TooLong:
            raise Undelivered("the national server answered more than is read") from None
        if answer.status in UNACCEPTABLE:
            return self._narrowed(batch, answer.status)
        if answer.status != http.client.OK:
            raise Undelivered(f"the national server answered {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=_Heard)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Undelivered("the national server's answer is not understood") from None

    def _narrowed(self, batch: _Batch, status: int) -> _Heard:
        """Find the one message because of which a whole batch is not taken, half by half.

        Raises:
            Undelivered: it is not found yet, or the whole way of asking is at fault.
        """
        if len(batch.numbers) > 1:
            self._batch, self._most = None, len(batch.numbers) // 2
            raise Undelivered(f"the national server answered {status}; fewer are sent at once")
        (number,) = batch.numbers
        if status != http.client.UNPROCESSABLE_ENTITY:
            raise Undelivered(f"the national server answered {status} to message {number}")
        refused = _Result(number, "refused", f"http-{status}")
        return _Heard(batch.hash, number, (refused,))

    def _went_well(self, state: State) -> None:
        self._failures = 0
        self._status = replace(self._status, state=state, last_error=None, failing_since=None)

    def _failed(self, error: str) -> float:
        self._link.close()
        self._failures += 1
        since = self._status.failing_since or self._clock()
        if error != self._status.last_error:
            log.warning("the outbox is not delivered: %s", error)
        self._status = replace(self._status, state="failing", last_error=error, failing_since=since)
        return self._pace.after(self._failures, self._chance())


def _understood(heard: _Heard, batch: _Batch, waiting: Backlog) -> _Acknowledge:
    """Return what of a batch was heard, and what of that was refused.

    Raises:
        Undelivered: the answer is to another request, or says what cannot be.
    """
    if heard.request_hash != batch.hash:
        raise Undelivered("the national server answered another request")
    if heard.acknowledged > waiting.last:
        raise Undelivered("the national server acknowledges what does not exist")
    if heard.acknowledged < waiting.acknowledged:
        raise Undelivered("the national server has lost messages it had; it can read them again")
    told = tuple(result.number for result in heard.results)
    if told != batch.numbers[: len(told)]:
        raise Undelivered("the national server answers about other messages, or out of order")
    if not told:
        raise Undelivered("the national server took nothing")
    if heard.acknowledged < told[-1]:
        raise Undelivered("the national server contradicts itself")
    refused = tuple(
        Refused(number=result.number, rule=result.rule)
        for result in heard.results
        if result.outcome == "refused"
    )
    return _Acknowledge(through=told[-1], refused=refused)


def _request_id() -> str:
    return f"courier-{secrets.token_hex(8)}"


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
