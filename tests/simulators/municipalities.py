"""All municipal servers of a prefecture in one process, each under its own certificate.

::

    python -m tests.simulators.municipalities --url https://127.0.0.1:8443 --ca ca.pem \\
        --folder DIR --slice 7

In ``DIR/CODE`` lies what ``year.py`` wrote, ``cs.pem`` and ``cs.key``, and the file that the
municipality keeps (``cs.db``). Slice 0 is the first load. Municipalities send one after another,
each its notices in batches; at the end one JSON object is printed for all of them together::

    {"sent": 812, "outcomes": {"applied": 770, ...}, "rules": {"L-10": 3, ...},
     "held": {"431001": 2}, "unexpected": [], "seconds": 1.9}

The exit status is 0, or 1 if an answer was not as expected or could not be had.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from tests.simulators.cs import MunicipalServer, Report, expectations
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.link import Credentials, Link, Lost, Refused
from tests.simulators.notices import Notice, read_lines

LOAD = 0


@dataclass(slots=True)
class Sum:
    """What all municipalities were answered."""

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    held: dict[str, int] = field(default_factory=dict)
    unexpected: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, code: str, report: Report) -> None:
        """Add what one municipality was answered."""
        self.sent += report.sent
        self.outcomes.update(report.outcomes)
        self.rules.update(report.rules)
        if report.held:
            self.held[code] = len(report.held)
        self.unexpected += [{"municipality": code, **each} for each in report.unexpected]


def main(arguments: Sequence[str] | None = None) -> int:
    """Send one slice of everybody; return the exit status."""
    options = _parser().parse_args(arguments)
    total, begun = Sum(), perf_counter()
    for folder in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        try:
            _send(options, folder, total)
        except (Lost, Refused) as problem:
            sys.stderr.write(f"{folder.name}: {type(problem).__name__.lower()}: {problem}\n")
            return 1
    total.seconds = round(perf_counter() - begun, 3)
    sys.stdout.write(msgspec.json.encode(total).decode() + "\n")
    return 1 if total.unexpected else 0


def _send(options: argparse.Namespace, folder: Path, total: Sum) -> None:
    name = "residents" if options.slice == LOAD else f"{options.slice:02}"
    path = folder / f"{name}.jsonl"
    expected = folder / f"{name}.expected.jsonl"
    credentials = Credentials(folder / "cs.pem", folder / "cs.key", options.ca)
    with MunicipalFile(folder / "cs.db") as file, Link(options.url, credentials) as link:
        server = MunicipalServer(link, file, drop_every=options.drop_answers)
        notices = read_lines(path, Notice) if path.exists() else ()
        known = expectations(expected if expected.exists() else None)
        # A batch's Idempotency-Key counts lines from the beginning; each slice begins anew.
        total.add(folder.name, server.send(notices, known, salt=name))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="municipalities", description="All municipal servers.")
    parser.add_argument("--url", required=True, metavar="https://HOST:PORT")
    parser.add_argument("--ca", type=Path, required=True, metavar="PEM")
    parser.add_argument("--folder", type=Path, required=True, metavar="DIR")
    parser.add_argument("--slice", type=int, required=True, metavar="N")
    parser.add_argument("--drop-answers", type=int, default=0, metavar="N")
    return parser


if __name__ == "__main__":
    sys.exit(main())
