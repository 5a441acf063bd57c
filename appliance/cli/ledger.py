"""``juki ledger``: verify it offline, prove from it; what reads it is in ``reading.py``."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from appliance.cli.frame import (
    Exit,
    Group,
    Stop,
    as_json,
    finish,
    progress_console,
    show,
)
from appliance.cli.link import Seat, ask, fetch_text
from appliance.cli.people import at_a_terminal
from appliance.cli.reading import READING
from storage.errors import LedgerBroken
from storage.leaf import parse_leaf
from storage.note import VerifierKey
from storage.proof import Proof
from storage.tilecheck import verify_folder
from storage.tiles import CHECKPOINT


@click.group(cls=Group)
def ledger() -> None:
    """The access ledger: verify, prove, read."""


@ledger.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--key", "vkey", required=True, help="The ledger's verifier key (identity.json).")
@as_json
def verify(folder: Path, vkey: str) -> None:
    """Recompute an exported ledger FOLDER, offline, from its files and the public key alone.

    Anybody can do this, anywhere; it needs no server, no session and no secret. The folder is
    tiles/ below the appliance's data folder, or any copy of it.

    Example:
      juki ledger verify /var/lib/juki/43/tiles --key audit.juki.pref-43.example/g1+1234abcd+AX...
    """
    folder = _of_tiles(folder)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed} entries"),
        TimeElapsedColumn(),
        console=progress_console(),
    ) as progress:
        task = progress.add_task("entries", total=None)
        try:
            report = verify_folder(folder, vkey, lambda read: progress.update(task, completed=read))
        except ValueError as problem:
            raise Stop(Exit.NOT_UNDERSTOOD, "key", str(problem)) from None
    checkpoint = report.checkpoint
    show(
        {
            "sound": report.sound,
            "origin": checkpoint.origin if checkpoint else None,
            "size": checkpoint.size if checkpoint else None,
            "root": checkpoint.root.hex() if checkpoint else None,
            "problem": report.problem,
            "entry": report.entry,
        }
    )
    finish(Exit.DONE if report.sound else Exit.HUMAN)


@ledger.command()
@at_a_terminal
@as_json
def checkpoint(seat: Seat, session: Path) -> None:
    """Print the signed checkpoint of the last commit (C2SP tlog-checkpoint).

    Keep it outside: a ledger that is cut or rewritten later cannot follow from it.

    Example:
      juki ledger checkpoint > 2026-04-01.checkpoint
    """
    note = fetch_text(seat, "/v1/sys/checkpoint")
    show({"checkpoint": note}, lambda: note.rstrip("\n"))


@ledger.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there.")
@at_a_terminal
@as_json
def prove(index: int, out: Path | None, seat: Seat, session: Path) -> None:
    """Print the proof that entry INDEX (a receipt's) is in the ledger (C2SP tlog-proof).

    Example:
      juki ledger prove 73894 --out 73894.tlog-proof
    """
    proof = str(ask(seat, "ledger/proof", {"index": index})["proof"])
    if out is not None:
        out.write_text(proof, "utf-8")
    show({"index": index, "proof": proof}, lambda: f"written to {out}" if out else proof.rstrip())


@ledger.command("verify-export")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("proof", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", "vkey", required=True, help="The ledger's verifier key (identity.json).")
@as_json
def verify_export(file: Path, proof: Path, vkey: str) -> None:
    """Check that FILE is what the appliance handed out as the entry of PROOF, offline.

    Anybody can do this, anywhere, with the file, the proof beside it and the public key. It shows
    that these very bytes were handed out, when, and as which entry of the ledger. What was asked
    for and by whom is sealed in that entry; that nothing of a period was left out is not shown.

    Example:
      juki ledger verify-export 2026-04.csv 2026-04.csv.tlog-proof --key audit.juki.pref-43...
    """
    key = _verifier(vkey)
    digest = sha256(file.read_bytes()).digest()
    try:
        evidence = Proof.parse(proof.read_text("utf-8"))
        checkpoint = evidence.verify(evidence.extra, key)
        header = parse_leaf(evidence.extra).header
    except (LedgerBroken, UnicodeDecodeError) as problem:
        raise Stop(Exit.HUMAN, "proof", f"{proof} proves nothing: {problem}") from None
    if header.file is None:
        raise Stop(Exit.HUMAN, "proof", f"{proof} is of entry {header.index}, which is no export")
    if header.file != digest:
        raise Stop(
            Exit.HUMAN,
            "file",
            f"{file} is not what was handed out as entry {header.index}: it has SHA-256 "
            f"{digest.hex()}, the entry says {header.file.hex()}",
        )
    show(
        {
            "sound": True,
            "sha256": digest.hex(),
            "index": header.index,
            "at": datetime.fromtimestamp(header.at_ms / 1000, UTC).isoformat(),
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
        }
    )


for command in READING:
    ledger.add_command(command)


def _verifier(vkey: str) -> VerifierKey:
    try:
        return VerifierKey.parse(vkey)
    except ValueError as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "key", str(problem)) from None


def _of_tiles(folder: Path) -> Path:
    """Return the folder, if it can be an exported ledger."""
    if (folder / CHECKPOINT).exists() or (folder / "tile").exists():
        return folder
    below = folder / "tiles"
    hint = f"; give {below}" if below.is_dir() else ": give the folder tiles/, or a copy of it"
    raise Stop(Exit.NOT_UNDERSTOOD, "folder", f"{folder} holds no exported ledger{hint}")
