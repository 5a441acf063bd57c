"""``juki load``: very many residents at once, while no server has the store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from appliance.cli.frame import (
    Command,
    Exit,
    Stop,
    as_json,
    finish,
    progress_console,
    show,
    with_config,
)
from appliance.cli.machine import shares_given
from appliance.machine.config import read_settings
from appliance.machine.firstload import load_files
from appliance.machine.loaddesk import APPLIED, KNOWN, REJECTED
from appliance.machine.loader import Standing
from appliance.machine.loadfile import NotAFile
from appliance.machine.workers import WorkerDied

REPORT = "load-report.jsonl"
AGAIN = "what was loaded stays; load the same files again, and the load goes on from there"


@click.command(cls=Command)
@with_config
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@click.option(
    "--shares-from",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="As unseal.",
)
@click.option(
    "--municipality",
    help="Whose files these are, six digits. Left out: each says so by its first line.",
)
@click.option(
    "--report",
    "report",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Where refused lines are noted, a JSON line each; {REPORT} in the data folder.",
)
@as_json
def load(
    config_path: Path,
    files: tuple[Path, ...],
    shares_from: Path | None,
    municipality: str | None,
    report: Path | None,
) -> None:
    """Bring in the residents of whole municipalities, as each delivers them: a notice a line.

    The server must be stopped. Needs three shares, for the store is closed. Every line is judged by
    the rules of update/notify; what is refused is noted by line, rule and item, and nothing of it
    is kept. Refused lines are sent again as notices, with new sequence numbers. A load that was
    stopped is begun again with the same files: what is in is passed over. Until it is done, the
    appliance does not start.

    Exit: 0 all lines are in, 1 some were refused.

    Examples:
      juki load --config /etc/juki/43.toml /media/cs/432024/residents.jsonl
      juki load /media/cs/*/residents.jsonl --report refused.jsonl --json
    """
    settings = read_settings(config_path)
    kept = report or settings.data / REPORT
    with _drawn() as progress:
        try:
            standing = load_files(
                settings, shares_given(shares_from), files, kept, progress, municipality
            )
        except NotAFile as problem:
            raise Stop(Exit.NOT_UNDERSTOOD, "not-notices", str(problem)) from None
        except WorkerDied as problem:
            raise Stop(Exit.WRONG, "worker-died", str(problem), AGAIN) from None
    counts = {name: standing.counts[name] for name in (APPLIED, KNOWN, REJECTED)}
    plain: dict[str, Any] = {**counts, "report": str(kept) if counts[REJECTED] else None}
    show(plain, lambda: _told(plain))
    finish(Exit.WRONG if counts[REJECTED] else Exit.DONE)


def _told(plain: dict[str, Any]) -> str:
    text = f"{plain[APPLIED]} residents loaded"
    if plain[KNOWN]:
        text += f", {plain[KNOWN]} were in already"
    if plain[REJECTED]:
        text += f", {plain[REJECTED]} lines refused: see {plain['report']}"
    return text


@contextmanager
def _drawn() -> Iterator[Callable[[Standing], None]]:
    """Yield what draws how far the load is, how fast it goes and how long it will take."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=progress_console(),
    ) as progress:
        bars: dict[str, TaskID] = {}

        def draw(standing: Standing) -> None:
            if standing.part not in bars:
                bars[standing.part] = progress.add_task(standing.part, rate="")
            bar = bars[standing.part]
            elapsed = progress.tasks[bar].elapsed or 0
            lines = sum(standing.counts.values())
            rate = f"{lines / elapsed:,.0f}/s" if elapsed and standing.part == "residents" else ""
            progress.update(bar, completed=standing.done, total=standing.whole, rate=rate)

        yield draw
