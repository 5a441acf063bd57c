"""The national server (全国サーバ): takes what prefectures pass on, keeps its own file (R202).

::

    python -m tests.simulators.national --listen 127.0.0.1:8443 \\
        --certificate national.pem --key national.key --ca ca.pem --store national.db

It prints ``{"listening": "127.0.0.1:8443"}`` once it is ready (port 0: any free one) and ends on
SIGTERM. Only clients with a certificate of the authority are let in; a prefecture is known by the
common name in its certificate, and each has a feed of its own, numbered 1, 2, 3 ... without gaps.

``POST /v1/notify``
    ``{"messages": [{"number": n, ...the eight items}]}``, at most 1,000. Everything is on disk
    before ``{"request_hash", "acknowledged": n, "missing": [...], "results": [{number, outcome,
    rule}]}`` is answered: *acknowledged* is the number up to which nothing is missing. The same
    number again is fine if it says the same, 409 if not. An unknown or missing item is 400;
    nothing of that request is kept.

``POST /v1/inquire``
    ``{"request_id", "basis", "purpose", "reason", "by": {...}, "items": [...]}``: about whoever
    fits exactly, of this file or of ``--people FILE`` (the eight items of somebody of another
    prefecture, one JSON object a line). ``{"request_id", "request_hash", "result", "resident"}``.

``GET /v1/summary``
    How many residents, each prefecture's last number, acknowledged number, missing numbers,
    repeats; and the digest of the file (``notices.digest``).

``request_hash`` is the SHA-256 of the body that is answered, in hex.

Faults, with ``--faults`` or at any time in the file named by ``--switch``:

``down``          hangs up on everybody, before TLS or instead of an answer
``slow``          does its work, then waits ``--delay`` seconds before it answers
``wrong``         acknowledges a thousand numbers that nobody sent; tells what nobody asked for
``duplicate``     keeps everything, but loses the answer whenever it heard something new
``out-of-order``  answers about messages in the wrong order; answers the inquiry before
``refuse``        refuses the first new message of every request, and every inquiry
``refuse-all``    refuses every new message
"""

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from tests.simulators.link import Credentials
from tests.simulators.national_file import Contradiction, Message, NationalFile
from tests.simulators.notices import EIGHT, Eight, read_lines
from tests.simulators.tls_server import JsonExchange, TlsServer

EightName = Literal[
    "resident_code",
    "name",
    "birth_date",
    "sex",
    "address",
    "my_number",
    "reason",
    "effective_date",
]
FAULTS: Final = frozenset(
    {"down", "slow", "wrong", "duplicate", "out-of-order", "refuse", "refuse-all"}
)


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/notify``."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1, max_length=1000)]


class Inquire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/inquire``."""

    request_id: str
    basis: Literal["住民基本台帳法第30条の11"]
    purpose: str
    reason: str
    by: Annotated[dict[str, str], msgspec.Meta(min_length=1)]
    items: Annotated[list[EightName], msgspec.Meta(min_length=1)]


class Switch:
    """Which faults are on: those of the command line, or those in a file, read each time."""

    def __init__(self, faults: frozenset[str] = frozenset(), file: Path | None = None) -> None:
        self._faults = faults
        self._file = file

    def __contains__(self, fault: str) -> bool:
        return fault in self.current()

    def current(self) -> frozenset[str]:
        """Return the faults that are on now."""
        if self._file is None or not self._file.exists():
            return self._faults
        return frozenset(self._file.read_text().replace(",", " ").split()) & FAULTS


class NationalServer(TlsServer):
    """Takes the prefectures' feeds into its file, and misbehaves as switched.

    Args:
        address: host and port; port 0 takes any.
        credentials: the server's certificate and key, and the authority of the clients.
        file: what it keeps.
        switch: the faults that are on.
        delay: seconds of ``slow``.
    """

    def __init__(
        self,
        address: tuple[str, int],
        credentials: Credentials,
        file: NationalFile,
        switch: Switch,
        *,
        delay: float = 5.0,
    ) -> None:
        super().__init__(address, credentials, Exchange)
        self.file = file
        self.switch = switch
        self.delay = delay
        self.told: dict[str, Any] = {}
        """The last answer to an inquiry."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection, unless ``down`` is on."""
        if "down" not in self.switch:
            super().finish_request(request, client_address)


