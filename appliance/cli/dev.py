"""``juki serve --dev FOLDER``: a whole appliance to try things on, never for real data.

Everything is made in one empty folder, by the same steps as in earnest: certificates, ``init``
with custodians in a folder of their own, unsealing with three shares, operators enrolled through
the front door. What differs from earnest is in three places and easily seen: the PIN is known, one
person has all the shares, and every answer says ``X-Juki-Mode: development``.

::

    appliance.toml   as in earnest, with mode = "development"
    firmware/        the policy as shipped, signed by the custodians below
    tls/             a certificate authority and the certificates of everybody
    appliance/       the data folder
    custodians/      five shares and two policy keys, which in earnest are never in one place
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from appliance.certificates import CertificateAuthority, fingerprint
from appliance.cli.link import Seat, ask, keep_seat
from appliance.errors import Refusal, StartupError
from appliance.machine import boot, firmware
from appliance.machine.config import read_settings
from appliance.machine.init import THRESHOLD, Founded, Founder, Founding, found, write_shares
from appliance.machine.keeper import Keeper
from appliance.model import JST
from appliance.parts import utc_now
from appliance.values.identifiers import Municipalities, my_number_from, resident_code_from

SHIPPED = Path(__file__).resolve().parents[2] / "firmware_config"
PIN = "27182818"
ADMINISTRATOR, OFFICER = "OP-0001", "OP-9001"
CLERK, AUDITOR = "OP-0002", "OP-0003"
CLERK_ROLES, AUDITOR_ROLES = ("clerk", "registrar"), ("auditor",)
ADDRESS = "127.0.0.1"
ORIGIN = "audit.juki.development.example/g1"
BANNER = """
================================================================================
 DEVELOPMENT. Keys, shares and PIN lie side by side in this folder.
 Never for real data. Every answer says X-Juki-Mode: development.
================================================================================
"""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a development appliance."""

    folder: Path
    port: int

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "appliance.toml"

    @property
    def tls(self) -> Path:
        """The certificates."""
        return self.folder / "tls"

    @property
    def firmware(self) -> Path:
        """The policy."""
        return self.folder / "firmware"

    @property
    def custodians(self) -> Path:
        """The shares."""
        return self.folder / "custodians"

    @property
    def session(self) -> Path:
        """The clerk's session, for the commands that are printed."""
        return self.folder / "session.json"

    @property
    def audit_session(self) -> Path:
        """The auditor's session."""
        return self.folder / "audit-session.json"

    @property
    def url(self) -> str:
        """The main port."""
        return f"https://{ADDRESS}:{self.port}"

    def seat(self) -> Seat:
        """Return the terminal, before anybody logs in."""
        return Seat(
            url=self.url,
            certificate=str(self.tls / "terminal.pem"),
            key=str(self.tls / "terminal.key"),
            ca=str(self.tls / "ca.pem"),
        )


