"""``juki login|verify|logout``: who is at the terminal, and the proof of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from appliance.cli.frame import Command, Exit, Stop, as_json, secret, show
from appliance.cli.link import Seat, ask, drop_token, keep_seat, proof_of
from appliance.cli.people import at_a_terminal
from appliance.cli.proof import answer_of


@click.command(cls=Command)
@click.argument("person")
@click.option("--as", "operator", help="操作者ID; may be left out by whoever holds one only.")
@click.option("--enrol", is_flag=True, help="Register a device or set a PIN first, with a code.")
@click.option(
    "--authenticator",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    envvar="JUKI_AUTHENTICATOR",
    help="A program that speaks to the device; without it, a PIN is asked for.",
)
@click.option("--label", default="", help="With --enrol: what the device is called in the roster.")
@at_a_terminal
@as_json
def login(
    person: str,
    operator: str | None,
    enrol: bool,
    authenticator: Path | None,
    label: str,
    seat: Seat,
    session: Path,
) -> None:
    """Log in as PERSON (照合ID). A PIN is asked for, or read from standard input.

    With --authenticator a device proves it: the program gets the options of WebAuthn as JSON on
    standard input and answers as a browser would (appliance/README.md).

    Examples:
      juki login P-0001 --url https://127.0.0.1:8443 --certificate t.pem --key t.key --ca ca.pem
      juki login P-0002 --as OP-0007        one of several authorities that he holds
      juki login P-0002 --enrol             first the one-use code, then the new PIN
      juki login P-0002 --enrol --authenticator /usr/lib/palm/webauthn --label "手のひら静脈 1号"
    """
    program = str(authenticator.resolve()) if authenticator else ""
    seat = replace(seat, person=person, operator=operator or "", authenticator=program, token="")
    known: dict[str, Any] = {}
    if enrol:
        known = _enrolled(seat, label)
        # Whatever comes of logging in, the code is used up: the next try needs no options.
        keep_seat(session, seat)
        click.echo(f"juki: registered; from now on: juki login {person}", err=True)
    if "pin" not in known:
        known = proof_of(seat, person)
    asked: dict[str, Any] = {"person": person, **known}
    if operator is not None:
        asked["operator"] = operator
    opened = ask(seat, "session/open", asked, with_session=False)
    keep_seat(
        session,
        replace(
            seat,
            token=opened.pop("token"),
            operator=opened["operator"],
            expires_at=str(opened["expires_at"]),
        ),
    )
    show({**opened, "session": str(session.expanduser())})


@click.command(cls=Command)
@at_a_terminal
@as_json
def verify(seat: Seat, session: Path) -> None:
    """Prove again who is at the terminal; commands that need it ask by themselves.

    Example:
      juki verify
    """
    show(ask(seat, "session/verify", proof_of(seat, None)))


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
    show({"person": seat.person, "operator": seat.operator, "logged_out": True})


def _enrolled(seat: Seat, label: str) -> dict[str, Any]:
    """Register what somebody proves himself by; return the proof that can be used again."""
    code = secret("One-use code")
    if seat.authenticator:
        challenge = ask(seat, "session/enrol-challenge", {"code": code}, with_session=False)
        device = answer_of(seat.authenticator, "create", challenge)
        body: dict[str, Any] = {"code": code, "device": device, "label": label}
    else:
        body = {"code": code, "pin": secret("New PIN (8 digits or more)", confirm=True)}
    enrolled = ask(seat, "session/enrol", body, with_session=False)
    if enrolled["person"] != seat.person:
        raise Stop(Exit.REFUSED, "person", "the code was another person's")
    return {"pin": body["pin"]} if "pin" in body else {}
