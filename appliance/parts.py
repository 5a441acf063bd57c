"""What the straight line is put together from, and the clock it goes by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pluggy

from appliance.media import Media
from appliance.model import OperationName
from appliance.national import National
from appliance.operation import AnyOperation
from appliance.policy import Policy
from appliance.refs import Refs
from appliance.registry import Tools
from appliance.sessions import Sessions
from storage.engine import Engine

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time; the one place outside tests where it is read."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the pipeline is put together from."""

    engine: Engine
    policy: Policy
    hook: pluggy.HookRelay
    operations: Mapping[OperationName, tuple[str, AnyOperation]]
    tools: Tools
    sessions: Sessions
    refs: Refs
    media: Media
    turned_away: Callable[[str, str], None]
    """Told of every certificate that is not registered, and why it was refused."""
    is_ours: Callable[[str], bool] = lambda pem: True
    """Whether a certificate is of an authority whose certificates may open a connection."""
    clock: Clock = utc_now
    national: National | None = None
    """The line to the national server, where there is one."""
    witnessed: Callable[[], str | None] = lambda: None
    """The newest checkpoint that a witness has cosigned, if one has."""
