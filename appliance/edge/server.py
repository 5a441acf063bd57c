"""The server of one port: cheroot's workers and WSGI behind our own reception.

::

    reception thread    accept, TLS, strict reading, deadlines         reception.py
        │ complete requests                 │ refusals
    worker threads                      refusing thread
        WSGI app (http.py, sysport.py)      journal, then problem+json
        └──────────── complete answers ─────┘
                          │
    reception thread    sending, next request

Taken over from cheroot (pinned; these are its inner parts): binding, the worker pool, the WSGI
gateway and the response half of ``HTTPRequest``. Replaced: its connection manager, which shakes
hands in the accepting thread and reads in the workers, and its request parser, which is lenient.
"""

import io
import logging
import os
import queue
import ssl
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from cheroot.server import HTTPRequest, HTTPServer
from cheroot.workers import threadpool
from cheroot.wsgi import Gateway_10

from appliance.edge.answers import turned_away
from appliance.edge.caller import Caller
from appliance.edge.limits import Limits
from appliance.edge.problems import Early, Report, TurnedAway, busy, origin
from appliance.edge.reception import House, Reception
from appliance.edge.strict import Head
from appliance.edge.turns import Turns
from appliance.errors import StartupError

log = logging.getLogger(__name__)

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

NAME = "juki"
PEER, REQUEST_ID = "juki.peer", "juki.request_id"
"""Keys of the WSGI environment: ``model.Peer`` or None, and the id every answer carries."""
MOST_NOTES = 1024


