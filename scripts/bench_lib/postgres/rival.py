"""The rival's tables and statements.

::

    resident   the latest version: person, version, a column for each index X1 to X11, the items
    history    versions before it, as they were
    audit      who did what to whom: written by the same statement that does it
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import psycopg
from psycopg.conninfo import make_conninfo

from appliance.index import CODE, NAMES, NUMBER, Index
from appliance.items import open_form
from scripts.bench_lib.postgres.sealing import KINDS, Cells, Sealing
from storage.derive import derive
from storage.engine import PersonId, Token

TOKEN_BITS = 20
IDENTIFIERS = (CODE, NUMBER)
KEYED = {index: f"by_{name}" for index, name in NAMES.items()}
"""The columns of tokens. Who has several names is found by one of them, which favours the rival."""
AUDIT = """
    INSERT INTO audit (operation, operator, terminal, purpose, reason, items, person, version)
    SELECT %(operation)s, %(operator)s, %(terminal)s, %(purpose)s, %(reason)s, %(items)s"""
AUDITED = {
    "operation": "update/notify",
    "operator": "OP-0001",
    "terminal": "TERM-0001",
    "purpose": "register-administration",
    "reason": "04",
    "items": "",
}


class Person(NamedTuple):
    """A resident as both sides get it."""

    number: PersonId
    cells: Cells


class Found(NamedTuple):
    """A resident, and the cells that were asked for."""

    number: int
    cells: Cells


class Rival:
    """One way of keeping residents in PostgreSQL, over one connection."""

    def __init__(
        self, connection: psycopg.Connection, kind: str, sealing: Sealing, index: Index
    ) -> None:
        self._connection = connection
        self.kind = kind
        self._sealing = sealing
        self.index = index

    @classmethod
    @contextmanager
    def create(cls, conninfo: str, kind: str, secret: bytes) -> Iterator[Self]:
        """Make the tables in a schema named as the kind of sealing, empty and without indexes."""
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA public")
            connection.execute(f"CREATE SCHEMA {kind}")
        with psycopg.connect(within(conninfo, kind), autocommit=True) as connection:
            sealing = KINDS[kind](secret)
            for statement in _tables(sealing):
                connection.execute(statement)
            yield cls(connection, kind, sealing, index_of(secret))

    def load(self, people: Iterable[Person]) -> None:
        """Take residents in, sealed, with their tokens and one row of audit; durable."""
        columns = _columns(self._sealing)
        target = "staged" if self._sealing.in_server else "resident"
        connection = self._connection
        with connection.transaction(), connection.cursor() as cursor:
            copied = f"COPY {target} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
            with cursor.copy(copied) as copy:
                copy.set_types(list(columns.values()))
                for person in people:
                    copy.write_row(self._row(person, 1))
            if self._sealing.in_server:
                keyed = len(columns) - len(self._sealing.columns)
                made = [*list(columns)[:keyed], *map(self._sealing.put, self._sealing.columns)]
                cursor.execute(
                    f"INSERT INTO resident ({', '.join(columns)})"
                    f" SELECT {', '.join(made)} FROM staged"
                )
            cursor.execute(f"{AUDIT}, NULL, NULL", AUDITED)

    def finish_load(self) -> None:
        """Make the indexes over what was loaded."""
        for statement in _indexes():
            self._connection.execute(statement)

    def find(self, resident_code: str, fields: Sequence[int]) -> Cells | None:
        """Return these cells of who has a 住民票コード, or None."""
        found = self._select(
            f"{KEYED[CODE]} = %(code)s", {"code": self.index.code(resident_code).value}, fields
        )
        return found[0].cells if found else None

    def candidates(self, tokens: Collection[Token], fields: Sequence[int]) -> list[Found]:
        """Return everybody who has any of these tokens of one index, with these cells."""
        column = KEYED[next(iter(tokens)).index]
        values = [token.value for token in tokens]
        return self._select(f"{column} = ANY(%(values)s::bigint[])", {"values": values}, fields)

    def update(self, person: Person, seen: int) -> None:
        """Write a version on top of ``seen``; the one before and the audit with it; durable."""
        columns = _columns(self._sealing)
        names, sealed = list(columns), self._sealing.columns
        put = {name: f"%({name})s" for name in names}
        put |= {name: self._sealing.put(f"%({name})s") for name in sealed}
        changed = ", ".join(f"{name} = {put[name]}" for name in names)
        done = self._connection.execute(
            f"""WITH old AS (INSERT INTO history SELECT * FROM resident WHERE person = %(person)s),
                noted AS ({AUDIT}, %(person)s, %(version)s)
                UPDATE resident SET {changed} WHERE person = %(person)s AND version = %(seen)s""",
            {
                **AUDITED,
                "seen": seen,
                **dict(zip(names, self._row(person, seen + 1), strict=True)),
            },
        )
        if done.rowcount != 1:
            raise LookupError("the rival knows no such version")

    def drop(self) -> None:
        """Take everything away again."""
        self._connection.execute(f"DROP SCHEMA {self.kind} CASCADE")

    def counts(self) -> Mapping[str, int]:
        """Return how many rows each table has."""
        return {
            table: self._connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            for table in ("resident", "history", "audit")
        }

    def _select(self, where: str, by: Mapping[str, Any], fields: Sequence[int]) -> list[Found]:
        wanted = self._sealing.get(fields)
        rows = self._connection.execute(
            f"SELECT person, version, {wanted} FROM resident WHERE {where}", by, binary=True
        ).fetchall()
        opened = self._sealing.opened
        return [
            Found(number, opened(number, version, row, fields)) for number, version, *row in rows
        ]

    def _row(self, person: Person, version: int) -> Sequence[Any]:
        tokens = {
            token.index: token.value for token in self.index.tokens_of(open_form(person.cells))
        }
        return [
            person.number,
            version,
            *(tokens.get(index) for index in KEYED),
            *self._sealing.stored(person.number, version, person.cells),
        ]


def within(conninfo: str, kind: str) -> str:
    """Return how to connect to the tables of a kind."""
    return make_conninfo(conninfo, options=f"-c search_path={kind},public")


def index_of(secret: bytes) -> Index:
    """Return what makes tokens: the client does, with a key the database never sees."""
    return Index(derive(secret, b"rival", b"index"), TOKEN_BITS)


def _columns(sealing: Sealing) -> Mapping[str, str]:
    """Return the columns of a resident, and their types."""
    keyed = {
        column: "bytea" if index in IDENTIFIERS else "bigint" for index, column in KEYED.items()
    }
    return {
        "person": "bigint",
        "version": "integer",
        **keyed,
        **dict.fromkeys(sealing.columns, "bytea"),
    }


def _tables(sealing: Sealing) -> Iterator[str]:
    columns = ", ".join(f"{name} {kind}" for name, kind in _columns(sealing).items())
    yield f"CREATE TABLE resident ({columns})"
    yield f"CREATE TABLE history ({columns}, PRIMARY KEY (person, version))"
    yield f"CREATE TEMPORARY TABLE staged ({columns}) ON COMMIT DELETE ROWS"
    yield """CREATE TABLE audit (
        entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        operation text, operator text, terminal text, purpose text, reason text, items text,
        person bigint, version integer)"""
    yield "CREATE INDEX ON audit (person)"


def _indexes() -> Iterator[str]:
    yield "ALTER TABLE resident ADD PRIMARY KEY (person)"
    for index, column in KEYED.items():
        unique = "UNIQUE" if index in IDENTIFIERS else ""
        yield f"CREATE {unique} INDEX ON resident ({column})"
    yield "ANALYZE resident"
