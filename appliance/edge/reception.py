"""The one thread that waits for callers, so that no worker ever does.

A connection walks this line; every step has an absolute deadline (``limits.py``)::

    accept ── HANDSHAKE ── IDLE ── HEAD ── BODY ── WORK ── SENDING ── IDLE …
                                     │       │               │
                                     └───────┴─ turned away ─┴─ LINGER ── closed

TLS handshakes, reading, and sending what the network did not take at once happen here, without
blocking. A worker gets a request only when it is complete, and gives back a complete answer. So
silent, slow and half-shaken callers cost a place and some memory, never a worker; and places are
kept for those who prove themselves: when all are taken, the unproven make room, then the idle.

Who has a caller owns it alone: the reception in every phase but WORK, and in WORK one other thread,
until ``give_back``. The kernel holds events back until they are armed again (``EPOLLONESHOT``).
"""

import contextlib
import logging
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from appliance.certificates import BadCertificate
from appliance.edge.caller import BUSY, Caller, Phase
from appliance.edge.limits import Limits
from appliance.edge.places import Places
from appliance.edge.problems import TLS, Early, TurnedAway, busy, malformed
from appliance.edge.strict import Head, read_head

log = logging.getLogger(__name__)

ACCEPTS_AT_ONCE = 32
READS_AT_ONCE = 16
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TO_READ = select.EPOLLIN | select.EPOLLONESHOT
TO_WRITE = select.EPOLLOUT | select.EPOLLONESHOT


class Desk(Protocol):
    """Where the reception hands things over; none of it may block."""

    def put_request(self, caller: Caller, head: Head) -> None:
        """Take a complete request to be answered; ``give_back`` follows.

        Raises:
            TurnedAway: too many are waiting.
        """

    def put_refusal(self, caller: Caller, refusal: TurnedAway) -> None:
        """Take a caller to be told why not; ``give_back`` follows."""

    def put_note(self, early: Early) -> None:
        """Take a remark about somebody who cannot be told anything."""


@dataclass(frozen=True, slots=True)
class House:
    """What a reception works with."""

    desk: Desk
    limits: Limits
    context: Callable[[], ssl.SSLContext | None]
    """How new connections are secured; None for a port that only this machine reaches."""
    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic


