"""After a restart: is everything acknowledged there, and nothing in part?

What is read, all through the front door:

    relay/feed          the outbox from where the last reading ended: it must be whole batches, each
                        with exactly its messages, in a row and in order
    ledger/search       every new entry: each acknowledged answer has its own, under its number
    update/held         the sequence numbers that came, the notices that wait
    provision/inquire   the latest version of some people, found by 住民票コード
    search/find         the same people, found by name and birth date

A batch that was sent and not answered must be in all of these or in none. Then it is sent again,
under its own Idempotency-Key (the first answer, or done now) and under another one (nothing but
duplicates).
"""

import http.client
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Final

import msgspec

from scripts.crash_lib.account import Account, Receipt
from scripts.crash_lib.callers import (
    ITEMS,
    NOTIFY,
    PURPOSE,
    REASON,
    Clerk,
    Municipality,
    inquire,
    outcomes_of,
    receipt_of,
)
from scripts.crash_lib.stream import Batch
from tests.machine import PIN, Machine, accepted
from tests.simulators.link import Link
from tests.simulators.notices import Eight, Notice
from tests.simulators.terminal import Terminal

PAGE: Final = 1000
SAMPLE: Final = 4
"""People read back of each municipality, beside those of a doubtful batch."""
DUPLICATE: Final = "duplicate"


class _Message(Eight, frozen=True, kw_only=True):
    number: int
    kind: str

    @property
    def eight(self) -> Eight:
        return Eight(*(getattr(self, name) for name in Eight.__struct_fields__))


@dataclass(frozen=True, slots=True)
class _Entry:
    index: int
    request_id: str
    operation: str
    terminal: str | None
    result: str
    note: str


