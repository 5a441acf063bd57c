"""A municipality's server asks for a 整合性確認: its current residents against the prefecture's.

::

    python -m tests.simulators.reconcile --url https://127.0.0.1:8443 --certificate cs.pem \\
        --key cs.key --ca ca.pem --store cs.db [--whole]

It makes the marks by the description in ``plugins/reconcile/README.md``, with no code of the
appliance's but the spelling of names, walks down to the differences, sends the records of those
who differ, and prints one JSON object::

    {"result": "differs", "findings": [{"resident_code": "…", "kind": "differing",
     "items": ["address"]}], "pairs": [], "requests": 9, "sent_bytes": 30121, "text": "…", …}

``--whole`` sends every record instead. The exit status is 0, or 1 if the prefecture refused.
"""

import argparse
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from appliance.values.characters import composed
from appliance.values.kana import hiragana
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.link import Credentials, Link, Lost, Refused
from tests.simulators.notices import Notice

LAST: Final = "f" * 32
BUCKETS, LEAVES, RECORDS = 2048, 128, 500
DIGITS = "0123456789abcdef"

Ask = Callable[[str, Mapping[str, Any]], dict[str, Any]]
T = TypeVar("T")


class Marked(NamedTuple):
    """A resident under the key of his group: place and digest in hexadecimal digits."""

    place: str
    digest: str
    notice: Notice


class Group:
    """The marks of one 市町村コード, in the order of places."""

    def __init__(self, key: bytes, items: Sequence[str], residents: Iterable[Notice]) -> None:
        marked = (Marked(*mark(key, items, notice), notice) for notice in residents)
        self._marks = sorted(marked, key=lambda each: each.place)
        self._places = [each.place for each in self._marks]

    def below(self, prefix: str) -> list[Marked]:
        """Return the marks whose place begins so."""
        first = bisect_left(self._places, prefix)
        return self._marks[first : bisect_left(self._places, prefix + "g", first)]

    def at(self, place: str) -> Notice:
        """Return the resident at a place of ours."""
        return self._marks[bisect_left(self._places, place)].notice

    def total(self, prefix: str = "") -> dict[str, Any]:
        """Return count and digest of a bucket."""
        marks, hasher = self.below(prefix), blake2b(digest_size=16, person=b"jk1.mark.bucket")
        for each in marks:
            hasher.update(bytes.fromhex(each.place + each.digest))
        return {"count": len(marks), "digest": hasher.hexdigest()}


@dataclass(slots=True)
class Outcome:
    """What a run came to; printed as JSON."""

    result: str = ""
    findings: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)
    same: int = 0
    residents: int = 0
    requests: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    run: int = 0
    next_due: str = ""
    text: str = ""