def serve(folder: Path, municipalities: Sequence[str], port: int) -> int:
    """Make a development appliance in an empty folder and serve it; return the exit code.

    Raises:
        StartupError: the folder is not empty, the policy as shipped is not there, or there is no
            such municipality.
    """
    place = Place(folder.resolve(), port)
    founded = make(place, municipalities)
    failed: list[BaseException] = []

    def ready(keeper: Keeper) -> None:
        try:
            print(_people_in(place, keeper, founded, municipalities), flush=True)
        except (Exception, SystemExit) as problem:
            failed.append(problem)
            print(f"juki: {problem}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGTERM)

    again = ("serve", "--config", str(place.config))
    code = boot.serve(read_settings(place.config), again, ready=ready)
    return 1 if failed else code


def make(place: Place, municipalities: Sequence[str]) -> Founded:
    """Make everything but the running process.

    Raises:
        StartupError: as ``serve``.
    """
    if place.folder.exists() and (not place.folder.is_dir() or any(place.folder.iterdir())):
        raise StartupError(f"{place.folder}: is not empty; --dev makes everything anew")
    if not (SHIPPED / firmware.PLUGINS).is_file():
        raise StartupError(f"{SHIPPED}: the policy as shipped is not there; use a source tree")
    if unknown := [code for code in municipalities if not _is_municipality(code)]:
        raise StartupError(
            *(f"--municipality {code}: no municipality has this code" for code in unknown)
        )
    place.tls.mkdir(parents=True, mode=0o700)
    _certificates(place, municipalities)
    place.firmware.mkdir()
    shutil.copy(SHIPPED / firmware.PLUGINS, place.firmware)
    shutil.copytree(SHIPPED / firmware.POLICY, place.firmware / firmware.POLICY)
    place.config.write_text(_config(place.port), "utf-8")
    founding = Founding(
        settings=read_settings(place.config),
        fingerprint=fingerprint((place.tls / "terminal.pem").read_bytes()),
        terminal_id="TERM-0001",
        place="development",
        administrator=Founder(person_id=_person(ADMINISTRATOR), operator_id=ADMINISTRATOR),
        officer=Founder(person_id=_person(OFFICER), operator_id=OFFICER),
        office="development",
        expires_on=_today() + timedelta(days=365),
    )
    return found(founding, lambda founded: _hand_out(place, founded), utc_now)


def _is_municipality(code: str) -> bool:
    known = Municipalities.load().lookup(code)
    return known is not None and not known.is_prefecture


def _today() -> date:
    return utc_now().astimezone(JST).date()


def _hand_out(place: Place, founded: Founded) -> None:
    write_shares(place.custodians, founded)


def _certificates(place: Place, municipalities: Sequence[str]) -> None:
    now = utc_now()
    authority = CertificateAuthority.create("juki development CA", now)
    authority.save(place.tls)
    authority.issue_server([ADDRESS, "localhost"], now=now).write(place.tls, "server")
    for name in ("terminal", *(f"cs-{code}" for code in municipalities)):
        authority.issue_client(name, now=now).write(place.tls, name)


def _config(port: int) -> str:
    return f"""# Made by juki serve --dev. Never for real data.
mode = "development"
data = "appliance"
firmware = "firmware"
origin = "{ORIGIN}"
prefecture = "43"
expected_residents = 100_000

[listen]
host = "{ADDRESS}"
port = {port}

[management]
port = {port + 1}

[tls]
certificate = "tls/server.pem"
key = "tls/server.key"
client_ca = "tls/ca.pem"
"""


def _people_in(
    place: Place, keeper: Keeper, founded: Founded, municipalities: Sequence[str]
) -> str:
    """Unseal, let people and servers in through the front door; return what to try."""
    try:
        for share in founded.shares[:THRESHOLD]:
            keeper.unseal(share)
    except Refusal as problem:
        raise StartupError(str(problem)) from problem
    administrator = _logged_in(place.seat(), ADMINISTRATOR, founded.enrolment_code)
    officer = _logged_in(place.seat(), OFFICER, founded.officer_code)
    for code in municipalities:
        pem = (place.tls / f"cs-{code}.pem").read_text("ascii")
        body = {
            "terminal_id": f"CS-{code}",
            "kind": "municipality",
            "place": "development",
            "certificate": pem,
            "municipality_code": code,
        }
        _agreed((administrator, officer), "roster/enrol-terminal", body)
    purposes = sorted(firmware.unsigned(place.firmware).policy.purposes)
    for operator, roles, session in (
        (CLERK, CLERK_ROLES, place.session),
        (AUDITOR, AUDITOR_ROLES, place.audit_session),
    ):
        code = _let_in((administrator, officer), operator, roles, purposes)
        keep_seat(session, _logged_in(place.seat(), operator, code))
    return _what_to_try(place, municipalities)


def _logged_in(seat: Seat, operator: str, code: str) -> Seat:
    person = _person(operator)
    ask(seat, "session/enrol", {"code": code, "pin": PIN}, with_session=False)
    opened = ask(seat, "session/open", {"person": person, "pin": PIN}, with_session=False)
    return replace(
        seat,
        token=opened["token"],
        person=person,
        operator=operator,
        expires_at=str(opened["expires_at"]),
    )


def _let_in(
    keepers: tuple[Seat, Seat], operator: str, roles: Sequence[str], purposes: Sequence[str]
) -> str:
    """Give somebody a 照合ID, an authority and a PIN; return the code with which he sets it."""
    person, today = _person(operator), _today()
    papers = {"office": "development", "form": "development"}
    papers |= {"expires_on": (today + timedelta(days=365)).isoformat()}
    _agreed(keepers, "roster/grant", {"person_id": person, "name": operator, **papers})
    held = {"operator_id": operator, "holders": [person], "roles": list(roles)}
    _agreed(keepers, "roster/add-operator", {**held, "purposes": list(purposes), **papers})
    until = (today + timedelta(days=31)).isoformat()
    issued = {"person_id": person, "reason": "development", "until": until}
    return str(_agreed(keepers, "roster/issue-pin", issued)["enrolment_code"])


def _agreed(keepers: tuple[Seat, Seat], operation: str, body: dict[str, Any]) -> dict[str, Any]:
    """Do what takes two: one asks, the other agrees, the first carries it out."""
    administrator, officer = keepers
    wanted = {"operation": operation, "arguments": body, "form": "dev", "reason": "dev"}
    number = int(ask(administrator, "approval/request", wanted)["number"])
    ask(officer, "approval/give", {"number": number})
    return ask(administrator, operation, body, approval=number)


def _person(operator: str) -> str:
    return operator.replace("OP", "P")


def _what_to_try(place: Place, municipalities: Sequence[str]) -> str:
    tls, lines = place.tls, [BANNER]
    curl = f"curl --cacert {tls}/ca.pem -H 'Content-Type: application/json'"
    if municipalities:
        first = municipalities[0]
        lines += [
            f"# the municipal server of {first} sends a birth",
            f"{curl} --cert {tls}/cs-{first}.pem --key {tls}/cs-{first}.key \\",
            "  -H \"Idempotency-Key: $(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \\n')\" \\",
            f"  -d '{json.dumps(_notice(first), ensure_ascii=False)}' \\",
            f"  {place.url}/v1/update/notify\n",
        ]
    find = {"name": "熊本　花子", "birth_date": _today().isoformat()}
    lines += [
        f"# {CLERK} finds the child (PIN {PIN}, logged in already)",
        f"TOKEN=$(python3 -c \"import json; print(json.load(open('{place.session}'))['token'])\")",
        f"{curl} --cert {tls}/terminal.pem --key {tls}/terminal.key \\",
        "  -H \"Authorization: Bearer $TOKEN\" -H 'X-Purpose: register-administration' \\",
        "  -H 'X-Reason: 04' \\",
        f"  -d '{json.dumps(find, ensure_ascii=False)}' {place.url}/v1/search/find\n",
        f"# what the ledger says of it, to {AUDITOR}; how it stands, and sealing it",
        f"juki ledger search --session {place.audit_session}",
        f"juki status --config {place.config}",
        f"juki seal --config {place.config}",
        f"juki unseal --config {place.config} --shares-from {place.custodians}\n",
    ]
    return "\n".join(lines)


def _notice(municipality: str) -> dict[str, Any]:
    today = _today().isoformat()
    notice = {
        "sequence": 1,
        "resident_code": resident_code_from("9000000001"),
        "name": "熊本　花子",
        "kana": "くまもと　はなこ",
        "birth_date": today,
        "sex": "2",
        "address": "熊本県八代市松江城町１番２５号",
        "town_code": None,
        "my_number": my_number_from("90000000001"),
        "reason": "12",
        "effective_date": today,
        "municipality_code": municipality,
        "update_number": 1,
    }
    return {"notifications": [notice]}
