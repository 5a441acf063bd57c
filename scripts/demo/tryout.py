"""What to try on the running appliance: lines to paste, with people of this very run in them."""

import dataclasses
import json
import shlex
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from appliance.model import JST
from scripts.demo import browsing
from scripts.demo.cast import Cast
from scripts.demo.grounds import MUNICIPALITY, PREFECTURE
from scripts.demo.people import (
    ADMINISTRATOR,
    AUDITOR,
    CLERK,
    MEDIA,
    OFFICER,
    REGISTRAR,
    STATISTICIAN,
    TAX,
    Person,
)
from scripts.demo.servers import next_sequence
from scripts.demo.stage import Stage

RULE = "─" * 78
NEW_KEY = "\"Idempotency-Key: $(python3 -c 'import uuid; print(uuid.uuid4())')\""


def lines(stage: Stage, cast: Cast) -> str:
    """Return everything that is printed."""
    parts = [
        _preparations(stage),
        *_office(stage, cast),
        *_municipality(stage, cast),
    ]
    parts += [*_functions(stage, cast), *_people(stage), *_auditor(stage, cast), *_machine()]
    parts += [_screens(stage)]
    return "\n\n".join([*parts, f"{RULE}\nIt runs until Ctrl-C."])


def _screens(stage: Stage) -> str:
    return f"{RULE}\n{browsing.how(stage.grounds)}"


def _preparations(stage: Stage) -> str:
    return f"""
{RULE}
Try it. Paste these first, into another shell:

cd {stage.grounds.folder}
export PATH={Path(sys.executable).parent}:$PATH
token() {{ python3 -c "import json; print(json.load(open('terminal/session-$1.json'))['token'])"; }}
pretty() {{ python3 -m json.tool --no-ensure-ascii; }}

Everybody is logged in; a session ends when it is not used for an hour. Then, by his device:
juki login {CLERK.person} --authenticator terminal/devices/{CLERK.person} \\
  --session terminal/session-{CLERK.operator}.json
{RULE}"""


def _office(stage: Stage, cast: Cast) -> Iterator[str]:
    sawako, minoru = cast.sawako, cast.minoru[0]
    who = {"name": "高崎沢子", "birth_date": sawako.birth_date}
    by = {"my_number": sawako.my_number}
    find = _as_person(stage, REGISTRAR, "search/find", who)
    first = "import json, sys; print(json.load(sys.stdin)['data']['residents'][0]['ref'])"
    detail = {"ref": "REF", "items": ["name", "kana", "address", "reason"], "history": True}
    opened = _as_person(stage, REGISTRAR, "search/detail", detail).replace("REF", "'\"$REF\"'")
    yield _trial(
        f"the clerk finds {sawako.name} by the common form of the characters",
        _as_person(stage, CLERK, "search/find", who) + " | pretty",
    )
    yield _trial(
        "the registrar opens her record with its history",
        f'REF=$({find} | python3 -c "{first}")',
        opened + " | pretty",
    )
    for title, operation, body in (
        (
            f"{TAX.office} inquires about her, within its 事務",
            "provision/inquire",
            {"by": by, "items": ["name", "address"]},
        ),
        (
            "and may not ask for more: 403",
            "provision/inquire",
            {"by": by, "items": ["resident_code"]},
        ),
        (
            f"two men are called {minoru.name}: several, and no item",
            "provision/inquire",
            {"by": {"name": minoru.name, "sex": minoru.sex}, "items": ["address"]},
        ),
        (
            "does what she says hold? No value is answered",
            "provision/verify",
            {"by": by, "claims": {"address": sawako.address, "sex": "1"}},
        ),
    ):
        yield _trial(title, _as_person(stage, TAX, operation, body) + " | pretty")
    yield _trial(
        f"{len(cast.home)} people live in one house: only the count is told",
        _as_person(stage, CLERK, "search/find", {"address": cast.home[0].address}) + " | pretty",
    )


def _municipality(stage: Stage, cast: Cast) -> Iterator[str]:
    with stage.link(stage.grounds.municipality, f"cs-{MUNICIPALITY}") as link:
        first = next_sequence(link)
    moved = replace(
        cast.minoru[1],
        reason="31",
        address=cast.sawako.address,
        town_code=cast.sawako.town_code,
        update_number=2,
        sequence=first,
    )
    body = {"notifications": [to_builtins(moved)]}
    sent = _curl(stage, f"municipality/cs-{MUNICIPALITY}", "update/notify", body, f"-H {NEW_KEY}")
    yield _trial(
        f"the municipality tells that {moved.name} has moved (again: duplicate)", f"{sent} | pretty"
    )
    wrong = replace(moved, sequence=moved.sequence + 1, update_number=3, name="田中　稔")
    body = {"notifications": [to_builtins(wrong)]}
    sent = _curl(stage, f"municipality/cs-{MUNICIPALITY}", "update/notify", body, f"-H {NEW_KEY}")
    yield _trial("a 転居 that changes the name is rejected by rule L-10", f"{sent} | pretty")
    national = f"https://{stage.national}/v1/summary"
    certificate = f"--cert appliance/tls/{PREFECTURE}.pem --key appliance/tls/{PREFECTURE}.key"
    yield _trial(
        "what the national server has heard",
        f"curl -sS --cacert appliance/tls/ca.pem {certificate} {national} | pretty",
    )


