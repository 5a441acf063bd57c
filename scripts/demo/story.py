"""The story from beginning to end: what ``scripts/run`` does, act by act."""

import shutil
import signal
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from appliance.model import JST
from scripts.demo import (
    auditing,
    backing,
    browsing,
    bulk,
    compliance,
    counting,
    disclosing,
    ending,
    enrolling,
    founding,
    keeping,
    leftovers,
    machine,
    municipality,
    office,
    people,
    protecting,
    reconciling,
    recording,
    relay,
    servers,
    town,
    transfers,
    tryout,
    usebooks,
    watching,
    witnessing,
)
from scripts.demo.cast import Cast, day_of
from scripts.demo.children import Children, Failed, Juki
from scripts.demo.grounds import NotEmpty, lay_out, usual_port
from scripts.demo.stage import Refusals, Stage
from scripts.demo.steps import Steps
from scripts.demo.trouble import PortTaken, about_folder, disk_full, is_full
from tests.simulators.make import FEWEST
from tests.simulators.population import DEFAULT_DAY

ACTS = (
    "1  The first hour",
    "2  Who may ask",
    "3  A town, and what happens in it",
    "4  The main job",
)
ACTS_OF_CHECK = ("5  Everything else, once", "6  Sealed, stopped, started again")
LAST_LINES = 15
HIGHEST_PORT = 65_534
MOST = 2_000_000
"""Residents; more than the prefecture has."""
WIDTH = 120
"""Of what is printed into a file."""
RIGHT, WRONG, MISUSED, INTERRUPTED = 0, 1, 2, 130
EXAMPLES = """
examples:
  scripts/run                                a town of 10,000, then lines to paste, until Ctrl-C
  scripts/run --data /tmp/juki               the same; everything stays there to be looked at
  scripts/run --residents 2000 --seed 7      a smaller town, with other people
  scripts/run --check --json report.json     every function once, then the verdict

Nothing outside this machine is contacted. People and numbers are made up: every 住民票コード and
個人番号 begins with 9.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the story; return the exit status: 0 if everything was as it must be."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.json and not options.check:
        parser.error("--json goes with --check: without it nothing is reported")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    steps = Steps(_console())
    folder = options.data or Path(tempfile.mkdtemp(prefix="juki-"))
    status = _staged(options, folder, steps)
    if options.json and status != MISUSED:
        steps.write(options.json)
    if options.check and status != MISUSED:
        steps.console.print(steps.table())
        steps.console.print(steps.verdict)
    if options.data is None and status != WRONG:
        shutil.rmtree(folder)
    elif status != MISUSED:
        steps.console.print(f"everything is in {folder}")
    return status


def _staged(options: Namespace, folder: Path, steps: Steps) -> int:
    """Play with all processes around; when this returns, they have ended."""
    console = steps.console
    try:
        port = usual_port() if options.port is None else options.port
        grounds = lay_out(folder, datetime.now(UTC), port)
    except (NotEmpty, PortTaken) as problem:
        console.print(f"run: {escape(str(problem))}")
        return MISUSED
    except OSError as problem:
        console.print(f"run: {escape(about_folder(folder, problem))}")
        return MISUSED
    with Children() as children:
        juki = Juki(grounds.config, grounds.terminal / "juki.log")
        refusals = Refusals(grounds.terminal / "refusals.jsonl")
        stage = Stage(grounds, steps, children, juki, refusals)
        try:
            _play(stage, options)
        except KeyboardInterrupt:
            console.print("\nstopping")
            return INTERRUPTED
        except Exception as problem:
            # A step that failed has said so already.
            text = f"{type(problem).__name__}: {problem}"
            text = disk_full(folder) if is_full(folder) else text
            console.print(f"[red]run: {escape(text)}[/red]")
            _tell_logs(stage)
            return WRONG
        if steps.failed:
            _tell_logs(stage)
    return WRONG if steps.failed else RIGHT


def _play(stage: Stage, options: Namespace) -> None:
    stage.steps.plan(*ACTS, *(ACTS_OF_CHECK if options.check else ()))
    cast = first_acts(stage, options.residents, options.seed, check=options.check)
    if options.check:
        _check(stage, cast, options.seed)
    else:
        _try_out(stage, cast)


def first_acts(stage: Stage, residents: int, seed: int, *, check: bool) -> Cast:
    """Play up to the main job; return of whom is told by name.

    Raises:
        Failed: something without which nothing goes on was refused.
    """
    today = datetime.now(JST).date()
    steps = stage.steps
    steps.act(ACTS[0])
    code = founding.found(stage, residents)
    witnessing.set_up(stage)
    founding.start(stage, check=check)
    steps.act(ACTS[1])
    people.let_in(stage, code, today)
    enrolling.bring_in(stage)
    browsing.let_in(stage, today)
    steps.act(ACTS[2])
    made = town.generate(stage, residents, seed, day_of(today, DEFAULT_DAY))
    town.load(stage, made)
    steps.act(ACTS[3])
    office.work(stage, made.cast)
    bulk.provide(stage, made.cast)
    servers.misbehave(stage, made.cast)
    municipality.tell(stage, made.cast)
    servers.delivered(stage)
    reconciling.compare(stage, made.cast)
    keeping.keep(stage)
    counting.count(stage)
    auditing.look(stage, made.cast)
    compliance.keep(stage, today)
    witnessing.look(stage)
    return made.cast


def everything_else(stage: Stage, cast: Cast) -> None:
    """Use the functions that are not part of the main job."""
    relay.look(stage, cast)
    usebooks.match(stage, cast)
    protecting.protect(stage, cast, datetime.now(JST).date())
    disclosing.answer(stage, cast)


def _check(stage: Stage, cast: Cast, seed: int) -> None:
    stage.steps.act(ACTS_OF_CHECK[0])
    everything_else(stage, cast)
    browsing.look(stage, cast)
    ending.let_go(stage)
    transfers.move(stage, datetime.now(JST).date())
    counting.run_jobs(stage)
    recording.hand_out(stage, cast)
    watching.watch(stage, cast)
    machine.look(stage, cast)
    backing.back_up(stage)
    auditing.verify(stage)
    search = leftovers.prepare(stage, cast, seed)
    leftovers.nothing_left(stage, search, "running")
    stage.steps.act(ACTS_OF_CHECK[1])
    ending.seal(stage, cast)
    ending.stop_and_check(stage, search)
    witnessing.keep_copy(stage)
    ending.start_again(stage, cast)
    witnessing.caught_up(stage)
    ending.agree(stage)
    witnessing.put_back(stage)


def _try_out(stage: Stage, cast: Cast) -> None:
    """Print what can be tried, and wait until somebody has had enough."""
    stage.steps.console.print(tryout.lines(stage, cast), markup=False, soft_wrap=True)
    try:
        while stage.appliance is not None and stage.appliance.is_running:
            time.sleep(0.5)
    except KeyboardInterrupt:
        stage.steps.console.print("\nstopping")
        return
    raise Failed("the appliance has stopped")


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def _tell_logs(stage: Stage) -> None:
    """Say where the logs are, and how each ends."""
    for log in stage.logs():
        if not log.exists() or not (lines := log.read_text("utf-8", "replace").splitlines()):
            continue
        stage.steps.console.print(f"\n[bold]{escape(str(log))}[/bold]")
        stage.steps.console.print("\n".join(lines[-LAST_LINES:]), markup=False)


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="scripts/run",
        description="Make a whole appliance with a town in it, and show its main job.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--check", action="store_true", help="drive every finished function once, then end"
    )
    parser.add_argument(
        "--json",
        type=_writable,
        metavar="FILE",
        help="write what was tried: a list of {step, ok, detail}",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="where everything lies, and stays; new or empty"
    )
    parser.add_argument(
        "--residents",
        type=_number(FEWEST, MOST),
        default=10_000,
        metavar="N",
        help=f"how many people live in the town, {FEWEST} or more (default: 10000)",
    )
    parser.add_argument(
        "--port",
        type=_number(0, HIGHEST_PORT),
        metavar="N",
        help="where the appliance listens, and N + 1 (default: 8443 if free; 0: any two free ones)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which people")
    return parser


def _writable(text: str) -> Path:
    # Now, not in minutes, is when to hear that it cannot be written.
    try:
        Path(text).open("a").close()
    except OSError as problem:
        raise ArgumentTypeError(f"{text}: {problem.strerror}") from None
    return Path(text)


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"must be a number from {least} to {most}")
        return int(text)

    return number
