"""How a command proves who is at the terminal: by a PIN, or by a device through a program.

The program is whatever the maker of the device supplies. It is started once for each proof, gets
one JSON object on standard input, and prints one JSON object::

    {"kind": "create" | "get", "origin": "https://…", "publicKey": {…}}     as a browser gets them
    PublicKeyCredential.toJSON()                                            as a browser answers

(W3C WebAuthn Level 3, §5.1: RegistrationResponseJSON, AuthenticationResponseJSON.)
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from appliance.cli.frame import Exit, Stop, secret

SECONDS = 120.0
Asker = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def given_proof(authenticator: str, person: str | None, ask: Asker) -> dict[str, Any]:
    """Return a proof as ``session/open`` and ``session/verify`` take it.

    Args:
        authenticator: the program; empty: a PIN is asked for.
        person: 照合ID; None in a session.
        ask: asks the appliance for an operation.

    Raises:
        Stop: there is none.
    """
    if not authenticator:
        return {"pin": secret("PIN")}
    challenge = ask("session/challenge", {} if person is None else {"person": person})
    return {"device": answer_of(authenticator, "get", challenge)}


def answer_of(authenticator: str, kind: str, challenge: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a device answers to a challenge.

    Raises:
        Stop: the program failed, or printed something else.
    """
    asked = {"kind": kind, "origin": challenge["origin"], "publicKey": challenge["public_key"]}
    try:
        done = subprocess.run(  # noqa: S603
            [authenticator],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        answer = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as problem:
        raise _failed(authenticator, type(problem).__name__) from None
    if done.returncode or not isinstance(answer, dict):
        raise _failed(authenticator, f"exit {done.returncode}: {done.stderr.strip()[-200:]}")
    return answer


def _failed(authenticator: str, why: str) -> Stop:
    return Stop(Exit.REFUSED, "authenticator", f"{authenticator} proved nobody: {why}")
