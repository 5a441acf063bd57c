"""``juki keys rotate``: a year's keys, added with custodians present and the server stopped.

Unsealing draws them by itself in the year after the newest ones (``opening.py``). This is for when
that does not do: the store lay closed over more than one new year, the clock was wrong, or the
custodians want next year's keys beforehand. They go the way that unsealing goes, so a ring or a
store that was put back gets none; the ring file is written whole or not at all, and the entry of
the opening names what is new in it.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.errors import StartupError
from appliance.machine.config import Settings
from appliance.machine.keeper import Shares
from appliance.machine.opening import milliseconds, open_store, yearly_needed
from appliance.machine.store import Layout, sealed_store
from appliance.machine.witnessing import witnessing
from appliance.model import JST
from appliance.parts import Clock
from storage.errors import StorageError
from storage.journal import Journal
from storage.keyring import KeyRing, names_in_clear, newest_year
from storage.lock import FolderLock

ROTATED = "keys-rotated"
"""Event of the boot journal."""


class NotThisYear(StorageError):
    """Keys are not made for such a year."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Which year the keys are of, and what is, or would be, added."""

    newest: int
    """The year of the newest keys before."""
    year: int
    added: tuple[str, ...]


def planned(settings: Settings, year: int | None, clock: Clock) -> Rotation:
    """Return what would be added; needs no share, and proves nothing about the ring.

    Args:
        settings: whose store it is.
        year: of the keys; None: this one in Japan.
        clock: the time.

    Raises:
        NotThisYear: says why, and what to do.
        StartupError, Tampered: there is no store, or its key ring is not one.
    """
    sealed_store(settings)
    names = names_in_clear(Layout(settings.data).ring)
    return _plan(names, year, clock().astimezone(JST).year)


def rotate(settings: Settings, shares: Iterable[str], year: int | None, clock: Clock) -> Rotation:
    """Add the keys of a year to the ring; the ledger and the boot journal say so.

    Args:
        settings: whose store it is.
        shares: asked for one by one, until there are enough.
        year: of the keys; None: this one in Japan.
        clock: the time.

    Raises:
        NotThisYear: says why, and what to do; nothing is written.
        StoreInUse: a server has the store.
        SharesRefused: a share is no good, or there are too few.
        StartupError, StorageError: as at unsealing; the ring is the old one or the new one, whole.
    """
    planned(settings, year, clock)  # before anybody is asked for a share
    layout = Layout(settings.data)
    _, header = sealed_store(settings)
    if header.share_set is None:
        raise StartupError(f"{settings.data}: the key ring knows no shares")
    if (owner := layout.ring.stat().st_uid) != os.geteuid():
        raise StartupError(f"{layout.ring}: belongs to user {owner}; run this as that user")
    lock = FolderLock.take(settings.data)
    try:
        journal = Journal(layout.journal, milliseconds(clock))
        try:
            root = Shares(header.share_set).root(shares)
            names = KeyRing.open(layout.ring, root).checks()
            plan = _plan(names, year, clock().astimezone(JST).year)
            if plan.added:
                _add(settings, root, plan, clock, journal)
        finally:
            journal.close()
    finally:
        lock.release()
    return plan


def _add(settings: Settings, root: bytes, plan: Rotation, clock: Clock, journal: Journal) -> None:
    store = open_store(settings, root, clock, witnessing(settings, clock), keys_of=plan.year)
    store.vault.close()
    journal.note(ROTATED, year=plan.year, added=len(plan.added), save=store.ring.header.serial)


def _plan(names: Iterable[str], year: int | None, this_year: int) -> Rotation:
    """Return what to add to the keys of these names.

    Raises:
        NotThisYear: the year is over, too far away, or was not said aloud.
    """
    there = frozenset(names)
    newest = newest_year(there)
    wanted = this_year if year is None else year
    if wanted < newest:
        raise NotThisYear(f"the newest keys are of {newest}: a later year's stay in use")
    if wanted > this_year + 1:
        raise NotThisYear(f"by the clock it is {this_year}; keys are made a year ahead at most")
    if wanted > newest + 1 and year is None:
        raise NotThisYear(
            f"the newest keys are of {newest}, and by the clock it is {this_year}. If the clock is "
            f"right, say so: --year {this_year}"
        )
    missing = [name for name in yearly_needed(newest, wanted) if name not in there]
    return Rotation(newest, wanted, tuple(missing))
