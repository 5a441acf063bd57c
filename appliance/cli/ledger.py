"""``juki ledger``: verify it offline, prove from it, read who looked at whom.

``verify`` and ``verify-proof`` need no server and no secret: they are for whoever doubts.
"""

import contextlib
import json
import time
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from appliance.cli.frame import (
    Exit,
    Group,
    Stop,
    as_json,
    finish,
    progress_console,
    secret,
    show,
    table,
)
from appliance.cli.link import Seat, ask, fetch_text
from appliance.cli.people import at_a_terminal
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
BY_ITSELF = "system/"
"""What the appliance enters by itself: unsealing, stopping …"""
COLUMNS = (
    "index",
    "at",
    "operator",
    "terminal",
    "operation",
    "purpose",
    "reason",
    "case",
    "items",
    "result",
    "refusal",
    "why",
)


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
    try:
        key = VerifierKey.parse(vkey)
    except ValueError as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "key", str(problem)) from None
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


@ledger.command()
@click.option("--operator", help="操作者ID")
@click.option("--person", help="照合ID")
@click.option("--terminal", help="操作端末ID")
@click.option("--operation", help="Such as search/find.")
@click.option("--purpose", help="事務 code")
@click.option("--result", type=click.Choice(["ok", "denied", "error"]))
@click.option("--request-id", help="Of a request, or a provision_id.")
@click.option("--since", type=click.DateTime(), help="Local time.")
@click.option("--until", type=click.DateTime(), help="Local time.")
@click.option("--before", type=click.IntRange(min=0), help="Only entries below this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@at_a_terminal
@as_json
def search(seat: Seat, session: Path, **filters: Any) -> None:
    """List entries, the newest first. Reading the ledger is itself entered in the ledger.

    Example:
      juki ledger search --operator OP-0007 --result denied --since 2026-04-01
    """
    body = {name: _moment(value) for name, value in filters.items() if value is not None}
    answer = ask(seat, "ledger/search", body)
    # Only now: of an operation that was offered once, entries are still there.
    if filters["operation"] is not None and not answer["entries"]:
        _must_be_offered(seat, filters["operation"])
    _entries(answer)


@ledger.command()
@at_a_terminal
@as_json
def person(seat: Seat, session: Path) -> None:
    """List who looked at one person. The 住民票コード is asked for, never an argument.

    Example:
      juki ledger person
    """
    code = secret("住民票コード")
    _entries(ask(seat, "ledger/person", {"by": {"resident_code": code}}))


def _entries(answer: dict[str, Any]) -> None:
    entries = answer["entries"]
    lines = [table(entries, COLUMNS) if entries else "no entries"]
    if answer["next"] is not None:
        lines.append(f"older entries: --before {answer['next']}")
    show(answer, lambda: "\n".join(lines))


def _must_be_offered(seat: Seat, operation: str) -> None:
    """Refuse the name of an operation there is not, with those that look like it."""
    paths = json.loads(fetch_text(seat, "/v1/openapi.json"))["paths"]
    offered = [path.removeprefix("/v1/") for path in paths if "/sys/" not in path]
    if operation in offered or operation.startswith(BY_ITSELF):
        return
    near = get_close_matches(operation, offered, n=5, cutoff=0.4)
    function = f"{operation.partition('/')[0]}/"
    near += [name for name in offered if name.startswith(function) and name not in near]
    hint = f"; near it: {', '.join(near)}" if near else "; juki policy show lists them"
    raise Stop(Exit.NOT_UNDERSTOOD, "operation", f"there is no operation {operation!r}{hint}")


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


def _moment(value: Any) -> Any:
    return value.astimezone().isoformat() if isinstance(value, datetime) else value
