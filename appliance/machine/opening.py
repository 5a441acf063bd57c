"""From the root key to an open store with its policy: what must hold before anything is answered.

In this order: the key ring opens; the store opens, and stands where its ledger says
(``storage.vault``); it is the store that the identity card and the configuration name; neither it
nor its key ring was put back to an earlier day (``evidence.py``), nor the whole folder, as far as
the witness can say (``witnessing.py``); the keys of a new year are drawn;
the policy is the one the custodians signed, and not an older one; every plugin let in is there; the
policy names nothing that does not exist. Nothing of the policy or a plugin is loaded before that
point, and nothing is written to a store that does not agree.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

import msgspec

from appliance import authn
from appliance.audit import Account, Event, Result
from appliance.case import Power
from appliance.duties import misjoined
from appliance.errors import StartupError
from appliance.identity.pins import Pins
from appliance.identity.webauthn import Devices
from appliance.loaded import Identification, Loaded, put_together
from appliance.loading import installed
from appliance.machine.config import Settings
from appliance.machine.evidence import (
    journal_head,
    new_keys,
    put_book,
    refuse_old_ring,
    refuse_rolled_back,
)
from appliance.machine.firmware import Firmware, verified
from appliance.machine.store import Identity, Layout, check_settings, read_identity
from appliance.machine.witnessing import Witnessing
from appliance.marks import ROOT as MARK_ROOT
from appliance.marks import Marker, mark_everybody
from appliance.model import JST
from appliance.parts import Clock
from appliance.policy import Policy
from appliance.traces import Note, Touched
from storage.engine import Entry, Unit, View
from storage.errors import Tampered
from storage.keyring import KeyRing, newest_year, yearly_names
from storage.vault import Vault, open_vault

log = logging.getLogger(__name__)

COLLECTION, KEY = "core.installation", b"identity"
LATER = ("media/1",)
"""Keys that stores made by earlier versions do not have yet."""


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed original of the identity card, and how far the policy has come."""

    identity: Identity
    policy_serial: int
    marked: bool = False
    """Whether every current resident has a mark; stores made before there were any had none."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open store, and the policy in force over it."""

    ring: KeyRing
    vault: Vault
    firmware: Firmware
    loaded: Loaded


def milliseconds(clock: Clock) -> Callable[[], int]:
    """Return the clock as the storage wants it."""
    return lambda: int(clock().timestamp() * 1000)


def open_store(
    settings: Settings,
    root: bytes,
    clock: Clock,
    witness: Witnessing | None = None,
    *,
    keys_of: int | None = None,
    unfinished: bool = False,
) -> Opened:
    """Open the store of a data folder with its root key, and load the policy.

    Args:
        settings: whose store it is.
        root: the root key.
        clock: the time.
        witness: asked what it has cosigned, before anything is written.
        keys_of: the year whose keys are drawn, said by custodians; None: as the clock says.
        unfinished: open it though a load was stopped in the middle, to load on.

    Raises:
        StartupError: the configuration, the policy or a plugin is not as it must be.
        WrongKey, Tampered, LedgerBroken: the store is not as it must be.
        StoreInUse: another process has it.
        LoadUnfinished: a load was stopped in the middle.
    """
    layout = Layout(settings.data)
    identity = read_identity(layout)
    ring = KeyRing.open(layout.ring, root)
    check_settings(settings, identity, ring.header)

    def opened() -> Vault:
        return open_vault(
            layout.store,
            ring,
            origin=identity.origin,
            clock_ms=milliseconds(clock),
            unfinished=unfinished,
        )

    with ExitStack() as undo:
        vault = opened()
        undo.callback(vault.close)
        known = agreed(vault, ring, layout, identity)
        if witness is not None:
            witness.agree(vault.view)
        if _draw_yearly(ring, layout, clock, keys_of):
            vault.close()
            vault = opened()
            undo.callback(vault.close)
        firmware = verified(
            settings.firmware, identity.policy_keys, least_serial=known.policy_serial
        )
        loaded = load(firmware, settings.browser_origin)
        if not known.marked:
            _mark(ring, layout, vault)
        vault.write(lambda unit: _enter_opening(unit, known, firmware, ring, layout))
        undo.pop_all()
    return Opened(ring, vault, firmware, loaded)


def load(firmware: Firmware, browser_origin: str | None = None) -> Loaded:
    """Import the plugins let in, and hold the policy against what they offer.

    ``browser_origin`` is where devices prove people; None: nowhere.

    Raises:
        StartupError: a plugin is missing or not one, or the policy names what does not exist or
            joins what must stay apart.
    """
    loaded = load_plugins(firmware.plugins, firmware.powers, browser_origin)
    if problems := unfit(firmware.policy, loaded):
        raise StartupError(*problems)
    return loaded