class Reception:
    """Accepts, shakes hands, reads, hands over, and sees off."""

    def __init__(self, listener: socket.socket, house: House) -> None:
        self._listener = listener
        self._desk = house.desk
        self._limits = house.limits
        self._house = house
        self._now = house.monotonic
        self._places = Places(house.limits)
        self._accepting = False
        self._draining = False
        self._stopping = False
        self._stopped = threading.Event()
        self._stopped.set()
        self._epoll = select.epoll()
        listener.setblocking(False)

    # For other threads

    def run(self, _interval: float = 0) -> None:
        """Attend to everybody until ``stop``; the loop of the serving thread."""
        self._stopped.clear()
        next_round = self._now()
        try:
            while not self._stopping:
                if self._now() >= next_round:
                    self._go_round()
                    next_round = self._now() + self._limits.tick_seconds
                for number, _ in self._epoll.poll(self._limits.tick_seconds):
                    self._attend(number)
        finally:
            self._stopped.set()

    def give_back(self, caller: Caller) -> None:
        """Send the answer, then wait for the next request or see the caller off."""
        self._places.release(caller)
        caller.deadline = self._now() + self._limits.reply_seconds
        self._send(caller)

    def close_caller(self, caller: Caller) -> None:
        """Forget a connection; for the thread that owns it."""
        if self._places.leave(caller):
            caller.say_goodbye()
            with contextlib.suppress(OSError):
                caller.sock.close()

    @property
    def is_leaving(self) -> bool:
        """True when no connection is kept for another request."""
        return self._draining or self._stopping

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._places)

    def drain(self, seconds: float) -> bool:
        """Accept nobody, let what is under way end; return whether it all did in time."""
        self._draining = True
        end = self._now() + seconds
        # The rounds close who is idle; a request could still begin on what they have not closed.
        while any(caller.phase is not Phase.LINGER for caller in self._places.everybody()):
            if self._stopped.is_set() or self._now() >= end:
                return False
            time.sleep(0.005)
        return True

    def stop(self) -> None:
        """End ``run``, and return when it has ended."""
        self._stopping = True
        self._stopped.wait()

    def close(self) -> None:
        """Close every connection, whoever owns it; nothing is given back after this."""
        for caller in self._places.everybody():
            self.close_caller(caller)
        self._epoll.close()

    # The serving thread: one event

    def _attend(self, number: int) -> None:
        if number == self._listener.fileno():
            self._accept()
            return
        caller = self._places.caller(number)
        if caller is None or caller.phase is Phase.WORK:
            return
        try:
            self._step(caller)
        except (ssl.SSLWantReadError, BlockingIOError):
            self._arm(caller, caller.phase, TO_READ)
        except ssl.SSLWantWriteError:
            self._arm(caller, caller.phase, TO_WRITE)
        except TurnedAway as refusal:
            self._turn_away(caller, refusal)
        except (OSError, BadCertificate) as problem:
            self._lose(caller, problem)

    def _step(self, caller: Caller) -> None:
        match caller.phase:
            case Phase.HANDSHAKE:
                self._shake_hands(caller)
                self._read(caller)
            case Phase.SENDING:
                self._send(caller)
            case Phase.LINGER:
                if caller.ignore():
                    self._arm(caller, Phase.LINGER, TO_READ)
                else:
                    self.close_caller(caller)
            case _:
                self._read(caller)

    def _accept(self) -> None:
        """Accept who is there; when all places are taken, one at a time instead of another."""
        if self._places.full and not self._make_room():
            self._pause()  # all are busy: newcomers wait in the kernel's queue
            return
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                sock, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as problem:  # no descriptors left
                log.warning("cannot accept connections: %s", problem.strerror)
                self._pause()
                return
            self._welcome(sock, str(address[0]))
            if self._places.full:
                return

    def _welcome(self, sock: socket.socket, address: str) -> None:
        try:
            sock.setblocking(False)
            context = self._house.context()
            phase = Phase.IDLE
            if context is not None:
                phase = Phase.HANDSHAKE
                sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except OSError:  # gone already
            sock.close()
            return
        seconds = self._limits.handshake_seconds if context else self._limits.idle_seconds
        caller = Caller(sock, address, phase, self._now() + seconds)
        self._places.enter(caller)
        self._epoll.register(caller.number, TO_READ)

    def _make_room(self) -> bool:
        """Close the oldest unproven connection, or else the longest idle; False if all are busy."""
        unproven = [
            c for c in self._places.unproven() if c.phase not in (Phase.WORK, Phase.SENDING)
        ]
        idle = [c for c in self._places.everybody() if c.phase is Phase.IDLE]
        idle.sort(key=lambda caller: caller.deadline)
        expendable = next(iter((*unproven, *idle)), None)
        if expendable is None:
            return False
        self.close_caller(expendable)
        return True

    def _shake_hands(self, caller: Caller) -> None:
        caller.shake_hands()
        caller.phase = Phase.IDLE
        if self._places.prove(caller):
            caller.deadline = self._now() + self._limits.idle_seconds
            return
        caller.unwelcome = busy("this certificate has too many connections open")
        caller.deadline = self._now() + self._limits.head_seconds

    def _read(self, caller: Caller) -> None:
        for _ in range(READS_AT_ONCE):
            if not caller.receive():
                self._end(caller)
                return
            if caller.phase is Phase.IDLE:
                caller.phase = Phase.HEAD
                caller.deadline = self._now() + self._limits.head_seconds
            if caller.phase is Phase.HEAD:
                self._read_head(caller)
            head = caller.head
            if head is not None and caller.has_body(head.length):
                caller.phase = Phase.WORK
                self._desk.put_request(caller, head)
                return
        self._arm(caller, caller.phase, TO_READ)

    def _end(self, caller: Caller) -> None:
        if caller.phase is not Phase.IDLE:
            raise malformed("the connection ended before the request did")
        self.close_caller(caller)

    def _read_head(self, caller: Caller) -> None:
        data = caller.take_head(self._limits.head_bytes)
        if data is None:
            return
        head = read_head(data, self._limits.body_bytes)
        self._admit(caller, head)
        caller.head = head
        caller.phase = Phase.BODY
        caller.deadline = self._now() + self._limits.body_seconds
        if head.expects_continue:
            caller.sock.send(CONTINUE)

    def _admit(self, caller: Caller, head: Head) -> None:
        if caller.unwelcome is not None:
            raise caller.unwelcome
        if caller.peer is not None and not caller.peer.is_in_force(self._house.clock()):
            raise TurnedAway(
                HTTPStatus.FORBIDDEN,
                "certificate-expired",
                "the certificate has expired, or is not valid yet",
            )
        if not self._places.reserve(caller, head.length):
            raise busy("too much is being sent to the appliance")

    # Leaving

    def _send(self, caller: Caller) -> None:
        """Send the answer, now or when the network takes it. Any thread that owns the caller."""
        try:
            all_sent = caller.send()
        except (BlockingIOError, ssl.SSLWantWriteError):
            all_sent = False
        except OSError:
            self.close_caller(caller)
            return
        if all_sent:
            self._after_answer(caller)
        else:
            self._arm(caller, Phase.SENDING, TO_WRITE)

    def _after_answer(self, caller: Caller) -> None:
        caller.head = None
        if caller.lingers:
            # Closing while bytes are unread would reset the connection, and the answer with it.
            self._linger(caller)
        elif caller.closes or self.is_leaving:
            self.close_caller(caller)
        else:
            caller.deadline = self._now() + self._limits.idle_seconds
            self._arm(caller, Phase.IDLE, TO_READ)

    def _linger(self, caller: Caller) -> None:
        caller.say_goodbye()
        caller.deadline = self._now() + self._limits.linger_seconds
        self._arm(caller, Phase.LINGER, TO_READ)

    def _turn_away(self, caller: Caller, refusal: TurnedAway) -> None:
        caller.phase = Phase.WORK
        self._desk.put_refusal(caller, refusal)

    def _lose(self, caller: Caller, problem: Exception) -> None:
        if caller.phase is Phase.HANDSHAKE:
            self._desk.put_note(Early(code=TLS, text=_reason(problem), address=caller.address))
            self._linger(caller)
        else:
            self.close_caller(caller)

    # Rounds

    def _go_round(self) -> None:
        """Act on deadlines that have passed, and on being asked to leave."""
        if self.is_leaving:
            self._pause()
            self._listener.close()
        elif not self._accepting:
            self._epoll.register(self._listener.fileno(), select.EPOLLIN)
            self._accepting = True
        now = self._now()
        for caller in self._places.everybody():
            if caller.phase is Phase.WORK:
                continue
            if caller.deadline <= now or (self.is_leaving and caller.phase not in BUSY):
                self._give_up(caller)

    def _give_up(self, caller: Caller) -> None:
        match caller.phase:
            case Phase.HEAD | Phase.BODY:
                late = TurnedAway(
                    HTTPStatus.REQUEST_TIMEOUT, "request-timeout", "the request took too long"
                )
                self._turn_away(caller, late)
                return
            # Whoever is only seen off because we are leaving has done nothing wrong.
            case Phase.HANDSHAKE if not self.is_leaving:
                self._desk.put_note(
                    Early(code=TLS, text="no handshake in time", address=caller.address)
                )
            case _:
                pass
        self.close_caller(caller)

    def _pause(self) -> None:
        """Accept nobody until the next round."""
        if self._accepting:
            self._epoll.unregister(self._listener.fileno())
            self._accepting = False

    def _arm(self, caller: Caller, phase: Phase, events: int) -> None:
        """Make the reception the owner, to go on at an event of this kind."""
        caller.phase = phase
        try:
            self._epoll.modify(caller.number, events)
        except (OSError, ValueError):  # the house was closed meanwhile
            self.close_caller(caller)


def _reason(problem: Exception) -> str:
    """Return OpenSSL's own words for what went wrong; nothing the caller wrote."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"{problem.reason} ({problem.verify_message})"
    if isinstance(problem, ssl.SSLError):
        return str(problem.reason)
    return type(problem).__name__
