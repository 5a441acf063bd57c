"""Inquiries to the national server (全国サーバ) on the wire (R83 to R86).

::

    POST {url}/v1/inquire
         {"request_id": …, "basis": …, "purpose": …, "reason": …, "by": {…}, "items": […]}
    200  {"request_id": …, "request_hash": SHA-256 of the body asked, in hex,
          "result": "one" | "none" | "several", "resident": {exactly the items asked for}}

An answer that carries another hash is one to another question, and is not used. Only a few may wait
at once, so that a slow national server cannot take the threads that municipalities are served by;
after some failures in a row nobody is made to wait for a while.
"""

import http.client
import logging
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from appliance import wire
from appliance.errors import Malformed, Problem, Unavailable
from appliance.items import ItemName
from appliance.machine.link import Answer, Link, TooLong
from appliance.national import BASIS, NUMBERS, Fault, Found, Question, Result, bad_gateway
from appliance.vocabulary import AddressText, DateText, MyNumberText, NameText, SexText
from appliance.vocabulary import ResidentCodeText as CodeText

log = logging.getLogger(__name__)

PATH = "/v1/inquire"
LARGEST_ANSWER = 16 * 1024
TOO_MANY_REQUESTS = 429
ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=4, pattern="^[0-9]+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how many; times in seconds."""

    connect: float = 3.0
    exchange: float = 10.0
    """For a whole exchange, TLS handshake included."""
    waiting: int = 8
    """Inquiries under way at once, fewer than the threads that answer requests."""
    kept: float = 15.0
    """How long a connection is kept for the next inquiry."""
    failures: int = 3
    """After so many in a row the other side counts as down."""
    rest: float = 10.0
    """How long nobody is made to wait for it then."""


class _Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some of the eight items, each in its form (R27)."""

    resident_code: CodeText | msgspec.UnsetType = msgspec.UNSET
    name: NameText | msgspec.UnsetType = msgspec.UNSET
    birth_date: DateText | msgspec.UnsetType = msgspec.UNSET
    sex: SexText | msgspec.UnsetType = msgspec.UNSET
    address: AddressText | msgspec.UnsetType = msgspec.UNSET
    my_number: MyNumberText | msgspec.UnsetType | None = msgspec.UNSET
    reason: ReasonText | msgspec.UnsetType = msgspec.UNSET
    effective_date: DateText | msgspec.UnsetType = msgspec.UNSET


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    request_id: str
    request_hash: str
    result: Result
    resident: _Person | None = None


class NationalLine:
    """The line to the national server (``appliance.national.National``); any thread may ask.

    Args:
        url: ``https://host:port``.
        context: how we prove ourselves, and whom we believe (``tls.client_context``).
        patience: how long and how many.
        monotonic: seconds that only go forward.
    """

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext,
        patience: Patience | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._context = context
        self._patience = patience or Patience()
        self._monotonic = monotonic
        self._places = threading.BoundedSemaphore(self._patience.waiting)
        self._idle: deque[tuple[float, Link]] = deque()
        self._failures = 0
        self._until = 0.0

    def inquire(self, question: Question) -> Found:
        """Return what the national server answers, within the deadline.

        Raises:
            BadGateway: there is no answer, or not one to this question.
            Unavailable: too many wait already.
        """
        if self._monotonic() < self._until:
            raise bad_gateway("unreachable")
        body = _body(question)
        with self._place():
            answer = self._asked(body)
        if answer.status != http.client.OK:
            raise bad_gateway(_fault(answer.status))
        try:
            return _understood(answer.body, body, question)
        except (Malformed, msgspec.ValidationError, ValueError) as problem:
            # The kind of problem only: its text may quote an answer.
            log.error("the national server answered nonsense: %s", type(problem).__name__)
            raise bad_gateway("nonsense") from None

    def close(self) -> None:
        """Close the connections that wait for the next inquiry."""
        while self._idle:
            self._idle.popleft()[1].close()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Unavailable(
                "too many inquiries wait for the national server; ask again",
                (
                    Problem(
                        "too-many-waiting",
                        "national",
                        "全国サーバへの照会が混み合っています。時間をおいて照会してください。",
                    ),
                ),
            )
        try:
            yield
        finally:
            self._places.release()

    def _asked(self, body: bytes) -> Answer:
        link = self._link()
        try:
            answer = link.post_again(PATH, body)
        except TimeoutError:
            link.close()
            self._failed()
            raise bad_gateway("timed-out") from None
        except (OSError, http.client.HTTPException) as problem:
            link.close()
            log.warning("the national server is not reached: %s", type(problem).__name__)
            self._failed()
            raise bad_gateway("unreachable") from None
        except TooLong:
            raise bad_gateway("nonsense") from None
        self._failures = 0
        if link.is_open:
            self._idle.append((self._monotonic() + self._patience.kept, link))
        return answer

    def _link(self) -> Link:
        """Return a kept connection that is still fresh, or a new one."""
        while self._idle:
            try:
                until, link = self._idle.pop()
            except IndexError:
                break  # another thread took it
            if self._monotonic() < until:
                return link
            link.close()
        return Link(
            self._url,
            self._context,
            connect=self._patience.connect,
            exchange=self._patience.exchange,
            largest=LARGEST_ANSWER,
        )

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._patience.failures:
            self._until = self._monotonic() + self._patience.rest


def _body(question: Question) -> bytes:
    return msgspec.json.encode(
        {
            "request_id": question.request_id,
            "basis": BASIS,
            "purpose": question.purpose,
            "reason": question.reason,
            "by": dict(question.by),
            "items": list(question.items),
        }
    )


def _fault(status: int) -> Fault:
    if status >= http.client.INTERNAL_SERVER_ERROR or status == TOO_MANY_REQUESTS:
        return "unreachable"
    return "refused" if status >= http.client.BAD_REQUEST else "nonsense"


def _understood(answer: bytes, body: bytes, question: Question) -> Found:
    """Return the answer to the question whose body this is.

    Raises:
        Malformed, ValidationError, ValueError: it is not one.
    """
    told = msgspec.convert(wire.decode(wire.JSON, answer), _Told)
    if told.request_id != question.request_id or told.request_hash != sha256(body).hexdigest():
        raise ValueError("the answer is to another request")
    values = _values(told.resident)
    if set(values) != (set(question.items) if told.result == "one" else set()):
        raise ValueError("not the items asked for")
    for key in NUMBERS:
        if key in question.by and values.get(ItemName(key), question.by[key]) != question.by[key]:
            raise ValueError("the answer is about somebody else")
    return Found(told.result, values)


def _values(person: _Person | None) -> Mapping[ItemName, Any]:
    given = {} if person is None else msgspec.structs.asdict(person)
    return {ItemName(k): value for k, value in given.items() if value is not msgspec.UNSET}