class Reconciler:
    """The asking side of one run.

    Args:
        ask: asks an operation; returns its data, or raises what it was refused with.
        residents: the current residents.
    """

    def __init__(self, ask: Ask, residents: Iterable[Notice]) -> None:
        self._ask = ask
        self._residents = list(residents)
        self._groups: dict[str, Group] = {}
        self.outcome = Outcome(residents=len(self._residents))

    def run(self, *, whole: bool = False) -> Outcome:
        """Compare everything once."""
        begun = self._ask("reconcile/begin", {"mode": "whole" if whole else "differences"})
        self.outcome.run = begun["run"]
        for group in begun["groups"]:
            code = group["municipality_code"]
            self._groups[code] = self.marked(code, bytes.fromhex(group["key"]), begun["items"])
        if whole:
            self._compare_everybody()
        else:
            self._compare_differing()
        self._finish()
        return self.outcome

    def marked(self, code: str, key: bytes, items: Sequence[str]) -> Group:
        """Return the marks of one 市町村コード; a CS that keeps its marks need not make them."""
        mine = [notice for notice in self._residents if notice.municipality_code == code]
        return Group(key, items, mine)

    def _compare_differing(self) -> None:
        send: list[dict[str, str]] = []
        absent: list[dict[str, str]] = []
        for leaves in _chunks(self._leaves(), LEAVES):
            told = self._go_on("reconcile/digest", leaves=leaves)
            send += told["send"]
            absent += told["absent"]
        records = [self._groups[each["municipality_code"]].at(each["place"]) for each in send]
        for chunk in _chunks(records, RECORDS):
            self._compare(records=[record(notice) for notice in chunk])
        for places in _chunks(absent, RECORDS):
            self._compare(absent=places)

    def _leaves(self) -> Iterator[dict[str, Any]]:
        """Walk down level by level; yield the small buckets that differ."""
        level = [(code, "") for code in self._groups]
        while level:
            below: list[tuple[str, str]] = []
            for chunk in _chunks(level, BUCKETS):
                buckets = [
                    {**_at(code, prefix), **self._groups[code].total(prefix)}
                    for code, prefix in chunk
                ]
                for each in self._go_on("reconcile/digest", buckets=buckets)["differing"]:
                    code, prefix = each["municipality_code"], each["prefix"]
                    if each["next"] == "digests":
                        below += [(code, prefix + digit) for digit in DIGITS]
                        continue
                    marks = self._groups[code].below(prefix)
                    yield {**_at(code, prefix), "marks": [m.place + m.digest for m in marks]}
            level = below

    def _compare_everybody(self) -> None:
        for code, group in self._groups.items():
            after: str | None = None
            chunks = list(_chunks(group.below(""), RECORDS)) or [[]]
            for number, chunk in enumerate(chunks, start=1):
                through = LAST if number == len(chunks) else chunk[-1].place
                self._compare(
                    records=[record(each.notice) for each in chunk],
                    whole={"municipality_code": code, "after": after, "through": through},
                )
                after = through

    def _compare(self, **asked: Any) -> None:
        told = self._go_on("reconcile/compare", **asked)
        self.outcome.same += told["same"]
        self.outcome.findings += told["findings"]

    def _finish(self) -> None:
        roots = [{"municipality_code": c, **group.total()} for c, group in self._groups.items()]
        told = self._go_on("reconcile/finish", roots=roots)
        self.outcome.result, self.outcome.pairs = told["result"], told["pairs"]
        self.outcome.text, self.outcome.next_due = told["text"], told["next_due"]

    def _go_on(self, operation: str, **asked: Any) -> dict[str, Any]:
        body = {"run": self.outcome.run, **asked}
        self.outcome.requests += 1
        self.outcome.sent_bytes += len(msgspec.json.encode(body))
        told = self._ask(operation, body)
        self.outcome.received_bytes += len(msgspec.json.encode(told))
        return told


def over(link: Link) -> Ask:
    """Return how to ask over a connection, each request until it is answered."""
    run, numbers = token_hex(8), count(1)

    def ask(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Idempotency-Key": f"{run}-{next(numbers):08}"}
        answer = link.insist(f"/v1/{operation}", msgspec.json.encode(body), headers)
        if answer.status != 200:
            raise Refused(answer.status, answer.body)
        data: dict[str, Any] = answer.body["data"]
        return data

    return ask


def mark(key: bytes, items: Sequence[str], notice: Notice) -> tuple[str, str]:
    """Return place and digest of a resident in hexadecimal digits."""
    values = record(notice)
    data = b"".join(map(_part, (values[item] for item in items)))
    digest = blake2b(data, digest_size=16, key=key, person=b"jk1.mark.items")
    code = notice.resident_code.encode()
    place = blake2b(code, digest_size=16, key=key, person=b"jk1.mark.place")
    return place.hexdigest(), digest.hexdigest()


def _part(value: str | int | None) -> bytes:
    if value is None:
        return b"\xff\xff"
    raw = str(value).encode()
    return len(raw).to_bytes(2, "little") + raw


def record(notice: Notice) -> dict[str, Any]:
    """Return the items that are compared, in the spelling in which they are stored."""
    values = msgspec.structs.asdict(notice)
    del values["sequence"], values["previous_resident_code"]
    values["name"], values["address"] = composed(notice.name), composed(notice.address)
    values["kana"] = None if notice.kana is None else hiragana(notice.kana)
    return values


def _at(code: str, prefix: str) -> dict[str, str]:
    return {"municipality_code": code, "prefix": prefix}


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare once; return the exit status."""
    parser = argparse.ArgumentParser(prog="reconcile", description="整合性確認 by a 市町村CS.")
    parser.add_argument("--url", required=True, metavar="https://HOST:PORT")
    for name in ("certificate", "key", "ca"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="PEM")
    parser.add_argument("--store", type=Path, required=True, metavar="FILE")
    parser.add_argument("--whole", action="store_true", help="send every record")
    options = parser.parse_args(arguments)
    credentials = Credentials(options.certificate, options.key, options.ca)
    with MunicipalFile(options.store) as file, Link(options.url, credentials) as link:
        try:
            outcome = Reconciler(over(link), file.current()).run(whole=options.whole)
        except (Lost, Refused) as problem:
            sys.stderr.write(f"reconcile: {type(problem).__name__.lower()}: {problem}\n")
            return 1
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
