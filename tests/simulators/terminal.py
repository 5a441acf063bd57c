"""A terminal with a clerk: 代表端末 or 業務端末, over the real wire."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.simulators.link import Answer, Credentials, Link, Refused


class Terminal:
    """A registered terminal; whoever logs in stays logged in until :meth:`logout`.

    Args:
        url: ``https://host:port`` of the appliance.
        certificate: the terminal's certificate (PEM file).
        key: its private key.
        ca: the authority the appliance must be certified by.
    """

    def __init__(self, url: str, certificate: Path, key: Path, ca: Path) -> None:
        self._link = Link(url, Credentials(certificate, key, ca))
        self._token: str | None = None

    def close(self) -> None:
        """Hang up; the session stays."""
        self._link.close()

    def enrol(self, code: str, pin: str) -> None:
        """Set the PIN of a new operator with the one-use code.

        Raises:
            Refused: the code is not, or no longer, good.
        """
        self._accepted("session/enrol", {"code": code, "pin": pin})

    def login(self, operator: str, pin: str) -> dict[str, Any]:
        """Log in and return what the appliance says of the session.

        Raises:
            Refused: operator or PIN is wrong, or this terminal may not.
        """
        self._token = None
        session: dict[str, Any] = self._accepted(
            "session/open", {"operator": operator, "pin": pin}
        )["data"]
        self._token = session["token"]
        return session

    def resume(self, token: str) -> None:
        """Carry on in a session that another program has opened."""
        self._token = token

    def logout(self) -> None:
        """End the session."""
        self._accepted("session/close", {})
        self._token = None

    def call(
        self,
        operation: str,
        body: Mapping[str, Any],
        *,
        purpose: str | None = None,
        reason: str | None = None,
        case: str | None = None,
        idempotency_key: str | None = None,
        approval: int | None = None,
    ) -> Answer:
        """Ask for one operation, such as ``search/find``; return status and parsed body.

        Raises:
            Lost: no answer came.
        """
        headers = {
            "Authorization": f"Bearer {self._token}" if self._token else None,
            "X-Purpose": purpose,
            "X-Reason": reason,
            "X-Case": case,
            "Idempotency-Key": idempotency_key,
            "X-Approval": None if approval is None else str(approval),
        }
        given = {name: value for name, value in headers.items() if value is not None}
        content = json.dumps(body, ensure_ascii=False).encode()
        return self._link.ask(f"/v1/{operation}", content, given)

    def read(self, path: str) -> Answer:
        """GET a path, such as ``/v1/sys/health``."""
        return self._link.ask(path)

    def _accepted(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.call(operation, body)
        if answer.status != 200:
            raise Refused(answer.status, answer.body)
        accepted: dict[str, Any] = answer.body
        return accepted