class Exchange(JsonExchange):
    """The requests of one prefecture."""

    server: NationalServer

    def hangs_up(self) -> bool:
        return "down" in self.server.switch

    def get(self) -> None:
        if self.path == "/v1/summary":
            self.answer(200, self.server.file.summary())
        else:
            self.refuse(404, "there is nothing here")

    def post(self, body: bytes) -> None:
        try:
            if self.path == "/v1/notify":
                self._take(msgspec.json.decode(body, type=Notify).messages, body)
            elif self.path == "/v1/inquire":
                self._tell(msgspec.json.decode(body, type=Inquire), body)
            else:
                self.refuse(404, "there is nothing here")
        except msgspec.DecodeError as problem:
            # The text names the place in the document, not what stands there.
            self.refuse(400, str(problem))

    def _take(self, messages: list[Message], body: bytes) -> None:
        switch = self.server.switch
        told: dict[str, Any] = {"request_hash": sha256(body).hexdigest()}
        if "wrong" in switch:
            invented = max(message.number for message in messages) + 1000
            self.answer(200, {**told, "acknowledged": invented, "missing": [], "results": []})
            return
        refuse = len(messages) if "refuse-all" in switch else int("refuse" in switch)
        try:
            receipt = self.server.file.receive(self.caller(), messages, refuse)
        except Contradiction as problem:
            self.refuse(409, str(problem))
            return
        self._wait_if_slow()
        if "duplicate" in switch and receipt.fresh:
            self.hang_up()
            return
        results = msgspec.to_builtins(receipt.outcomes)
        told |= {"acknowledged": receipt.acknowledged, "missing": receipt.missing}
        self.answer(200, {**told, "results": results[:: -1 if "out-of-order" in switch else 1]})

    def _tell(self, asked: Inquire, body: bytes) -> None:
        switch, server = self.server.switch, self.server
        if "refuse" in switch:
            self.refuse(403, "this is not answered")
            return
        found = server.file.find(asked.by)
        told: dict[str, Any] = {
            "request_id": asked.request_id,
            "request_hash": sha256(body).hexdigest(),
            "result": "one" if len(found) == 1 else "several" if found else "none",
        }
        if len(found) == 1:
            items = EIGHT if "wrong" in switch else asked.items
            told["resident"] = {item: getattr(found[0], item) for item in items}
        before, server.told = server.told, told
        self._wait_if_slow()
        if "duplicate" in switch and before.get("request_id") != asked.request_id:
            self.hang_up()
            return
        self.answer(200, before if "out-of-order" in switch else told)

    def _wait_if_slow(self) -> None:
        if "slow" in self.server.switch:
            time.sleep(self.server.delay)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    options = _parser().parse_args(arguments)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    host, _, port = options.listen.rpartition(":")
    credentials = Credentials(options.certificate, options.key, options.ca)
    switch = Switch(options.faults, options.switch)
    with NationalFile(options.store) as file:
        file.keep_elsewhere(read_lines(options.people, Eight) if options.people else ())
        server = NationalServer((host, int(port)), credentials, file, switch, delay=options.delay)
        with server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            sys.stdout.write(json.dumps({"listening": f"{host}:{server.server_port}"}) + "\n")
            sys.stdout.flush()
            ending.wait()
            server.shutdown()
            thread.join()
    return 0


def _faults(text: str) -> frozenset[str]:
    faults = frozenset(text.replace(",", " ").split())
    if faults - FAULTS:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(sorted(FAULTS))}")
    return faults


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="national", description="The national server.")
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT")
    for name in ("certificate", "key", "ca"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="PEM")
    parser.add_argument("--store", type=Path, required=True, metavar="FILE")
    parser.add_argument("--people", type=Path, metavar="FILE", help="of other prefectures")
    parser.add_argument("--faults", type=_faults, default=frozenset(), metavar="A,B")
    parser.add_argument("--switch", type=Path, metavar="FILE", help="a file that names the faults")
    parser.add_argument("--delay", type=float, default=5.0, metavar="SECONDS")
    return parser


if __name__ == "__main__":
    sys.exit(main())
