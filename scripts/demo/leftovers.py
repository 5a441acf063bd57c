"""Whether anything of a resident lies somewhere in clear.

What is looked for: every name, reading, address, number and code of many residents, of everybody
who was told of wrongly and of the people of the story; the custodians' shares and policy keys. Each
in every encoding a program might have written it in. ``grep`` looks at every byte of every file;
first it has to find the same things where they do lie.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.parse import quote

from scripts.demo.cast import Cast
from scripts.demo.grounds import Grounds
from scripts.demo.stage import Stage
from scripts.demo.steps import Off, Step
from tests.simulators.notices import Expected, Notice, read_lines

SAMPLE = 500
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp932")
SHORTEST = 6
"""Bytes. Shorter ones stand in any file of encrypted bytes sooner or later."""
FOUND, NOTHING = 0, 1
"""Exit statuses of grep."""


@dataclass(frozen=True, slots=True)
class Search:
    """What must not be found, in a file for ``grep``."""

    path: Path
    needles: Sequence[bytes]

    def files_with(self, *places: Path) -> list[Path]:
        """Return the files that hold any of it.

        Raises:
            Off: a file could not be read.
        """
        command = ["grep", "-rlaF", "-f", str(self.path), "--", *map(str, places)]
        done = subprocess.run(
            command, env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=False
        )
        if done.returncode not in (FOUND, NOTHING):
            raise Off(f"grep could not look: {done.stderr.decode(errors='replace').strip()}")
        return [Path(os.fsdecode(line)) for line in done.stdout.splitlines()]


def prepare(stage: Stage, cast: Cast, seed: int) -> Search:
    """Write down what must not be found, and see that the search finds it where it is."""
    grounds = stage.grounds
    with stage.steps.step("a search is made for what must lie nowhere in clear") as step:
        people = [*_sample(grounds.municipality, seed), *cast.everybody]
        texts = {text for person in people for text in _texts(person)} | set(_secrets(grounds))
        needles = sorted({form for text in texts for form in _forms(text)})
        path = grounds.custodians / "needles"
        path.write_bytes(b"\n".join(needles) + b"\n")
        search = Search(path, needles)
        step.saw(f"{len(people)} notices, {len(texts):,} texts, {len(needles):,} patterns")
        town = grounds.municipality / "residents.jsonl"
        step.must("it finds them in the municipality's file", search.files_with(town) == [town])
        step.must("it finds every encoding among other bytes", _finds_all_forms(search, cast))
    return search


def nothing_left(stage: Stage, search: Search, when: str) -> None:
    """Look through all the appliance has, and through all logs and refusals of the run."""
    grounds = stage.grounds
    with stage.steps.step(f"nothing lies in clear in the appliance's folder, {when}") as step:
        files = [path for path in grounds.appliance.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        step.asks(f"{len(search.needles):,} patterns in {len(files)} files, {_mib(size)}")
        wal = grounds.data / "store" / "juki.db-wal"
        if wal.exists():
            step.saw(f"write-ahead log of {_mib(wal.stat().st_size)} among them")
        _found_in(step, grounds, search.files_with(grounds.appliance))
    with stage.steps.step(f"nor in any log or refusal, {when}") as step:
        logs = [path for path in (*stage.logs(), stage.refusals.path) if path.exists()]
        step.asks(", ".join(str(path.relative_to(grounds.folder)) for path in logs))
        _found_in(step, grounds, search.files_with(*logs))


def _found_in(step: Step, grounds: Grounds, found: Sequence[Path]) -> None:
    names = [str(path.relative_to(grounds.folder)) for path in found]
    step.saw(f"found in {', '.join(names)}" if names else "nothing found", not names)


def _sample(folder: Path, seed: int) -> Iterator[Notice]:
    """Yield many residents, and every notice with a fault that was planted."""
    with (folder / "residents.jsonl").open("rb") as file:
        residents = sum(1 for _ in file)
    chosen = set(Random(f"leftovers/{seed}").sample(range(residents), min(SAMPLE, residents)))
    for number, notice in enumerate(read_lines(folder / "residents.jsonl", Notice)):
        if number in chosen:
            yield notice
    planted = {record.line for record in read_lines(folder / "expected.jsonl", Expected)}
    for line, notice in enumerate(read_lines(folder / "movements.jsonl", Notice), start=1):
        if line in planted:
            yield notice


def _texts(person: Notice) -> Iterator[str]:
    """Yield what is looked for of one person; of an address the part that says where."""
    for text in (person.name, person.kana or "", person.address.removeprefix("熊本県")):
        yield text
        yield text.replace("\u3000", "")
    yield from (person.my_number or "", person.resident_code)


def _secrets(grounds: Grounds) -> Iterator[str]:
    """Yield what the custodians keep."""
    for path in (*grounds.custodians.glob("share-*.txt"), *grounds.custodians.glob("policy-*.key")):
        yield path.read_text("ascii").strip()


def _forms(text: str) -> Iterator[bytes]:
    """Yield a text in every form that can be looked for."""
    escaped = json.dumps(text)[1:-1].encode()
    for form in (*_encoded(text), escaped, quote(text).encode()):
        # grep reads a pattern a line.
        longest = max(form.split(b"\n"), key=len)
        if len(longest) >= SHORTEST:
            yield longest


def _encoded(text: str) -> Iterator[bytes]:
    for encoding in ENCODINGS:
        with suppress(UnicodeEncodeError):
            yield text.encode(encoding)


def _finds_all_forms(search: Search, cast: Cast) -> bool:
    """Return whether a name is found in each of its forms, amid bytes that mean nothing."""
    forms = [form for text in _texts(cast.sawako) for form in _forms(text)]
    with TemporaryDirectory() as folder:
        for number, form in enumerate(forms):
            (Path(folder) / str(number)).write_bytes(os.urandom(500) + form + os.urandom(500))
        return len(search.files_with(Path(folder))) == len(forms)


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
