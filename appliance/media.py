"""Media (媒体連携): files that come and go sealed, in a frame by which no row can be missing.

A sealed file is a libsodium sealed box (X25519, XSalsa20-Poly1305): whoever knows a public key can
seal for it, only the holder of the other half can open. Public keys are written in base64.

A framed file is UTF-8 text of RFC 4180 fields, one line a row::

    H,<profile>,...        header: what kind of file, and what it is for
    D,<number>,...         rows, numbered from 1 without gaps
    T,<count>,<sha256>     how many rows, and the SHA-256 in hex of all D lines, each ended by LF

Lines end with LF or CRLF, a byte order mark is passed over, and no field has a line break in it.
"""

import base64
import binascii
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import nacl.exceptions
from nacl.public import PrivateKey, PublicKey, SealedBox

from appliance.errors import Malformed, Problem

KEY_SIZE = 32


class Media:
    """The key pair by which others seal files for this appliance; the private half stays here."""

    def __init__(self, key: bytes) -> None:
        """``key`` is 32 random bytes."""
        self._key = PrivateKey(key)

    @property
    def public_key(self) -> str:
        """For whom wants to seal a file for the appliance, in base64."""
        return text_of(bytes(self._key.public_key))

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed for the appliance.

        Raises:
            Malformed: it was sealed for another key, changed, or never sealed.
        """
        return open_sealed(bytes(self._key), sealed)

    def seal_for(self, public_key: str, content: bytes) -> bytes:
        """Return a file that only the holder of this public key can open.

        Raises:
            Malformed: that is not a public key.
        """
        return seal_for(public_key, content)


def open_sealed(key: bytes, sealed: bytes) -> bytes:
    """Return what was sealed for the public half of ``key``, 32 bytes.

    Raises:
        Malformed: it was not.
    """
    try:
        return SealedBox(PrivateKey(key)).decrypt(sealed)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        raise Malformed("the file was not sealed for this key, or was changed since") from None


def seal_for(public_key: str, content: bytes) -> bytes:
    """Return a file that only the holder of the private half can open.

    Raises:
        Malformed: ``public_key`` is not 32 bytes in base64, or a point nobody can have.
    """
    try:
        return SealedBox(PublicKey(_bytes_of(public_key))).encrypt(content)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        raise Malformed("public_key must be an X25519 public key, 32 bytes in base64") from None


def new_key() -> tuple[bytes, str]:
    """Return a new private key, 32 bytes, and its public half in base64."""
    key = PrivateKey.generate()
    return bytes(key), text_of(bytes(key.public_key))


def text_of(key: bytes) -> str:
    """Return a key as it is written."""
    return base64.b64encode(key).decode()


@dataclass(frozen=True, slots=True)
class Frame:
    """A framed file, taken apart: its header, its rows, and everything that is wrong with it."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The fields behind the number; row 1 comes first. Empty where a line could not be read."""
    problems: tuple[Problem, ...]
    digest: str
    """SHA-256 of the rows, in hex."""


def data_lines(first: int, rows: Iterable[Sequence[str]]) -> str:
    """Return rows as D lines, numbered from ``first``."""
    numbered = (("D", str(number), *row) for number, row in enumerate(rows, first))
    return _lines(numbered)


def framed(header: Sequence[str], data: str, count: int) -> str:
    """Return the whole file around its D lines."""
    return f"{_lines([('H', *header)])}{data}{_lines([('T', str(count), rows_digest(data))])}"


def rows_digest(data: str) -> str:
    """Return the SHA-256 of D lines, in hex."""
    return sha256(data.encode()).hexdigest()


def unframed(content: bytes) -> Frame:
    """Take a framed file apart; whatever is wrong with it is told, each thing with its row."""
    try:
        lines = content.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        wrong = Problem(
            "M-01", "file", "文字コードが UTF-8 ではありません。UTF-8 で保存してください。"
        )
        return Frame((), (), (wrong,), "")
    problems: list[Problem] = []
    header, *middle = lines
    trailer = middle.pop() if middle else ""
    head = _fields(header)
    if head[:1] != ("H",):
        problems.append(Problem("M-02", "header", "1行目は H で始まる見出しにしてください。"))
    rows = tuple(_row(number, line, problems) for number, line in enumerate(middle, start=1))
    digest = rows_digest("".join(f"{line}\n" for line in middle))
    problems += _about_trailer(_fields(trailer), len(rows), digest)
    return Frame(head[1:], rows, tuple(problems), digest)


def _row(number: int, line: str, problems: list[Problem]) -> tuple[str, ...]:
    fields = _fields(line)
    if fields[:2] == ("D", str(number)):
        return fields[2:]
    text = f"{number}件目: 「D,{number},」で始まる1行にしてください(番号は1からの連番)。"
    problems.append(Problem("M-03", f"row {number}", text))
    return ()


def _about_trailer(fields: tuple[str, ...], count: int, digest: str) -> list[Problem]:
    if len(fields) != 3 or fields[0] != "T":
        return [Problem("M-04", "trailer", "最終行は「T,件数,ハッシュ値」にしてください。")]
    if fields[1] != str(count):
        text = f"件数が合いません(実際は{count}件)。ファイルが欠けていないか確認してください。"
        return [Problem("M-05", "count", text)]
    if fields[2].lower() != digest:
        text = "ハッシュ値が合いません。作り直すか、送付元に確認してください。"
        return [Problem("M-06", "sha256", text)]
    return []


def _fields(line: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader((line,), strict=True), ()))
    except csv.Error:
        return ()


def _lines(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()


def _bytes_of(key: str) -> bytes:
    try:
        return base64.b64decode(key, validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("not base64") from None
