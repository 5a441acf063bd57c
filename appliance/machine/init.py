"""``juki init``: a store is made with its custodians present, whole or not at all.

Everything is built in a folder beside the final one, checked, handed out, and only then given its
name. Until the rename there is no store; after it there is a complete one whose shares are in the
custodians' hands. The first entry of its ledger says that it was made.

What leaves, once: the shares of the root key, the two keys by which two custodians sign the policy
together, and the one-use codes with which the first システム管理者 and the first セキュリティ責任者
register a device or set a PIN (R127). There are two, because nobody lets anybody in alone.
"""

import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from appliance.errors import StartupError, StoreExists
from appliance.files import replace_file
from appliance.machine import firmware
from appliance.machine.config import Settings
from appliance.machine.opening import (
    Installation,
    load,
    milliseconds,
    put_installation,
    system_entry,
)
from appliance.machine.store import Identity, Layout
from appliance.model import JST, SYSTEM, TerminalKind
from appliance.roster import Roster
from appliance.staff import OperatorRecord, PersonRecord, PinGrant
from appliance.terminals import TerminalRecord
from storage.disk import sync_folder
from storage.engine import Unit
from storage.keyring import KeyRing, read_header
from storage.lock import FolderLock
from storage.note import Signer
from storage.unseal import Gathering, new_root, split
from storage.vault import create, open_vault

THRESHOLD, SHARES = 3, 5
ADMINISTRATOR, OFFICER = "system-administrator", "security-officer"
ENROLMENT_TIME = timedelta(hours=24)
FIRST_PIN = timedelta(days=31)
"""How long the founders may log in by PIN; by then each has registered a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founder:
    """Somebody who is let in when a store is made: 照合ID, 操作者ID, and his name."""

    person_id: str
    operator_id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What a new store is made of."""

    settings: Settings
    fingerprint: str
    """Of the certificate of the first 代表端末."""
    not_after: datetime | None = None
    """The end of that certificate."""
    terminal_id: str
    place: str
    administrator: Founder
    """The first システム管理者."""
    officer: Founder
    """The first セキュリティ責任者, who must agree to whatever he does about people."""
    office: str
    expires_on: date
    policy_keys: tuple[str, ...] = ()
    """The verifier keys of a policy that is signed already; none: new keys are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Founded:
    """What is handed out, once."""

    identity: Identity
    shares: tuple[str, ...]
    policy_secrets: tuple[str, ...]
    """The custodians' two signing keys; none where the policy was signed already."""
    enrolment_code: str
    """Of the first システム管理者."""
    officer_code: str
    """Of the first セキュリティ責任者."""
    enrolment_until: datetime


def found(
    founding: Founding, deliver: Callable[[Founded], None], clock: Callable[[], datetime]
) -> Founded:
    """Make a store; ``deliver`` hands out shares, key and code before the store gets its name.

    Raises:
        StoreExists: there is one already.
        StartupError: something it needs is missing, or a name is not of its form.
        OSError: the disk, or whatever ``deliver`` raises. There is no store then.
    """
    _check_names(founding)
    data = founding.settings.data
    refuse_existing(data)
    building = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700, parents=True)
    lock = FolderLock.take(building)
    try:
        founded = _build(founding, Layout(building), clock)
        deliver(founded)
        _sync_all(building)
        # Takes the place of an empty folder, and of nothing else.
        building.replace(data)
        sync_folder(data.parent)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    finally:
        lock.release()
    return founded


def write_shares(folder: Path, founded: Founded) -> list[Path]:
    """Write one file a share and one a policy key, each readable by its owner alone.

    Raises:
        StartupError: a file is there already.
        OSError: the disk.
    """
    papers = {f"share-{number}.txt": share for number, share in enumerate(founded.shares, start=1)}
    for number, secret in enumerate(founded.policy_secrets, start=1):
        papers[f"policy-{number}.key"] = secret
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if there := [name for name in papers if (folder / name).exists()]:
        raise StartupError(*(f"{folder / name}: is there already" for name in there))
    for name, paper in papers.items():
        replace_file(folder / name, f"{paper}\n".encode(), 0o600)
    return [folder / name for name in papers]


def _check_names(founding: Founding) -> None:
    """Refuse what the rosters would not take later."""
    forms = {"terminal-id": (founding.terminal_id, 16)}
    for prefix, founder in (("", founding.administrator), ("officer-", founding.officer)):
        forms[f"{prefix}operator"] = founder.operator_id, 16
        forms[f"{prefix}person"] = founder.person_id, 32
    problems = [
        f"--{name} must be 1 to {longest} of A-Z 0-9 -"
        for name, (given, longest) in forms.items()
        if not re.fullmatch(f"[A-Z0-9-]{{1,{longest}}}", given) or given == SYSTEM
    ]
    one, other = founding.administrator, founding.officer
    if one.person_id == other.person_id or one.operator_id == other.operator_id:
        problems.append("--officer-person and --officer-operator must be those of a second person")
    if problems:
        raise StartupError(*problems)