def unfit(policy: Policy, loaded: Loaded) -> list[str]:
    """Return why the appliance cannot start with a policy and these plugins."""
    steps = [owned.job.operation for owned in loaded.jobs]
    seconded = [each.name for _, each in loaded.operations.values() if each.seconded]
    return [
        *policy.problems(loaded.operations),
        *policy.unserved(steps),
        *policy.unapproved(seconded),
        *misjoined(policy, loaded.operations),
    ]


def load_plugins(
    names: Iterable[str],
    powers: Mapping[str, Collection[Power]],
    browser_origin: str | None = None,
) -> Loaded:
    """Import plugins, and what every appliance has; ``powers`` says what each may use.

    Raises:
        StartupError: one is missing or not one.
    """
    identification = Identification(Pins(), Devices(browser_origin))
    return put_together(installed(names), identification, powers)


def installation(view: View) -> Installation:
    """Return the sealed record of which store this is.

    Raises:
        Tampered: there is none.
    """
    found = view.document(COLLECTION, KEY)
    if found is None:
        raise Tampered("the store has no record of what it is")
    return msgspec.json.decode(found.body, type=Installation)


def put_installation(unit: Unit, record: Installation) -> None:
    """Write which store this is, or a new serial of its policy."""
    unit.put_document(COLLECTION, KEY, msgspec.json.encode(record))


def system_entry(
    operation: str, firmware: Firmware, result: str = "", outcome: Result = Result.OK
) -> Entry:
    """Return the ledger entry of something the process does by itself."""
    account = Account(
        request_id=operation,
        operation=operation,
        policy=firmware.policy.digest[:8],
        terminal=authn.SERVICE.terminal,
        actor=authn.SERVICE,
    )
    (entry,) = account.carried_out(Touched(), Note(result=result))
    return replace(entry, event=int(Event.SYSTEM), result=int(outcome))


def agreed(vault: Vault, ring: KeyRing, layout: Layout, identity: Identity) -> Installation:
    """Return what the store says it is, once everything beside it agrees.

    Raises:
        Tampered, LedgerBroken, WrongKey: something does not; says what, where, and the way out.
    """
    with vault.view() as view:
        known = installation(view)
        if known.identity != identity or identity.installation != ring.installation.hex():
            raise Tampered("the identity card is not that of this store")
        refuse_rolled_back(view, layout, identity)
        refuse_old_ring(view, ring, layout)
    return known


def _enter_opening(
    unit: Unit, known: Installation, firmware: Firmware, ring: KeyRing, layout: Layout
) -> None:
    if new := new_keys(unit, ring):
        told = f"{', '.join(new)}; key ring save {ring.header.serial}"
        unit.enter(system_entry("system/new-keys", firmware, told))
    put_book(unit, ring)
    serial = firmware.manifest.serial
    if serial != known.policy_serial or not known.marked:
        put_installation(unit, msgspec.structs.replace(known, policy_serial=serial, marked=True))
    what = f"policy {serial}; {journal_head(layout)}"
    unit.enter(system_entry("system/unseal", firmware, what))


def _mark(ring: KeyRing, layout: Layout, vault: Vault) -> None:
    """Mark the residents of a store that was made before there were marks."""
    if MARK_ROOT not in ring.names():
        ring.ensure(MARK_ROOT)
        ring.save(layout.ring)
    log.info("marking every resident, once; this takes minutes for a million")
    mark_everybody(vault, Marker(ring.key(MARK_ROOT)))


def yearly_needed(newest: int, year: int) -> list[str]:
    """Return what a ring whose newest keys are of one year must hold for another to begin."""
    return [*LATER, *yearly_names(newest, year)]


def _draw_yearly(ring: KeyRing, layout: Layout, clock: Clock, keys_of: int | None) -> bool:
    """Draw the keys of a new year, once it has come; return whether there are new ones."""
    newest = newest_year(ring.names())
    year = clock().astimezone(JST).year
    if keys_of is None and year != newest + 1:
        # A clock that leaps must not make keys that then stay the newest for years.
        if abs(year - newest) > 1:
            away = year - newest
            log.warning("the clock is %d years from the newest keys; they stay in use", away)
        year = newest
    needed = yearly_needed(newest, year if keys_of is None else keys_of)
    there = ring.checks()
    missing = [name for name in needed if name not in there]
    for name in missing:
        ring.ensure(name)
    if missing:
        ring.save(layout.ring)
    return bool(missing)
