"""The command line of ``scripts/usebook``, and its verdict."""

import json
import shutil
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from scripts.usebook_lib.acting import play

A_YEAR = 23_453
"""Uses of one office in the founding document's year."""
RIGHT, WRONG, MISUSED = 0, 1, 2
EXAMPLES = """
examples:
  scripts/usebook                                  a year of 23,453 uses; some minutes
  scripts/usebook --uses 2000 --seed 7 --json usebook.json

exit status: 0 if everything planted was found, in the right way, and nothing else
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play a year and judge the matching; return the exit status."""
    options = _parser().parse_args(arguments)
    folder = options.data or Path(tempfile.mkdtemp(prefix="juki-usebook-"))
    if folder.exists() and any(folder.iterdir()):
        print(f"usebook: {folder} is not empty")
        return MISUSED
    outcome = play(folder, options.uses, options.seed, lambda text: print(text, flush=True))
    if options.json:
        summary = {"right": outcome.right, "seed": options.seed, **asdict(outcome)}
        options.json.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", "utf-8")
    for text in outcome.wrong:
        print(text)
    print(
        f"seed {options.seed}: {outcome.uses} uses, {outcome.lines} lines, {outcome.entries} "
        f"entries; planted {outcome.planted}, found {outcome.found}, false {outcome.false}; "
        f"matched in {outcome.seconds_matching} s ({outcome.cpu_seconds_matching} s of processor)"
    )
    if options.data is None and outcome.right:
        shutil.rmtree(folder)
    return RIGHT if outcome.right else WRONG


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="scripts/usebook",
        description="A year of one office, its usage book with 1 % wrong, and the matching.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--uses", type=int, default=A_YEAR, metavar="N", help="default: 23453")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a summary there")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the store lies, and stays")
    return parser
