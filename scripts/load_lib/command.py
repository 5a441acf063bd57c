"""The command line of ``scripts/load``, and its verdict."""

import json
import shutil
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.bench_lib.served import Served, Site
from scripts.load_lib import climbing, soaking
from scripts.load_lib.mix import Mix

GOOD, BAD, MISUSED = 0, 1, 2
EXAMPLES = """
examples:
  scripts/load --residents 20000 --json load.json    until it breaks; some minutes
  scripts/load --soak 60                             then an hour at half of that rate
  scripts/load --soak 600 --rate 100 --seconds 2     ten hours at 100 a second, without climbing

Requests are 70 % search/find, 20 % provision/inquire and 10 % update/notify, and arrive by chance
(Poisson); a latency counts from when the request was due. The clients share the machine.
The caches of the store (56 MiB) fill first: a soak of some minutes is not flat yet.

exit status: 0 if it held the first rate and, in a soak, stayed flat; 1 if not
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make an appliance, ask faster and faster, perhaps for long; return the exit status."""
    options = _parser().parse_args(arguments)
    folder = options.data or Path(tempfile.mkdtemp(prefix="juki-load-"))
    if folder.exists() and any(folder.iterdir()):
        print(f"load: {folder} is not empty")
        return MISUSED
    _say(f"filling a store with {options.residents:,} residents")
    site = Site.make(folder / "site", options.residents, options.seed)
    with site.appliance() as served:
        summary = _run(options, site, served)
    if options.json:
        options.json.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if options.data is None:
        shutil.rmtree(folder)
    return GOOD if summary["good"] else BAD


def _run(options: Namespace, site: Site, served: Served) -> dict[str, Any]:
    mix = Mix(site, served, options.seed)
    summary: dict[str, Any] = {
        "seed": options.seed,
        "residents": options.residents,
        "limit_ms": options.limit,
        "good": True,
    }
    rate: float | None = options.rate
    if rate is None:
        steps = _climb(options, mix)
        held = [step for step in steps if step.holds(options.limit)]
        summary["steps"] = [step.plain() for step in steps]
        summary["held"] = held[-1].rate if held else None
        summary["broke"] = steps[-1].rate if steps[-1] not in held else None
        summary["good"] = bool(held)
        _say(_breaking(steps, held))
        rate = steps[-1].rate / 2
    if options.soak:
        summary |= _soak(options, mix, served, rate)
    return summary


def _climb(options: Namespace, mix: Mix) -> list[climbing.Step]:
    _say(climbing.heading())
    return climbing.climb(
        mix, options.seconds, options.limit, options.steps, lambda step: _say(climbing.line(step))
    )


def _breaking(steps: Sequence[climbing.Step], held: Sequence[climbing.Step]) -> str:
    if len(held) == len(steps):
        return f"held {held[-1].rate:.0f} a second; it was not asked faster"
    last = f"{held[-1].rate:.0f} a second" if held else "no rate"
    return f"held {last}, broke at {steps[-1].rate:.0f}"


def _soak(options: Namespace, mix: Mix, served: Served, rate: float) -> dict[str, Any]:
    _say(f"soaking at {rate:.0f} a second", soaking.heading())
    samples = soaking.soak(
        mix, served.pid, rate, options.soak, lambda sample: _say(soaking.line(sample))
    )
    found = soaking.growing(samples)
    _say("flat" if not found else f"not flat: {'; '.join(found)}")
    told = {"rate": rate, "flat": not found, "samples": [soaking.plain(each) for each in samples]}
    return {"soak": told} | ({} if not found else {"good": False})


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="scripts/load",
        description="The served appliance under a mix of requests, faster and faster, or for long.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--residents", type=int, default=20_000, metavar="N", help="default: 20000")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="of each rate")
    parser.add_argument(
        "--limit",
        type=float,
        default=500.0,
        metavar="MS",
        help="p99 that still holds; default: 500",
    )
    parser.add_argument("--steps", type=int, default=20, metavar="N", help="rates at most")
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="go on for long")
    parser.add_argument("--rate", type=float, metavar="R", help="soak at it, without climbing")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a summary there")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the store lies, and stays")
    return parser
