"""Everything that is let in, put together: the plugins, and what the appliance itself offers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pluggy

from appliance.agenda import OWNER as JOB_OWNER
from appliance.approvaldesk import USES as APPROVAL_USES
from appliance.approvaldesk import ApprovalDesk
from appliance.approvals import OWNER as APPROVAL_OWNER
from appliance.case import Power
from appliance.identity.attempts import Attempts
from appliance.identity.enrolling import Enrolling
from appliance.identity.evidence import USES as SESSION_USES
from appliance.identity.login import Login
from appliance.identity.pins import Pins
from appliance.identity.webauthn import Devices
from appliance.jobdesk import JobDesk
from appliance.keydesk import OWNER as KEY_OWNER
from appliance.keydesk import USES as KEY_USES
from appliance.keydesk import KeyDesk
from appliance.loading import OwnedJob, admit, catalogue, screens_of, timetable
from appliance.model import OperationName
from appliance.operation import AnyOperation
from appliance.screen import Screen
from appliance.screens.approvals import Approvals
from appliance.statedesk import OWNER as STATE_OWNER
from appliance.statedesk import StateDesk


@dataclass(frozen=True, slots=True)
class Loaded:
    """The plugins let in, and what they offer together."""

    manager: pluggy.PluginManager
    operations: Mapping[OperationName, tuple[str, AnyOperation]]
    jobs: tuple[OwnedJob, ...]
    screens: tuple[Screen, ...] = ()
    state: StateDesk = field(default_factory=StateDesk)
    """Whoever serves lends it a look at the machine."""

    @property
    def hook(self) -> pluggy.HookRelay:
        """Where they are asked."""
        return self.manager.hook


class Identification:
    """How people prove who they are at this appliance."""

    def __init__(self, pins: Pins, devices: Devices) -> None:
        attempts = Attempts()
        self.login = Login(pins, devices, attempts)
        self.enrolling = Enrolling(pins, devices, attempts)


def put_together(
    plugins: Mapping[str, object],
    identification: Identification,
    powers: Mapping[str, Collection[Power]] | None = None,
) -> Loaded:
    """Let plugins in beside the appliance's own operations.

    ``powers`` says what each may use; without it, as in a bench, whoever declares a need.

    Raises:
        StartupError: as ``admit``, ``catalogue``, ``timetable`` and ``screens_of``.
    """
    desk, state = JobDesk(), StateDesk()
    approvals, approving = ApprovalDesk(), Approvals()
    own = {
        "session": identification.login,
        "enrolment": identification.enrolling,
        JOB_OWNER: desk,
        APPROVAL_OWNER: approvals,
        "approval-screens": approving,
        KEY_OWNER: KeyDesk(),
        STATE_OWNER: state,
    }
    manager = admit({**plugins, **own})
    may = {
        "session": SESSION_USES,
        "enrolment": SESSION_USES,
        APPROVAL_OWNER: APPROVAL_USES,
        KEY_OWNER: KEY_USES,
    }
    operations = catalogue(manager, None if powers is None else {**powers, **may})
    approvals.catalogue, approvals.hook = operations, manager.hook
    approving.catalogue = operations
    desk.jobs = timetable(manager, operations)
    return Loaded(manager, operations, desk.jobs, screens_of(manager, operations), state)
