"""Tokens by which persons are found, in the tables ``ident`` and ``tok``.

    ident    (index, 12 bytes) -> the one person who holds or ever held the identifier
    tok      index << 48 | value -> the persons whose latest version has the combination

Nothing here says what a token stands for; it was keyed above this package.  Where a token lies is
not authenticated: ``check.py`` compares every one with what the opened fields give.
"""

from collections.abc import Collection, Iterable
from itertools import product

import apsw

from storage.connection import ask, ask_many
from storage.engine import PersonId, Token
from storage.errors import Tampered
from storage.tokens import IDENTIFIER_SIZE

VALUE_BITS = 48
MOST_INDEXES = 1 << 15

_HAVE_BOTH = """
    SELECT person FROM tok AS one WHERE token = ?
    AND EXISTS (SELECT 1 FROM tok AS other WHERE other.token = ? AND other.person = one.person)
    ORDER BY person LIMIT ?
"""

Posting = tuple[int, int]
"""A packed compound token and the person who has it."""


def packed(token: Token) -> int:
    """Return a compound token as the table holds it.

    Raises:
        ValueError: it is an identifier, or out of range.
    """
    value = token.value
    in_range = 0 < token.index < MOST_INDEXES
    if isinstance(value, bytes) or not in_range or not 0 <= value >> VALUE_BITS < 1:
        raise ValueError(f"index {token.index} got what is no compound token")
    return token.index << VALUE_BITS | value


def holder(connection: apsw.Connection, token: Token) -> PersonId | None:
    """Return who holds or ever held an identifier.

    Raises:
        ValueError: it is a compound token, or of another length.
    """
    value = _identifier(token)
    rows = ask(
        connection, "SELECT person FROM ident WHERE idx = ? AND token = ?", (token.index, value)
    )
    return PersonId(rows[0][0]) if rows else None


def claim(connection: apsw.Connection, token: Token, person: int) -> None:
    """Give an identifier to a person, for ever; again to the same person is nothing.

    Raises:
        Tampered: somebody else has it.
    """
    ask(
        connection,
        "INSERT INTO ident (idx, token, person) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (token.index, _identifier(token), person),
    )
    if connection.changes() == 0 and holder(connection, token) != person:
        raise Tampered(f"an identifier of index {token.index} belongs to somebody else")


def release(connection: apsw.Connection, token: Token, person: int) -> None:
    """Take an identifier from a person of whom a version was erased."""
    ask(
        connection,
        "DELETE FROM ident WHERE idx = ? AND token = ? AND person = ?",
        (token.index, _identifier(token), person),
    )


def post(connection: apsw.Connection, gained: Iterable[Posting], lost: Iterable[Posting]) -> None:
    """Take postings out, then put postings in, each in the order of the table."""
    ask_many(connection, "DELETE FROM tok WHERE token = ? AND person = ?", sorted(lost))
    ask_many(
        connection,
        "INSERT INTO tok (token, person) VALUES (?, ?) ON CONFLICT DO NOTHING",
        sorted(gained),
    )


def is_posted(connection: apsw.Connection, posting: int, person: int) -> bool:
    """Return whether a person is found by a packed compound token."""
    return bool(
        ask(connection, "SELECT 1 FROM tok WHERE token = ? AND person = ?", (posting, person))
    )


def index_of(posting: int) -> int:
    """Return the number of the index a packed token belongs to."""
    return posting >> VALUE_BITS


def candidates(
    connection: apsw.Connection, tokens: Collection[Token], limit: int, also: Collection[Token]
) -> list[PersonId]:
    """Return the first ``limit + 1`` persons who have any of the tokens, in order.

    Where ``also`` holds any, only those who have one of them too.
    """
    found: set[int] = set()
    for token in () if also else tokens:
        rows = ask(
            connection,
            "SELECT person FROM tok WHERE token = ? ORDER BY person LIMIT ?",
            (packed(token), limit + 1),
        )
        found.update(person for (person,) in rows)
    for token, other in product(tokens, also):
        rows = ask(connection, _HAVE_BOTH, (packed(token), packed(other), limit + 1))
        found.update(person for (person,) in rows)
    return [PersonId(person) for person in sorted(found)[: limit + 1]]


def _identifier(token: Token) -> bytes:
    value = token.value
    if isinstance(value, bytes) and len(value) == IDENTIFIER_SIZE:
        return value
    raise ValueError(f"index {token.index} got what is no identifier token")