@dataclass
class Auditor:
    """Reads back, from where it stopped the last time."""

    machine: Machine
    operator: str
    registrar: str
    """As whom residents are read: an auditor reads none."""
    municipalities: Sequence[Municipality]
    clerks: Sequence[Clerk]
    national: Link
    account: Account
    rng: Random
    heard: int = 0
    """Number of the last message read."""
    read: int = 0
    """How many ledger entries were read."""

    def read_back(self) -> None:
        """Compare everything since the last time; afterwards no batch is in doubt."""
        terminal = self.machine.terminal()
        try:
            terminal.login(self.operator, PIN)
            self._read_back(terminal)
        finally:
            terminal.close()
            self.national.close()

    def _read_back(self, terminal: Terminal) -> None:
        messages = list(self._messages())
        entries = {entry.index: entry for entry in self._entries(terminal)}
        self._compare_receipts(entries)
        told = self._compare_messages(messages)
        terminal.login(self.registrar, PIN)
        for municipality in self.municipalities:
            there = self._is_there(municipality, told, entries)
            self._compare_people(terminal, municipality, there)
            with self.machine.link(municipality.terminal) as link:
                self._compare_papers(link, municipality, there)
                municipality.done.clear()
                municipality.receipts.clear()
                self._send_again(link, municipality, there)
        for clerk in self.clerks:
            clerk.receipts.clear()

    # --- what is there ---

    def _messages(self) -> Iterator[_Message]:
        while True:
            body = msgspec.json.encode({"after": self.heard, "limit": PAGE})
            data = accepted(self.national.ask("/v1/relay/feed", body))
            for plain in data["messages"]:
                message = msgspec.convert(plain, _Message)
                if message.number != self.heard + 1:
                    self.account.find_half_done(f"message {self.heard + 1} has no number")
                self.heard = message.number
                yield message
            if len(data["messages"]) < PAGE:
                return

    def _entries(self, terminal: Terminal) -> Iterator[_Entry]:
        """Yield every entry since the last reading, the newest first."""
        begin, before, newest = self.read, None, None
        while before is None or before > begin:
            asked = {"limit": PAGE} if before is None else {"limit": PAGE, "before": before}
            page = accepted(terminal.call("ledger/search", asked))["entries"]
            if not page:
                break
            newest = page[0]["index"] if newest is None else newest
            before = page[-1]["index"]
            for plain in page:
                if plain["index"] >= begin:
                    yield msgspec.convert(plain, _Entry)
        self.read = begin if newest is None else newest + 1

    # --- everything acknowledged ---

    def _compare_receipts(self, entries: dict[int, _Entry]) -> None:
        callers: list[Municipality | Clerk] = [*self.municipalities, *self.clerks]
        for receipt in chain.from_iterable(caller.receipts for caller in callers):
            entry = entries.get(receipt.index)
            if entry is None or not _is_of(entry, receipt):
                self.account.find_absent(f"entry {receipt.index} of {receipt.operation}")
            elif (entry.note == "repeated") != receipt.repeated:
                self.account.find_half_done(f"entry {receipt.index}: {entry.note or 'no note'}")

    def _compare_messages(self, messages: Sequence[_Message]) -> set[str]:
        """Hold the outbox against what was sent; return the keys of the batches it tells of."""
        waiting = {each.terminal: _expected(each) for each in self.municipalities}
        told: set[str] = set()
        at = 0
        while at < len(messages):
            found = _next_whole(waiting.values(), messages, at)
            if found is None:
                number = messages[at].number
                self.account.find_half_done(f"message {number} belongs to no whole batch")
                break
            batch, queue = found
            del queue[0]
            told.add(batch.key)
            at += len(batch.told)
        for municipality in self.municipalities:
            for batch in waiting[municipality.terminal]:
                if batch is not municipality.doubtful and batch.told:
                    self.account.find_absent(f"messages of {batch.key}", len(batch.told))
        return told

    # --- what was in doubt ---

    def _is_there(
        self, municipality: Municipality, told: set[str], entries: dict[int, _Entry]
    ) -> bool:
        """Return whether the batch in doubt was done, by its entry; all else must say the same."""
        known = {receipt.index for receipt in municipality.receipts}
        of_notices = (NOTIFY, municipality.terminal, "ok")
        more = [
            entry
            for entry in entries.values()
            if (entry.operation, entry.terminal, entry.result) == of_notices
            and entry.index not in known
        ]
        batch = municipality.doubtful
        if batch is None or len(more) > 1:
            for entry in more:
                self.account.find_half_done(f"entry {entry.index} belongs to no batch")
            return False
        there = bool(more)
        if batch.told and (batch.key in told) != there:
            self.account.find_half_done(f"{batch.key}: entry {there}, messages {not there}")
        return there

    def _compare_people(self, terminal: Terminal, municipality: Municipality, there: bool) -> None:
        batch = municipality.doubtful
        states: Mapping[str, Notice | None] = {}
        if batch is not None:
            states = batch.after if there else batch.before
        codes = self.rng.sample(sorted(states), min(SAMPLE, len(states)))
        if municipality.codes:
            codes += self.rng.choices(municipality.codes, k=SAMPLE)
        for code in codes:
            expected = states[code] if code in states else municipality.settled[code]
            self._compare_person(terminal, code, expected, doubtful=code in states)

    def _compare_person(
        self, terminal: Terminal, code: str, notice: Notice | None, *, doubtful: bool
    ) -> None:
        resident = accepted(inquire(terminal, code))["resident"]
        # What the national server told has not all of our items: then we hold nobody.
        ours = resident is not None and set(ITEMS) <= resident.keys()
        held = {name: resident[name] for name in ITEMS} if ours else None
        wanted = None if notice is None else {name: getattr(notice, name) for name in ITEMS}
        if held != wanted:
            self._find(f"{code} does not stand as it should", doubtful=doubtful)
        if notice is not None and "-00" not in notice.birth_date:
            self._compare_found(terminal, notice, doubtful=doubtful)

    def _compare_found(self, terminal: Terminal, notice: Notice, *, doubtful: bool) -> None:
        sought = {
            "name": notice.name,
            "name_match": "prefix",
            "birth_date": notice.birth_date,
            "sex": notice.sex,
        }
        answer = terminal.call("search/find", sought, purpose=PURPOSE, reason=REASON)
        addresses = [listed["address"] for listed in accepted(answer)["residents"]]
        if notice.address not in addresses:
            self._find(f"{notice.resident_code} is not found by name", doubtful=doubtful)

    def _compare_papers(self, link: Link, municipality: Municipality, there: bool) -> None:
        done = municipality.done
        if there and municipality.doubtful is not None:
            done = [*done, municipality.doubtful]
        if not done:
            return
        told = accepted(link.ask("/v1/update/held", b"{}"))
        last = done[-1]
        state = (told["last_sequence"], len(told["missing"]), len(told["held"]))
        wanted = (last.sequences[-1], 0, last.held)
        if state != wanted:
            self.account.find_half_done(
                f"{municipality.terminal}: last, missing, held are {state}, expected {wanted}"
            )

    def _send_again(self, link: Link, municipality: Municipality, there: bool) -> None:
        batch = municipality.doubtful
        if batch is None:
            return
        answer = link.ask(f"/v1/{NOTIFY}", batch.body, {"Idempotency-Key": batch.key})
        if answer.status != http.client.OK:
            self.account.find_half_done(f"{batch.key}: sent again, answered {answer.status}")
            return
        municipality.accept(batch, answer, repeated=there)
        self.account.count("doubtful, done" if there else "doubtful, not done")
        other_key = {"Idempotency-Key": f"{batch.key}-again"}
        answer = link.ask(f"/v1/{NOTIFY}", batch.body, other_key)
        if answer.status != http.client.OK or set(outcomes_of(answer)) != {DUPLICATE}:
            self.account.find_half_done(f"{batch.key}: sent a third time, not all duplicates")
            return
        municipality.receipts.append(receipt_of(answer, NOTIFY, municipality.terminal))

    def _find(self, what: str, *, doubtful: bool) -> None:
        if doubtful:
            self.account.find_half_done(what)
        else:
            self.account.find_absent(what)


def _is_of(entry: _Entry, receipt: Receipt) -> bool:
    said = (entry.request_id, entry.operation, entry.terminal, entry.result)
    return said == (receipt.request_id, receipt.operation, receipt.terminal, "ok")


def _expected(municipality: Municipality) -> list[Batch]:
    """Return the batches that may have told something, in order; the one in doubt is the last."""
    doubtful = [] if municipality.doubtful is None else [municipality.doubtful]
    return [batch for batch in (*municipality.done, *doubtful) if batch.told]


def _next_whole(
    queues: Iterable[list[Batch]], messages: Sequence[_Message], at: int
) -> tuple[Batch, list[Batch]] | None:
    """Return the batch whose messages all stand from here on, and the queue it heads."""
    for queue in queues:
        if not queue:
            continue
        batch = queue[0]
        told = tuple(message.eight for message in messages[at : at + len(batch.told)])
        if told == batch.told:
            return batch, queue
    return None
