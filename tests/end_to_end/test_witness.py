"""A ledger that was rewritten, cut off, forked or put back is found: with real processes and files.

The attacker here is whoever runs the machine. He has its data folder, he can change its
configuration, and in the worst case he holds every key: then only somebody outside remembers.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.keyring import KeyRing
from storage.note import Signer, sign_checkpoint
from storage.tiles import CHECKPOINT, WITNESSED, FolderReader, export
from tests.appliance.founding import root_of
from tests.machine import ORIGIN, Machine
from tests.storage.made import LedgerInMemory
from tests.waiting import until
from tests.witness import NAME, SECONDS, Witness, witnessed

HUMAN = 4
"""Exit code of juki: a human must look."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine.make(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def witness(machine: Machine) -> Iterator[Witness]:
    with witnessed(machine) as beside:
        yield beside


def a_day(machine: Machine, witness: Witness, requests: int = 3) -> int:
    """Serve for a while, with the witness looking on; return how many entries it has cosigned."""
    machine.open()
    asked(machine, requests)
    size = witness.cosigns_all()
    until(lambda: tiles_size(machine) >= size, SECONDS, "it was not exported")
    until((machine.layout.tiles / WITNESSED).exists, SECONDS, "nothing cosigned was published")
    assert machine.stop() == 0
    return witness.size()


def asked(machine: Machine, requests: int) -> None:
    """Ask without a session: refused, and entered in the ledger."""
    with machine.link("TERM-0001") as link:
        for _ in range(requests):
            assert link.ask("/v1/search/find", b"{}").status == 401


def tiles_size(machine: Machine) -> int:
    path = machine.layout.tiles / CHECKPOINT
    return int(path.read_text().splitlines()[1]) if path.exists() else 0


def ledger_verify(witness: Witness, folder: Path, *anchors: Path) -> tuple[int, dict[str, Any]]:
    """Return the exit code of ``juki ledger verify`` with what an auditor has, and what it says."""
    kept = [part for anchor in anchors for part in ("--anchor", str(anchor))]
    done = witness.machine.juki(
        "ledger", "verify", str(folder), "--key", witness.key, "--witness", witness.vkey, *kept
    )
    return done.returncode, json.loads(done.stdout)


def refused_to_open(machine: Machine) -> str:
    """Give three shares to a process that must not serve; return what it says."""
    machine.start()
    machine.wait_until_asked()
    answers = [
        machine.loopback("POST", "unseal", {"share": share}) for share in machine.founded.shares[:3]
    ]
    status, told = answers[-1]
    assert (status, told["code"]) == (500, "integrity")
    assert machine.loopback("GET", "seal-status")[1]["sealed"] is True
    assert machine.loopback("GET", "health")[0] == 503
    assert machine.stop() == 0
    return str(told["detail"])


def put_back(machine: Machine, copy: Path) -> None:
    shutil.rmtree(machine.data)
    shutil.copytree(copy, machine.data)


def signer_of(machine: Machine) -> Signer:
    """Return the key by which the ledger signs, as an insider with three shares has it."""
    root = root_of(machine.data, machine.founded.shares[:3])
    return Signer(ORIGIN, KeyRing.open(machine.layout.ring, root).key("log-sign"))


@pytest.mark.requirement("R135")
def test_a_data_folder_put_back_whole_is_refused_when_it_is_unsealed(
    machine: Machine, witness: Witness, tmp_path: Path
) -> None:
    a_day(machine, witness)
    before = tiles_size(machine)
    shutil.copytree(machine.data, tmp_path / "older")
    newest = a_day(machine, witness)
    shutil.copytree(machine.data, tmp_path / "newest")
    put_back(machine, tmp_path / "older")
    database = (machine.layout.store / "juki.db").read_bytes()
    said = refused_to_open(machine)
    assert f"the ledger ends at {before} entries, the witness {NAME} has cosigned {newest}" in said
    assert f"put back to an older state, and entries {before} to {newest - 1} are missing" in said
    assert (machine.layout.store / "juki.db").read_bytes() == database
    assert said in machine.layout.journal.read_text()
    code, told = witness.show()
    assert (code, [each["kind"] for each in told["evidence"]]) == (HUMAN, ["rollback"])
    assert f"rollback of {ORIGIN}" in witness.log
    # The newest folder is put back, and all goes on.
    put_back(machine, tmp_path / "newest")
    machine.open()
    asked(machine, 1)
    assert witness.cosigns_all() > newest


