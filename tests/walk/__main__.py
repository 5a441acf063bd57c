"""Walk: ``python -m tests.walk``, or ``scripts/walk``."""

import json
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from tests.walk.walking import Walk

EXAMPLES = """
examples:
  scripts/walk                                        10,000 requests
  scripts/walk --requests 100000 --seed 7 --json walk.json

exit status: 0 if nothing left that the policy does not give, and every refusal is in the ledger
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk; return the exit status."""
    parser = ArgumentParser(
        prog="scripts/walk",
        description="Random people ask for anything; answers are held against the policy files.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--requests", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="juki-walk-") as folder,
        Walk.prepare(Path(folder) / "store", options.seed) as walk,
    ):
        figures = walk.go(options.requests)
    plain = figures.plain()
    if options.json:
        options.json.write_text(json.dumps(plain, ensure_ascii=False, indent=2) + "\n", "utf-8")
    for name, value in plain.items():
        if name != "violations":
            sys.stdout.write(f"{name}: {value}\n")
    sys.stdout.write(f"violations: {len(figures.violations)}\n")
    for violation in figures.violations[:20]:
        sys.stdout.write(f"  {violation}\n")
    return 1 if figures.violations or figures.missing_in_ledger else 0


if __name__ == "__main__":
    raise SystemExit(main())
