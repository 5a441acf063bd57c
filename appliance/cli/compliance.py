"""``juki compliance``: the books of audit support, each with the same few commands."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from appliance.cli.frame import Exit, Group, Stop, as_json, finish, show, shown, table
from appliance.cli.link import Seat, ask
from appliance.cli.people import at_a_terminal
from appliance.files import replace_file

BOOKS = ("name", "title", "basis", "kept_years")
STEPS = ("name", "title", "since", "to", "roles")
FIELDS = ("step", "name", "title", "required", "form")
ENTRIES = ("number", "office", "state_title", "opened_on", "changed_on", "ended_on", "due")
TAKEN = ("at", "title", "person", "operator", "office", "given")
DUE = ("due_on", "days_left", "book", "number", "office", "state_title", "clock_title", "roles")
DAY = click.DateTime(["%Y-%m-%d"])


@click.group(cls=Group)
def compliance() -> None:
    """Books of audit support: 自己点検, 監査, 研修, 委託, 作業許可, 事故.

    Every book is kept by open and step. What its forms ask for:
      juki compliance books incident
    """


@compliance.command()
@click.argument("book", required=False)
@at_a_terminal
@as_json
def books(book: str | None, seat: Seat, session: Path) -> None:
    """List the books; of one BOOK its steps, and the fields of each.

    Examples:
      juki compliance books
      juki compliance books work-permit
    """
    every = ask(seat, "compliance/books", {})
    if book is None:
        show(every, lambda: table(every["books"], BOOKS))
        return
    found = next((each for each in every["books"] if each["name"] == book), None)
    if found is None:
        names = ", ".join(each["name"] for each in every["books"])
        raise Stop(Exit.NOT_UNDERSTOOD, "book", f"there is no book {book!r}; there are {names}")
    show(found, lambda: _forms(found))


@compliance.command("open")
@click.argument("book")
@click.argument("fields", nargs=-1, metavar="[FIELD=TEXT | FIELD:=JSON]...")
@click.option("--given", type=click.File("rb"), help="A JSON object with the fields; - for stdin.")
@at_a_terminal
@as_json
def open_entry(book: str, fields: Sequence[str], given: Any, seat: Seat, session: Path) -> None:
    """Open an entry of BOOK. FIELD=TEXT gives a text or a date, FIELD:=JSON anything else.

    Whatever names people belongs into --given, not on the command line.

    Examples:
      juki compliance open self-check-campaign fiscal_year:=2026 due_on=2026-12-28
      juki compliance open incident --given incident.json
    """
    body = {"book": book, "given": _given(fields, given)}
    show(ask(seat, "compliance/open", body))


@compliance.command()
@click.argument("book")
@click.argument("number", type=click.IntRange(min=1))
@click.argument("step")
@click.argument("fields", nargs=-1, metavar="[FIELD=TEXT | FIELD:=JSON]...")
@click.option("--given", type=click.File("rb"), help="A JSON object with the fields; - for stdin.")
@at_a_terminal
@as_json
def step(
    book: str,
    number: int,
    step: str,
    fields: Sequence[str],
    given: Any,
    seat: Seat,
    session: Path,
) -> None:
    """Take STEP with entry NUMBER of BOOK.

    Examples:
      juki compliance step self-check 3 confirm
      juki compliance step incident 1 preliminary preliminary_on=2026-11-30 preliminary_document=12
    """
    body = {"book": book, "number": number, "step": step, "given": _given(fields, given)}
    show(ask(seat, "compliance/step", body))


@compliance.command("list")
@click.argument("book")
@click.option("--office", help="所属")
@click.option("--state", help="Such as asked.")
@click.option("--unfinished", is_flag=True, help="Only what has not ended.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only above this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@at_a_terminal
@as_json
def list_entries(book: str, seat: Seat, session: Path, **filters: Any) -> None:
    """List the entries of BOOK that you may see.

    Example:
      juki compliance list self-check --unfinished
    """
    body = {"book": book, **{k: v for k, v in filters.items() if v is not None}}
    answer = ask(seat, "compliance/entries", body)
    entries = [{**each, "due": _pairs(each["due"])} for each in answer["entries"]]
    lines = [table(entries, ENTRIES) if entries else "no entries"]
    if answer["next"] is not None:
        lines.append(f"more: --after {answer['next']}")
    show(answer, lambda: "\n".join(lines))


@compliance.command("show")
@click.argument("book")
@click.argument("number", type=click.IntRange(min=1))
@at_a_terminal
@as_json
def show_entry(book: str, number: int, seat: Seat, session: Path) -> None:
    """Show entry NUMBER of BOOK with its history, and the steps that can follow.

    Example:
      juki compliance show incident 1
    """
    answer = ask(seat, "compliance/entry", {"book": book, "number": number})
    show(answer, lambda: _whole(answer))


@compliance.command()
@click.option("--within", type=click.IntRange(0, 3660), default=30, show_default=True, help="Days.")
@at_a_terminal
@as_json
def due(within: int, seat: Seat, session: Path) -> None:
    """List what is due in all books, and whose turn it is. Exit: 1 if anything is overdue.

    Example:
      juki compliance due --within 7
    """
    answer = ask(seat, "compliance/due", {"within": within})
    show(answer, lambda: table(answer["due"], DUE) if answer["due"] else "nothing is due")
    finish(Exit.WRONG if answer["overdue"] else Exit.DONE)


@compliance.command()
@at_a_terminal
@as_json
def coverage(seat: Seat, session: Path) -> None:
    """Say which offices were audited within three years. Exit: 1 if one is in no plan either.

    Example:
      juki compliance coverage
    """
    answer = ask(seat, "compliance/coverage", {})
    columns = ("office", "audited_on", "planned_for", "covered")
    show(answer, lambda: table(answer["offices"], columns))
    finish(Exit.WRONG if answer["missing"] else Exit.DONE)


@compliance.command()
@at_a_terminal
@as_json
def lacking(seat: Seat, session: Path) -> None:
    """List who was not trained within a year, or has not acknowledged. Exit: 1 if anybody.

    Example:
      juki compliance lacking
    """
    answer = ask(seat, "compliance/lacking", {})
    columns = ("person", "office", "trained_on", "acknowledged_on")
    parts = [table(answer["lacking"], columns)] if answer["lacking"] else []
    if answer["contractors"]:
        parts.append(table(answer["contractors"], ("contractor", "trained_on")))
    show(answer, lambda: "\n\n".join(parts) or "nobody")
    finish(Exit.WRONG if parts else Exit.DONE)


@compliance.command()
@click.option("--since", type=DAY, required=True)
@click.option("--until", type=DAY, required=True)
@click.option("--office", "offices", multiple=True, help="May be given repeatedly; else all.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where the ZIP goes; readable by you alone.",
)
@at_a_terminal
@as_json
def pack(
    since: datetime,
    until: datetime,
    offices: tuple[str, ...],
    out: Path,
    seat: Seat,
    session: Path,
) -> None:
    """Put together the evidence for an audit from outside. The ledger keeps the manifest's hash.

    Example:
      juki compliance pack --since 2026-04-01 --until 2027-03-31 --out audit-2026.zip
    """
    body = {
        "since": since.date().isoformat(),
        "until": until.date().isoformat(),
        "offices": offices,
    }
    answer = ask(seat, "compliance/pack", body)
    replace_file(out, base64.b64decode(answer.pop("archive")), 0o600)
    told = {"out": str(out), **answer}
    files = table(answer["files"], ("name", "length", "sha256"))
    show(told, lambda: f"{files}\n\nmanifest {answer['manifest_sha256']}\nwritten to {out}")


def _given(fields: Sequence[str], given: Any) -> dict[str, Any]:
    """Return the fields of a form, from a file and from the command line.

    Raises:
        Stop: a field is not of the form it must have, or the file is no JSON object.
    """
    found: dict[str, Any] = {}
    if given is not None:
        found = _json(given.read(), "--given")
        if not isinstance(found, dict):
            raise Stop(Exit.NOT_UNDERSTOOD, "given", "--given must be one JSON object")
    for field in fields:
        name, separator, text = field.partition("=")
        if not separator:
            raise Stop(Exit.NOT_UNDERSTOOD, "field", f"{name}: write FIELD=TEXT or FIELD:=JSON")
        if name.endswith(":"):
            found[name[:-1]] = _json(text, name[:-1])
        else:
            found[name] = text
    return found


def _json(text: str | bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Stop(Exit.NOT_UNDERSTOOD, "given", f"{where} is not JSON") from None


def _forms(book: Mapping[str, Any]) -> str:
    fields = [{"step": form["name"], **field} for form in book["steps"] for field in form["fields"]]
    return "\n\n".join(
        [f"{book['title']} {book['basis']}", table(book["steps"], STEPS), table(fields, FIELDS)]
    )


def _whole(answer: Mapping[str, Any]) -> str:
    entry = answer["entry"]
    head = f"{answer['title']} {entry['number']}  {entry['office']}  {entry['state_title']}"
    steps = [{**step, "given": _pairs(step["given"])} for step in answer["steps"]]
    lines = [head, table(steps, TAKEN), f"can follow: {shown(answer['possible'])}"]
    if entry["due"]:
        lines.append(f"due: {_pairs(entry['due'])}")
    return "\n\n".join(lines)


def _pairs(plain: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {shown(value)}" for name, value in plain.items())