def _functions(stage: Stage, cast: Cast) -> Iterator[str]:
    desk = dataclasses.replace(REGISTRAR, purposes=("disclosure",))
    inquiry = {"by": {"resident_code": cast.sawako.resident_code}, "items": ["name", "address"]}
    population = {"by": ["municipality", "sex"]}
    for title, person, operation, body in (
        ("開示請求: the cases, with what is due when", desk, "disclosure/cases", {}),
        ("一括提供: the bulk inquiries of the office", MEDIA, "provision/bulk-status", {}),
        ("整合性確認: who was compared last when", REGISTRAR, "reconcile/status", {}),
        ("機構への情報照会: she is asked for there", REGISTRAR, "relay/inquire", inquiry),
        ("統計: how many live where", STATISTICIAN, "statistics/population", population),
        ("消去: what may be erased", ADMINISTRATOR, "retention/due", {}),
    ):
        yield _trial(title, _as_person(stage, person, operation, body) + " | pretty")
    stem = f"municipality/cs-{MUNICIPALITY}"
    sent = _curl(stage, stem, "update/inbox", {}, "-H Accept:application/json")
    yield _trial("what waits for the municipality", f"{sent} | pretty")


def _people(stage: Stage) -> Iterator[str]:
    keeper = f"--session terminal/session-{ADMINISTRATOR.operator}.json"
    officer = f"--session terminal/session-{OFFICER.operator}.json"
    until = datetime.now(JST).date() + timedelta(days=180)
    grant = (
        f"juki person grant P-0100 --name '新人　太郎' --office {OFFICER.office} "
        f"--expires {until} --form 照合付-100 {keeper}"
    )
    number = "import json, sys; print(json.load(sys.stdin)['number'])"
    yield _trial(
        "let somebody in: one asks, another agrees, then it is done and prints his code",
        f'N=$({grant} --request --why 新任 --json | python3 -c "{number}")',
        f"juki approval show $N {officer}",
        f"juki approval give $N {officer}",
        f"{grant} --approval $N",
    )
    watch = f"--session terminal/session-{AUDITOR.operator}.json"
    yield _trial("使用簿: what the offices signed off", f"juki usebook figures {watch}")
    yield _trial("監視: what was flagged, and decided", f"juki watching flags --state all {watch}")
    yield _trial("監査の支援: what is due, and whose turn it is", f"juki compliance due {watch}")


def _auditor(stage: Stage, cast: Cast) -> Iterator[str]:
    session = f"--session terminal/session-{AUDITOR.operator}.json"
    code = cast.sawako.resident_code
    yield _trial(
        f"who looked at {cast.sawako.name}; a person types her 住民票コード instead",
        f"juki ledger person {session} <<< {code}",
    )
    yield _trial(
        "what was refused",
        f"juki ledger search --result denied --limit 10 {session}",
    )
    yield _trial(
        "the ledger, verified offline with nothing but its public key",
        f"juki ledger verify appliance/data/tiles --key '{stage.identity()['ledger_key']}'",
    )
    yield _trial("what the prefecture's witness has cosigned", "juki witness show witness")


def _machine() -> Iterator[str]:
    config = "--config appliance/appliance.toml"
    session = f"--session terminal/session-{ADMINISTRATOR.operator}.json"
    yield _trial("who may ask", f"juki operator list {session}", f"juki terminal list {session}")
    yield _trial("what it does by itself", f"juki job list {session}")
    yield _trial("roles, 事務 and items", f"juki policy show {config}")
    yield _trial(
        "seal it, and unseal it with three of five shares",
        f"juki seal {config}",
        f"juki status {config}",
        f"juki unseal {config} --shares-from custodians",
    )


def _trial(title: str, *commands: str) -> str:
    return "\n".join([f"# {title}", *commands])


def _as_person(stage: Stage, person: Person, operation: str, body: dict[str, Any]) -> str:
    headers = f'-H "Authorization: Bearer $(token {person.operator})"'
    if person.purpose:
        headers += f" -H X-Purpose:{person.purpose} -H X-Reason:{person.reason}"
    return _curl(stage, f"terminal/{person.terminal}", operation, body, headers)


def _curl(stage: Stage, stem: str, operation: str, body: dict[str, Any], headers: str) -> str:
    text = json.dumps(body, ensure_ascii=False)
    return (
        f"curl -sS --cacert appliance/tls/ca.pem --cert {stem}.pem --key {stem}.key \\\n"
        f"  {headers} -H Content-Type:application/json \\\n"
        f"  -d {shlex.quote(text)} \\\n"
        f"  {stage.grounds.url}/v1/{operation}"
    )
