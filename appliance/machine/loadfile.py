"""The files of a load, cut into pieces that a worker reads by itself; the writer only counts."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.firstload import FirstLoad
from appliance.values.identifiers import Municipalities

if TYPE_CHECKING:
    from hashlib import _Hash

PIECE = 256 * 1024
"""Bytes, and the rest of the line."""
LONGEST_LINE = 64 * 1024


class NotAFile(Exception):
    """A file holds nothing that says whose it is."""


@dataclass(slots=True)
class Source:
    """A file of one municipality."""

    path: Path
    sender: str
    size: int
    digest: "_Hash" = field(default_factory=sha256)
    """SHA-256 of what was read so far."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of a file."""

    number: int
    """Of all pieces of a load, from 0."""
    source: Source
    first_line: int
    """Its number in the file, from 1."""
    start: int
    size: int
    is_last: bool


def source_of(
    path: Path, plugin: FirstLoad, municipalities: Municipalities, sender: str | None
) -> Source:
    """Return a file and whose it is.

    Raises:
        NotAFile: nobody says whose it is, and its first line does not tell.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        sender = sender or plugin.sender(file.readline(LONGEST_LINE), municipalities)
    if sender is None:
        raise NotAFile(f"{path}: the first line is not a notice, so nobody can tell whose file")
    return Source(path, sender, path.stat().st_size)


def cut(sources: Sequence[Source]) -> Iterator[Piece]:
    """Yield the pieces of files, in order; each is read once, for the digest and the lines."""
    number = 0
    for source in sources:
        start, line = 0, 1
        with source.path.open("rb") as file:
            while data := file.read(PIECE):
                data += file.readline(LONGEST_LINE)
                source.digest.update(data)
                is_last = start + len(data) >= source.size
                yield Piece(number, source, line, start, len(data), is_last)
                number, start, line = number + 1, start + len(data), line + data.count(b"\n")


def lines_of(path: Path, start: int, size: int) -> list[bytes]:
    """Return the lines of a piece."""
    with path.open("rb") as file:
        data = os.pread(file.fileno(), size, start)
    return data.removesuffix(b"\n").split(b"\n")
