"""``juki journal``: what happened while the store was closed, read without any key."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from appliance.cli.frame import Exit, Group, Stop, as_json, show, table, with_config
from appliance.machine.config import read_settings
from appliance.machine.store import Layout
from appliance.model import JST
from storage.journal import digests, read_journal

EVERY_LINE = ("n", "at", "event", "previous")


@click.group(cls=Group)
def journal() -> None:
    """The boot journal: starts, shares, seals, strangers; read without any key."""


def _of_a_file(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--file``, and ``--config`` instead of it; the command gets ``path``."""

    @wraps(command)
    def run(config_path: Path, file: Path | None, **options: Any) -> Any:
        path = Layout(read_settings(config_path).data).journal if file is None else file
        if not path.exists():
            raise Stop(Exit.NOT_UNDERSTOOD, "journal", f"{path}: there is no boot journal")
        return command(path=path, **options)

    of_a_copy = click.option(
        "--file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A copy of boot-journal.jsonl, instead of the appliance's own.",
    )
    return with_config(of_a_copy(run))


@journal.command("show")
@click.option("--event", "events", multiple=True, help="Such as share-taken; may be repeated.")
@click.option("--since", type=click.DateTime(), help="Local time.")
@click.option("--until", type=click.DateTime(), help="Local time.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest.")
@_of_a_file
@as_json
def show_lines(
    path: Path,
    events: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    """Show the newest lines, oldest first; refuse if one does not follow from the one before.

    Works while the appliance runs, sealed or not, and on a copy of the file.

    Examples:
      juki journal show
      juki journal show --event share-taken --event refused --since 2026-04-01
      juki journal show --event start-refused --event emergency-seal --json
    """
    first, last = _ms(since), _ms(until)
    lines = [
        line
        for line in read_journal(path)
        if (not events or line["event"] in events)
        and (first is None or first <= line["at"])
        and (last is None or line["at"] <= last)
    ][-limit:]
    plain = [{**line, "at": _moment(line["at"])} for line in lines]
    show(
        {"lines": plain},
        lambda: (
            table([_row(line) for line in plain], ("n", "at", "event", "details"))
            if plain
            else "no lines"
        ),
    )


@journal.command("verify")
@click.option("--holds", help="The head as it was once printed; a line must still have this hash.")
@_of_a_file
@as_json
def verify(path: Path, holds: str | None) -> None:
    """Check that every line follows from the one before, and print the head.

    The file needs no key and so proves no more than that whoever changed a line had to change every
    later one. Keep the head elsewhere: with --holds, no line up to it can have been changed.

    Examples:
      juki journal verify
      juki journal verify --holds 3b1f...
    """
    lines, hashes = read_journal(path), digests(path)
    if holds is not None and holds not in hashes:
        raise Stop(Exit.HUMAN, "journal", f"{path}: no line has the hash {holds}: it was rewritten")
    show(
        {
            "sound": True,
            "lines": len(lines),
            "first_at": _moment(lines[0]["at"]) if lines else None,
            "last_at": _moment(lines[-1]["at"]) if lines else None,
            "head": hashes[-1] if hashes else None,
            "after_head_kept": None if holds is None else len(hashes) - 1 - hashes.index(holds),
        }
    )


def _row(line: Mapping[str, Any]) -> dict[str, Any]:
    details = (f"{name}={line[name]}" for name in sorted(line) if name not in EVERY_LINE)
    return {**line, "details": " ".join(details)}


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.astimezone().timestamp() * 1000)


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, JST).isoformat(" ", "seconds")
