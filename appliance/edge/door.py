"""The appliance as HTTP and the screens see it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from appliance.edge.problems import Early
from appliance.model import Envelope, Peer, Reply
from appliance.operation import AnyOperation
from appliance.screen import Ground, Screen, Who

Ask = Callable[[Envelope], Reply]
"""``Door.answer``, or what counts around it."""


class Seat(Protocol):
    """Somebody who is logged in (``seating.Seated``)."""

    @property
    def who(self) -> Who:
        """Who it is."""

    def may(self, operation: str) -> bool:
        """Return whether he may ask this here and now, under some 事務 if it needs one."""

    def grounds(self, operation: str) -> tuple[Ground, ...]:
        """Return under which 事務 he may ask this."""


class Door(Protocol):
    """The appliance as HTTP sees it. Every method may be called by many threads at once."""

    def answer(self, envelope: Envelope) -> Reply:
        """Return the reply, once it is in the ledger.

        Raises:
            Refusal: no, and why.
            OutcomeUnknown: the disk failed during the commit.
        """

    def seated(self, peer: Peer, bearer: str, *, attended: bool) -> Seat:
        """Return who is logged in with this session at this terminal; tells of no resident.

        Raises:
            Unidentified: nobody.
            Unavailable: sealed or stopping.
        """

    def operations(self) -> Sequence[AnyOperation]:
        """Return all there are; asked once, when the app is made."""

    def screens(self) -> Sequence[Screen]:
        """Return all screens there are; asked once, when the app is made."""

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return 200, 501 (not initialised) or 503 (sealed, degraded), and details fit for all."""

    def seal_status(self) -> dict[str, Any]:
        """Return type, initialized, sealed, t, n, progress and version."""

    def checkpoint(self) -> str | None:
        """Return the ledger's latest signed checkpoint, or None while there is none."""

    def witnessed(self) -> str | None:
        """Return the newest checkpoint that the witness has cosigned, or None if there is none."""

    def refused_early(self, early: Early) -> None:
        """Write down a refusal that never reached ``answer``: in the ledger, if we know whose."""
