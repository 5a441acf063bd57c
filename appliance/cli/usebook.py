"""``juki usebook``: an office's book of use, held against the ledger."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from appliance.cli.frame import Exit, Group, as_json, finish, show, table
from appliance.cli.link import Seat, ask
from appliance.cli.people import at_a_terminal

THERE = click.Path(path_type=Path, exists=True, dir_okay=False)
LEFT = ("finding", "kind", "at", "uses", "lines", "differs", "nearest", "mark", "text")
MONTHS = (
    "month",
    "office",
    "state",
    "uses",
    "lines",
    "matched",
    "unrecorded",
    "unfounded",
    "differing",
    "marked",
    "unmarked",
    "reopened",
)
COUNTS = ("uses", "lines", "matched", "unrecorded", "unfounded", "differing")
LINES = (
    "number",
    "day",
    "begins",
    "ends",
    "operator",
    "case",
    "purpose",
    "reason",
    "count",
    "struck",
)


@click.group(cls=Group)
def usebook() -> None:
    """使用簿: an office's book of use, held against the ledger."""


@usebook.command("import")
@click.argument("file", type=THERE)
@at_a_terminal
@as_json
def take_in(file: Path, seat: Seat, session: Path) -> None:
    """Write the lines of a CSV FILE in the book of your office; all of them, or none.

    Columns: 使用日,開始時刻,終了時刻,操作者ID,使用簿番号,事務,利用事由,件数,備考.
    UTF-8 or Shift_JIS, as a spreadsheet saves it.

    Example:
      juki usebook import 使用簿-2026-04.csv
    """
    content = base64.b64encode(file.read_bytes()).decode()
    show(ask(seat, "usebook/import", {"file": content}))


@usebook.command()
@click.argument("month")
@click.option("--office", help="The auditor's: of which office.")
@at_a_terminal
@as_json
def lines(month: str, office: str | None, seat: Seat, session: Path) -> None:
    """Show the book of a MONTH, YYYY-MM.

    Example:
      juki usebook lines 2026-04
    """
    answer = ask(seat, "usebook/lines", _given(month=month, office=office))
    _tell(answer, answer["lines"], LINES)


@usebook.command()
@click.argument("month")
@click.option("--tolerance", type=click.IntRange(0, 240), help="Minutes; 15 if left out.")
@at_a_terminal
@as_json
def match(month: str, tolerance: int | None, seat: Seat, session: Path) -> None:
    """Hold the book of a MONTH against the ledger. Exit: 1 if something has no reason yet.

    Examples:
      juki usebook match 2026-04
      juki usebook match 2026-04 --tolerance 30
    """
    answer = ask(seat, "usebook/match", _given(month=month, tolerance=tolerance))
    _tell(answer, [_flat(answer)], MONTHS)
    finish(Exit.WRONG if answer["unmarked"] else Exit.DONE)


@usebook.command()
@click.argument("month")
@click.option("--office", help="The auditor's: of which office.")
@click.option("--unmarked", is_flag=True, help="Only what has no reason yet.")
@at_a_terminal
@as_json
def leftovers(month: str, office: str | None, unmarked: bool, seat: Seat, session: Path) -> None:
    """Show what the last matching of a MONTH left, and why nothing fits.

    Examples:
      juki usebook leftovers 2026-04 --unmarked
      juki usebook leftovers 2026-04 --office 県税事務所
    """
    body = _given(month=month, office=office, marked="no" if unmarked else "all")
    answer = ask(seat, "usebook/leftovers", body)
    rows = [
        {
            **each["finding"],
            "finding": each["finding"]["id"],
            "mark": each["mark"] and each["mark"]["reason"],
        }
        for each in answer["leftovers"]
    ]
    _tell(answer, rows, LEFT)


@usebook.command()
@click.argument("month")
@click.argument("finding")
@click.option("--reason", required=True, help="Why it is so, for the auditor to read.")
@at_a_terminal
@as_json
def mark(month: str, finding: str, reason: str, seat: Seat, session: Path) -> None:
    """Give a reason for a FINDING of a MONTH. Nobody can for a use or a line of his own.

    Example:
      juki usebook mark 2026-04 use-1207 --reason "記入漏れ。4月10日に本人に確認した。"
    """
    body = {"month": month, "finding": finding, "reason": reason}
    show(ask(seat, "usebook/mark", body))


@usebook.command("sign-off")
@click.argument("month")
@at_a_terminal
@as_json
def sign_off(month: str, seat: Seat, session: Path) -> None:
    """Close a MONTH that is over, matched, and without anything that has no reason.

    Example:
      juki usebook sign-off 2026-04
    """
    answer = ask(seat, "usebook/sign-off", {"month": month})
    _tell(answer, [_flat(answer)], MONTHS)


@usebook.command()
@click.argument("month")
@click.argument("office")
@click.option("--why", required=True, help="For the record.")
@at_a_terminal
@as_json
def reopen(month: str, office: str, why: str, seat: Seat, session: Path) -> None:
    """Open a closed MONTH of an OFFICE again; the auditor's.

    Example:
      juki usebook reopen 2026-04 県税事務所 --why "記入漏れの申告"
    """
    answer = ask(seat, "usebook/reopen", {"month": month, "office": office, "why": why})
    _tell(answer, [_flat(answer)], MONTHS)


@usebook.command()
@click.option("--office", help="The auditor's: of which office; all if left out.")
@click.option("--since", help="First month, YYYY-MM.")
@click.option("--until", help="Last month, YYYY-MM.")
@at_a_terminal
@as_json
def figures(
    office: str | None, since: str | None, until: str | None, seat: Seat, session: Path
) -> None:
    """Show uses, lines, matched, leftovers and reasons, month by month.

    Examples:
      juki usebook figures
      juki usebook figures --since 2026-04 --until 2027-03 --json
    """
    answer = ask(seat, "usebook/figures", _given(office=office, since=since, until=until))
    _tell(answer, [_flat(each) for each in answer["months"]], MONTHS)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _flat(month: Mapping[str, Any]) -> dict[str, Any]:
    """Return a month in one row; what was not matched has no numbers."""
    matched = month["matched"] or {}
    return {**month, **{name: matched.get(name) for name in COUNTS}}


def _tell(
    answer: dict[str, Any], rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    show(answer, lambda: table(rows, columns) if rows else "none")
