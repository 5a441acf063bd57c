"""PostgreSQL beside our store: a comparison is worth something if both give the same answers."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from appliance.edge.server import PEER, REQUEST_ID
from appliance.finding import Conditions
from appliance.items import BY_NAME, ItemName, open_form, seal_form
from appliance.model import Peer
from appliance.testing import Bench
from scripts.bench_lib.measures import rival as measure
from scripts.bench_lib.postgres import inquiry, server
from scripts.bench_lib.postgres.ours import ALL, Ours
from scripts.bench_lib.postgres.rival import Person, Rival
from scripts.bench_lib.postgres.sealing import KINDS
from scripts.bench_lib.rows import Setting
from tests.simulators.population import Population

SECRET = bytes(range(32))
ITEMS = ("name", "birth_date", "sex", "address")
FIELDS = tuple(BY_NAME[ItemName(name)].number for name in ITEMS)
CODE = ItemName("resident_code")
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def conninfo() -> Iterator[str]:
    if not list(server.PACKAGES.glob("*/bin/postgres")):
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql postgresql-contrib")
    # Not in tmp_path: nobody but its owner can pass through there, and PostgreSQL has another.
    with TemporaryDirectory() as folder, server.running(Path(folder) / "postgres") as conninfo:
        yield conninfo


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Ours]:
    with Bench.open(tmp_path / "store") as bench:
        notices = [msgspec.to_builtins(each) for each in Population(1, "432024", 40).notices()]
        bench.municipality("432024").ask("update/notify", {"notifications": notices})
        yield Ours(bench.vault, bench.index)


@pytest.fixture(params=sorted(KINDS))
def rival(request: pytest.FixtureRequest, conninfo: str, ours: Ours) -> Iterator[Rival]:
    with Rival.create(conninfo, request.param, SECRET) as rival:
        rival.load(ours.people())
        rival.finish_load()
        yield rival
        rival.drop()


def code_of(person: Person) -> str:
    return str(open_form(person.cells)[CODE])


def test_both_know_the_same_residents(ours: Ours, rival: Rival) -> None:
    people = list(ours.people())
    assert len(people) == rival.counts()["resident"] == 40
    for person in people:
        code = code_of(person)
        assert rival.find(code, ALL) == ours.find(code, ALL) == person.cells
        assert rival.find(code, FIELDS) == ours.find(code, FIELDS)


def test_both_know_nobody_of_another_code(ours: Ours, rival: Rival) -> None:
    assert rival.find("00000000000", FIELDS) is None
    assert ours.find("00000000000", FIELDS) is None


def test_both_find_the_same_by_four_informations(ours: Ours, rival: Rival) -> None:
    for person in list(ours.people())[:10]:
        values = open_form(person.cells)
        given = {name: str(values[ItemName(name)]) for name in ITEMS}
        sought = Conditions(**given)  # type: ignore[arg-type]
        hits = measure.found(ours, sought)
        assert person.number in hits
        assert measure.found(rival, sought) == hits


def test_a_change_leaves_history_and_audit(ours: Ours, rival: Rival) -> None:
    person = next(ours.people())
    values = {**open_form(person.cells), ItemName("address"): "熊本県八代市本町一丁目１番１号"}
    changed = Person(person.number, seal_form(values))
    audited = rival.counts()["audit"]
    for store in (ours, rival):
        store.update(changed, 1)
        assert store.find(code_of(person), ALL) == changed.cells
    assert rival.counts() == {"resident": 40, "history": 1, "audit": audited + 1}


def test_a_change_against_an_older_version_is_refused(ours: Ours, rival: Rival) -> None:
    person = next(ours.people())
    rival.update(person, 1)
    with pytest.raises(LookupError):
        rival.update(person, 1)


@pytest.mark.parametrize("way", inquiry.WAYS)
def test_an_inquiry_is_answered_once_it_is_audited(
    way: str, ours: Ours, rival: Rival, conninfo: str, tmp_path: Path
) -> None:
    person = next(ours.people())
    charge = inquiry.Charge(conninfo, rival.kind, SECRET, way)
    (tmp_path / "charge").write_bytes(msgspec.json.encode(charge))
    audited = rival.counts()["audit"]
    with inquiry.serving(str(tmp_path / "charge")) as app:
        answer = asked(app, code_of(person))
        nobody = asked(app, "00000000000")
    values = open_form(person.cells)
    assert answer["resident"] == {name: values[ItemName(name)] for name in ITEMS}
    assert nobody["result"] == "none"
    assert rival.counts()["audit"] == audited + 2


def asked(app: Any, code: str) -> dict[str, Any]:
    body = json.dumps({"by": {"resident_code": code}, "items": ITEMS}).encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/provision/inquire",
        "wsgi.input": io.BytesIO(body),
        "HTTP_AUTHORIZATION": "Bearer test",
        "HTTP_X_PURPOSE": "all",
        "HTTP_X_REASON": "01",
        PEER: Peer("f" * 64, NOW, NOW),
        REQUEST_ID: "request-1",
    }
    answer = json.loads(b"".join(app(environ, lambda status, headers, problem=None: None)))
    data: dict[str, Any] = answer["data"]
    return data


def test_a_machine_without_postgres_says_so_in_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PACKAGES", tmp_path / "nothing")
    rows = list(measure.measure(setting(tmp_path)))
    assert {row.met for row in rows} == {None}
    assert {row.note for row in rows} == {
        "not measured: PostgreSQL is not installed (Debian: postgresql, postgresql-contrib)"
    }


def test_postgres_can_be_left_out(tmp_path: Path) -> None:
    rows = list(measure.measure(setting(tmp_path, postgres=False)))
    assert {row.note for row in rows} == {"not measured: --without-postgres"}


def setting(folder: Path, *, postgres: bool = True) -> Setting:
    return Setting(folder=folder, sizes=(100,), seed=1, quick=True, postgres=postgres)
