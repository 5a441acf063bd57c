"""How long, how much and how many: what one caller may cost the others.

Every time is an absolute deadline for the whole step, not a pause between two bytes; a caller that
sends a byte a second gains nothing. Times are seconds on the monotonic clock, sizes are bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


BULK = ("/v1/provision/bulk-submit", "/v1/reconcile/")
"""Where whole files of sealed rows arrive."""
BULK_SCREEN = "/screens/provision/bulk"
"""Where the same files arrive from a browser."""


def body_bytes(
    path: str, usual: int = 256 * KIB, batch: int = 8 * MIB, bulk: int = 32 * MIB
) -> int:
    """Return how large a body may be: batches of notices are large, and so are sealed files."""
    if path.startswith((*BULK, BULK_SCREEN)):
        return bulk
    return batch if path.startswith("/v1/update/") else usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one port."""

    handshake_seconds: float = 5.0
    head_seconds: float = 5.0
    body_seconds: float = 10.0
    reply_seconds: float = 10.0
    idle_seconds: float = 60.0
    linger_seconds: float = 2.0
    """How long a refused caller is listened to, unheard, so that it can read why."""
    drain_seconds: float = 10.0
    """How long requests under way may take when the server stops."""
    tick_seconds: float = 0.1
    """How late a deadline may be noticed."""

    connections: int = 512
    connections_per_certificate: int = 64
    workers: int = 32
    workers_per_certificate: int = 24
    """More requests of one certificate wait, so that others are answered meanwhile."""
    waiting: int = 256
    """Requests that may wait for a worker; the next one is told to come back."""

    head_bytes: int = 16 * KIB
    body_bytes: Callable[[str], int] = body_bytes
    """From the path to the largest body it may have."""
    bodies_bytes: int = 64 * MIB
    """What all callers together may announce at one time; keeps memory bounded."""
    bodies_bytes_per_certificate: int = 16 * MIB
    """What one certificate may announce at one time, so that it cannot use up what is for all."""
