"""A population and its movements, written as files (``scripts/make_residents``).

One municipality goes straight into the folder; all of them each into a folder of its own::

    DIR/residents.jsonl  movements.jsonl  expected.jsonl               --municipality 432024
    DIR/431001/residents.jsonl ...  DIR/432024/residents.jsonl ...     --municipality all

The same arguments write the same bytes. Whoever wants the days to be near today says so with
``--day``.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import BinaryIO, Final, NamedTuple

import msgspec

from tests.simulators.movements import FAULT_SHARE, Line, Movements
from tests.simulators.notices import Expected, write_lines
from tests.simulators.places import SIZES
from tests.simulators.population import DEFAULT_DAY, Population
from tests.simulators.register import TooFewPeople

FEWEST: Final = 200
"""Residents a municipality needs for everything to happen in it."""


class Plan(NamedTuple):
    """What to make of one municipality; one in twenty people has something happen to them."""

    folder: Path
    municipality_code: str
    residents: int
    movements: int


class Made(NamedTuple):
    """How many lines the three files have."""

    residents: int
    movements: int
    expected: int


def make(plan: Plan, seed: int, day: date, fault_share: float = FAULT_SHARE) -> Made:
    """Write the three files of one municipality; files of that name are replaced.

    Raises:
        KeyError: the prefecture has no such municipality.
        TooFewPeople: the population is too small for so many movements.
    """
    population = Population(seed, plan.municipality_code, plan.residents, day)
    plan.folder.mkdir(parents=True, exist_ok=True)
    residents = write_lines(plan.folder / "residents.jsonl", population.notices())
    lines = Movements(population, seed, plan.movements, fault_share).lines()
    with (
        (plan.folder / "movements.jsonl").open("wb") as movements,
        (plan.folder / "expected.jsonl").open("wb") as expected,
    ):
        return Made(residents, *_write_movements(lines, movements, expected))


def shares(residents: int) -> Mapping[str, int]:
    """Share out a number of residents over the municipalities in proportion to their size."""
    whole = sum(SIZES.values())
    return {code: max(FEWEST, residents * size // whole) for code, size in SIZES.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    begun = perf_counter()
    for plan in _plans(options):
        try:
            made = make(plan, options.seed, options.day, options.faults)
        except TooFewPeople:
            sys.stderr.write(f"{plan.residents} residents are too few for {plan.movements} ")
            sys.stderr.write(f"movements; at least {FEWEST} residents are needed\n")
            return 1
        sys.stdout.write(
            f"{plan.folder}: {made.residents} residents, {made.movements} movements, "
            f"{made.expected} of them with an expectation, {perf_counter() - begun:.1f} s\n"
        )
    return 0


def _write_movements(
    lines: Iterable[Line], movements: BinaryIO, expected: BinaryIO
) -> tuple[int, int]:
    encoder = msgspec.json.Encoder()
    number = written = 0
    for number, line in enumerate(lines, start=1):
        movements.write(encoder.encode(line.notice) + b"\n")
        if line.fault:
            record = Expected(
                line=number,
                sequence=line.notice.sequence,
                fault=line.fault,
                expected=line.expected,
            )
            expected.write(encoder.encode(record) + b"\n")
            written += 1
    return number, written


def _plans(options: argparse.Namespace) -> Iterator[Plan]:
    if options.municipality != "all":
        movements = options.residents // 20 if options.movements is None else options.movements
        yield Plan(options.out, options.municipality, options.residents, movements)
        return
    for code, residents in shares(options.residents).items():
        movements = residents // 20
        if options.movements is not None:
            movements = options.movements * residents // options.residents
        yield Plan(options.out / code, code, residents, movements)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make_residents",
        description="Write a made-up population of Kumamoto and what happens to it, as JSON lines.",
        epilog="Every 住民票コード and 個人番号 begins with 9 and belongs to nobody.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument(
        "--municipality",
        default="432024",
        choices=(*SIZES, "all"),
        metavar="CODE",
        help="six digits of one of the 45, or all (431001 is 熊本市 with its wards)",
    )
    parser.add_argument("--residents", type=int, default=10_000, metavar="N")
    parser.add_argument(
        "--movements", type=int, metavar="N", help="default: one for twenty residents"
    )
    parser.add_argument(
        "--faults",
        type=float,
        default=FAULT_SHARE,
        metavar="SHARE",
        help="faults for each movement (default: %(default)s); each kind at least once",
    )
    parser.add_argument(
        "--day",
        type=date.fromisoformat,
        default=DEFAULT_DAY,
        metavar="YYYY-MM-DD",
        help="the day on which the population stands (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
