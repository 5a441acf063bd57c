"""提供 as somebody builds it over PostgreSQL and pgcrypto: one operation, in a process of its own.

It looks a resident up by the keyed digest of the 住民票コード, lets pgcrypto open the items asked
for, writes a row of audit, and answers once that is on disk: in two statements and a transaction,
as anybody writes it, or in one statement, which is the fastest way there is.
``edge.py`` serves it.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import bottle
import msgspec
import psycopg
from psycopg_pool import ConnectionPool

from appliance.edge.server import PEER, REQUEST_ID, App
from appliance.index import CODE
from appliance.items import BY_NAME, ItemName, open_form
from scripts.bench_lib.postgres.rival import AUDIT, KEYED, index_of, within
from scripts.bench_lib.postgres.sealing import KINDS

_open = ExitStack()

Connection = psycopg.Connection[Any]
Row = tuple[Any, ...]
Way = Callable[[Connection, str, Mapping[str, Any]], Row | None]

FACTORY = f"{__name__}:serve"
BY_CODE = f"{KEYED[CODE]} = %(code)s"
CONNECTIONS = 24
"""Tried with 4, 8 and 24: it is fastest so."""
OK, BAD_REQUEST = 200, 400


class Charge(msgspec.Struct, frozen=True):
    """What the process is given, as a file."""

    conninfo: str
    kind: str
    secret: bytes
    way: str
    """Of ``WAYS``."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom."""

    resident_code: str


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom, and which items."""

    by: Key
    items: list[ItemName]


def serve(charge: str) -> App:
    """Return the application, connected for as long as the process lives."""
    return _open.enter_context(serving(charge))


@contextmanager
def serving(charge: str) -> Iterator[App]:
    """Yield the application, connected; ``charge`` is the path of a file."""
    given = msgspec.json.decode(Path(charge).read_bytes(), type=Charge)
    conninfo = within(given.conninfo, given.kind)
    kwargs = {"autocommit": True}
    with ConnectionPool(conninfo, kwargs=kwargs, min_size=CONNECTIONS, open=True) as pool:
        pool.wait()
        app = bottle.Bottle()
        app.route("/v1/provision/inquire", "POST", Desk(given, pool).answer)
        yield app.wsgi


class Desk:
    """Answers inquiries over a pool of connections."""

    def __init__(self, charge: Charge, pool: ConnectionPool[Connection]) -> None:
        self._sealing = KINDS[charge.kind](charge.secret)
        self._index = index_of(charge.secret)
        self._ask = WAYS[charge.way]
        self._asked = msgspec.json.Decoder(Asked)
        self._pool = pool

    def answer(self) -> bottle.HTTPResponse:
        """Answer the current request."""
        environ = bottle.request.environ
        try:
            asked = self._asked.decode(environ["wsgi.input"].read())
            data = self._inquire(environ, asked)
        except (msgspec.MsgspecError, KeyError):
            return bottle.HTTPResponse(b"", BAD_REQUEST)
        body = msgspec.json.encode({"request_id": environ[REQUEST_ID], "data": data})
        return bottle.HTTPResponse(body, OK, {"Content-Type": "application/json"})

    def _inquire(self, environ: Any, asked: Asked) -> dict[str, Any]:
        fields = [BY_NAME[name].number for name in asked.items]
        given = {
            "code": self._index.code(asked.by.resident_code).value,
            "operation": "provision/inquire",
            "operator": hashlib.sha256(environ["HTTP_AUTHORIZATION"].encode()).hexdigest(),
            "terminal": environ[PEER].fingerprint,
            "purpose": environ["HTTP_X_PURPOSE"],
            "reason": environ["HTTP_X_REASON"],
            "items": " ".join(asked.items),
        }
        with self._pool.connection() as connection:
            row = self._ask(connection, self._sealing.get(fields), given)
        if row is None:
            return {"result": "none", "provision_id": environ[REQUEST_ID]}
        number, version, *sealed = row
        values = open_form(self._sealing.opened(number, version, sealed, fields))
        return {"result": "one", "resident": values, "provision_id": environ[REQUEST_ID]}


def in_one(connection: Connection, wanted: str, given: Mapping[str, Any]) -> Row | None:
    """Look up and write the audit in one statement, which is a transaction of its own."""
    return connection.execute(
        f"""WITH found AS (SELECT person, version, {wanted} FROM resident WHERE {BY_CODE}),
        noted AS ({AUDIT}, (SELECT person FROM found), (SELECT version FROM found))
        SELECT * FROM found""",
        given,
        binary=True,
    ).fetchone()


def in_two(connection: Connection, wanted: str, given: Mapping[str, Any]) -> Row | None:
    """Look up, then write the audit, in a transaction: four trips to the server."""
    with connection.transaction():
        row = connection.execute(
            f"SELECT person, version, {wanted} FROM resident WHERE {BY_CODE}", given, binary=True
        ).fetchone()
        person, version = row[:2] if row else (None, None)
        noted = {**given, "person": person, "version": version}
        connection.execute(f"{AUDIT}, %(person)s::bigint, %(version)s::integer", noted)
    return row


WAYS: Mapping[str, Way] = {"one": in_one, "two": in_two}