@pytest.mark.requirement("R135")
def test_a_ledger_forked_with_every_key_is_found_by_the_witness_alone(
    machine: Machine, witness: Witness, tmp_path: Path
) -> None:
    known = a_day(machine, witness)
    shutil.copytree(machine.data, tmp_path / "older")
    cosigned = a_day(machine, witness)
    shutil.copy(machine.layout.witnessed, tmp_path / "auditor.checkpoint")
    # He goes on from the older folder, with the shares, and without asking the witness.
    put_back(machine, tmp_path / "older")
    witness.conceal()
    machine.open()
    asked(machine, 40)
    until(lambda: tiles_size(machine) > cosigned, SECONDS, "it was not exported")
    assert machine.stop() == 0
    # By itself everything is as it must be: it is signed by the true key.
    assert machine.check()["clean"] is True
    alone = machine.juki("ledger", "verify", str(machine.layout.tiles), "--key", witness.key)
    assert alone.returncode == 0
    # The auditor has one of the cosigned checkpoints, ...
    code, told = ledger_verify(witness, machine.layout.tiles, tmp_path / "auditor.checkpoint")
    assert (code, told["sound"]) == (HUMAN, False)
    assert f"forked: its first {cosigned} entries are not those of" in told["problem"]
    findings = machine.check(tmp_path / "auditor.checkpoint")["findings"]
    assert f"the {cosigned} entries that were attested elsewhere" in str(findings)
    # ... and the witness is asked again when the configuration is put right.
    witness.introduce()
    said = refused_to_open(machine)
    assert f"has cosigned {cosigned} entries of this ledger that are not its first" in said
    assert f"the first entry that differs lies from {known} to {cosigned - 1}" in said
    code, told = witness.show()
    assert (code, [each["kind"] for each in told["evidence"]]) == (HUMAN, ["fork"])


@pytest.mark.requirement("R135")
def test_an_exported_ledger_that_was_cut_off_or_rewritten_is_found_offline(
    machine: Machine, witness: Witness, tmp_path: Path
) -> None:
    a_day(machine, witness)
    shutil.copytree(machine.layout.tiles, tmp_path / "cut")
    a_day(machine, witness)
    anchor = machine.layout.witnessed
    cosigned = int(anchor.read_text().splitlines()[1])
    code, told = ledger_verify(witness, machine.layout.tiles, anchor)
    assert (code, told["sound"]) == (0, True)
    assert f"{cosigned} entries by {NAME}" in told["witnessed"][0]
    # Cut off: an older copy, signed by the ledger itself.
    code, told = ledger_verify(witness, tmp_path / "cut", anchor)
    size = told["size"]
    assert (code, told["sound"]) == (HUMAN, False)
    assert f"ends at {size} entries" in told["problem"]
    assert f"entries {size} to {cosigned - 1} are missing" in told["problem"]
    # Rewritten without the key: the entry is named.
    shutil.copytree(machine.layout.tiles, tmp_path / "changed")
    bundle = next((tmp_path / "changed/tile/entries").rglob("000*/*"))
    raw = bytearray(bundle.read_bytes())
    raw[-1] ^= 1
    bundle.write_bytes(raw)
    code, told = ledger_verify(witness, tmp_path / "changed", anchor)
    assert (code, told["entry"]) == (HUMAN, tiles_size(machine) - 1)
    # Rewritten with the key: sound by itself, and not what the witness saw.
    files = FolderReader(machine.layout.tiles, tiles_size(machine))
    entries = [files.entry(index) for index in range(files.size)]
    forged = LedgerInMemory([*entries[:2], b"nobody looked", *entries[3:]])
    size, root = forged.frontier.size, forged.frontier.root()
    export(tmp_path / "forged", forged, sign_checkpoint(signer_of(machine), size, root))
    alone = machine.juki("ledger", "verify", str(tmp_path / "forged"), "--key", witness.key)
    assert alone.returncode == 0
    code, told = ledger_verify(witness, tmp_path / "forged", anchor)
    assert (code, told["sound"]) == (HUMAN, False)
    assert f"lies from 0 to {cosigned - 1}" in told["problem"]


