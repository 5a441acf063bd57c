"""Staff: who somebody is (照合ID), and with what authority he works (操作者ID).

Two things, many to many (domain: 照合ID identifies the person, 操作者ID the authority to operate).
A person may hold several authorities; an authority may be held by several persons, each of whom
logs in as himself. Both are never removed: every revision stays, with who made it and by which
paper.

How somebody proves who he is does not stand here but in ``proofs.py``, where no plugin gets at it.
"""

from datetime import date, datetime
from typing import Literal

import msgspec

Method = Literal["device", "pin"]
"""照合情報 (a device that verifies its user) or 操作者照合暗証番号."""


class Revised(msgspec.Struct, frozen=True, kw_only=True):
    """What every revision of a roster says of itself."""

    form: str = ""
    """Number of the paper it follows: 照合ID付与申請書, 照合ID無効化依頼書."""
    revised_at: datetime | None = None
    revised_by: str = ""
    """操作者ID of whoever wrote it."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One registered 照合情報: which device, and since when; its key is kept elsewhere (R122)."""

    device_id: str
    """16 hex digits."""
    label: str
    aaguid: str
    """The model of the device, a UUID; zeros where the device does not tell."""
    enrolled_at: datetime
    retired: str = ""
    """Why it opens nothing any more; empty while it does."""


class PinGrant(msgspec.Struct, frozen=True, kw_only=True):
    """Why and until when somebody may log in by 操作者照合暗証番号 (R124)."""

    reason: str
    until: date


class PersonRecord(Revised, frozen=True, kw_only=True):
    """One 照合ID: a member of staff, or of a contractor."""

    person_id: str
    name: str = ""
    """姓　名, as on the application."""
    kana: str = ""
    office: str
    """所属"""
    contractor: bool = False
    """Of the 委託先, not of the prefecture."""
    expires_on: date
    trained_on: date | None = None
    """The day of the last 研修 (R183)."""
    suspended: str = ""
    """Why he may not log in; empty while he may."""
    devices: tuple[Device, ...] = ()
    pin: PinGrant | None = None

    def may_work(self, today: date) -> bool:
        """Return whether he is neither suspended nor past his last day."""
        return not self.suspended and today <= self.expires_on

    def may_use_pin(self, today: date) -> bool:
        """Return whether a PIN is granted to him that day."""
        return self.pin is not None and today <= self.pin.until


class OperatorRecord(Revised, frozen=True, kw_only=True):
    """One 操作者ID: an authority, where it belongs, what for, and who holds it."""

    operator_id: str
    office: str
    roles: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    """照合ID of everybody who may work under it."""
    expires_on: date
    suspended: str = ""

    def may_work(self, today: date) -> bool:
        """Return whether it is neither suspended nor past its last day."""
        return not self.suspended and today <= self.expires_on


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A one-use right to register 照合情報 or to set a PIN."""

    person_id: str
    until: datetime
    methods: tuple[Method, ...]


class LoginState(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody has logged in so far; nothing that helps to log in."""

    has_pin: bool = False
    failures: int = 0
    """Wrong proofs in a row."""
    last_login: datetime | None = None
    last_terminal: str = ""
    last_method: str = ""
