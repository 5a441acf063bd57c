"""``juki approval``: what takes two persons; and how a command asks for the second one.

A command of an operation that takes two persons is declared with ``@takes_two`` and asks by
``ask_with``. The same command line asks for the approval (``--request``) and uses it
(``--approval``), so that what is agreed to and what is done cannot differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.cli.frame import Exit, Group, Stop, as_json, finish, show, shown, table
from appliance.cli.link import Seat, ask, ask_for_receipt
from appliance.cli.people import at_a_terminal
from appliance.errors import NeedsApproval

F = TypeVar("F", bound=Callable[..., Any])
LISTED = {"to_decide": "to decide", "mine": "mine", "decided": "decided"}
COLUMNS = ("number", "operation", "state", "form", "why", "asked by", "until", "decided by")
NUMBER = click.IntRange(min=1, max=999_999_999)


@dataclass(frozen=True, slots=True)
class Second:
    """What the command line says of the second person."""

    approval: int | None = None
    form: str | None = None
    why: str | None = None
    """With a form: do not do it, ask for an approval."""


def takes_two(command: F) -> Callable[..., Any]:
    """Add ``--approval``, ``--request``, ``--form`` and ``--why``; the command gets ``second``."""

    @wraps(command)
    def run(
        approval: int | None, request: bool, form: str | None, why: str | None, **options: Any
    ) -> Any:
        if {request} != {form is not None, why is not None}:
            raise Stop(Exit.NOT_UNDERSTOOD, "request", "--request takes --form and --why")
        second = _second(approval, form, why, request=request)
        return command(second=second, **options)

    form = click.option("--form", help="With --request: number of the paper form (申請書).")
    return form(_asking(run))


def form_takes_two(command: F) -> Callable[..., Any]:
    """Add ``--approval``, ``--request`` and ``--why`` to a command that has a ``--form`` anyhow."""

    @wraps(command)
    def run(approval: int | None, request: bool, form: str, why: str | None, **options: Any) -> Any:
        if request != (why is not None):
            raise Stop(Exit.NOT_UNDERSTOOD, "request", "--request takes --why")
        second = _second(approval, form if request else None, why, request=request)
        return command(form=form, second=second, **options)

    return _asking(run)


def _second(approval: int | None, form: str | None, why: str | None, *, request: bool) -> Second:
    if request and approval is not None:
        raise Stop(Exit.NOT_UNDERSTOOD, "request", "give --request or --approval, not both")
    return Second(approval, form, why)


def _asking(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--why", help="With --request: why, for whoever agrees."),
        click.option(
            "--request", is_flag=True, help="Do nothing yet: ask a second person to agree."
        ),
        click.option("--approval", type=NUMBER, help="Number of what a second person agreed to."),
    ):
        command = option(command)
    return command


def ask_with(second: Second, seat: Seat, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an operation answers that takes two persons; or ask for the approval, and end.

    Raises:
        Stop: as ``ask``.
    """
    return receipt_with(second, seat, operation, body)[0]


def receipt_with(
    second: Second, seat: Seat, operation: str, body: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """Return the same, and the ledger entry that holds the request.

    Raises:
        Stop: as ``ask``.
    """
    if second.form is not None:
        wanted = {
            "operation": operation,
            "arguments": dict(body),
            "form": second.form,
            "reason": second.why,
        }
        _tell(ask(seat, "approval/request", wanted))
        finish(Exit.DONE)
    try:
        return ask_for_receipt(seat, operation, body, approval=second.approval)
    except Stop as stop:
        if stop.code != NeedsApproval.code:
            raise
        how = "the same command with --request (and --form, --why) asks; then --approval NUMBER"
        raise Stop(stop.exit_code, stop.code, *stop.lines, how) from None


@click.group(cls=Group)
def approval() -> None:
    """What takes two persons: one asks, another agrees, and it is done once."""


@approval.command("list")
@at_a_terminal
@as_json
def list_approvals(seat: Seat, session: Path) -> None:
    """List what waits for your decision, and what you asked for or decided within 30 days.

    Example:
      juki approval list
    """
    answer = ask(seat, "approval/list", {})
    show(
        answer,
        lambda: "\n\n".join(
            f"{title}:\n{table(list(map(_row, answer[name])), COLUMNS) if answer[name] else 'none'}"
            for title, name in (
                ("to decide", "to_decide"),
                ("mine", "mine"),
                ("decided", "decided"),
            )
        ),
    )


@approval.command("show")
@click.argument("number", type=NUMBER)
@at_a_terminal
@as_json
def show_approval(number: int, seat: Seat, session: Path) -> None:
    """Show what exactly would be done under NUMBER.

    Example:
      juki approval show 12
    """
    answer = ask(seat, "approval/show", {"number": number})
    arguments = {f"  {name}": value for name, value in (answer["arguments"] or {}).items()}
    if wants := answer["not_shown"]:
        arguments["  not shown"] = wants
    show(
        answer,
        lambda: _lines({**_row(answer["approval"]), "summary": answer["summary"]}, arguments),
    )


@approval.command()
@click.argument("number", type=NUMBER)
@at_a_terminal
@as_json
def give(number: int, seat: Seat, session: Path) -> None:
    """Agree to NUMBER. It holds for 24 hours, for one time, and not for you.

    Example:
      juki approval give 12
    """
    _tell(ask(seat, "approval/give", {"number": number}))


@approval.command()
@click.argument("number", type=NUMBER)
@click.option("--reason", required=True, help="Why not.")
@at_a_terminal
@as_json
def refuse(number: int, reason: str, seat: Seat, session: Path) -> None:
    """Do not agree to NUMBER.

    Example:
      juki approval refuse 12 --reason "申請書と違う"
    """
    _tell(ask(seat, "approval/refuse", {"number": number, "reason": reason}))


@approval.command()
@click.argument("number", type=NUMBER)
@at_a_terminal
@as_json
def withdraw(number: int, seat: Seat, session: Path) -> None:
    """Take back NUMBER, which you asked for.

    Example:
      juki approval withdraw 12
    """
    _tell(ask(seat, "approval/withdraw", {"number": number}))


def _tell(told: dict[str, Any]) -> None:
    may = {"may agree": told["approvers"]} if told["state"] == "open" else {}
    show(told, lambda: _lines(_row(told), may))


def _row(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return an approval as people read it: persons as 照合ID and 操作者ID, moments as they are."""
    row = {**told, "asked by": _who(told["asked"]), "decided by": _who(told["decided"])}
    return {name: row[name] for name in COLUMNS}


def _who(took_part: Mapping[str, str] | None) -> str | None:
    if took_part is None:
        return None
    return f"{took_part['person']} ({took_part['operator']}, {took_part['office']})"


def _lines(*parts: Mapping[str, Any]) -> str:
    rows = {name: value for part in parts for name, value in part.items()}
    width = max(map(len, rows)) + 1
    return "\n".join(f"{name + ':':<{width}} {shown(value)}" for name, value in rows.items())
