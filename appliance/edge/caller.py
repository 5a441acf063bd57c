"""One connection as the reception sees it: where it stands, what arrived, what has not left yet."""

import contextlib
import socket
import ssl
from enum import Enum, auto

from appliance.edge.problems import TurnedAway, malformed
from appliance.edge.strict import Head, find_end
from appliance.edge.tls import peer_of
from appliance.model import Peer

READ_BYTES = 64 * 1024
"""More than a TLS record, so that nothing stays behind in the TLS layer, unseen by the kernel."""


SENDS_AT_ONCE = 64
"""TLS records, of 16 KiB; then it is the turn of others."""


class Phase(Enum):
    """Where a connection stands; ``reception.py`` draws the line it walks."""

    HANDSHAKE = auto()
    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    WORK = auto()
    SENDING = auto()
    LINGER = auto()


BUSY = frozenset({Phase.HEAD, Phase.BODY, Phase.WORK, Phase.SENDING})
"""Phases in which a request is under way."""


class Caller:
    """A connection that never waits: a call takes or gives what is possible now.

    Methods that touch the socket raise OSError; of these ``BlockingIOError``,
    ``ssl.SSLWantReadError`` and ``ssl.SSLWantWriteError`` mean "not now, ask again".
    """

    def __init__(self, sock: socket.socket, address: str, phase: Phase, deadline: float) -> None:
        self.sock = sock
        self.number = sock.fileno()
        self.address = address
        self.phase = phase
        self.deadline = deadline
        self.peer: Peer | None = None
        self.unwelcome: TurnedAway | None = None
        """What any request is answered with, whatever it asks."""
        self.head: Head | None = None
        self.reserved = 0
        """Bytes of memory set aside for the body that was announced."""
        self.closes = False
        """The connection ends with this answer."""
        self.lingers = False
        """The caller may still be talking when the answer is sent."""
        self._arrived = bytearray()
        self._searched = 0
        self._outgoing = bytearray()

    @property
    def fingerprint(self) -> str | None:
        """The certificate's name in the terminal register, once it is proven."""
        return None if self.peer is None else self.peer.fingerprint

    def shake_hands(self) -> None:
        """Go on with the handshake; when this returns, it is done and ``peer`` is known.

        Raises:
            BadCertificate: OpenSSL accepted a certificate that cannot be read.
        """
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()
            self.peer = peer_of(self.sock)

    def receive(self) -> bool:
        """Take what has arrived; return False at the end of the stream."""
        chunk = self.sock.recv(READ_BYTES)
        self._arrived += chunk
        return bool(chunk)

    def take_head(self, most: int) -> bytes | None:
        """Return the head of the request once it is complete; what follows it stays.

        Raises:
            TurnedAway: it cannot become one.
        """
        end = find_end(self._arrived, self._searched, most)
        self._searched = len(self._arrived)
        if not end:
            return None
        head = bytes(self._arrived[:end])
        del self._arrived[:end]
        return head

    def has_body(self, length: int) -> bool:
        """Return whether the body is complete.

        Raises:
            TurnedAway: there is more than was announced. Nobody of ours sends a second request
                before the first is answered; whoever does it may mean something else by the border.
        """
        if len(self._arrived) > length:
            raise malformed("more was sent than Content-Length says")
        return len(self._arrived) == length

    def take_body(self) -> bytes:
        """Return the body, and be ready for the next request."""
        body = bytes(self._arrived)
        self._arrived.clear()
        self._searched = 0
        return body

    def answer(self, data: bytes | bytearray, *, closes: bool, lingers: bool = False) -> None:
        """Set what is sent next; what came of the request is not needed any more."""
        self._arrived.clear()
        self._outgoing += data
        self.closes = closes
        self.lingers = lingers

    def send(self) -> bool:
        """Send some of what is left of the answer; return whether all of it is on its way."""
        for _ in range(SENDS_AT_ONCE):
            if not self._outgoing:
                return True
            sent = self.sock.send(self._outgoing)
            del self._outgoing[:sent]
        return not self._outgoing

    def ignore(self) -> bool:
        """Throw away what arrives, without deciphering it; return False at the end."""
        return bool(socket.socket.recv(self.sock, READ_BYTES))

    def say_goodbye(self) -> None:
        """Tell the other side that nothing follows. Never raises, never waits."""
        if isinstance(self.sock, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.sock.unwrap()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
