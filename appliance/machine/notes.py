"""What the process notes of its own start and end in the boot journal, and what it finds there.

::

    start-refused    it does not start, and why: policy, key ring, configuration, a port in use
    emergency-seal   somebody killed the process before, as it did not answer (``juki seal``)
    keys-rotated     ``juki keys rotate`` added the keys of a year
    backup           the stopped store was copied: how many entries at least, manifest
    backup-failed    it was not, and why
    restored         this data folder was made of a backup: how many entries, manifest
    start            it answers, sealed; ``unclean`` if the process before was cut off
    share-taken      a good share, and how many are given and needed
    refused          a bad share and why, a wrong seal token, a stranger; at most 20 a minute
    unseal-failed    enough shares, and the store did not open, and why
    unsealed         it works
    ledger           where the ledger stood (``evidence.py``)
    reload, reload-refused
    seal-asked, stop-asked, then seal, stop or outcome-unknown at the very end
    torn             half a line that a power cut left was cut off
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.edge.problems import origin
from appliance.errors import StartupError
from appliance.machine.store import Layout
from storage.errors import StorageError
from storage.journal import Detail, Journal

log = logging.getLogger(__name__)


def note(journal: Journal, event: str, **details: Detail) -> None:
    """Note it if the disk lets us: a full one must not keep anybody from sealing or stopping."""
    try:
        journal.note(event, **details)
    except OSError as problem:
        log.error("%s could not be noted: %s", event, origin(problem))


@contextmanager
def noting_refusal(journal: Journal) -> Iterator[None]:
    """Note why the process does not start, if it does not."""
    try:
        yield
    except (StartupError, StorageError) as problem:
        why = "; ".join(problem.problems) if isinstance(problem, StartupError) else str(problem)
        try:
            journal.start_refused(why)
        except OSError as full:
            log.error("that it does not start could not be noted: %s", origin(full))
        raise


def note_emergency(layout: Layout, journal: Journal) -> None:
    """Note who killed the process before this one to seal it, as ``juki seal`` left it here.

    Raises:
        OSError: the disk.
    """
    try:
        told = json.loads(layout.emergency.read_bytes())
    except FileNotFoundError:
        return
    except ValueError:
        told = {}
    known = {f"told_{name}": told[name] for name in ("at", "uid", "sudo_uid") if name in told}
    journal.note("emergency-seal", **{n: v for n, v in known.items() if type(v) is int})
    layout.emergency.unlink()
