"""The command line of ``scripts/crash``."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.crash_lib.account import Account
from scripts.crash_lib.lives import Lives, Moment, Plan, prepared
from tests.machine import Gone

DESCRIPTION = f"""
Kill a loaded appliance with SIGKILL again and again
({", ".join(moment.value for moment in Moment)});
each time start it, unseal it, and read back everything that was acknowledged.
Exit 0: it was all there, once and whole. A power cut can do more than SIGKILL;
that is what the disk tests of the storage are for.
"""
EXAMPLES = """
examples:
  scripts/crash                              25 cycles, half a minute
  scripts/crash --cycles 1000 --seed 7       what is asked of a release
  scripts/crash --data /mnt/slow/crash       on another disk; kept afterwards
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 0 only if everything acknowledged was there and nothing in part."""
    options = _parser().parse_args(arguments)
    plan = Plan(cycles=options.cycles, seed=options.seed, check_every=options.check_every)
    folder = options.data or Path(tempfile.mkdtemp(prefix="juki-crash-"))
    if folder.exists() and any(folder.iterdir()):
        sys.stderr.write(f"scripts/crash: {folder} is not empty\n")
        return 2
    began = time.monotonic()
    account = _run(folder, plan)
    report = {"cycles": plan.cycles, "seed": plan.seed, **account.plain()}
    report["seconds"] = round(time.monotonic() - began, 1)
    report["seconds_per_cycle"] = round(report["seconds"] / max(plan.cycles, 1), 3)
    if options.json is not None:
        options.json.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf-8")
    _print(report)
    if options.data is None and account.clean:
        shutil.rmtree(folder)
    else:
        print(f"everything is in {folder}")
    return 0 if account.clean else 1


def _run(folder: Path, plan: Plan) -> Account:
    with prepared(folder) as (machine, national):
        lives = Lives(machine, national, plan)
        try:
            with _progress(plan.cycles) as told:
                lives.run(told)
        except Gone as gone:
            lives.account.find(f"the process did not come up: {gone}")
        except AssertionError as refused:
            lives.account.find(f"refused: {refused}")
        return lives.account


@contextmanager
def _progress(cycles: int) -> Iterator[Callable[[int, Account], None]]:
    """Draw a bar on a terminal; elsewhere write a line now and then."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda cycle, account: _line(cycle, cycles, account)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=cycles)
        yield lambda cycle, account: bar.update(
            task, completed=cycle, description=_description(account)
        )


def _line(cycle: int, cycles: int, account: Account) -> None:
    if cycle % 10 == 0 or cycle == cycles:
        sys.stderr.write(f"{cycle} of {cycles} cycles, {_description(account)}\n")


def _description(account: Account) -> str:
    return (
        f"acknowledged {account.acknowledged}, absent {account.absent}, "
        f"half done {account.half_done}"
    )


def _print(report: dict[str, Any]) -> None:
    killed = ", ".join(f"{number} {moment}" for moment, number in report["killed"].items())
    print(f"cycles: {report['cycles']} ({killed})")
    print(f"acknowledged: {report['acknowledged']}")
    print(f"  notices: {report.get('notices', 0)} in {report.get('batches', 0)} batches")
    print(f"  looks: {report.get('looks', 0)}")
    print(f"in doubt, done: {report.get('doubtful, done', 0)}")
    print(f"in doubt, not done: {report.get('doubtful, not done', 0)}")
    print(f"acknowledged and absent: {report['acknowledged_and_absent']}")
    print(f"half done: {report['half_done']}")
    print(f"otherwise wrong: {report['otherwise_wrong']}")
    print(f"checks of the whole store: {report.get('checks', 0)}")
    print(f"seconds: {report['seconds']} ({report['seconds_per_cycle']} a cycle)")
    for finding in report["findings"]:
        print(f"FOUND {finding}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/crash",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cycles", type=int, default=25, metavar="N", help="default: 25")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--check-every",
        type=int,
        default=100,
        metavar="N",
        help="cycles between two runs of juki check (default: 100; 0: only at the end)",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="an empty folder, kept afterwards")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return parser
