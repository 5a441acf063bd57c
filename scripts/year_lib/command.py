"""The command line of ``scripts/year``, and its summary."""

import json
import shutil
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from appliance.model import JST
from scripts.demo.children import Children, Failed, Juki
from scripts.demo.grounds import NotEmpty, lay_out
from scripts.demo.stage import Refusals, Stage
from scripts.demo.steps import Steps
from scripts.demo.trouble import PortTaken, about_folder
from scripts.year_lib.story import Outcome, play
from tests.simulators.register import TooFewPeople
from tests.simulators.year import NOTICES_FOR_EACH, Plan

SLICES = 24
RIGHT, WRONG, MISUSED = 0, 1, 2
EXAMPLES = """
examples:
  scripts/year                                     10,000 residents, 1,800 notices
  scripts/year --residents 100000 --seed 7 --json year.json

exit status: 0 if every answer was the one that was planted, nobody waits at the end, and the files
of the municipalities, of the prefecture and of the national server agree to the last item
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play a year; return the exit status."""
    options = _parser().parse_args(arguments)
    folder = options.data or Path(tempfile.mkdtemp(prefix="juki-year-"))
    steps = Steps(Console(highlight=False))
    try:
        grounds = lay_out(folder, datetime.now(UTC), 0)
    except (NotEmpty, PortTaken) as problem:
        steps.console.print(f"year: {problem}", markup=False)
        return MISUSED
    except OSError as problem:
        steps.console.print(f"year: {about_folder(folder, problem)}", markup=False)
        return MISUSED
    with Children() as children:
        juki = Juki(grounds.config, grounds.terminal / "juki.log")
        refusals = Refusals(grounds.terminal / "refusals.jsonl")
        try:
            outcome = play(Stage(grounds, steps, children, juki, refusals), _plan(options))
        except (Failed, TooFewPeople) as problem:
            steps.console.print(f"year: {problem}; everything is in {folder}", markup=False)
            return WRONG
    if options.json:
        options.json.write_text(_summary(options, outcome), "utf-8")
    right = outcome.right and not steps.failed
    if options.data is None and right:
        shutil.rmtree(folder)
    elif not right:
        steps.console.print(f"everything is in {folder}")
    return RIGHT if right else WRONG


def _plan(options: Namespace) -> Plan:
    # No day that is told of may lie in the future.
    yesterday = datetime.now(JST).date() - timedelta(days=1)
    notices = options.notices or round(options.residents * NOTICES_FOR_EACH)
    return Plan(options.residents, notices, options.slices, options.seed, yesterday)


def _summary(options: Namespace, outcome: Outcome) -> str:
    summary = {
        "right": outcome.right,
        "residents": options.residents,
        "seed": options.seed,
        **asdict(outcome),
        "agrees": outcome.agreement.holds,
    }
    return json.dumps(summary, ensure_ascii=False, indent=1, default=str) + "\n"


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="scripts/year",
        description="Play a year of a whole prefecture, with faults, and compare all files.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--residents", type=int, default=10_000, metavar="N")
    parser.add_argument("--notices", type=int, metavar="N", help="default: 0.18 a resident")
    parser.add_argument("--slices", type=int, default=SLICES, metavar="N", help="default: 24")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a summary there")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where everything lies, and stays")
    return parser
