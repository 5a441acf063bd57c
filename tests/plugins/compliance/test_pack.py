"""外部監査: what leaves for the auditor from outside, and that it is what was given out."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Malformed, NotPermitted
from appliance.testing import Bench
from plugins.compliance.pack import EARLIEST, _zipped
from storage.proof import Proof
from tests.plugins.compliance.staff import (
    ADMIN,
    AUDITOR,
    CLERK,
    OFFICER,
    TAX,
    Staff,
    right,
)
from tests.plugins.compliance.test_incidents import look, opened
from tests.plugins.people import admit, shipped_policy


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Staff]:
    """Everybody, and all functions, with a resident who was looked at and an incident."""
    with Bench.open(tmp_path, None, shipped_policy()) as bench:
        staff = Staff(bench)
        admit(bench, 1)
        look(staff, 1)
        opened(staff)
        given = {"fiscal_year": 2026, "due_on": "2026-06-30"}
        staff.ask(ADMIN, "open", book="self-check-campaign", given=given)
        number = staff.ask(ADMIN, "entries", book="self-check", office=TAX)["entries"][0]["number"]
        staff.step(CLERK, "self-check", number, "answer", results=right("self-check"))
        yield staff


def unpacked(packed: dict[str, Any]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed["archive"])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.requirement("R182")
def test_every_file_is_named_with_its_hash_and_the_manifest_is_in_the_ledger(whole: Staff) -> None:
    packed = whole.ask(AUDITOR, "pack", since="2026-04-01", until="2026-04-30")
    content = unpacked(packed)
    manifest = json.loads(content["manifest.json"])
    listed = {file["name"]: (file["sha256"], file["length"]) for file in manifest["files"]}
    assert listed == {
        name: (sha256(body).hexdigest(), len(body))
        for name, body in content.items()
        if name != "manifest.json"
    }
    digest = sha256(content["manifest.json"]).hexdigest()
    assert packed["manifest_sha256"] == digest
    entry = whole.bench.ledger()[-1]
    assert entry.note == f"pack of {len(listed)} files, manifest {digest}"
    assert entry.conditions["since"] == "2026-04-01"


@pytest.mark.requirement("R182")
def test_it_holds_rosters_figures_books_and_proof(whole: Staff) -> None:
    day = whole.day()
    content = unpacked(whole.ask(AUDITOR, "pack", since=day, until="2026-04-30"))
    roster = {row["operator_id"]: row for row in rows(content["authorities.csv"])}
    assert roster[CLERK.operator]["office"] == TAX
    assert [row["terminal_id"] for row in rows(content["terminals.csv"])] == ["TERM-0001"]
    told = {
        (r["office"], r["operation"], r["result"]): r["entries"]
        for r in rows(content["ledger.csv"])
    }
    assert told[TAX, "provision/inquire", "ok"] == "1"
    figures = json.loads(content["figures.json"])
    assert figures["persons_concerned"] == 1
    assert figures["entries"] == sum(map(int, told.values()))
    (incident,) = json.loads(content["books/incident.json"])["entries"]
    assert [step["step"] for step in incident["steps"]] == ["open"]
    size = json.loads(content["manifest.json"])["ledger_size"]
    proof = Proof.parse(content["last.tlog-proof"].decode())
    assert proof.index == size - 1
    assert "熊本　花子" not in "".join(body.decode() for body in content.values())


@pytest.mark.requirement("R182")
def test_it_is_of_the_offices_and_the_days_that_were_asked_for(whole: Staff) -> None:
    def sheets(**scope: Any) -> list[str]:
        content = unpacked(whole.ask(AUDITOR, "pack", **scope))
        entries = json.loads(content["books/self-check.json"])["entries"]
        return [entry["office"] for entry in entries]

    days = {"since": "2026-04-01", "until": "2026-04-30"}
    assert sheets(**days, offices=[TAX]) == [TAX]
    assert len(sheets(**days)) > 1
    assert sheets(since="2026-05-01", until="2026-05-31") == []
    content = unpacked(whole.ask(AUDITOR, "pack", **days, offices=["監査室"]))
    assert {row["office"] for row in rows(content["ledger.csv"])} <= {"監査室"}
    assert {row["office"] for row in rows(content["authorities.csv"])} == {"監査室"}


@pytest.mark.requirement("R182")
def test_the_same_content_gives_the_same_bytes() -> None:
    first, second = _zipped({"b": b"2", "a": b"1"}), _zipped({"a": b"1", "b": b"2"})
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert [info.date_time for info in archive.infolist()] == [EARLIEST] * 2


@pytest.mark.parametrize(
    "written", ["=1+1", "+1", "-1", "@A1", "＝1+1", "＋1", "－1", "＠A1", "'=1"]
)
def test_what_a_spreadsheet_would_take_for_a_formula_is_marked(whole: Staff, written: str) -> None:
    whole.bench.clerk("OP-0070", roles=("auditor",), purposes=(), office=written)
    packed = whole.ask(AUDITOR, "pack", since="2026-04-01", until="2026-04-30")
    row = next(
        r for r in rows(unpacked(packed)["authorities.csv"]) if r["operator_id"] == "OP-0070"
    )
    assert row["office"] == f"'{written}"


@pytest.mark.requirement("R182")
def test_only_those_who_oversee_take_it_out(whole: Staff) -> None:
    for who in (CLERK, OFFICER):
        with pytest.raises(NotPermitted):
            whole.ask(who, "pack", since="2026-04-01", until="2026-04-30")
    with pytest.raises(Malformed, match="since is after until"):
        whole.ask(AUDITOR, "pack", since="2026-05-01", until="2026-04-30")
