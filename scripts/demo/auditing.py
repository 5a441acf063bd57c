"""The auditor's work: who looked at whom, what was refused, and proof that anybody can check."""

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from scripts.demo.cast import Cast
from scripts.demo.children import ROOT
from scripts.demo.people import AUDITOR, CLERK, REGISTRAR, TAX, as_person
from scripts.demo.stage import Stage
from scripts.demo.steps import Step
from storage.merkle import tile_width
from storage.note import Checkpoint, VerifierKey, parse_note
from storage.proof import Proof
from storage.tiles import CHECKPOINT, FolderReader, bundle_path, unpack_bundle

HUMAN = 4
"""Exit code of juki: a human must look."""
GO_PACKAGES = Path("/usr/share/gocode")
REFUSALS = {"not-permitted", "add-conditions", "too-many", "unidentified", "conflict"}
SAID = ("at", "person", "terminal", "office", "purpose", "reason", "case", "items", "note")


def look(stage: Stage, cast: Cast) -> None:
    """Ask the ledger who looked at whom and what was refused, and have an entry proven."""
    auditor = stage.people[AUDITOR.name]
    with stage.steps.step("the auditor sees who looked at whom") as step:
        step.asks(f"ledger/person {cast.sawako.name}")
        by = {"resident_code": cast.sawako.resident_code}
        entries = auditor.gets("ledger/person", {"by": by, "limit": 1000})["entries"]
        _looked(step, entries)
    with stage.steps.step(
        "an entry of the ledger says all that the 使用簿 is held against"
    ) as step:
        step.asks("the newest inquiry among them")
        inquiry = next(each for each in entries if each["operation"] == "provision/inquire")
        said = {part: inquiry[part] for part in SAID}
        step.saw(", ".join(map(str, said.values())), all(said.values()))
    with stage.steps.step("the auditor sees what was refused") as step:
        step.asks("ledger/search result denied")
        denied = auditor.gets("ledger/search", {"result": "denied", "limit": 1000})["entries"]
        codes = Counter(each["refusal"] for each in denied)
        step.saw(", ".join(f"{n} {code}" for code, n in codes.items()), codes.keys() >= REFUSALS)
    with stage.steps.step("an entry is proven, and the proof checked offline") as step:
        step.asks(f"juki ledger prove {inquiry['index']}")
        _proven(stage, step, inquiry["index"])


def verify(stage: Stage) -> None:
    """Verify the exported ledger offline: with ``juki``, with Go, and after somebody changed it."""
    key = stage.identity()["ledger_key"]
    with stage.steps.step("the exported ledger is verified offline") as step:
        step.asks("juki ledger verify, on a copy of the tiles")
        copy = exported(stage, "ledger")
        verified = stage.juki.needs("ledger", "verify", str(copy), "--key", key)
        step.saw(f"{verified['size']:,} entries, root {verified['root'][:16]}…", verified["sound"])
    with stage.steps.step("it is verified by code that is not ours") as step:
        _verify_with_go(stage, step, copy, key)
    with stage.steps.step("a byte flipped in the copy is found, and its entry named") as step:
        entry = _flip(copy)
        step.asks(f"juki ledger verify, entry {entry} changed")
        done = stage.juki.run("ledger", "verify", str(copy), "--key", key, "--json")
        found = (done.code, done.plain["entry"])
        step.saw(f"exit {done.code}: {done.plain['problem']}", found == (HUMAN, entry))


def exported(stage: Stage, name: str) -> Path:
    """Return a copy of the exported ledger, as long as the ledger is now.

    Raises:
        Failed: the export did not come up to the ledger.
    """
    tiles = stage.grounds.data / "tiles"
    auditor = stage.people[AUDITOR.name]

    def is_complete() -> bool:
        signed = auditor.reads("/v1/sys/checkpoint").body
        path = tiles / CHECKPOINT
        return path.exists() and path.read_text("utf-8") == signed

    stage.wait(is_complete, "to export the ledger")
    copy = stage.grounds.terminal / name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(tiles, copy)
    return copy


def _looked(step: Step, entries: list[dict[str, Any]]) -> None:
    looks = Counter((each["operator"], each["operation"]) for each in entries)
    for person, operation in (
        (CLERK, "search/find"),
        (CLERK, "search/detail"),
        (REGISTRAR, "search/detail"),
        (TAX, "provision/inquire"),
        (TAX, "provision/verify"),
    ):
        times = looks[person.operator, operation]
        step.saw(f"{person.operator} {person.office} {operation} ×{times}", times > 0)
    step.saw(f"{len(entries)} entries about her in all")


def _proven(stage: Stage, step: Step, index: int) -> None:
    """Check a proof with what anybody has: the exported ledger and the published key."""
    paper = stage.grounds.terminal / f"{index}.tlog-proof"
    as_auditor = as_person(stage, AUDITOR)
    stage.juki.needs("ledger", "prove", str(index), "--out", str(paper), *as_auditor)
    copy = exported(stage, "ledger")
    entry = FolderReader(copy, _size(copy)).entry(index)
    proof = Proof.parse(paper.read_text("utf-8"))
    signed = proof.verify(entry, VerifierKey.parse(stage.identity()["ledger_key"]))
    step.saw(f"{len(proof.hashes)} hashes lead from it to the signed root of {signed.size:,}")


def _verify_with_go(stage: Stage, step: Step, ledger: Path, key: str) -> None:
    if shutil.which("go") is None or not (GO_PACKAGES / "src/golang.org/x/mod/sumdb").is_dir():
        step.saw("left out: apt-get install golang-go golang-golang-x-mod-dev")
        return
    step.asks("tests/ledger_go/verify.go")
    binary, cache = stage.grounds.terminal / "verify", stage.grounds.terminal / "go-cache"
    environment = {
        "PATH": os.environ["PATH"],
        "GO111MODULE": "off",
        "GOPATH": str(GO_PACKAGES),
        "GOCACHE": str(cache),
    }
    source = str(ROOT / "tests" / "ledger_go" / "verify.go")
    built = subprocess.run(
        ["go", "build", "-o", str(binary), source],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    step.must(f"built{built.stderr}", built.returncode == 0)
    done = subprocess.run([binary, ledger, key], capture_output=True, text=True, check=False)
    step.saw(done.stdout.strip(), done.returncode == 0)
    shutil.rmtree(cache)


def _size(ledger: Path) -> int:
    note = (ledger / CHECKPOINT).read_text("utf-8")
    return Checkpoint.parse(parse_note(note).text).size


def _flip(ledger: Path) -> int:
    """Change one byte in the middle of the first file of entries; return whose it is."""
    width = tile_width(_size(ledger), 0, 0)
    path = ledger / bundle_path(0, width)
    raw = bytearray(path.read_bytes())
    entries, _ = unpack_bundle(bytes(raw), width)
    entry = len(entries) // 2
    # Each entry stands behind two bytes that say how long it is.
    begins = sum(2 + len(each) for each in entries[:entry]) + 2
    raw[begins + len(entries[entry]) // 2] ^= 0x01
    path.write_bytes(raw)
    return entry