def refuse_existing(data: Path) -> None:
    """Refuse a place for a store where there is something.

    Raises:
        StoreExists: it is not an empty folder, and not nothing.
    """
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise StoreExists(f"{data}: is not empty; a store is never made over another")


def _build(founding: Founding, layout: Layout, clock: Callable[[], datetime]) -> Founded:
    settings = founding.settings
    root = new_root()
    shares, share_set = split(root, threshold=THRESHOLD, count=SHARES)
    year = clock().astimezone(JST).year
    ring = KeyRing.create(root, os.urandom(16), settings.token_bits, year, share_set)
    ring.save(layout.ring)
    create(layout.store, ring, settings.origin, milliseconds(clock))
    secrets, policy_keys, policy = _policy(founding)
    identity = Identity(
        installation=ring.installation.hex(),
        origin=settings.origin,
        prefecture=settings.prefecture,
        ledger_key=Signer(settings.origin, ring.key("log-sign")).vkey,
        policy_keys=policy_keys,
    )
    replace_file(layout.identity, msgspec.json.encode(identity), 0o600)
    until = clock() + ENROLMENT_TIME
    code, officer_code = _first_entries(founding, layout, ring, identity, policy, until, clock)
    _try_every_share(layout.ring, shares)
    return Founded(
        identity=identity,
        shares=tuple(shares),
        policy_secrets=secrets,
        enrolment_code=code,
        officer_code=officer_code,
        enrolment_until=until,
    )


def _policy(founding: Founding) -> tuple[tuple[str, ...], tuple[str, ...], firmware.Firmware]:
    """Return the new signing keys, the verifier keys, and the policy, signed and loadable."""
    folder = founding.settings.firmware
    if founding.policy_keys:
        signed = firmware.verified(folder, founding.policy_keys, least_serial=1)
        load(signed)
        return (), founding.policy_keys, signed
    load(firmware.unsigned(folder))
    seeds = os.urandom(32), os.urandom(32)
    first, second = map(Signer, firmware.SIGNER_NAMES, seeds)
    try:
        firmware.sign(folder, first)
        firmware.sign(folder, second)
    except OSError as problem:
        raise StartupError(f"{problem.filename}: {problem.strerror}") from None
    keys = first.vkey, second.vkey
    secrets = map(firmware.secret_text, (first.verifier, second.verifier), seeds)
    return tuple(secrets), keys, firmware.verified(folder, keys, least_serial=1)


def _first_entries(
    founding: Founding,
    layout: Layout,
    ring: KeyRing,
    identity: Identity,
    policy: firmware.Firmware,
    until: datetime,
    clock: Callable[[], datetime],
) -> tuple[str, str]:
    """Write what a new store must know, in one unit; return the founders' enrolment codes."""
    terminal = TerminalRecord(
        fingerprint=founding.fingerprint,
        terminal_id=founding.terminal_id,
        kind=TerminalKind.REPRESENTATIVE,
        place=founding.place,
        office=founding.office,
        not_after=founding.not_after,
        registered_at=clock(),
    )

    def let_in(roster: Roster, founder: Founder, role: str) -> str:
        roster.put_person(
            PersonRecord(
                person_id=founder.person_id,
                name=founder.name,
                office=founding.office,
                expires_on=founding.expires_on,
                pin=PinGrant(reason="初期設定", until=clock().astimezone(JST).date() + FIRST_PIN),
            )
        )
        roster.put_operator(
            OperatorRecord(
                operator_id=founder.operator_id,
                office=founding.office,
                roles=(role,),
                holders=(founder.person_id,),
                expires_on=founding.expires_on,
            )
        )
        return roster.issue_enrolment(founder.person_id, until, "device", "pin")

    def work(unit: Unit) -> tuple[str, str]:
        roster = Roster(unit, unit)
        roster.enrol_terminal(terminal)
        codes = (
            let_in(roster, founding.administrator, ADMINISTRATOR),
            let_in(roster, founding.officer, OFFICER),
        )
        serial = policy.manifest.serial
        put_installation(unit, Installation(identity=identity, policy_serial=serial, marked=True))
        unit.enter(system_entry("system/init", policy, f"policy {serial}"))
        return codes

    vault = open_vault(layout.store, ring, origin=identity.origin, clock_ms=milliseconds(clock))
    try:
        return vault.write(work)
    finally:
        vault.close()


def _try_every_share(ring: Path, shares: Sequence[str]) -> None:
    """Open the ring from the disk with three shares at a time, until each was used.

    Raises:
        StorageError: a share is not good; nobody has it yet, so nothing is lost.
    """
    header = read_header(ring)
    if header.share_set is None:
        raise StartupError(f"{ring}: was written without its shares")
    for first in range(len(shares)):
        gathering = Gathering(header.share_set)
        for step in range(THRESHOLD):
            gathering.add(shares[(first + step) % len(shares)])
        KeyRing.open(ring, gathering.key())


def _sync_all(folder: Path) -> None:
    for below, _, _ in os.walk(folder):
        sync_folder(Path(below))
