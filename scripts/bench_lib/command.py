"""The command line of ``scripts/bench``."""

import json
import os
import platform
import shutil
import tempfile
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.bench_lib import capacity, plot, table
from scripts.bench_lib.measures import MEASURES
from scripts.bench_lib.rows import Row, Setting

QUICK, FULL = (2_000, 20_000), (200_000, 2_000_000)
MET, MISSED, MISUSED = 0, 1, 2
EXAMPLES = """
examples:
  scripts/bench --quick --json bench.json         20,000 residents, under 120 s
  scripts/bench                                   200,000 and 2,000,000 residents; about two hours
  scripts/bench --capacity bench.json --plot bench.svg
  scripts/bench --only find,ledger --sizes 20000,200000

exit status: 0 if every bar that was measured is met, 1 if not
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table as it comes, and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.capacity:
        return _looked_at(parser, options)
    sizes = options.sizes or (QUICK if options.quick else FULL)
    chosen = {name: MEASURES[name] for name in options.only or MEASURES}
    folder = options.data or Path(tempfile.mkdtemp(prefix="juki-bench-"))
    if folder.exists() and any(folder.iterdir()):
        parser.error(f"{folder} is not empty")
    setting = Setting(
        folder=folder,
        sizes=sizes,
        seed=options.seed,
        quick=options.quick,
        postgres=not options.without_postgres,
    )
    print(_machine(), table.heading(), sep="\n", flush=True)
    rows = []
    for row in _measured(chosen, setting):
        rows.append(row)
        print(table.line(row), flush=True)
        if options.json:
            _write(options.json, rows)
    print(table.verdict(rows))
    if options.plot:
        _draw(parser, [row.plain() for row in rows], options.plot)
    if options.data is None:
        shutil.rmtree(folder, ignore_errors=True)
    return MISSED if any(row.met is False for row in rows) else MET


def _write(path: Path, rows: Sequence[Row]) -> None:
    """Write what there is so far: whoever ends a long run early has it all the same."""
    plain = [row.plain() for row in rows]
    path.write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _looked_at(parser: ArgumentParser, options: Namespace) -> int:
    """Say what an earlier run means, and draw it if wished; measure nothing."""
    plain = json.loads(options.capacity.read_text("utf-8"))
    try:
        print(capacity.page(plain))
    except capacity.NotEnough as problem:
        parser.error(str(problem))
    if options.plot:
        _draw(parser, plain, options.plot)
    return MET


def _draw(parser: ArgumentParser, plain: list[dict[str, Any]], path: Path) -> None:
    try:
        path.write_text(plot.drawn(plain, f"juki-appliance by size: {_machine()}"), "utf-8")
    except ValueError as problem:
        parser.error(str(problem))


def _measured(
    chosen: Mapping[str, Callable[[Setting], Iterator[Row]]], setting: Setting
) -> Iterator[Row]:
    for name, measure in chosen.items():
        begin = time.monotonic()
        yield from measure(setting)
        print(f"    ({name}: {time.monotonic() - begin:.0f} s)", flush=True)


def _machine() -> str:
    model = next(
        (
            text.partition(":")[2].strip()
            for text in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if text.startswith("model name")
        ),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}"


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(each) for each in text.split(",")))


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - MEASURES.keys():
        raise ValueError(f"there is no {', '.join(sorted(unknown))}")
    return names


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="scripts/bench",
        description="The appliance and its rivals on the same work, in one run.",
        epilog=f"measures: {', '.join(MEASURES)}\n{EXAMPLES}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="2,000 and 20,000 residents")
    parser.add_argument("--sizes", type=_sizes, metavar="N,N", help="numbers of residents")
    parser.add_argument("--only", type=_names, metavar="NAME,NAME", help="only these measures")
    parser.add_argument(
        "--without-postgres", action="store_true", help="leave PostgreSQL out, and say so"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the rows there as they come"
    )
    parser.add_argument("--plot", type=Path, metavar="SVG", help="draw what was measured by size")
    parser.add_argument(
        "--capacity",
        type=Path,
        metavar="FILE",
        help="print what prefectures need, from an earlier --json; measure nothing",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="where stores lie, and stay")
    return parser
