"""``juki ledger``: verify it offline, prove from it; what reads it is in ``reading.py``.

``verify``, ``verify-proof`` and ``verify-export`` need no server and no secret: they are for
whoever doubts.
"""

import contextlib
import time
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
from storage.anchors import Witnessed, hold
from storage.cosignature import WitnessKey, cosigned_at
from storage.errors import LedgerBroken
from storage.leaf import parse_leaf
from storage.note import Checkpoint, VerifierKey, parse_note
from storage.proof import Proof
from storage.tilecheck import verify_folder
from storage.tiles import CHECKPOINT

WITNESSED = "/v1/sys/witnessed"
ANCHOR = click.Path(path_type=Path, exists=True, dir_okay=False)
ANCHOR_HELP = "A checkpoint that was kept elsewhere; the ledger must begin with it."
WITNESS_HELP = "Verifier key of a witness that must have cosigned; may be repeated."
NOBODY: tuple[Witnessed, ...] = ()


@click.group(cls=Group)
def ledger() -> None:
    """The access ledger: verify, prove, read."""


@ledger.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--key", "vkey", required=True, help="The ledger's verifier key (identity.json).")
@click.option("--anchor", "anchors", type=ANCHOR, multiple=True, help=ANCHOR_HELP)
@click.option("--witness", "witnesses", multiple=True, help=WITNESS_HELP)
@as_json
def verify(folder: Path, vkey: str, anchors: tuple[Path, ...], witnesses: tuple[str, ...]) -> None:
    """Recompute an exported ledger FOLDER, offline, from its files and the public key alone.

    Anybody can do this, anywhere; it needs no server, no session and no secret. The folder is
    tiles/ below the appliance's data folder, or any copy of it.

    Whoever has the ledger's key could sign another ledger, sound by itself. That is found by what
    was kept elsewhere: a checkpoint, best one that a witness has cosigned.

    Examples:
      juki ledger verify /var/lib/juki/43/tiles --key audit.juki.pref-43.example/g1+1234abcd+AX...
      juki ledger verify tiles --key VKEY --anchor 2026-04-01.checkpoint --witness WITNESS-VKEY
    """
    folder, trusted = _of_tiles(folder), _witness_keys(witnesses)
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
    wrong, seen = report.problem, NOBODY
    if report.sound:
        wrong, seen = _held(folder, VerifierKey.parse(vkey), anchors, trusted)
    show(
        {
            "sound": wrong is None,
            "origin": checkpoint.origin if checkpoint else None,
            "size": checkpoint.size if checkpoint else None,
            "root": checkpoint.root.hex() if checkpoint else None,
            "problem": wrong,
            "entry": report.entry,
            "witnessed": [
                f"{each.size} entries by {each.name} {_written(each.at)}" for each in seen
            ],
        }
    )
    finish(Exit.DONE if wrong is None else Exit.HUMAN)


@ledger.command()
@click.option("--witnessed", is_flag=True, help="The newest that the witness has cosigned.")
@at_a_terminal
@as_json
def checkpoint(witnessed: bool, seat: Seat, session: Path) -> None:
    """Print the signed checkpoint of the last commit (C2SP tlog-checkpoint).

    Keep it outside: a ledger that is cut or rewritten later cannot follow from it.

    Examples:
      juki ledger checkpoint > 2026-04-01.checkpoint
      juki ledger checkpoint --witnessed > 2026-04-01.checkpoint
    """
    note = fetch_text(seat, WITNESSED if witnessed else "/v1/sys/checkpoint")
    show({"checkpoint": note}, lambda: note.rstrip("\n"))


@ledger.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there.")
@click.option(
    "--wait",
    type=click.IntRange(0, 3600),
    default=0,
    show_default=True,
    help="Seconds to wait for the witness to cosign the entry.",
)
@at_a_terminal
@as_json
def prove(index: int, out: Path | None, wait: int, seat: Seat, session: Path) -> None:
    """Print the proof that entry INDEX (a receipt's) is in the ledger (C2SP tlog-proof).

    The entry, as it is sealed, is in the proof, so that nothing else is needed to check it. The
    proof leads to the newest checkpoint that the witness has cosigned, if that has the entry.

    Example:
      juki ledger prove 73894 --wait 60 --out 73894.tlog-proof
    """
    if wait:
        _until_witnessed(seat, index, wait)
    answer = ask(seat, "ledger/proof", {"index": index})
    proof, witnessed = str(answer["proof"]), bool(answer["witnessed"])
    if out is not None:
        out.write_text(proof, "utf-8")
    show(
        {"index": index, "witnessed": witnessed, "proof": proof},
        lambda: (
            f"written to {out}, {'' if witnessed else 'not '}witnessed" if out else proof.rstrip()
        ),
    )


@ledger.command("verify-proof")
@click.argument("paper", metavar="FILE", type=ANCHOR)
@click.option("--key", "vkey", required=True, help="The ledger's verifier key (identity.json).")
@click.option("--witness", "witnesses", multiple=True, help=WITNESS_HELP)
@as_json
def verify_proof(paper: Path, vkey: str, witnesses: tuple[str, ...]) -> None:
    """Check a proof, offline: that the ledger has this entry, and that witnesses have seen it.

    The keys must come from elsewhere than the proof: from the prefecture, the court file, the
    official gazette.

    Example:
      juki ledger verify-proof 73894.tlog-proof --key AUDIT-VKEY --witness WITNESS-VKEY
    """
    key = _verifier(vkey)
    trusted = _witness_keys(witnesses)
    proof = Proof.parse(_text(paper))
    if not proof.extra:
        raise Stop(Exit.NOT_UNDERSTOOD, "proof", f"{paper}: the entry itself is not in it")
    signed = proof.verify(proof.extra, key)
    seen = [(witness.name, cosigned_at(proof.checkpoint, witness)) for witness in trusted]
    entered = parse_leaf(proof.extra).header.at_ms // 1000
    show(
        {
            "proved": True,
            "origin": signed.origin,
            "index": proof.index,
            "entered_at": _written(entered),
            "size": signed.size,
            "witnessed": [f"by {name} {_written(at)}" for name, at in seen],
        }
    )


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


def _held(
    folder: Path, key: VerifierKey, anchors: tuple[Path, ...], witnesses: list[WitnessKey]
) -> tuple[str | None, tuple[Witnessed, ...]]:
    """Hold a sound ledger against what was kept elsewhere; return what is wrong, and who saw it."""
    try:
        notes = {str(path): _text(path) for path in anchors}
        return None, hold(folder, key, notes, witnesses)
    except LedgerBroken as problem:
        return str(problem), NOBODY


def _until_witnessed(seat: Seat, index: int, seconds: int) -> None:
    """Wait until the witness has cosigned an entry, or the time is over. Enters nothing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Stop):
            note = parse_note(fetch_text(seat, WITNESSED))
            if Checkpoint.parse(note.text).size > index:
                return
        time.sleep(1)


def _text(path: Path) -> str:
    """Return a file that should be a signed note.

    Raises:
        LedgerBroken: it is no text.
    """
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise LedgerBroken(f"{path}: is not a text") from None


def _witness_keys(vkeys: tuple[str, ...]) -> list[WitnessKey]:
    try:
        return list(map(WitnessKey.parse, vkeys))
    except ValueError as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "witness", str(problem)) from None


def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
