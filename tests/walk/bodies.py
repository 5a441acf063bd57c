"""Plausible arguments for every operation: mostly within reason, about somebody there is."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from appliance.media import seal_for
from tests.plugins.provision.desks import by_four, by_number, inquiry
from tests.rights import ITEMS, PURPOSES, Asking, asks_by, shows
from tests.walk.actors import Caller
from tests.walk.people import ABROAD, HERE, MUNICIPALITIES, items_of

Body = dict[str, Any]
FOUR = ("name", "kana", "birth_date", "sex", "address")


@dataclass
class Desk:
    """What whoever asks could know: references that were told, keys, how files are sealed."""

    random: Random
    media_key: str
    recipients: Mapping[str, int]
    """The recipient of each 事務."""
    refs: list[str] = field(default_factory=list)
    submitted: int = 0

    def body(self, caller: Caller, asking: Asking) -> Body:
        """Return arguments for a request."""
        make = BODIES.get(asking.operation)
        return {} if make is None else make(self, caller, asking)

    def values(self) -> Mapping[str, Any]:
        """Return what is known of somebody: here, elsewhere, or how he was formerly."""
        which = self.random.choice((*HERE, *ABROAD))
        return items_of(which, self.random.choice(MUNICIPALITIES)).values

    def by(self, asking: Asking, *keys: str) -> Body:
        """Return how a person is named: mostly by what may be asked by."""
        random, values = self.random, self.values()
        granted = [key for key in keys if asks_by(asking, key)]
        key = random.choice(granted if granted and random.random() < 0.8 else keys)
        if key != "four":
            return {key: values[key]}
        more = random.choice(("birth_date", "address"))
        return {"name": values["name"], more: values[more]}

    def items(self, asking: Asking) -> list[str]:
        """Return some items: mostly granted ones, sometimes one too many."""
        granted = [item for item in ITEMS if shows(asking, item)]
        if not granted or self.random.random() < 0.3:
            return self.random.sample(ITEMS, self.random.randint(1, 6))
        return self.random.sample(granted, self.random.randint(1, len(granted)))

    def number(self) -> int:
        """Return the number of some case, job or run that there may be."""
        return self.random.randint(1, 12)


def _find(desk: Desk, caller: Caller, asking: Asking) -> Body:
    values, random = desk.values(), desk.random
    by = random.choice(
        (
            ("name",),
            ("kana",),
            ("address",),
            ("kana", "birth_date"),
            ("birth_date", "municipality_code"),
            ("name", "birth_date", "sex"),
            ("kana", "town_code"),
        )
    )
    removed = {"include_removed": True} if random.random() < 0.3 else {}
    return {**{item: values[item] for item in by}, **removed}


def _detail(desk: Desk, caller: Caller, asking: Asking) -> Body:
    known = caller.refs if caller.refs and desk.random.random() < 0.85 else desk.refs
    ref = desk.random.choice(known[-5:]) if known else "nobody"
    history = desk.random.random() < 0.3
    return {"ref": ref, "items": desk.items(asking), "history": history}


def _inquire(desk: Desk, caller: Caller, asking: Asking) -> Body:
    by = desk.by(asking, "resident_code", "my_number", "four")
    return {"by": by, "items": desk.items(asking)}


def _verify(desk: Desk, caller: Caller, asking: Asking) -> Body:
    values = desk.values()
    claims = {item: values[item] for item in desk.items(asking)}
    return {"by": desk.by(asking, "resident_code", "my_number", "four"), "claims": claims}


def _submit(desk: Desk, caller: Caller, asking: Asking) -> Body:
    rows = []
    for _ in range(3):
        which, desk.submitted = desk.random.choice(HERE), desk.submitted + 1
        values = items_of(which).values
        four = {item: values[item] for item in ("name", "birth_date")}
        reference = f"R{desk.submitted}"
        if desk.random.random() < 0.5:
            rows.append([reference, *by_number(which)[1:]])
        else:
            rows.append(by_four(reference, **four))
    purpose = asking.purpose or min(PURPOSES)
    content = inquiry(rows, purpose, f"R8-{desk.submitted}")
    return {
        "file": base64.b64encode(seal_for(desk.media_key, content)).decode(),
        "media_id": "USB-0001",
        "recipient": desk.recipients[purpose],
        "items": desk.items(asking),
    }


def _subject(desk: Desk, caller: Caller, asking: Asking) -> Body:
    values = desk.values()
    subject = {item: values[item] for item in ("name", "birth_date", "sex", "address")}
    body = {"method": "counter", "subject": subject, "identity": ["passport"], "stamps_yen": 10}
    if asking.operation == "disclosure/receive":
        return body
    return {"number": desk.number(), **{k: body[k] for k in ("subject", "identity")}}


def _notify(desk: Desk, caller: Caller, asking: Asking) -> Body:
    # Whatever municipality the person is of: most are others', and nothing of them is told.
    values = desk.values()
    left_out = ("retention_flag", "search_kana", "operator_id", "terminal_id", "recorded_at")
    notice = {item: value for item, value in values.items() if item not in left_out}
    for item in ("notified_on", "gaiji_flag", "removed_flag"):
        del notice[item]
    notice |= {"sequence": desk.random.randint(1, 30), "previous_resident_code": None}
    return {"notifications": [notice]}


def _of_person(desk: Desk, caller: Caller, asking: Asking) -> Body:
    return {"by": {"resident_code": desk.values()["resident_code"]}}


def _of_case(desk: Desk, caller: Caller, asking: Asking) -> Body:
    return {"number": desk.number()}


def _of_job(desk: Desk, caller: Caller, asking: Asking) -> Body:
    return {"job": desk.number(), "media_id": "USB-0002"}


def _of_run(desk: Desk, caller: Caller, asking: Asking) -> Body:
    return {"run": desk.number()}


def _digest(desk: Desk, caller: Caller, asking: Asking) -> Body:
    bucket = {"municipality_code": desk.random.choice(MUNICIPALITIES), "prefix": ""}
    return {
        **_of_run(desk, caller, asking),
        "buckets": [{**bucket, "count": 1, "digest": "0" * 32}],
    }


def _compare(desk: Desk, caller: Caller, asking: Asking) -> Body:
    # Of a municipality that may be another's: everybody whom it does not name is told as missing.
    place = {"municipality_code": desk.random.choice(MUNICIPALITIES), "through": "f" * 32}
    return {**_of_run(desk, caller, asking), "whole": place}


def _inbox(desk: Desk, caller: Caller, asking: Asking) -> Body:
    return {"municipality_code": desk.random.choice((*MUNICIPALITIES, caller.municipality))}


def _appointment(desk: Desk, caller: Caller, asking: Asking) -> Body:
    which = desk.random.randint(5000, 9999)
    roles = desk.random.sample(("clerk", "registrar", "auditor", "contractor"), 2)
    office = {"office": "市町村課", "roles": roles, "expires_on": "2099-03-31"}
    return {"operator_id": f"OP-{which}", "person_id": f"P-{which}", **office}


def _error(desk: Desk, caller: Caller, asking: Asking) -> Body:
    code = desk.values()["resident_code"]
    notice = f"N-{desk.random.randint(1, 10**6)}"
    return {"notice": notice, "resident_code": code, "items": ["name"], "finding": "differs"}


def _always(**body: Any) -> Callable[[Desk, Caller, Asking], Body]:
    return lambda desk, caller, asking: dict(body)


BODIES: Mapping[str, Callable[[Desk, Caller, Asking], Body]] = {
    "search/find": _find,
    "search/detail": _detail,
    "provision/inquire": _inquire,
    "provision/verify": _verify,
    "provision/report": _of_person,
    "provision/bulk-submit": _submit,
    "provision/bulk-approve": _of_job,
    "provision/bulk-fetch": _of_job,
    "provision/bulk-cancel": lambda desk, caller, asking: {"job": desk.number()},
    "provision/yearly": _always(fiscal_year=2026),
    "relay/inquire": _inquire,
    "relay/case": lambda desk, caller, asking: {
        "number": desk.number(),
        "items": desk.items(asking),
    },
    "relay/close-case": lambda desk, caller, asking: {"number": desk.number(), "reason": "確認済"},
    "relay/send-again": _of_case,
    "relay/feed": lambda desk, caller, asking: {"after": desk.random.randint(0, 200), "limit": 5},
    "relay/report-error": _error,
    "reconcile/begin": lambda desk, caller, asking: {
        "mode": desk.random.choice(("differences", "whole"))
    },
    "reconcile/digest": _digest,
    "reconcile/compare": _compare,
    "reconcile/finish": lambda desk, caller, asking: {"run": desk.number(), "roots": []},
    "reconcile/report": _of_run,
    "update/notify": _notify,
    "update/inbox": _inbox,
    "update/withdraw": lambda desk, caller, asking: {"sequence": desk.number()},
    "ledger/search": _always(limit=30),
    "ledger/person": _of_person,
    "ledger/proof": lambda desk, caller, asking: {"index": desk.random.randint(0, 400)},
    "disclosure/receive": _subject,
    "disclosure/amend": _subject,
    "disclosure/case": _of_case,
    "disclosure/match": _of_case,
    "disclosure/link": _of_case,
    "roster/add-operator": _appointment,
    "job/status": _always(name="retention/erase"),
    "job/run": _always(name="retention/erase"),
    "statistics/population": _always(by=["municipality"]),
    "statistics/updates": _always(period="2026-04", by=["municipality"]),
    "statistics/provisions": _always(period="2026-04", by=["purpose"]),
}
"""Of the others the empty request is sent: a list, or something that is refused as malformed."""
