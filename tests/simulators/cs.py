"""A municipality's server (市町村CS): sends its notices to the prefecture and keeps its own file.

::

    python -m tests.simulators.cs --url https://127.0.0.1:8443 --certificate cs.pem \\
        --key cs.key --ca ca.pem --store cs.db --in residents.jsonl

Notices go out in batches over one kept-open mutual TLS connection, in the order of the file. Every
batch has an Idempotency-Key made of its place in the file and its content, so that it is safe to
send it again when the answer is lost, and to run the whole command again after a crash.

At the end it prints one JSON object::

    {"sent": 10000, "outcomes": {"applied": 10000}, "rules": {}, "missing": [], "held": [],
     "unexpected": [], "residents": 10000, "digest": "...", "seconds": 4.1, "per_second": 2439.0}

``residents`` and ``digest`` (``notices.digest``) are those of its own file, struck-off people
included. ``unexpected`` lists, up to a hundred, the lines whose answer is not the one written in
``--expected FILE``, or not simply *applied* where that file says nothing. The exit status is 0, or
1 if something was unexpected or the prefecture did not take the notices.

``--inbox`` reads, at the end, what the prefecture has to say, acknowledges it and prints it as
``inbox``: a list of messages. ``--drop-answers N`` hangs up on every Nth answer before reading it,
and sends the batch again.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

import msgspec
from rich.console import Console
from rich.progress import Progress

from tests.simulators.cs_file import MunicipalFile
from tests.simulators.link import Answer, Credentials, Link, Lost, Refused
from tests.simulators.notices import APPLIED, Expectation, Expected, Notice, read_lines

BATCH: Final = 500
MOST_UNEXPECTED: Final = 100


class Problem(msgspec.Struct, frozen=True):
    """A rule that a notice broke, as the prefecture names it."""

    rule: str
    item: str
    text: str


class Result(msgspec.Struct, frozen=True):
    """What became of one notice."""

    sequence: int
    outcome: str
    problems: list[Problem] = []


class Notified(msgspec.Struct, frozen=True):
    """The data of an answer to ``update/notify``."""

    results: list[Result]
    missing: list[int] = []


class InboxMessage(msgspec.Struct, frozen=True):
    """What the prefecture tells about one resident."""

    number: int
    kind: str
    resident_code: str
    note: dict[str, str]
    answered_by: int | None = None


class Sent(NamedTuple):
    """A batch as it went out: the number of its first line in the file, and what it said."""

    first_line: int
    notices: tuple[Notice, ...]


Step = Callable[[int], None]
"""Told how many more notices have been answered."""


@dataclass(slots=True)
class Report:
    """What happened to the notices of one file; printed as JSON."""

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    missing: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    unexpected: list[dict[str, Any]] = field(default_factory=list)
    inbox: list[InboxMessage] = field(default_factory=list)
    residents: int = 0
    digest: str = ""
    seconds: float = 0.0
    per_second: float = 0.0

    def add(self, line: int, result: Result, expected: Expectation) -> None:
        """Count one result, and note it if it is not as expected."""
        rules = [problem.rule for problem in result.problems]
        self.sent += 1
        self.outcomes[result.outcome] += 1
        self.rules.update(rules)
        as_expected = result.outcome == expected.outcome and (
            expected.rule is None or expected.rule in rules
        )
        if not as_expected and len(self.unexpected) < MOST_UNEXPECTED:
            got = {"outcome": result.outcome, "rules": rules}
            wanted = msgspec.to_builtins(expected)
            self.unexpected.append({"line": line, "expected": wanted, "got": got})


class MunicipalServer:
    """The sending side: batches out, answers into the municipality's file.

    Args:
        link: the connection to the prefecture.
        file: what the municipality keeps.
        batch: notices in one request, at most 1,000.
        drop_every: lose the answer to every Nth batch; 0 loses none.
    """

    def __init__(
        self, link: Link, file: MunicipalFile, *, batch: int = BATCH, drop_every: int = 0
    ) -> None:
        self._link = link
        self._file = file
        self._batch = batch
        self._drop_every = drop_every

    def send(
        self,
        notices: Iterable[Notice],
        expected: Mapping[int, Expectation],
        answered: Step = lambda notices: None,
        salt: str = "",
    ) -> Report:
        """Send everything and return what happened.

        Args:
            notices: in the order of sending.
            expected: by line (1, 2, 3 ...), for the lines that are not simply applied.
            answered: called after each batch.
            salt: tells files of equal batches apart in their Idempotency-Keys.

        Raises:
            Lost: the prefecture could not be reached, or did not answer, for long.
            Refused: it took nothing of a batch.
        """
        report = Report()
        begun = perf_counter()
        for number, sent in enumerate(_batches(notices, self._batch), start=1):
            drops = self._drop_every and number % self._drop_every == 0
            told = self._notify(sent, salt, drops=bool(drops))
            self._record(sent, told)
            for line, result in enumerate(told.results, start=sent.first_line):
                report.add(line, result, expected.get(line, APPLIED))
            report.missing = told.missing
            answered(len(sent.notices))
        report.seconds = round(perf_counter() - begun, 3)
        report.per_second = round(report.sent / max(report.seconds, 0.001), 1)
        self._close(report)
        return report

    def held(self) -> list[int]:
        """Ask which sequence numbers the prefecture still holds.

        Raises:
            Lost, Refused: as ``send``.
        """
        data = _accepted(self._link.insist("/v1/update/held", b"{}"))
        return [int(entry["sequence"]) for entry in data["held"]]

    def read_inbox(self) -> list[InboxMessage]:
        """Read every message that was not acknowledged yet, and acknowledge it.

        Raises:
            Lost, Refused: as ``send``.
        """
        messages: list[InboxMessage] = []
        while True:
            told = _accepted(self._link.insist("/v1/update/inbox", b"{}"))
            page = msgspec.convert(told["messages"], list[InboxMessage])
            if not page:
                return messages
            messages += page
            body = msgspec.json.encode({"through": page[-1].number})
            headers = {"Idempotency-Key": _key(f"inbox/{page[-1].number}", b"")}
            _accepted(self._link.insist("/v1/update/acknowledge-inbox", body, headers))

    def _close(self, report: Report) -> None:
        report.held = self.held()
        self._file.released(report.held)
        report.residents = self._file.count()
        report.digest = self._file.digest()

    def _notify(self, sent: Sent, salt: str, *, drops: bool) -> Notified:
        body = msgspec.json.encode({"notifications": sent.notices})
        headers = {"Idempotency-Key": _key(f"{salt}{sent.first_line}", body)}
        if drops:
            self._link.send("/v1/update/notify", body, headers)
            self._link.close()
        answer = self._link.insist("/v1/update/notify", body, headers)
        told = msgspec.convert(_accepted(answer), Notified)
        if [result.sequence for result in told.results] != [n.sequence for n in sent.notices]:
            raise Refused(answer.status, "the answer is to something else")
        return told

    def _record(self, sent: Sent, told: Notified) -> None:
        by_outcome: dict[str, list[Notice]] = {"applied": [], "held": []}
        for notice, result in zip(sent.notices, told.results, strict=True):
            by_outcome.setdefault(result.outcome, []).append(notice)
        self._file.record(by_outcome["applied"], by_outcome["held"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Send one file; return the exit status."""
    options = _parser().parse_args(arguments)
    credentials = Credentials(options.certificate, options.key, options.ca)
    expected = expectations(options.expected)
    with (
        MunicipalFile(options.store) as file,
        Link(options.url, credentials) as link,
        _progress(options.file, shown=options.progress) as step,
    ):
        server = MunicipalServer(link, file, batch=options.batch, drop_every=options.drop_answers)
        try:
            report = server.send(read_lines(options.file, Notice), expected, step)
            if options.inbox:
                report.inbox = server.read_inbox()
        except (Lost, Refused) as problem:
            sys.stderr.write(f"cs: {type(problem).__name__.lower()}: {problem}\n")
            return 1
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 1 if report.unexpected else 0


