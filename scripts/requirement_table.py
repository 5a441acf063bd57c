"""The table R -> tests -> status: every requirement with the tests that carry its number.

A test proves a requirement by its number in the test's id (``test_r30_…``, ``[R30-…]``) or by
``@pytest.mark.requirement("R30", "R31")``. What nobody proves is shown as such.
"""

import json
import re
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Collection, Sequence
from contextlib import chdir
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "tests/requirements.tsv"
NUMBER = re.compile(r"(?<![A-Za-z0-9])R([1-9][0-9]{0,2})(?![0-9])")
OURS = frozenset("SDN")
"""Kinds that software can meet; the others are for organisation and surroundings."""
WRONG = frozenset({"failed", "not run"})
EXAMPLES = """
examples:
  scripts/requirements
  scripts/requirements --area B --area G
  scripts/requirements --run R30 R31
  scripts/requirements --json requirements.json

exit status: 0, or 1 if a test that was run failed, or one that was to be run was not
"""


@dataclass(slots=True)
class Requirement:
    """One row of the founding document, and who proves it."""

    number: str
    area: str
    kind: str
    text: str
    tests: list[str] = field(default_factory=list)
    status: str = ""


class Proofs:
    """A pytest plugin: which tests carry which numbers, and which of them passed or failed."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(wanted)
        self.tests: dict[str, list[str]] = {}
        self.passed: set[str] = set()
        self.failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that prove something asked for."""
        kept = []
        for item in items:
            numbers = numbers_of(item)
            for number in numbers:
                self.tests.setdefault(number, []).append(item.nodeid)
            if numbers & self._wanted:
                kept.append(item)
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note who passed, and who failed."""
        if report.when == "call" and report.passed:
            self.passed.add(report.nodeid)
        if report.failed:
            self.failed.add(report.nodeid)


def numbers_of(item: pytest.Item) -> set[str]:
    """Return the requirements a test says it proves."""
    marked = {str(n) for mark in item.iter_markers("requirement") for n in mark.args}
    function, _, chosen = item.name.partition("[")
    named = NUMBER.findall(function.upper().replace("_", " ")) + NUMBER.findall(chosen)
    return marked | {f"R{digits}" for digits in named}


def read_requirements() -> list[Requirement]:
    """Return all rows, unproved."""
    lines = REQUIREMENTS.read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [Requirement(number, area, kind, text) for number, area, kind, text in rows]


def prove(requirements: Sequence[Requirement], *, run: bool) -> bool:
    """Fill in tests and status; return whether every test that was to be run passed."""
    proofs = Proofs({each.number for each in requirements})
    quiet = () if run else ("--collect-only", "-qq")
    # Some tests leave caches where they are run, which must not be where somebody typed this.
    with chdir(ROOT):
        code = pytest.main(["-q", "--no-header", *quiet, str(ROOT / "tests")], plugins=[proofs])
    for each in requirements:
        each.tests = sorted(proofs.tests.get(each.number, ()))
        each.status = _status(each, proofs, run=run)
    # Where no test carries a number that was chosen, there is none to run.
    went_well = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return went_well and not any(each.status in WRONG for each in requirements)


def _status(requirement: Requirement, proofs: Proofs, *, run: bool) -> str:
    tests = set(requirement.tests)
    if not tests:
        return "not covered" if requirement.kind in OURS else "not of software"
    if not run:
        return "covered"
    if tests & proofs.failed:
        return "failed"
    return "proved" if tests <= proofs.passed else "not run"


def _show(requirements: Sequence[Requirement]) -> None:
    table = Table("number", "kind", "requirement", "status", "tests", title="Requirements")
    for each in requirements:
        first = each.tests[0].removeprefix("tests/") if each.tests else ""
        more = f" (+{len(each.tests) - 1})" if len(each.tests) > 1 else ""
        table.add_row(each.number, each.kind, each.text, each.status, first + more)
    console = Console()
    console.print(table)
    ours = [each for each in requirements if each.kind in OURS]
    covered = sum(bool(each.tests) for each in ours)
    console.print(f"{covered} of {len(ours)} requirements of software, data and limits are covered")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    parser = ArgumentParser(
        prog="scripts/requirements",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("numbers", nargs="*", help="only these, such as R30")
    parser.add_argument("--area", action="append", default=[], help="only this area, A to P")
    parser.add_argument("--run", action="store_true", help="run the tests, not only name them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there too")
    options = parser.parse_args(arguments)
    chosen = [
        each
        for each in read_requirements()
        if (not options.numbers or each.number in options.numbers)
        and (not options.area or each.area in options.area)
    ]
    if not chosen:
        parser.error("there is no such requirement; numbers are R1 to R206, areas A to P")
    is_right = prove(chosen, run=options.run)
    _show(chosen)
    if options.json:
        rows = [asdict(each) for each in chosen]
        options.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0 if is_right else 1


if __name__ == "__main__":
    raise SystemExit(main())
