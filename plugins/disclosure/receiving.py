"""開示の請求の受付 (R63, R64, R77, R78): receive, put right, match, close."""

from datetime import date, timedelta
from typing import Annotated, Literal

from msgspec import Meta, convert, to_builtins

from appliance.plugin_api import (
    Arguments,
    Case,
    DateText,
    Entry,
    Operation,
    OperationName,
)
from plugins.disclosure.book import (
    WAITING,
    CaseState,
    Channel,
    Number,
    OneCase,
    Proofs,
    Representative,
    Subject,
    book,
    concern,
    opened,
    opened_any,
    state_of,
)
from plugins.disclosure.matching import matched
from plugins.disclosure.rules import MOST_DAYS_AGO, broken, day_of, due_on, is_of_age
from plugins.disclosure.sheets import in_hand

Yen = Annotated[int, Meta(ge=0, le=100_000)]

ADVICE = {
    "matched": "請求書の記載は記録と一致しました。"
    "発行する内容(preview)を確認し、発行に進んでください。",
    "mismatch": "請求書の記載に記録と異なる項目があります。"
    "請求者に確認し、補正してください。記載に誤りがないと確認したときは、"
    "確認済みとして再び突合してください。",
    "several": "該当する方が複数います。住民票コードを確認し、補正してください。",
    "absent": "該当する記録がありません。まず請求者に住民票コードを確認し、補正の上、"
    "再び突合してください(住所の表記だけが異なることがあります)。住民票コードによっても確認できない"
    "ときは、記載に誤りがないか確認した上で、発行する内容(preview)を確認し、発行に進むと"
    "不存在の通知書が出力されます。",
}


class Receive(Arguments, frozen=True, kw_only=True):
    """A 本人確認情報開示請求書 as it was handed in or came by post; there is no 個人番号 in it."""

    method: Channel
    received_on: DateText | None = None
    """Today unless given; the 30 days are counted from it."""
    subject: Subject
    identity: Proofs
    representative: Representative | None = None
    stamps_yen: Yen = 0
    """Of 収入証紙 on the request."""


class Received(CaseState, frozen=True, kw_only=True):
    """The new case, and what it costs."""

    fee_yen: int
    paid: bool


class Amend(Arguments, frozen=True, kw_only=True):
    """補正: what of a request is put right; what is not given stays."""

    number: Number
    received_on: DateText | None = None
    subject: Subject | None = None
    identity: Proofs | None = None
    stamps_yen: Yen | None = None


class Match(OneCase, frozen=True, kw_only=True):
    """Which case; after a mismatch, whether the requester confirmed what he had written."""

    confirmed: bool = False


class Matched(CaseState, frozen=True, kw_only=True):
    """What the 突合 came to; no value of the record."""

    differing: tuple[str, ...]
    advice: str


class Close(Arguments, frozen=True, kw_only=True):
    """Why a case is over: carried out, taken back (取下げ), or not put right in time (却下)."""

    number: Number
    why: Literal["completed", "withdrawn", "rejected"]


class Closed(CaseState, frozen=True, kw_only=True):
    """The case, closed."""


def receive(case: Case, asked: Receive) -> Received:
    """Open a case."""
    today = case.request.today
    received = today if asked.received_on is None else _accepted(asked.received_on, today)
    _entitled(asked.subject, asked.representative, received)
    entry: Entry = {
        "kind": "disclosure",
        "state": "received",
        "method": asked.method,
        "received_on": received.isoformat(),
        "due_on": due_on(received).isoformat(),
        "subject": to_builtins(asked.subject),
        "identity": list(asked.identity),
        "representative": to_builtins(asked.representative),
        "stamps_yen": asked.stamps_yen,
        "person": None,
    }
    number = book(case).add(entry)
    case.note.result = f"case {number}"
    return _received(case, number, entry)


def amend(case: Case, asked: Amend) -> Received:
    """Put a request right; after a change of the subject it is matched again."""
    entry = opened(case, asked.number, "disclosure")
    if "issued" in entry:
        raise broken("D-10")
    changed = {
        name: to_builtins(value)
        for name in ("subject", "identity", "stamps_yen")
        if (value := getattr(asked, name)) is not None
    }
    received = received_on(entry)
    if asked.received_on is not None:
        received = _accepted(asked.received_on, case.request.today)
        changed["received_on"] = received.isoformat()
        if "extended" not in entry:
            changed["due_on"] = due_on(received).isoformat()
    subject = convert(changed.get("subject", entry["subject"]), Subject)
    _entitled(subject, convert(entry["representative"], Representative | None), received)
    if asked.subject is not None:
        changed |= {"state": "received", "person": None}
    return _received(case, asked.number, book(case).amend(asked.number, **changed))


