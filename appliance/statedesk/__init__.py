"""``system/state``: how the appliance is, as far as its staff must know; nothing of anybody.

The figures are those that ``juki status`` shows to whoever is on the machine. The process that
serves knows them (``machine/stating.py``) and lends ``look``; without it nothing is answered.

::

    __init__.py  the operation, and what it answers
    screens.py   システム状態 at a terminal, with the jobs        templates/
"""

from collections.abc import Callable, Iterable
from datetime import datetime

import pluggy

from appliance.case import Case
from appliance.errors import Unavailable
from appliance.model import OperationName
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.screen import Screen
from appliance.statedesk.screens import SCREENS

hookimpl = pluggy.HookimplMarker("appliance")
OWNER = "system"


class AskState(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class Certificate(Answer, frozen=True, kw_only=True):
    """A certificate by which we prove ourselves, as it lies on the disk."""

    name: str
    """server, national, witness"""
    not_after: datetime | None
    """None: it cannot be read."""


class Delivery(Answer, frozen=True, kw_only=True):
    """How messages to the national server go."""

    state: str
    depth: int
    oldest_at: datetime | None
    """When the oldest of them came about; None: none waits."""
    last_delivery: datetime | None
    last_error: str | None
    """None while it goes well."""
    paused_until: datetime | None


class LastBackup(Answer, frozen=True, kw_only=True):
    """The last backup that was made while the appliance served."""

    at: datetime | None
    """None: there was none."""
    entries: int | None
    """How many entries of the ledger are in it."""
    under_way: bool


class WitnessState(Answer, frozen=True, kw_only=True):
    """How it stands with the prefecture's witness."""

    name: str
    state: str
    """waiting, cosigned, failing, rollback, fork"""
    entries: int | None
    """Up to how many entries it has found that the ledger only grew, and cosigned that."""
    cosigned_at: datetime | None
    last_error: str | None


class LedgerState(Answer, frozen=True, kw_only=True):
    """How long the ledger is, and up to where its copy for anybody to check goes."""

    entries: int
    exported: int
    well: bool
    """Whether the last export went well."""


class Told(Answer, frozen=True, kw_only=True):
    """Something a human should see to."""

    name: str
    text: str
    count: int
    since: datetime | None


class SystemState(Answer, frozen=True, kw_only=True):
    """How the appliance is."""

    at: datetime
    version: str
    unsealed_at: datetime
    policy_serial: int
    degraded: tuple[str, ...]
    """What keeps it from answering as it should: storage."""
    warnings: tuple[str, ...]
    """disk, tiles, national, jobs, alarms, witness, national-maintenance, outbox"""
    disk_free: float
    """Which part of the disk."""
    certificates: tuple[Certificate, ...]
    national: Delivery | None
    """None: there is no line to the national server."""
    backup: LastBackup
    witness: WitnessState | None
    """None: there is no witness."""
    ledger: LedgerState
    alarms: tuple[Told, ...]


def _unknown() -> SystemState:
    raise Unavailable("the state of the machine is not known here")


class StateDesk:
    """The operation and its screen; ``look`` is set by the process that serves."""

    def __init__(self) -> None:
        self.look: Callable[[], SystemState] = _unknown

    @hookimpl
    def operations(self) -> Iterable[AnyOperation]:
        """Offer the operation."""
        return (
            Operation(
                name=OperationName("system/state"),
                summary="Tell how the appliance is: queues, certificates, backup, ledger, alarms.",
                asks=AskState,
                answers=SystemState,
                handler=self.state,
                purposed=False,
                blind=True,
            ),
        )

    @hookimpl
    def screens(self) -> Iterable[Screen]:
        """Offer システム状態."""
        return SCREENS

    def state(self, _: Case, __: AskState) -> SystemState:
        """Tell how the appliance is.

        Raises:
            Unavailable: nobody lent a look at the machine.
        """
        return self.look()
