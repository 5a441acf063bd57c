"""``juki login|logout|operator``: sessions and 操作者名簿.

Every command here is one HTTP call as the operator who is logged in, down the same line as any
request: permitted by role, entered in the ledger.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.cli.frame import Command, Exit, Group, Stop, as_json, secret, show, table
from appliance.cli.link import SESSION, Seat, ask, drop_token, keep_seat, read_seat

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = (
    ("url", "The main port, https://HOST:PORT."),
    ("certificate", "The terminal's certificate, PEM."),
    ("key", "Its private key, PEM, mode 0600."),
    ("ca", "Whose server certificates are believed, PEM."),
)


def at_a_terminal(command: F) -> Callable[..., Any]:
    """Add what says where to ask and as whom; the command gets ``seat`` and ``session``."""

    @wraps(command)
    def run(session: Path, **options: Any) -> Any:
        given = {name: options.pop(name) for name, _ in _OPTIONS}
        if (url := given["url"]) is not None:
            given["url"] = url.rstrip("/")
        for name in ("certificate", "key", "ca"):
            if given[name] is not None:
                given[name] = str(Path(given[name]).resolve())
        return command(seat=read_seat(session, given), session=session, **options)

    decorated: Callable[..., Any] = run
    for name, meaning in reversed(_OPTIONS):
        decorated = click.option(f"--{name}", envvar=f"JUKI_{name.upper()}", help=meaning)(
            decorated
        )
    return click.option(
        "--session",
        type=click.Path(path_type=Path, dir_okay=False),
        default=SESSION,
        show_default=True,
        envvar="JUKI_SESSION",
        help="Where the session is kept between commands.",
    )(decorated)


@click.command(cls=Command)
@click.argument("operator")
@click.option("--enrol", is_flag=True, help="Set the PIN first, with a one-use code.")
@at_a_terminal
@as_json
def login(operator: str, enrol: bool, seat: Seat, session: Path) -> None:
    """Log in as OPERATOR (操作者ID). The PIN is asked for, or read from standard input.

    Examples:
      juki login OP-0001 --url https://127.0.0.1:8443 --certificate t.pem --key t.key --ca ca.pem
      juki login OP-0002 --enrol            first the one-use code, then the new PIN
    """
    if enrol:
        code = secret("One-use code")
        pin = secret("New PIN (8 digits or more)", confirm=True)
        enrolled = ask(seat, "session/enrol", {"code": code, "pin": pin}, with_session=False)
        if enrolled["operator"] != operator:
            raise Stop(Exit.REFUSED, "operator", "the code was another operator's; his PIN is set")
    else:
        pin = secret("PIN")
    opened = ask(seat, "session/open", {"operator": operator, "pin": pin}, with_session=False)
    keep_seat(
        session,
        Seat(
            url=seat.url,
            certificate=seat.certificate,
            key=seat.key,
            ca=seat.ca,
            token=opened.pop("token"),
            operator=operator,
            expires_at=str(opened["expires_at"]),
        ),
    )
    show({**opened, "session": str(session.expanduser())})


@click.command(cls=Command)
@at_a_terminal
@as_json
def logout(seat: Seat, session: Path) -> None:
    """End the session. Where to connect stays known, so that the next login needs no options.

    Example:
      juki logout
    """
    try:
        ask(seat, "session/close", {})
    finally:
        drop_token(session, seat)
    show({"operator": seat.operator, "logged_out": True})


@click.group(cls=Group)
def operator() -> None:
    """操作者名簿: who may log in, with which roles and 事務."""


@operator.command("list")
@at_a_terminal
@as_json
def operators(seat: Seat, session: Path) -> None:
    """List every operator. State: active, not-enrolled (no PIN yet), locked, over or suspended.

    Example:
      juki operator list
    """
    answer = ask(seat, "roster/operators", {})
    columns = ("operator_id", "person_id", "office", "state", "roles", "purposes", "expires_on")
    rows(answer, "operators", columns)


@operator.command()
@click.argument("operator_id")
@click.option("--person", "person_id", required=True, help="照合ID of whoever it is.")
@click.option("--office", required=True, help="所属")
@click.option("--role", "roles", multiple=True, required=True, help="May be given repeatedly.")
@click.option("--purpose", "purposes", multiple=True, help="事務 code; may be given repeatedly.")
@click.option("--expires", "expires_on", type=click.DateTime(["%Y-%m-%d"]), required=True)
@at_a_terminal
@as_json
def add(
    operator_id: str,
    person_id: str,
    office: str,
    roles: tuple[str, ...],
    purposes: tuple[str, ...],
    expires_on: datetime,
    seat: Seat,
    session: Path,
) -> None:
    """Let OPERATOR_ID in; prints the one-use code with which he sets a PIN.

    Example:
      juki operator add OP-0002 --person P-0002 --office 県税事務所
        --role clerk --purpose prefectural-tax --expires 2027-03-31
    """
    body = {
        "operator_id": operator_id,
        "person_id": person_id,
        "office": office,
        "roles": list(roles),
        "purposes": list(purposes),
        "expires_on": expires_on.date().isoformat(),
    }
    show(ask(seat, "roster/add-operator", body))


@operator.command()
@click.argument("operator_id")
@click.option("--office", help="所属")
@click.option("--role", "roles", multiple=True, help="All he has from now on; repeatedly.")
@click.option("--purpose", "purposes", multiple=True, help="All he has from now on; repeatedly.")
@click.option("--no-purpose", is_flag=True, help="He has no 事務 from now on.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]))
@at_a_terminal
@as_json
def change(
    operator_id: str,
    office: str | None,
    roles: tuple[str, ...],
    purposes: tuple[str, ...],
    no_purpose: bool,
    expires: datetime | None,
    seat: Seat,
    session: Path,
) -> None:
    """Change the appointment of OPERATOR_ID (人事異動): what is not given stays as it is.

    It counts from his next request on. How it was before stays on record.

    Examples:
      juki operator change OP-0002 --office パスポートセンター --purpose passport
      juki operator change OP-0002 --expires 2028-03-31
    """
    if no_purpose and purposes:
        raise Stop(Exit.NOT_UNDERSTOOD, "purposes", "give --purpose or --no-purpose, not both")
    given: dict[str, Any] = {
        "office": office,
        "roles": list(roles) or None,
        "purposes": [] if no_purpose else list(purposes) or None,
        "expires_on": expires and expires.date().isoformat(),
    }
    changes = {name: value for name, value in given.items() if value is not None}
    show(ask(seat, "roster/change-operator", {"operator_id": operator_id, **changes}))


@operator.command()
@click.argument("operator_id")
@click.option("--reason", required=True, help="Why he may come back.")
@at_a_terminal
@as_json
def resume(operator_id: str, reason: str, seat: Seat, session: Path) -> None:
    """Let OPERATOR_ID, who was suspended, come back; prints the code with which he sets a PIN.

    Example:
      juki operator resume OP-0002 --reason "復職 2027-10-01"
    """
    show(ask(seat, "roster/resume-operator", {"operator_id": operator_id, "reason": reason}))


@operator.command()
@click.argument("operator_id")
@at_a_terminal
@as_json
def enrol(operator_id: str, seat: Seat, session: Path) -> None:
    """Issue a new one-use code to OPERATOR_ID, who forgot the PIN or is locked.

    Example:
      juki operator enrol OP-0002
    """
    show(ask(seat, "roster/enrol-operator", {"operator_id": operator_id}))


@operator.command()
@click.argument("operator_id")
@click.option("--reason", required=True, help="照合ID無効化依頼書 no, or what happened.")
@at_a_terminal
@as_json
def suspend(operator_id: str, reason: str, seat: Seat, session: Path) -> None:
    """Shut OPERATOR_ID out, at once, until resumed; sessions end.

    Example:
      juki operator suspend OP-0002 --reason "退職 2027-03-31"
    """
    show(ask(seat, "roster/suspend-operator", {"operator_id": operator_id, "reason": reason}))


def rows(answer: dict[str, Any], name: str, columns: Sequence[str]) -> None:
    """Show a list of an answer as a table."""
    lines = answer[name]
    show(answer, lambda: table(lines, columns) if lines else "none")
