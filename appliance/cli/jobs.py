"""``juki job``: what the appliance does by itself, and letting it do it now."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.cli.frame import Exit, Group, as_json, finish, progress_console, show, table
from appliance.cli.link import Seat, ask
from appliance.cli.people import at_a_terminal
from appliance.model import JST

JOBS = ("name", "when", "outcome", "began", "ended", "done", "total", "failures")
RUNS = ("began", "ended", "outcome", "by", "steps", "done", "total", "refusal", "says")
MOMENTS = ("began", "ended")
FIRST_LOOK, LAST_LOOK = 0.5, 10.0
"""Seconds between two looks at a run; every look is an entry in the ledger, so they grow apart."""


@click.group(cls=Group)
def job() -> None:
    """Jobs: what the appliance does by itself, step by step."""


@job.command("list")
@at_a_terminal
@as_json
def list_jobs(seat: Seat, session: Path) -> None:
    """List the jobs, when they run, and how the last run went.

    Example:
      juki job list
    """
    answer = ask(seat, "job/list", {})
    show(answer, lambda: table(_in_japan(answer["jobs"]), JOBS))


@job.command()
@click.argument("name", required=False)
@at_a_terminal
@as_json
def status(name: str | None, seat: Seat, session: Path) -> None:
    """Tell how job NAME is getting on, and its last runs. Exit: 1 if the last one failed.

    Without NAME every job is told; exit 1 if the last run of one failed.

    Example:
      juki job status statistics/recount
    """
    if name is None:
        every = ask(seat, "job/list", {})
        show(every, lambda: table(_in_japan(every["jobs"]), JOBS))
        finish(Exit.WRONG if any(each["failures"] for each in every["jobs"]) else Exit.DONE)
    _tell(ask(seat, "job/status", {"name": name}))


@job.command()
@click.argument("name")
@click.option("--no-wait", is_flag=True, help="Do not wait for its end.")
@at_a_terminal
@as_json
def run(name: str, no_wait: bool, seat: Seat, session: Path) -> None:
    """Let job NAME run now, and wait for its end. Exit: 1 if it failed.

    Example:
      juki job run statistics/recount
    """
    answer = ask(seat, "job/run", {"name": name})
    if not no_wait:
        answer = _awaited(seat, name, answer)
    _tell(answer)


def _awaited(seat: Seat, name: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Look until the run that was asked for has ended, showing how far it is."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    wait = FIRST_LOOK
    with Progress(*columns, console=progress_console()) as progress:
        bar = progress.add_task(name, total=None)
        while answer["job"]["asked"] or answer["job"]["outcome"] == "running":
            time.sleep(wait)
            wait = min(LAST_LOOK, wait * 1.5)
            answer = ask(seat, "job/status", {"name": name})
            seen = answer["job"]
            progress.update(bar, completed=seen["done"], total=seen["total"])
    return answer


def _in_japan(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as people read them: moments by the clock on the wall."""
    return [{**row, **{name: _moment(row[name]) for name in MOMENTS}} for row in rows]


def _moment(text: str | None) -> str | None:
    return text and f"{datetime.fromisoformat(text).astimezone(JST):%Y-%m-%d %H:%M:%S} JST"


def _tell(answer: dict[str, Any]) -> None:
    jobs, runs = _in_japan([answer["job"]]), _in_japan(answer["runs"])
    show(answer, lambda: "\n\n".join([table(jobs, JOBS), *([table(runs, RUNS)] if runs else [])]))
    finish(Exit.WRONG if answer["job"]["failures"] else Exit.DONE)
