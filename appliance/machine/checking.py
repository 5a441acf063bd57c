"""``juki check``: the whole store read, opened and recomputed, while no server has it.

The store is closed, so it takes the custodians' shares. Nothing is changed. The plugins let in are
asked again what every change of every person moved; the tallies must say the same.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import pluggy

from appliance.errors import StartupError
from appliance.index import Index
from appliance.items import open_form
from appliance.machine.config import Settings
from appliance.machine.firmware import verified
from appliance.machine.keeper import Shares
from appliance.machine.opening import load
from appliance.machine.store import Layout, sealed_store
from appliance.marks import ROOT as MARK_ROOT
from appliance.marks import Marker
from appliance.model import JST
from appliance.parts import utc_now
from appliance.recount import differences, replayed
from storage.check import CheckReport, check
from storage.engine import Fields, Mark, PersonId, Token
from storage.errors import LedgerBroken, StorageError
from storage.findings import Finding, Progress
from storage.journal import read_journal
from storage.keyring import KeyRing
from storage.lock import FolderLock
from storage.tiles import read_note


def check_store(
    settings: Settings,
    shares: Iterable[str],
    anchors: Collection[str],
    progress: Progress,
    first: Callable[[KeyRing], None] = lambda ring: None,
) -> tuple[CheckReport, list[Finding]]:
    """Read the whole store; return what was read, and everything that is wrong with it.

    Args:
        settings: whose store it is.
        shares: asked for one by one, until there are enough.
        anchors: signed checkpoints of this ledger, kept elsewhere.
        progress: is told the part, how much of it is done, and how much there is.
        first: called with the open ring, before the store is read; what it raises ends the check.

    Raises:
        StoreInUse: a server has the store.
        SharesRefused: a share is no good, or there are too few.
        StartupError, WrongKey, Tampered: there is no store that could be read.
    """
    layout = Layout(settings.data)
    identity, header = sealed_store(settings)
    if header.share_set is None:
        raise StartupError(f"{settings.data}: the key ring knows no shares")
    tallies = Tallies(settings, identity.policy_keys)
    lock = FolderLock.take(settings.data)
    try:
        ring = KeyRing.open(layout.ring, Shares(header.share_set).root(shares))
        first(ring)
        # A store that was not unsealed since there are marks has neither their root nor any.
        marker = Marker(ring.key(MARK_ROOT)) if MARK_ROOT in ring.names() else None
        index = Index(ring.key("idx-root/1"), ring.token_bits)

        def tokens_of(fields: Fields) -> Iterable[Token]:
            return index.tokens_of(open_form(fields))

        def mark_of(person: PersonId, fields: Fields) -> Mark | None:
            return None if marker is None else marker.mark(person, open_form(fields))

        report = check(
            layout.store,
            ring,
            origin=identity.origin,
            tokens_of=tokens_of,
            mark_of=mark_of,
            progress=progress,
            anchors=[*anchors, *_witnessed(layout)],
            counts_of=tallies.of,
            workers=len(os.sched_getaffinity(0)),
        )
    finally:
        lock.release()
    return report, [*_journal(layout), *report.findings, *tallies.findings(report)]


class Tallies:
    """What the tallies must be, as the plugins let in say of each person."""

    def __init__(self, settings: Settings, policy_keys: Sequence[str]) -> None:
        self._today: date = utc_now().astimezone(JST).date()
        self._hook: pluggy.HookRelay | None = None
        self._problem = ""
        try:
            self._hook = load(verified(settings.firmware, policy_keys, least_serial=1)).hook
        except StartupError as problem:
            # Whoever checks a damaged machine wants to know what can be known.
            self._problem = "; ".join(problem.problems)

    def of(self, person: PersonId, versions: Sequence[Fields]) -> Iterator[tuple[str, int]]:
        """Yield what the versions of a person moved, and by how much (``CountsOf``)."""
        if self._hook is not None:
            values = enumerate(map(open_form, versions), start=1)
            yield from replayed(self._hook, person, values, self._today)

    def findings(self, report: CheckReport) -> Iterator[Finding]:
        """Yield every tally that is not what was counted, of those that changes move at all."""
        if self._hook is None:
            yield Finding("tallies", f"were not counted again: {self._problem}")
        if report.findings:
            return  # a version that does not open would be told twice, and wrongly
        moved = {name.partition("/")[0] for name in report.counted}
        kept = {n: c for n, c in report.tallies.items() if n.partition("/")[0] in moved}
        for name, there, right in differences(report.counted, kept, self._today):
            yield Finding(f"tally {name}", f"is {there}; the records give {right}")


def plain(report: CheckReport, findings: Collection[Finding]) -> dict[str, Any]:
    """Return a report as plain data."""
    counted = ("persons", "versions", "cells", "tokens", "marks", "documents", "parcels", "entries")
    return {
        "clean": not findings,
        **{name: getattr(report, name) for name in counted},
        "tallies": len(report.tallies),
        "findings": [{"place": each.place, "what": each.what} for each in findings],
    }


def _witnessed(layout: Layout) -> list[str]:
    """Return what the witness cosigned last, if it is there."""
    try:
        note = read_note(layout.witnessed)
    except LedgerBroken:
        note = ""
    return [] if note is None else [note]


def _journal(layout: Layout) -> list[Finding]:
    try:
        read_journal(layout.journal)
    except FileNotFoundError:
        return []
    except StorageError as problem:
        return [Finding("boot journal", str(problem))]
    return []