def test_a_witness_that_is_away_keeps_nobody_from_serving(
    machine: Machine, witness: Witness
) -> None:
    assert witness.stop() == 0
    machine.open()
    asked(machine, 1)
    assert witness.seen()["state"] == "failing"
    _, health = machine.loopback("GET", "health")
    assert [each["name"] for each in health["alarms"]] == ["witness-not-compared"]
    assert "witness" in health["warnings"]
    witness.start()
    witness.cosigns_all()
    assert witness.seen()["state"] == "cosigned"
    assert machine.loopback("GET", "health")[1]["alarms"] == []
    _, metrics = machine.loopback("GET", "metrics")
    (age,) = [
        float(line.split()[1])
        for line in metrics.splitlines()
        if line.startswith("juki_witness_cosignature_age_seconds ")
    ]
    assert 0 <= age < SECONDS
    assert "juki_witness_refused 0.0" in metrics
    # While it serves, too.
    witness.kill()
    asked(machine, 1)
    until(
        lambda: (
            [a["name"] for a in machine.loopback("GET", "health")[1]["alarms"]] == ["witness-old"]
        ),
        SECONDS,
        "nobody misses the witness",
    )
    assert 'juki_alarm{name="witness-old"} 1.0' in machine.loopback("GET", "metrics")[1]
    asked(machine, 1)


def test_what_is_cosigned_is_proven_offline_to_whoever_has_the_keys(
    machine: Machine, witness: Witness, tmp_path: Path
) -> None:
    machine.open()
    administrator = machine.administrator()
    machine.appoint(administrator, "OP-0002", ["auditor"])
    auditor = machine.terminal()
    auditor.login("OP-0002", machine.people["OP-0002"])
    size = witness.cosigns_all()
    answer = auditor.call("ledger/proof", {"index": size - 1}).body["data"]
    assert answer["witnessed"] is True
    paper = tmp_path / "paper.tlog-proof"
    paper.write_text(answer["proof"], "utf-8")
    keys = ("--key", witness.key, "--witness", witness.vkey)
    done = machine.juki("ledger", "verify-proof", str(paper), *keys)
    told = json.loads(done.stdout)
    assert (done.returncode, told["index"]) == (0, size - 1)
    assert told["witnessed"][0].startswith(f"by {NAME} ")
    # Another entry under the same proof, and the same one without the witness.
    entry_line = answer["proof"].splitlines()[1]
    other = auditor.call("ledger/proof", {"index": size - 2}).body["data"]["proof"]
    paper.write_text(answer["proof"].replace(entry_line, other.splitlines()[1]))
    assert machine.juki("ledger", "verify-proof", str(paper), *keys).returncode == HUMAN
    lines = answer["proof"].splitlines(keepends=True)
    paper.write_text("".join(line for line in lines if not line.startswith(f"— {NAME} ")))
    assert machine.juki("ledger", "verify-proof", str(paper), *keys).returncode == HUMAN
    assert machine.juki("ledger", "verify-proof", str(paper), *keys[:2]).returncode == 0


def test_a_witness_that_was_not_told_of_the_ledger_is_named_by_its_answer(
    machine: Machine, witness: Witness
) -> None:
    witness.stop()
    config = witness.folder / "witness.toml"
    another = Signer("audit.elsewhere.example/g1", bytes(32)).vkey
    config.write_text(config.read_text().replace(witness.key, another))
    witness.start()
    machine.open()
    asked(machine, 1)
    assert "404" in witness.seen()["last_error"]