def match(case: Case, asked: Match) -> Matched:
    """Compare what the requester wrote with the file (R67)."""
    entry = opened(case, asked.number, "disclosure")
    if "issued" in entry:
        raise broken("D-10")
    found = matched(case, convert(entry["subject"], Subject), confirmed=asked.confirmed)
    entry = book(case).amend(
        asked.number,
        state=found.outcome,
        person=found.person,
        version=None if found.person is None else case.registry.latest(found.person),
        differing=list(found.differing),
        confirmed=asked.confirmed,
    )
    concern(case, entry)
    case.note.result = f"case {asked.number}: {found.outcome}"
    return Matched(
        **to_builtins(state_of(asked.number, entry, case.request.today)),
        differing=found.differing,
        advice=ADVICE[found.outcome],
    )


def close(case: Case, asked: Close) -> Closed:
    """Close a case of either kind."""
    entry = opened_any(case, asked.number)
    if asked.why == "completed" and entry["state"] != "delivered":
        raise broken("D-19")
    if left := in_hand(case, asked.number):
        raise broken("D-31", sheets="、".join(str(sheet) for sheet in left))
    today = case.request.today
    entry = book(case).amend(
        asked.number, state="closed", closed={"why": asked.why, "on": today.isoformat()}
    )
    case.note.result = f"case {asked.number}: {asked.why}"
    return Closed(**to_builtins(state_of(asked.number, entry, today)))


def ready(case: Case, number: int) -> Entry:
    """Return a case of which a paper may be issued.

    Raises:
        Rejected: it is not matched (D-07), or not as written (D-08), or changed since (D-09), or
            issued already (D-10), or the fee is not paid (D-06).
    """
    entry = opened(case, number, "disclosure")
    if "issued" in entry:
        raise broken("D-10")
    if entry["state"] in WAITING:
        raise broken("D-08" if entry["state"] == "mismatch" else "D-07")
    if entry["stamps_yen"] < case.policy.office.fee_yen:
        raise broken("D-06")
    if entry["person"] is not None and case.registry.latest(entry["person"]) != entry["version"]:
        raise broken("D-09")
    return entry


def received_on(entry: Entry) -> date:
    """Return the day a request was accepted."""
    return date.fromisoformat(entry["received_on"])


def _accepted(text: str, today: date) -> date:
    day = day_of(text, "D-01")
    if day > today:
        raise broken("D-01")
    if day < today - timedelta(days=MOST_DAYS_AGO):
        raise broken("D-35")
    return day


def _entitled(subject: Subject, representative: Representative | None, received: date) -> None:
    """Refuse a parent of whom is of age on the day of acceptance (D-03)."""
    of_age = is_of_age(subject.birth_date, received)
    if representative is not None and representative.standing == "minor" and of_age:
        raise broken("D-03")


def _received(case: Case, number: int, entry: Entry) -> Received:
    fee = case.policy.office.fee_yen
    return Received(
        **to_builtins(state_of(number, entry, case.request.today)),
        fee_yen=fee,
        paid=entry["stamps_yen"] >= fee,
    )


RECEIVE = Operation(
    name=OperationName("disclosure/receive"),
    summary="Enter a resident's request for disclosure in the register.",
    asks=Receive,
    answers=Received,
    handler=receive,
    changes=True,
    records=("method", "received_on", "identity", "stamps_yen"),
    drops=("subject", "representative"),
)
AMEND = Operation(
    name=OperationName("disclosure/amend"),
    summary="Put right what was wrong or missing in a request.",
    asks=Amend,
    answers=Received,
    handler=amend,
    changes=True,
    records=("number", "received_on", "identity", "stamps_yen"),
    drops=("subject",),
)
MATCH = Operation(
    name=OperationName("disclosure/match"),
    summary="Compare what the requester wrote with the file, without showing it.",
    asks=Match,
    answers=Matched,
    handler=match,
    changes=True,
    records=("number", "confirmed"),
)
CLOSE = Operation(
    name=OperationName("disclosure/close"),
    summary="Close a case.",
    asks=Close,
    answers=Closed,
    handler=close,
    changes=True,
    records=("number", "why"),
)
OPERATIONS = (RECEIVE, AMEND, MATCH, CLOSE)
