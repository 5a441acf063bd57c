"""A terminal with a clerk: 代表端末 or 業務端末, over the real wire."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.simulators.device import Device
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

    def login(self, operator: str, pin: str, person: str | None = None) -> dict[str, Any]:
        """Log in by PIN and return what the appliance says of the session.

        Args:
            operator: 操作者ID.
            pin: 操作者照合暗証番号.
            person: 照合ID; P-0001 for OP-0001 unless another is given.

        Raises:
            Refused: person, operator or PIN is wrong, or this terminal may not.
        """
        self._token = None
        asked = {"person": person or operator.replace("OP", "P"), "operator": operator, "pin": pin}
        session: dict[str, Any] = self._accepted("session/open", asked)["data"]
        self._token = session["token"]
        return session

    def register(self, code: str, device: Device, label: str = "") -> None:
        """Register a device with a one-use code.

        Raises:
            Refused: the code is not, or no longer, good, or the device proves nothing.
        """
        challenge = self._accepted("session/enrol-challenge", {"code": code})["data"]
        answer = device.create(challenge["public_key"], challenge["origin"])
        self._accepted("session/enrol", {"code": code, "device": answer, "label": label})

    def login_with(self, device: Device, person: str, operator: str) -> dict[str, Any]:
        """Log in by a device and return what the appliance says of the session.

        Raises:
            Refused: anything is wrong.
        """
        self._token = None
        challenge = self._accepted("session/challenge", {"person": person})["data"]
        answer = device.get(challenge["public_key"], challenge["origin"])
        asked = {"person": person, "operator": operator, "device": answer}
        session: dict[str, Any] = self._accepted("session/open", asked)["data"]
        self._token = session["token"]
        return session

    def verify(self, *, pin: str | None = None, device: Device | None = None) -> None:
        """Prove again who is logged in.

        Raises:
            Refused: the proof is wrong.
        """
        if device is None:
            self._accepted("session/verify", {"pin": pin})
            return
        challenge = self._accepted("session/challenge", {})["data"]
        answer = device.get(challenge["public_key"], challenge["origin"])
        self._accepted("session/verify", {"device": answer})

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