def _batches(notices: Iterable[Notice], size: int) -> Iterator[Sent]:
    remaining = iter(notices)
    for first_line in count(1, size):
        batch = tuple(islice(remaining, size))
        if not batch:
            return
        yield Sent(first_line, batch)


def _key(place: str, body: bytes) -> str:
    # The place counts too: a batch that repeats an earlier one must not get the earlier answer.
    return blake2b(f"{place}\n".encode() + body, digest_size=20).hexdigest()


def _accepted(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise Refused(answer.status, answer.body)
    data: dict[str, Any] = answer.body["data"]
    return data


def expectations(path: Path | None) -> dict[int, Expectation]:
    """Return what must be answered to which line, where it is not simply applied."""
    if path is None:
        return {}
    return {record.line: record.expected for record in read_lines(path, Expected)}


@contextmanager
def _progress(path: Path, *, shown: bool) -> Iterator[Step]:
    """Yield what counts answered notices; draws a bar on the terminal if it is to be shown."""
    if not shown:
        yield lambda notices: None
        return
    with path.open("rb") as file:
        total = sum(1 for _ in file)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(f"{path.name}", total=total)
        yield lambda notices: bar.advance(task, notices)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cs", description="A municipality's server (市町村CS).")
    parser.add_argument("--url", required=True, metavar="https://HOST:PORT")
    for name in ("certificate", "key", "ca"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="PEM")
    parser.add_argument("--store", type=Path, required=True, metavar="FILE")
    parser.add_argument("--in", dest="file", type=Path, required=True, metavar="FILE")
    parser.add_argument("--expected", type=Path, metavar="FILE")
    parser.add_argument("--batch", type=int, default=BATCH, metavar="N")
    parser.add_argument("--drop-answers", type=int, default=0, metavar="N")
    parser.add_argument("--inbox", action="store_true")
    parser.add_argument("--progress", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
