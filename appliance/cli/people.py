"""``juki terminal``: 端末管理簿; and where every command of a terminal's asks, and as whom.

Every command here is one HTTP call as the operator who is logged in, down the same line as any
request: permitted by role, entered in the ledger.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.cli.frame import Group, as_json, rows, show
from appliance.cli.link import SESSION, Seat, ask, read_seat

F = TypeVar("F", bound=Callable[..., Any])
KINDS = ("representative", "business", "municipality", "national")
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


@click.group(cls=Group)
def terminal() -> None:
    """端末管理簿: which certificates may ask, and as what."""


@terminal.command("list")
@at_a_terminal
@as_json
def terminals(seat: Seat, session: Path) -> None:
    """List every terminal, municipal server and national server.

    Example:
      juki terminal list
    """
    answer = ask(seat, "roster/terminals", {})
    columns = ("terminal_id", "kind", "place", "municipality_code", "fingerprint", "revoked")
    rows(answer, "terminals", columns)


@terminal.command("enrol")
@click.argument("terminal_id")
@click.argument("pem", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option("--place", default="", help="設置場所; needed where people sit.")
@click.option("--municipality", "municipality_code", help="市町村コード, for a municipal server.")
@at_a_terminal
@as_json
def enrol_terminal(
    terminal_id: str,
    pem: Path,
    kind: str,
    place: str,
    municipality_code: str | None,
    seat: Seat,
    session: Path,
) -> None:
    """Register the certificate in the file PEM as TERMINAL_ID (操作端末ID).

    Examples:
      juki terminal enrol TERM-0002 terminal-2.pem --kind business --place 県税事務所
      juki terminal enrol CS-432024 cs-432024.pem --kind municipality --municipality 432024
    """
    body: dict[str, Any] = {
        "terminal_id": terminal_id,
        "kind": kind,
        "place": place,
        "certificate": pem.read_text("ascii", errors="replace"),
    }
    if municipality_code is not None:
        body["municipality_code"] = municipality_code
    show(ask(seat, "roster/enrol-terminal", body))


@terminal.command()
@click.argument("terminal_id")
@click.option("--reason", required=True, help="Why, for the register.")
@at_a_terminal
@as_json
def revoke(terminal_id: str, reason: str, seat: Seat, session: Path) -> None:
    """Refuse TERMINAL_ID from the next request on.

    Example:
      juki terminal revoke TERM-0002 --reason "端末更新"
    """
    show(ask(seat, "roster/revoke-terminal", {"terminal_id": terminal_id, "reason": reason}))
