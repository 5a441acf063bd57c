"""Who keeps the appliance busy: municipalities that send, and a clerk who looks people up.

Each works in a thread of its own until the process is gone, and keeps what it was answered.
"""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from scripts.crash_lib.account import Account, Receipt
from scripts.crash_lib.stream import Batch, Stream
from tests.machine import PIN
from tests.simulators.link import Answer, Link, Lost, Refused
from tests.simulators.notices import Notice
from tests.simulators.terminal import Terminal

NOTIFY, INQUIRE = "update/notify", "provision/inquire"
PURPOSE, REASON = "register-administration", "04"
ITEMS = ("name", "birth_date", "sex", "address", "my_number", "reason", "update_number")


@dataclass
class Municipality:
    """A 市町村CS: one batch after another, each only when the one before is decided."""

    terminal: str
    stream: Stream
    account: Account
    receipts: list[Receipt] = field(default_factory=list)
    """Of every answer since the last reading back."""
    done: list[Batch] = field(default_factory=list)
    """Acknowledged, and their messages not read back yet; in order."""
    doubtful: Batch | None = None
    """Sent and not answered: nobody knows whether it was done."""
    settled: dict[str, Notice] = field(default_factory=dict)
    """Everybody as acknowledged."""
    codes: list[str] = field(default_factory=list)

    def send_until(self, ending: threading.Event, link: Link) -> None:
        """Send batches until the process is gone, or until told."""
        with link:
            while not ending.is_set():
                self.doubtful = batch = self.stream.next_batch()
                try:
                    answer = link.ask(f"/v1/{NOTIFY}", batch.body, {"Idempotency-Key": batch.key})
                except Lost:
                    return
                if answer.status != http.client.OK:
                    _note_refusal(self.account, NOTIFY, answer)
                    return
                self.accept(batch, answer)

    def accept(self, batch: Batch, answer: Answer, *, repeated: bool = False) -> None:
        """Take note that a batch was answered with yes, for the first time or ``repeated``."""
        outcomes = outcomes_of(answer)
        if outcomes != batch.outcomes:
            self.account.find(f"{batch.key}: answered {outcomes}, expected {batch.outcomes}")
        self.receipts.append(receipt_of(answer, NOTIFY, self.terminal, repeated=repeated))
        if not repeated:
            self.done.append(batch)
        self.codes += [code for code in batch.after if code not in self.settled]
        self.settled.update(batch.after)
        self.doubtful = None
        self.account.count("batches")
        self.account.count("notices", len(batch.sequences))


@dataclass
class Clerk:
    """Looks up people who are acknowledged; every answer must already hold what was."""

    terminal: str
    operator: str
    municipalities: list[Municipality]
    account: Account
    rng: Random
    receipts: list[Receipt] = field(default_factory=list)
    """Of what was answered since the last reading back."""

    def look_until(self, ending: threading.Event, terminal: Terminal) -> None:
        """Log in, then look until the process is gone, or until told."""
        with _hung_up(terminal):
            try:
                terminal.login(self.operator, PIN)
                while not ending.is_set() and self._look(terminal):
                    pass
            except Lost:
                return
            except Refused as refused:
                _note_refusal(self.account, "session/open", Answer(refused.status, refused.problem))

    def _look(self, terminal: Terminal) -> bool:
        municipality = self.rng.choice(self.municipalities)
        if not municipality.codes:
            return True
        expected = municipality.settled[self.rng.choice(municipality.codes)]
        answer = inquire(terminal, expected.resident_code)
        if answer.status != http.client.OK:
            _note_refusal(self.account, INQUIRE, answer)
            return False
        resident = answer.body["data"]["resident"]
        # Whom the store does not have, the national server tells, with less of him.
        seen = (resident or {}).get("update_number")
        if seen is None or seen < expected.update_number:
            self.account.find_absent(f"{expected.resident_code}: acknowledged, and not seen")
        self.receipts.append(receipt_of(answer, INQUIRE, self.terminal))
        self.account.count("looks")
        return True


def inquire(terminal: Terminal, resident_code: str) -> Answer:
    """Ask for one person by 住民票コード.

    Raises:
        Lost: no answer came.
    """
    body = {"by": {"resident_code": resident_code}, "items": list(ITEMS)}
    return terminal.call(INQUIRE, body, purpose=PURPOSE, reason=REASON)


def receipt_of(answer: Answer, operation: str, terminal: str, *, repeated: bool = False) -> Receipt:
    """Return what must be in the ledger for an answer."""
    body: dict[str, Any] = answer.body
    return Receipt(body["receipt"]["index"], body["request_id"], operation, terminal, repeated)


def outcomes_of(answer: Answer) -> tuple[str, ...]:
    """Return what became of each notice of a batch."""
    return tuple(result["outcome"] for result in answer.body["data"]["results"])


def _note_refusal(account: Account, operation: str, answer: Answer) -> None:
    code = answer.body.get("code") if isinstance(answer.body, dict) else answer.body
    # While it is told to stop it says so; it then did nothing.
    if (answer.status, code) != (http.client.SERVICE_UNAVAILABLE, "unavailable"):
        account.find(f"{operation}: answered {answer.status} {code}")


@contextmanager
def _hung_up(terminal: Terminal) -> Iterator[None]:
    try:
        yield
    finally:
        terminal.close()
