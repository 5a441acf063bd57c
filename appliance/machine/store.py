"""The data folder of one appliance: what lies where, and which store it says it is.

::

    keyring.cbor         keys, sealed under the root key                  storage/keyring.py
    store/               the encrypted database                           storage/vault.py
    identity.json        what may be known of the store while it is sealed
    boot-journal.jsonl   starts, shares, refusals of strangers            storage/journal.py
    lock                 held by the process that serves, sealed or not
    seal.token           must be shown to seal from this machine; new at every start
    emergency-seal.json  who killed a process that did not answer, until the next start notes it
    tiles/               the ledger as files that anybody may copy and verify
    witnessed.checkpoint the newest checkpoint that the witness has cosigned

Everything is readable by the owner alone. ``tiles/``, ``identity.json``, the checkpoint and the
journal hold no personal data in clear.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.errors import StartupError
from appliance.machine.config import Settings
from storage.journal import FILE_NAME as JOURNAL_NAME
from storage.keyring import FILE_NAME as RING_NAME
from storage.keyring import read_header
from storage.ringfile import RingHeader


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below a data folder."""

    data: Path

    @property
    def ring(self) -> Path:
        """The key ring."""
        return self.data / RING_NAME

    @property
    def store(self) -> Path:
        """The folder of the encrypted database."""
        return self.data / "store"

    @property
    def identity(self) -> Path:
        """The identity card."""
        return self.data / "identity.json"

    @property
    def journal(self) -> Path:
        """The boot journal."""
        return self.data / JOURNAL_NAME

    @property
    def seal_token(self) -> Path:
        """What must be shown to seal."""
        return self.data / "seal.token"

    @property
    def emergency(self) -> Path:
        """Who killed the process to seal it, and when; there until the next start notes it."""
        return self.data / "emergency-seal.json"

    @property
    def tiles(self) -> Path:
        """The exported ledger."""
        return self.data / "tiles"

    @property
    def witnessed(self) -> Path:
        """What the witness has cosigned."""
        return self.data / "witnessed.checkpoint"


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which store this is. In clear to fail early, and sealed in the store to be believed."""

    installation: str
    """16 random bytes in hex."""
    origin: str
    """The name of the ledger."""
    prefecture: str
    ledger_key: str
    """By which anybody verifies the ledger (a C2SP verifier key)."""
    policy_keys: tuple[str, ...]
    """By which the policy is verified: both must have signed it."""


def read_identity(layout: Layout) -> Identity:
    """Return what the data folder says it is; not to be believed before the store is open.

    Raises:
        StartupError: there is no store, or the card is not one.
    """
    try:
        return msgspec.json.decode(layout.identity.read_bytes(), type=Identity)
    except FileNotFoundError:
        raise StartupError(f"{layout.data}: there is no store; make one with juki init") from None
    except OSError as problem:
        raise StartupError(f"{layout.identity}: {problem.strerror}") from None
    except (ValueError, msgspec.ValidationError):
        raise StartupError(f"{layout.identity}: is not an identity card") from None


def check_settings(settings: Settings, identity: Identity, header: RingHeader) -> None:
    """Check that the configuration is that of this store.

    Raises:
        StartupError: it differs in something that was fixed when the store was made.
    """
    problems = []
    if settings.origin != identity.origin:
        problems.append(f"origin: the store was made as {identity.origin}")
    if settings.prefecture != identity.prefecture:
        problems.append(f"prefecture: the store was made for {identity.prefecture}")
    if settings.token_bits != header.token_bits:
        least = 1 << header.token_bits
        problems.append(f"expected_residents: the store was made for {least} to {2 * least - 1}")
    if problems:
        raise StartupError(*(f"{settings.path}: {problem}" for problem in problems))


def sealed_store(settings: Settings) -> tuple[Identity, RingHeader]:
    """Return what can be known of the store without its key.

    Raises:
        StartupError: there is none, or the configuration is of another one.
        Tampered: the key ring is not one.
    """
    layout = Layout(settings.data)
    identity = read_identity(layout)
    try:
        header = read_header(layout.ring)
    except OSError as problem:
        raise StartupError(f"{layout.ring}: {problem.strerror}") from None
    check_settings(settings, identity, header)
    return identity, header
