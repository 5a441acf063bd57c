"""What a proof is compared with: PIN hashes, public keys of devices and how often they signed.

For logging in alone; no plugin gets at this. Only the latest state is kept: what once opened a
session must not lie about. How it was registered and retired stands in the roster.
"""

from datetime import datetime

import msgspec

from appliance.errors import Failed
from appliance.staff import LoginState
from storage.engine import Unit, View

PROOFS = "core.proofs"
MAX_FAILURES = 5


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What a device proved when it was registered."""

    data: bytes
    """AttestedCredentialData (WebAuthn §6.5.1): AAGUID, credential id, public key (COSE)."""
    counter: int = 0
    """How often it had signed when it last opened a session; 0 if it does not count."""


class Proofs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one person."""

    pin_hash: str = ""
    failures: int = 0
    last_login: datetime | None = None
    last_terminal: str = ""
    last_method: str = ""
    credentials: dict[str, Credential] = {}
    """By the ``device_id`` of the roster."""

    @property
    def is_locked(self) -> bool:
        """Whether too many proofs in a row were wrong."""
        return self.failures >= MAX_FAILURES

    @property
    def state(self) -> LoginState:
        """What may be told of it."""
        return LoginState(
            has_pin=bool(self.pin_hash),
            failures=self.failures,
            last_login=self.last_login,
            last_terminal=self.last_terminal,
            last_method=self.last_method,
        )


class ProofBook:
    """The proofs of everybody, in one view or unit of work."""

    def __init__(self, view: View, unit: Unit | None) -> None:
        self._view = view
        self._unit = unit

    def of(self, person_id: str) -> Proofs:
        """Return what is kept of a person; nothing at first."""
        found = self._view.document(PROOFS, person_id.encode())
        return Proofs() if found is None else msgspec.json.decode(found.body, type=Proofs)

    def put(self, person_id: str, proofs: Proofs) -> None:
        """Keep this of a person, and nothing of what was before."""
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        self._unit.drop_document(PROOFS, person_id.encode())
        self._unit.put_document(PROOFS, person_id.encode(), msgspec.json.encode(proofs))

    def change(self, person_id: str, **changes: object) -> None:
        """Change some of what is kept."""
        self.put(person_id, msgspec.structs.replace(self.of(person_id), **changes))
