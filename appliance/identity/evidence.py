"""What enrolling and logging in have in common: how a proof is given, and what may be used."""

from typing import Annotated, Any

from msgspec import Meta

from appliance.case import Power
from appliance.errors import Malformed
from appliance.operation import Answer
from appliance.proofs import Credential
from appliance.roster import Roster, proofs_in
from appliance.staff import Method, PersonRecord

USES: frozenset[Power] = frozenset({"roster", "sessions"})
Text = Annotated[str, Meta(min_length=1, max_length=64)]
Id = Annotated[
    str,
    Meta(min_length=1, max_length=32, pattern="^[A-Z0-9-]+$", description="1 to 32 of A-Z 0-9 -"),
]
"""照合ID or 操作者ID, in which nobody's name has room: anybody may ask, and the ledger keeps it."""
Label = Annotated[str, Meta(max_length=64)]
Json = dict[str, Any]
"""What ``PublicKeyCredential.toJSON()`` gives; ``webauthn.py`` reads it."""


class Challenge(Answer, frozen=True, kw_only=True):
    """Options for the browser, good for a minute and one answer, at this terminal."""

    public_key: Json
    origin: str
    """Where the browser must be; whatever else speaks to a device names it to the device."""


def one_proof(device: Json | None, pin: str | None) -> Method:
    """Return by which of the two somebody proves himself.

    Raises:
        Malformed: neither is given, or both.
    """
    if (device is None) == (pin is None):
        raise Malformed("give a device's answer (device) or a PIN (pin), one of the two")
    return "device" if pin is None else "pin"


def usable(roster: Roster, person: PersonRecord | None) -> dict[str, Credential]:
    """Return the credentials of a person's devices that are in use."""
    if person is None:
        return {}
    keys = proofs_in(roster).of(person.person_id).credentials
    return {d.device_id: keys[d.device_id] for d in person.devices if not d.retired}
