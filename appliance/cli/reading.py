"""``juki ledger search|denials|person|report|export``: read the ledger, in an auditor's session."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.cli.approvals import Second, receipt_with, takes_two
from appliance.cli.frame import Command, Exit, Stop, as_json, secret, show, table
from appliance.cli.link import Seat, ask, fetch_text
from appliance.cli.people import at_a_terminal
from appliance.files import replace_file

BY_ITSELF = "system/"
"""What the appliance enters by itself: unsealing, stopping …"""
COLUMNS = (
    "index",
    "at",
    "operator",
    "terminal",
    "operation",
    "purpose",
    "reason",
    "case",
    "items",
    "result",
    "refusal",
    "why",
)
ALONE = Second()
PROOF_ENDING = ".tlog-proof"
F = TypeVar("F", bound=Callable[..., Any])

_PERIOD = (
    click.option("--since", type=click.DateTime(), help="Local time."),
    click.option("--until", type=click.DateTime(), help="Local time."),
    click.option("--before", type=click.IntRange(min=0), help="Only entries below this number."),
)
_FILTERS = (
    click.option("--operator", help="操作者ID"),
    click.option("--person", help="照合ID"),
    click.option("--terminal", help="操作端末ID"),
    click.option("--office", help="所属"),
    click.option("--function", help="機能, such as search."),
    click.option("--operation", help="Such as search/find."),
    click.option("--purpose", help="事務 code"),
    click.option("--reason", help="利用事由 code"),
    click.option("--case", help="使用簿 number"),
    click.option("--result", type=click.Choice(["ok", "denied", "error"])),
    click.option("--refusal", help="Code of a refusal, such as not-permitted."),
    click.option("--contractor", is_flag=True, default=None, help="Only the 委託先."),
    click.option("--request-id", help="Of a request, or a provision_id."),
    *_PERIOD,
)
_OUT = click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file to write; the proof goes beside it, with {PROOF_ENDING} at its end.",
)


def _with(options: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.command(cls=Command)
@_with(_FILTERS)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@at_a_terminal
@as_json
def search(seat: Seat, session: Path, **filters: Any) -> None:
    """List entries, the newest first. Reading the ledger is itself entered in the ledger.

    Examples:
      juki ledger search --operator OP-0007 --result denied --since 2026-04-01
      juki ledger search --contractor --since 2026-04-01
    """
    answer = ask(seat, "ledger/search", _body(filters))
    # Only now: of an operation that was offered once, entries are still there.
    if filters["operation"] is not None and not answer["entries"]:
        _must_be_offered(seat, filters["operation"])
    _entries(answer)


@click.command(cls=Command)
@_with(_PERIOD)
@at_a_terminal
@as_json
def denials(seat: Seat, session: Path, **period: Any) -> None:
    """Count what was refused in a period, by code, operator and terminal.

    The refusals themselves: juki ledger search --result denied.

    Example:
      juki ledger denials --since 2026-04-01 --until 2026-05-01
    """
    total, groups = 0, {name: Counter[str]() for name in ("codes", "operators", "terminals")}
    while True:
        answer = ask(seat, "ledger/denials", _body(period))
        total += answer["count"]
        for name, counts in groups.items():
            counts.update({group["value"]: group["count"] for group in answer[name]})
        if answer["next"] is None:
            break
        period["before"] = answer["next"]
    show(
        {"count": total, **{name: dict(counts.most_common()) for name, counts in groups.items()}},
        lambda: "\n\n".join([f"refused: {total}", *_tables(groups)]),
    )


@click.command(cls=Command)
@_with(_PERIOD)
@at_a_terminal
@as_json
def person(seat: Seat, session: Path, **period: Any) -> None:
    """List who looked at one person. The 住民票コード is asked for, never an argument.

    Example:
      juki ledger person
    """
    code = secret("住民票コード")
    _entries(ask(seat, "ledger/person", {"by": {"resident_code": code}, **_body(period)}))


@click.command(cls=Command)
@_OUT
@click.option("--operators", is_flag=True, help="With the 照合ID of whoever did it.")
@_with(_PERIOD)
@at_a_terminal
@as_json
def report(seat: Seat, session: Path, out: Path, operators: bool, **period: Any) -> None:
    """Print who looked at one person, as a PDF for him, with the proof of it beside it.

    The 住民票コード is asked for, never an argument.

    Example:
      juki ledger report --out report.pdf --since 2026-04-01
    """
    code = secret("住民票コード")
    body = {"by": {"resident_code": code}, "operators": operators, **_body(period)}
    _handed_out(seat, "ledger/report", body, out, "pdf")


@click.command(cls=Command)
@_OUT
@click.option("--format", "kind", type=click.Choice(["csv", "pdf"]), default="csv")
@click.option("--conditions", is_flag=True, help="With what was searched by; it may name somebody.")
@click.option("--no-bom", is_flag=True, help="CSV without a byte order mark.")
@_with(_FILTERS)
@takes_two
@at_a_terminal
@as_json
def export(
    seat: Seat,
    session: Path,
    second: Second,
    out: Path,
    kind: str,
    conditions: bool,
    no_bom: bool,
    **filters: Any,
) -> None:
    """Write entries to a file, with the proof that this appliance handed it out beside it.

    A CSV holds up to 20,000 entries, a PDF 1,000; a longer period is exported in parts. A cell that
    a spreadsheet would take for a formula begins with ' in a CSV. It takes a second person.

    Examples:
      juki ledger export --out 2026-04.csv --since 2026-04-01 --until 2026-05-01
        --request --form 監査-2026-4 --why 定期監査
      juki ledger export --out 2026-04.csv --since 2026-04-01 --until 2026-05-01 --approval 12
      juki ledger export --out denied.pdf --format pdf --result denied --since 2026-04-01
    """
    body = {**_body(filters), "format": kind, "conditions": conditions, "bom": not no_bom}
    _handed_out(seat, "ledger/export", body, out, "file", second)


READING = (search, denials, person, report, export)


def _handed_out(
    seat: Seat,
    operation: str,
    body: dict[str, Any],
    out: Path,
    name: str,
    second: Second = ALONE,
) -> None:
    """Write the file of an answer and its proof."""
    answer, index = receipt_with(second, seat, operation, body)
    proof = str(ask(seat, "ledger/proof", {"index": index})["proof"])
    beside = out.with_name(out.name + PROOF_ENDING)
    replace_file(out, base64.b64decode(answer.pop(name)), 0o600)
    replace_file(beside, proof.encode(), 0o600)
    lines = [f"{answer['count']} entries in {out}", f"proof, of entry {index}: {beside}"]
    if answer["next"] is not None:
        lines.append(f"not all of them: the older ones with --before {answer['next']}")
    show({**answer, "index": index, "proof": str(beside)}, lambda: "\n".join(lines))


def _entries(answer: dict[str, Any]) -> None:
    entries = answer["entries"]
    lines = [table(entries, COLUMNS) if entries else "no entries"]
    if answer["next"] is not None:
        lines.append(f"older entries: --before {answer['next']}")
    show(answer, lambda: "\n".join(lines))


def _tables(groups: dict[str, "Counter[str]"]) -> list[str]:
    return [
        table(
            [{name: value, "refused": count} for value, count in counts.most_common()],
            (name, "refused"),
        )
        for name, counts in groups.items()
        if counts
    ]


def _must_be_offered(seat: Seat, operation: str) -> None:
    """Refuse the name of an operation there is not, with those that look like it."""
    paths = json.loads(fetch_text(seat, "/v1/openapi.json"))["paths"]
    offered = [path.removeprefix("/v1/") for path in paths if "/sys/" not in path]
    if operation in offered or operation.startswith(BY_ITSELF):
        return
    near = get_close_matches(operation, offered, n=5, cutoff=0.4)
    function = f"{operation.partition('/')[0]}/"
    near += [name for name in offered if name.startswith(function) and name not in near]
    hint = f"; near it: {', '.join(near)}" if near else "; juki policy show lists them"
    raise Stop(Exit.NOT_UNDERSTOOD, "operation", f"there is no operation {operation!r}{hint}")


def _body(options: dict[str, Any]) -> dict[str, Any]:
    return {name: _moment(value) for name, value in options.items() if value is not None}


def _moment(value: Any) -> Any:
    return value.astimezone().isoformat() if isinstance(value, datetime) else value