class Server(HTTPServer):
    """One port: ``prepare()`` binds, ``serve()`` runs until another thread calls ``stop()``.

    Not from a signal handler of the serving thread: stopping waits for that thread to finish.
    """

    request_queue_size = 1024
    shutdown_timeout = 1
    """Seconds the workers are waited for once draining is over."""
    _connections: Any

    def __init__(
        self,
        address: tuple[str, int],
        app: App,
        *,
        context: ssl.SSLContext | None,
        report: Report,
        clock: Callable[[], datetime],
        request_id: Callable[[], str],
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the server.

        Args:
            address: host and port to listen on; port 0 takes a free one.
            app: the WSGI application.
            context: how callers are secured; None only for a loopback address. Assigning
                another to ``context`` later holds for new connections.
            report: told of a refusal before it is answered; may take its time.
            clock: the time, for the validity of certificates.
            request_id: draws a new request id.
            limits: what callers may cost.
            monotonic: seconds, for deadlines.
        """
        super().__init__(address, Gateway, server_name=NAME)
        self.limits = limits or Limits()
        self.requests = Workers(self, self.limits.workers, self.limits.workers_per_certificate)
        self.wsgi_app = app
        self.context = context
        self.request_id = request_id
        self._report = report
        self._house = House(self, self.limits, lambda: self.context, clock, monotonic)
        self._errands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self.bind_addr[1])

    # What cheroot calls

    def prepare(self) -> None:
        """Bind the port and start the workers.

        Raises:
            OSError: the address cannot be bound.
            StartupError: systemd handed over a socket; cheroot would take it for any port.
        """
        if "LISTEN_PID" in os.environ:
            raise StartupError("socket activation (LISTEN_PID) is not supported")
        super().prepare()
        self._connections.close()
        self._reception = self._connections = Reception(self.socket, self._house)

    def put_conn(self, visit: "Visit") -> None:
        """Take back a caller whose answer is ready."""
        self.requests.done(visit)
        self._reception.give_back(visit.caller)

    def drop(self, caller: Caller) -> None:
        """Close a caller's connection without an answer."""
        self._reception.close_caller(caller)

    @property
    def can_add_keepalive_connection(self) -> bool:
        """False when the answer must say that the connection ends."""
        return not self._reception.is_leaving

    def stop(self) -> None:
        """Accept nobody, let requests under way end within the limit, then close everything."""
        if not self.ready:
            return
        if not self._reception.drain(self.limits.drain_seconds):
            log.warning("stopping although requests are still under way")
        super().stop()
        self._errands.put(None)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Note that something inside cheroot failed: what and where, not its text."""
        bug = sys.exc_info()[1]
        log.log(level, "inside the server: %s", "a remark" if bug is None else origin(bug))

    def _serve_unservicable(self) -> None:
        """Run the refusing thread; cheroot starts it, and spells it so."""
        while errand := self._errands.get():
            errand()

    # What the reception calls

    def put_request(self, caller: Caller, head: Head) -> None:
        """Queue a complete request for the workers."""
        if self.requests.qsize >= self.limits.waiting:
            raise busy("too many requests are waiting")
        self.requests.put(Visit(self, caller, head))

    def put_refusal(self, caller: Caller, refusal: TurnedAway) -> None:
        """Queue a refusal for the refusing thread."""
        self._errands.put(partial(self._refuse, caller, refusal))

    def put_note(self, early: Early) -> None:
        """Queue a remark; in a flood most are dropped, for memory is bounded."""
        if self._errands.qsize() < MOST_NOTES:
            self._errands.put(partial(self._note, early))

    def _refuse(self, caller: Caller, refusal: TurnedAway) -> None:
        request_id = self.request_id()
        self._note(
            Early(
                code=refusal.code,
                text=refusal.text,
                peer=caller.peer,
                request_id=request_id,
                address=caller.address,
            )
        )
        try:
            answer = turned_away(refusal, request_id).last_bytes()
            caller.answer(answer, closes=True, lingers=True)
            self._reception.give_back(caller)
        except Exception as bug:
            log.error("a refusal could not be told: %s", origin(bug))
            self.drop(caller)

    def _note(self, early: Early) -> None:
        try:
            self._report(early)
        except Exception as bug:
            log.error("a refusal could not be reported: %s", origin(bug))


class Visit:
    """One request in a worker's hands; what cheroot calls a connection."""

    remote_port = None
    ssl_env = None

    def __init__(self, server: Server, caller: Caller, head: Head) -> None:
        self.server = server
        self.caller = caller
        self.head = head
        self.remote_addr = caller.address
        self.request_id = server.request_id()
        self.wfile = self
        self.written = bytearray()

    def write(self, data: bytes) -> None:
        """Add to the answer; it leaves when it is complete."""
        self.written += data

    def communicate(self) -> bool:
        """Answer the request; True hands the caller back to the reception."""
        request = Request(self.server, self)
        try:
            request.parse_request()
            request.respond()
        except (Exception, SystemExit) as bug:
            log.error("the application failed: %s", origin(bug))
            failed = TurnedAway(
                HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "a fault of the appliance"
            )
            self.caller.answer(turned_away(failed, self.request_id).last_bytes(), closes=True)
        else:
            self.caller.answer(self.written, closes=request.close_connection)
        return True

    def close(self) -> None:
        """Drop the connection; only if cheroot itself fails."""
        self.server.requests.done(self)
        self.server.drop(self.caller)


class Request(HTTPRequest):
    """A request that was read before; only its answering half is cheroot's."""

    def parse_request(self) -> None:
        """Take over what the strict reader made of the request."""
        head = self.conn.head
        self.method = head.method.encode("ascii")
        self.uri = self.path = head.path.encode("ascii")
        self.qs = b""
        self.request_protocol = b"HTTP/1.1"
        self.response_protocol = "HTTP/1.1"
        self.close_connection = not head.keep_alive
        self.rfile = io.BytesIO(self.conn.caller.take_body())
        self.ready = True

    def respond(self) -> None:
        """Let the app write the answer."""
        self.server.gateway(self).respond()


class Silence(io.TextIOBase):
    """Where a WSGI app may write errors: their texts may hold anything, so nowhere."""

    def write(self, text: str) -> int:
        """Drop the text."""
        return len(text)


SILENCE = Silence()


class Gateway(Gateway_10):
    """From a strictly read head to a WSGI environment; field names map one to one."""

    def get_environ(self) -> Environ:  # type: ignore[override]
        """Return the environment (PEP 3333)."""
        visit: Visit = self.req.conn
        head = visit.head
        environ: Environ = {
            "REQUEST_METHOD": head.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": head.path,
            "QUERY_STRING": "",
            "SERVER_NAME": NAME,
            "SERVER_PORT": str(visit.server.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": visit.remote_addr,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http" if visit.server.context is None else "https",
            "wsgi.input": self.req.rfile,
            "wsgi.errors": SILENCE,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            PEER: visit.caller.peer,
            REQUEST_ID: visit.request_id,
        }
        for name, value in head.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        environ["CONTENT_LENGTH"] = environ.pop("HTTP_CONTENT_LENGTH", "")
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
        return environ


class Workers(threadpool.ThreadPool):
    """cheroot's workers, with turns for a queue, and none of them keeping the process alive."""

    def __init__(self, server: Server, count: int, per_certificate: int) -> None:
        super().__init__(server, min=count, max=count)
        self._turns: Turns[Any] = Turns(per_certificate)
        self.get = self._turns.get

    def put(self, obj: Visit) -> None:
        """Queue a request."""
        self._turns.put(obj, obj.caller.fingerprint)

    def done(self, visit: Visit) -> None:
        """Let the next request of the same certificate take its turn."""
        self._turns.done(visit.caller.fingerprint)

    @property
    def qsize(self) -> int:
        """How many requests wait."""
        return len(self._turns)

    def _spawn_worker(self) -> threadpool.WorkerThread:
        worker = threadpool.WorkerThread(self.server)  # type: ignore[no-untyped-call]
        worker.name = f"worker {worker.name}"
        worker.daemon = True
        worker.start()
        return worker

    def stop(self, timeout: float | None = 5) -> None:
        """Ask every worker to end after what is queued, and wait ``timeout`` seconds in all."""
        end = time.monotonic() + (timeout or 0)
        for _ in self._threads:  # type: ignore[attr-defined]
            self._turns.put(threadpool._SHUTDOWNREQUEST)  # type: ignore[attr-defined]
        for worker in self._clear_threads():  # type: ignore[attr-defined]
            worker.join(max(0.0, end - time.monotonic()))
            if worker.is_alive():
                log.warning("a worker is still busy and is left behind")
