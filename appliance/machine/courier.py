"""The courier: carries the outbox to the national server (全国サーバ), in order and at least once.

One thread. It looks whether a message waits (which opens nothing and is not entered), asks for the
messages down the same line as anybody (``relay/feed``, entered in the ledger with whom they are
about), posts them over mutual TLS, and remembers what was heard (``relay/acknowledge``)::

    POST {url}/v1/notify   {"messages": [{number, kind, the eight items}, ...]}
    200                    {"acknowledged": n}   it has everything up to n

Updates never wait for it. While the other side is down or answers nonsense it tries again, later
and later; a lost answer only repeats messages, which the receiver knows by their number.
"""

import http.client
import logging
import random
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from appliance.edge.problems import origin
from appliance.errors import Refusal
from appliance.model import OperationName
from appliance.operation import Arguments
from appliance.pipeline import Pipeline, utc_now
from storage.engine import Engine
from storage.errors import OutcomeUnknown

log = logging.getLogger(__name__)

DESTINATION = "national"
PATH = "/v1/notify"
FEED = OperationName("relay/feed")
ACKNOWLEDGE = OperationName("relay/acknowledge")
LARGEST_ANSWER = 64 * 1024

State = Literal["idle", "delivering", "failing", "stopped"]


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


class _Feed(Arguments, frozen=True, kw_only=True):
    after: int | None
    limit: int


class _Acknowledge(Arguments, frozen=True, kw_only=True):
    through: int


class _Heard(msgspec.Struct, frozen=True):
    acknowledged: int


@dataclass(frozen=True, slots=True)
class _Status:
    state: State = "idle"
    acknowledged: int | None = None
    last_error: str | None = None
    failing_since: datetime | None = None
    last_delivery: datetime | None = None
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
        self._pace = pace or Pace()
        self._link = Link(url, context, self._pace)
        self._on_unknown = on_unknown
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._sent: int | None = None
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

    def status(self) -> dict[str, object]:
        """Return how deliveries go; ``last_error`` is None while they go well."""
        status = self._status
        return {
            "state": status.state,
            "acknowledged": status.acknowledged,
            "last_error": status.last_error,
            "failing_since": _written(status.failing_since),
            "last_delivery": _written(status.last_delivery),
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
                self._went_well("idle")
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
        with self._engine.view() as view:
            return bool(view.parcels(DESTINATION, view.acknowledged(DESTINATION), 1))

    def _deliver(self) -> None:
        asked = _Feed(after=self._sent, limit=self._pace.batch)
        fed = self._pipeline.serve(FEED, asked, _request_id()).data
        messages = fed["messages"]
        self._status = replace(self._status, attempts=self._status.attempts + 1)
        answer = self._link.post(PATH, msgspec.json.encode({"messages": messages}))
        through = _understood(answer, fed["acknowledged"], fed["last"])
        self._sent = messages[-1]["number"]
        # It may have read ahead by itself. What it says counts once we have sent all of that too,
        # so that nothing is skipped because of a wrong answer.
        if through <= self._sent:
            self._sent = None
            self._pipeline.serve(ACKNOWLEDGE, _Acknowledge(through=through), _request_id())
            self._status = replace(self._status, acknowledged=through)
        self._status = replace(self._status, last_delivery=self._clock())
        self._went_well("delivering")

    def _went_well(self, state: State) -> None:
        self._failures = 0
        self._status = replace(self._status, state=state, last_error=None, failing_since=None)

    def _failed(self, error: str) -> float:
        self._link.close()
        self._sent = None
        self._failures += 1
        since = self._status.failing_since or self._clock()
        if error != self._status.last_error:
            log.warning("the outbox is not delivered: %s", error)
        self._status = replace(self._status, state="failing", last_error=error, failing_since=since)
        return self._pace.after(self._failures, self._chance())


class Link:
    """One connection to the national server, kept while there is something to send."""

    def __init__(self, url: str, context: ssl.SSLContext, pace: Pace) -> None:
        """Take the address apart.

        Raises:
            ValueError: it is not of the form ``https://host[:port]``.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("the address of the national server must be https://host:port")
        self._host, self._port = parts.hostname, parts.port or 443
        self._context = context
        self._pace = pace
        self._socket: ssl.SSLSocket | None = None
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes) -> bytes:
        """Post JSON; return the body of the answer.

        Raises:
            OSError, HTTPException: the other side is not reached, or not in time.
            Undelivered: it answered no, or more than we read.
        """
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        with self._in_time():
            connection = self._connection = self._connection or self._opened()
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = response.read(LARGEST_ANSWER + 1)
        if response.will_close:
            self.close()
        if response.status != http.client.OK:
            raise Undelivered(f"the national server answered {response.status}")
        if len(answer) > LARGEST_ANSWER:
            raise Undelivered("the national server answered more than is read")
        return answer

    def close(self) -> None:
        """Close the connection; the next post opens a new one."""
        connected, self._connection, self._socket = self._socket, None, None
        if connected is not None:
            connected.close()

    def hang_up(self) -> None:
        """Break off an exchange under way in another thread."""
        if (connected := self._socket) is not None:
            _cut(connected)

    def _opened(self) -> http.client.HTTPConnection:
        tcp = socket.create_connection((self._host, self._port), timeout=self._pace.connect)
        tcp.settimeout(self._pace.exchange)
        # It owns the connection from here on, whether or not the handshake goes well.
        self._socket = self._context.wrap_socket(
            tcp, server_hostname=self._host, do_handshake_on_connect=False
        )
        self._socket.do_handshake()
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = self._socket
        # It would open a new one in clear.
        connection.auto_open = 0
        return connection

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        # A socket's own timeout starts again with every byte that arrives.
        timer = threading.Timer(self._pace.exchange, self.hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _understood(answer: bytes, before: int, last: int) -> int:
    """Return up to which number the messages were heard.

    Raises:
        Undelivered: the answer says nothing, or what cannot be.
    """
    try:
        through = msgspec.json.decode(answer, type=_Heard).acknowledged
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Undelivered("the national server's answer is not understood") from None
    if through > last:
        raise Undelivered("the national server acknowledges what does not exist")
    if through < before:
        raise Undelivered("the national server has lost messages it had; it can read them again")
    if through == before:
        raise Undelivered("the national server took nothing")
    return through


def _cut(connected: ssl.SSLSocket) -> None:
    # Not SSLSocket.shutdown: it takes TLS away under the feet of the thread that reads.
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _request_id() -> str:
    return f"courier-{secrets.token_hex(8)}"


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
