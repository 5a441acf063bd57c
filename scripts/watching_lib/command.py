"""The command line of ``scripts/watching``, and its tables."""

import json
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from appliance.policy import read_policy
from plugins.watching.detectors import MAKERS
from scripts.watching_lib.measuring import WEEKS, Measured, Tally, measure
from scripts.watching_lib.misuse import STRENGTHS

POLICY = Path(__file__).parents[2] / "firmware_config" / "policy"
REACH = STRENGTHS[1:]
"""What the thresholds claim to find."""
EXAMPLES = """
examples:
  scripts/watching                           the development seeds 1-20
  scripts/watching --seeds 3 --false         one seed, and what was told wrongly or missed
  scripts/watching --seeds 1-5 --json figures.json

Every seed is two years: a quiet one, and the same with misuse planted. Thresholds are chosen with
seeds 1-20, then frozen; plugins/watching/README.md has the figures on seeds never used before.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=110)
    rules = read_policy(POLICY).watching
    with ProcessPoolExecutor(options.processes) as pool:
        measured = list(pool.map(partial(measure, rules=rules), options.seeds))
    total = {name: Tally() for name in MAKERS}
    for each in measured:
        for name, tally in each.tallies.items():
            total[name].add(tally)
    uses, seconds = sum(m.uses for m in measured), sum(m.seconds for m in measured)
    console.print(_table(total, len(measured)))
    console.print(
        f"{len(measured)} seeds; {uses / len(measured):,.0f} entries a year, read in "
        f"{seconds / len(measured):.1f} s of one processor; thresholds version {rules.version}"
    )
    if options.false:
        for each in measured:
            _tell(console, each)
    if options.json:
        options.json.write_text(json.dumps(_plain(total, measured), indent=1) + "\n", "utf-8")
    return 0


def _table(total: dict[str, Tally], years: int) -> Table:
    table = Table(title="Of the years with misuse; the last column of the quiet years")
    for column in ("detector", "flags", "precision", "recall", *STRENGTHS, "false a week, quiet"):
        table.add_column(column, justify="left" if column == "detector" else "right")
    for name, tally in total.items():
        table.add_row(name, *_row(tally, years))
    everything = Tally()
    for tally in total.values():
        everything.add(tally)
    table.add_section()
    table.add_row("all", *_row(everything, years))
    return table


def _row(tally: Tally, years: int) -> list[str]:
    reach = sum(tally.planted[each] for each in REACH)
    found = sum(tally.found[each] for each in REACH)
    return [
        str(tally.told),
        f"{tally.right / tally.told:.3f}" if tally.told else "-",
        f"{found / reach:.3f}" if reach else "-",
        *(f"{tally.found[each]}/{tally.planted[each]}" for each in STRENGTHS),
        f"{tally.quiet / (years * WEEKS):.3f}",
    ]


def _tell(console: Console, measured: Measured) -> None:
    for finding in measured.false:
        day = date.fromordinal(finding.day)
        console.print(
            f"seed {measured.seed} false {finding.detector} {day} {finding.key} {finding.figures}"
        )
    for plant in measured.missed:
        if plant.strength in REACH:
            day = date.fromordinal(min(plant.days))
            console.print(
                f"seed {measured.seed} missed {plant.detector} {plant.strength} {day}"
                f" {sorted(plant.persons)} {len(plant.notes)} uses"
            )


def _plain(total: dict[str, Tally], measured: Sequence[Measured]) -> dict[str, object]:
    return {
        "seeds": [each.seed for each in measured],
        "entries": [each.uses for each in measured],
        "seconds": [round(each.seconds, 2) for each in measured],
        "detectors": {
            name: {
                "flags": tally.told,
                "right": tally.right,
                "planted": dict(tally.planted),
                "found": dict(tally.found),
                "found_by_any": dict(tally.found_by_any),
                "flags_in_quiet_years": tally.quiet,
            }
            for name, tally in total.items()
        },
    }


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="scripts/watching",
        description="Measure the detectors on years of made-up uses.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seeds", type=_seeds, default=_seeds("1-20"), metavar="N[-M]", help="default: 1-20"
    )
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="default: 2")
    parser.add_argument("--false", action="store_true", help="tell what was wrong or missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return parser


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise ArgumentTypeError("one number, or two with a hyphen between")
    return list(range(int(first), int(last or first) + 1))
