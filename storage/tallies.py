"""Tallies: named whole numbers, changed in the unit that changes what they count.

A name is a path in clear (``population/431001/1``); it must tell of nobody. The state digest does
not cover them: they can be counted again at any time, and ``check`` is where that is done.
"""

from collections.abc import Mapping

import apsw

from storage.connection import ask, ask_many


def add(connection: apsw.Connection, name: str, by: int) -> None:
    """Change a tally; one that comes to nothing is gone."""
    ((value,),) = ask(
        connection,
        "INSERT INTO tally (name, value) VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET value = value + excluded.value RETURNING value",
        (name, by),
    )
    if value == 0:
        ask(connection, "DELETE FROM tally WHERE name = ?", (name,))


def add_all(connection: apsw.Connection, moved: Mapping[str, int]) -> None:
    """Change many tallies at once."""
    ask_many(
        connection,
        "INSERT INTO tally (name, value) VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET value = value + excluded.value",
        sorted(moved.items()),
    )
    ask(connection, "DELETE FROM tally WHERE value = 0")


def read(connection: apsw.Connection, prefix: str) -> Mapping[str, int]:
    """Return every tally whose name begins so, in the order of names."""
    rows = ask(
        connection,
        "SELECT name, value FROM tally WHERE name >= ? AND name < ? ORDER BY name",
        (prefix, prefix + "\U0010ffff"),
    )
    return dict(rows)
