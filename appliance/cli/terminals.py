"""``juki terminal``: 端末管理簿, and how a terminal gets the certificate that stands in it.

``request`` and ``sign`` work with files alone: the one at the new terminal, the other where the key
of the client authority lies. All others are HTTP calls as the operator who is logged in.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from appliance.certificates import CLIENT_DAYS, BadCertificate, CertificateAuthority
from appliance.cli.approvals import Second, ask_with, takes_two
from appliance.cli.frame import Exit, Group, Stop, as_json, must_be_private, rows, show
from appliance.cli.link import Seat, ask
from appliance.cli.people import at_a_terminal
from appliance.enrolling import BadRequest, make_request, read_request, sign_request
from appliance.files import replace_file

KINDS = ("representative", "business", "municipality", "national")
COLUMNS = (
    *("terminal_id", "kind", "place", "office", "hours", "operations", "municipality_code"),
    *("not_after", "until", "revoked", "fingerprint"),
)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEVER_OVER = (".key", ".csr")


@click.group(cls=Group)
def terminal() -> None:
    """端末管理簿: which certificates may ask, as what, from where, when and for what.

    A new terminal, in three steps:
      juki terminal request TERM-0003 --out .                       at the terminal
      juki terminal sign TERM-0003.csr --ca-cert ca.pem --ca-key ca.key --fingerprint ...
      juki terminal enrol TERM-0003 TERM-0003.pem --kind business --place 県税事務所
    """


@terminal.command()
@click.argument("terminal_id")
@click.option(
    "--out",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder for the key, which stays there, and the request.",
)
@as_json
def request(terminal_id: str, out: Path) -> None:
    """Make a key for TERMINAL_ID at the terminal itself, and a request for its certificate.

    The key (mode 0600) never leaves the terminal. Take the request to whoever has the authority's
    key, and read the fingerprint out to him by telephone: he signs nothing else.

    Example:
      juki terminal request TERM-0003 --out /etc/juki/terminal
    """
    places = {suffix: out / f"{terminal_id}{suffix}" for suffix in NEVER_OVER}
    if there := [str(place) for place in places.values() if place.exists()]:
        raise Stop(Exit.REFUSED, "exists", *(f"{place} is there already" for place in there))
    try:
        made = make_request(terminal_id)
    except BadRequest as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "terminal-id", str(problem)) from None
    replace_file(places[".key"], made.key_pem, 0o600)
    replace_file(places[".csr"], made.request_pem, 0o644)
    show(
        {
            "terminal_id": terminal_id,
            "key": str(places[".key"]),
            "request": str(places[".csr"]),
            "fingerprint": made.fingerprint,
        }
    )


@terminal.command()
@click.argument("request", type=FILE)
@click.option("--ca-cert", type=FILE, required=True, help="Certificate of the client authority.")
@click.option("--ca-key", type=FILE, required=True, help="Its private key, PEM, mode 0600.")
@click.option("--days", type=click.IntRange(1, CLIENT_DAYS), default=CLIENT_DAYS, show_default=True)
@click.option("--fingerprint", help="What was read out at the terminal; signs nothing else.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder for the certificate; where the request lies, if not given.",
)
@as_json
def sign(
    request: Path,
    ca_cert: Path,
    ca_key: Path,
    days: int,
    fingerprint: str | None,
    out: Path | None,
) -> None:
    """Sign the REQUEST of a terminal, where the key of the client authority lies.

    The request must be signed with its own key, an EC P-256 one, and name one 操作端末ID. Nothing
    else of it is taken over. Without --fingerprint, compare what is printed with what the terminal
    showed before you give the certificate away.

    Example:
      juki terminal sign TERM-0003.csr --ca-cert ca.pem --ca-key ca.key --days 825
    """
    must_be_private(ca_key, "ca-key")
    try:
        asked = read_request(request.read_bytes())
        if fingerprint is not None and _bare(fingerprint) != _bare(asked.fingerprint):
            raise Stop(
                Exit.REFUSED,
                "fingerprint",
                "this is not the key whose fingerprint was read out: nothing is signed",
            )
        authority = CertificateAuthority.from_pem(ca_cert.read_bytes(), ca_key.read_bytes())
        pem = sign_request(authority, asked, now=datetime.now(UTC), days=days)
    except (BadRequest, BadCertificate) as problem:
        raise Stop(Exit.REFUSED, "request", str(problem)) from None
    place = (out or request.parent) / f"{asked.terminal_id}.pem"
    replace_file(place, pem, 0o644)
    show(
        {
            "terminal_id": asked.terminal_id,
            "certificate": str(place),
            "days": days,
            "fingerprint": asked.fingerprint,
            "compared": fingerprint is not None,
        }
    )


@terminal.command("list")
@at_a_terminal
@as_json
def terminals(seat: Seat, session: Path) -> None:
    """List every terminal, municipal server and national server.

    Example:
      juki terminal list
    """
    rows(ask(seat, "roster/terminals", {}), "terminals", COLUMNS)


@terminal.command()
@click.argument("terminal_id")
@at_a_terminal
@as_json
def history(terminal_id: str, seat: Seat, session: Path) -> None:
    """Show every state TERMINAL_ID was in: when, by whom and why it was changed.

    Example:
      juki terminal history TERM-0003
    """
    answer = ask(seat, "roster/terminal-history", {"terminal_id": terminal_id})
    columns = ("changed_at", "changed_by", "why", "place", "office", "hours", "operations")
    plain = [{**each, **each["state"]} for each in answer["revisions"]]
    rows({**answer, "revisions": plain}, "revisions", columns)


@terminal.command("enrol")
@click.argument("terminal_id")
@click.argument("pem", type=FILE)
@click.option(
    "--kind", type=click.Choice(KINDS), required=True, help="代表端末, 業務端末, servers."
)
@click.option("--place", default="", help="設置場所; needed where people sit.")
@click.option("--municipality", "municipality_code", help="市町村コード, for a municipal server.")
@click.option("--office", default="", help="所属 whose terminal it is.")
@click.option("--own-office-only", is_flag=True, help="Others may not log in there.")
@click.option("--function", "operations", multiple=True, help="All it is for; repeatedly.")
@click.option("--hours", multiple=True, help='Such as "平日 08:30-17:15"; repeatedly.')
@click.option("--request-number", default="", help="申請番号")
@takes_two
@at_a_terminal
@as_json
def enrol_terminal(
    terminal_id: str,
    pem: Path,
    municipality_code: str | None,
    seat: Seat,
    session: Path,
    second: Second,
    **given: Any,
) -> None:
    """Register the certificate in the file PEM as TERMINAL_ID (操作端末ID).

    Without --function it is for whatever its operators may do, without --hours at any time. Another
    server takes two persons: --request, and later --approval.

    Examples:
      juki terminal enrol TERM-0002 terminal-2.pem --kind business --place 県税事務所
        --office 県税事務所 --own-office-only --hours "平日 08:30-17:15" --function provision
      juki terminal enrol CS-432024 cs-432024.pem --kind municipality --municipality 432024
        --request --form 接続-3 --why 機器更新
    """
    body: dict[str, Any] = {"terminal_id": terminal_id, "certificate": _text(pem), **given}
    if municipality_code is not None:
        body["municipality_code"] = municipality_code
    show(ask_with(second, seat, "roster/enrol-terminal", body))


@terminal.command("change")
@click.argument("terminal_id")
@click.option("--reason", required=True, help="Why, for the register.")
@click.option("--place", help="設置場所")
@click.option("--office", help="所属 whose terminal it is.")
@click.option("--own-office-only/--any-office", default=None, help="Who may log in there.")
@click.option("--function", "operations", multiple=True, help="All it is for; repeatedly.")
@click.option("--any-function", is_flag=True, help="For whatever its operators may do.")
@click.option("--hours", multiple=True, help='Such as "平日 08:30-17:15"; repeatedly.')
@click.option("--any-time", is_flag=True, help="It may be used at any time.")
@click.option("--request-number", help="申請番号")
@at_a_terminal
@as_json
def change_terminal(
    terminal_id: str,
    operations: tuple[str, ...],
    any_function: bool,
    hours: tuple[str, ...],
    any_time: bool,
    seat: Seat,
    session: Path,
    **given: Any,
) -> None:
    """Change where TERMINAL_ID stands, when and for what it may be used; the rest stays.

    It counts from the next request on. How it was before stays on record.

    Examples:
      juki terminal change TERM-0002 --hours "平日 08:30-19:00" --reason "繁忙期"
      juki terminal change TERM-0002 --any-time --reason "夜間の災害対応"
    """
    for chosen, lifted, name in (
        (operations, any_function, "function"),
        (hours, any_time, "hours"),
    ):
        if chosen and lifted:
            raise Stop(Exit.NOT_UNDERSTOOD, name, f"give --{name}, or lift the limit, not both")
    given["operations"] = [] if any_function else list(operations) or None
    given["hours"] = [] if any_time else list(hours) or None
    changes = {name: value for name, value in given.items() if value is not None}
    show(ask(seat, "roster/change-terminal", {"terminal_id": terminal_id, **changes}))


@terminal.command("renew")
@click.argument("terminal_id")
@click.argument("pem", type=FILE)
@click.option("--request-number", default="", help="申請番号")
@takes_two
@at_a_terminal
@as_json
def renew_terminal(
    terminal_id: str,
    pem: Path,
    request_number: str,
    seat: Seat,
    session: Path,
    second: Second,
) -> None:
    """Register the next certificate of TERMINAL_ID; its former one is good for seven days more.

    Of another server this takes two persons: --request, and later --approval.

    Example:
      juki terminal renew TERM-0003 TERM-0003.pem
    """
    body = {
        "terminal_id": terminal_id,
        "certificate": _text(pem),
        "request_number": request_number,
    }
    show(ask_with(second, seat, "roster/renew-terminal", body))


@terminal.command()
@click.argument("terminal_id")
@click.option("--reason", required=True, help="Why, for the register.")
@at_a_terminal
@as_json
def revoke(terminal_id: str, reason: str, seat: Seat, session: Path) -> None:
    """Refuse TERMINAL_ID from the next request on, with all its certificates.

    Example:
      juki terminal revoke TERM-0002 --reason "端末更新"
    """
    show(ask(seat, "roster/revoke-terminal", {"terminal_id": terminal_id, "reason": reason}))


def _text(pem: Path) -> str:
    return pem.read_text("ascii", errors="replace")


def _bare(fingerprint: str) -> str:
    return fingerprint.replace("-", "").replace(" ", "").lower()
