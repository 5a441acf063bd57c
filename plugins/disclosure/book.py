"""開示・訂正の受付簿: one numbered case for each request, from its receipt to its end (R63, R75).

::

    disclosure   received ──match──► matched, absent ──issue──► issued ──deliver──► delivered
                     ▲                mismatch, several                                 │
                     └──────amend────────────┘                               close ──► closed

    correction   received ──investigate──► investigated ──report──► reported ──link──► linked
                                                └───────result──────────┴────────────────┤
                                                                     as above ◄── issued ┘

Cases are entries of a register: every state before is kept. They hold what the requester wrote,
never a 個人番号 (R64), and of the register only who was meant and which version was disclosed.
"""

from contextlib import suppress
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from appliance.plugin_api import (
    AddConditions,
    AddressText,
    Answer,
    Arguments,
    Case,
    DateText,
    Entry,
    Malformed,
    NameText,
    Register,
    Rejected,
    ResidentCodeText,
    SexText,
)
from plugins.disclosure.rules import broken

Kind = Literal["disclosure", "correction"]
Channel = Literal["counter", "post"]
"""来庁, 郵送 (R77)."""
Proof = Literal[
    "driving-licence",
    "my-number-card",
    "passport",
    "residence-card",
    "disability-certificate",
    "two-other-documents",
]
"""本人確認書類 that was shown, or whose copy came by post; nothing of what stands on it is kept."""
Proofs = Annotated[tuple[Proof, ...], Meta(min_length=1, max_length=6)]
Number = Annotated[int, Meta(ge=1, le=999_999_999_999)]
"""受付番号, or the number of a paper in the 帳票管理簿."""
FreeText = Annotated[str, Meta(min_length=1, max_length=2000)]

LAW = {
    "disclosure": "住民基本台帳法第30条の32(開示)、第30条の33(期限)",
    "correction": "住民基本台帳法第30条の35(訂正等)、第12条の5(通報)",
}
"""根拠条文 shown with each case (R82)."""
STATES = {
    "received": "受付済み",
    "matched": "突合済み(一致)",
    "absent": "突合済み(該当なし)",
    "mismatch": "突合済み(不一致)",
    "several": "突合済み(該当複数)",
    "investigated": "調査済み",
    "reported": "通報済み",
    "linked": "通知関連付け済み",
    "issued": "発行済み",
    "delivered": "交付済み",
    "closed": "終了",
}
"""The states of a case as staff read them."""
NAMING = ("resident_code", "name", "birth_date", "sex")
WAITING = ("received", "mismatch", "several")


class Subject(Arguments, frozen=True, kw_only=True):
    """Whose 本人確認情報 is asked for, as the form 別記第2号様式 says it; no 個人番号 (R64)."""

    name: NameText
    birth_date: DateText
    sex: SexText
    address: AddressText
    resident_code: ResidentCodeText | None = None


class Representative(Arguments, frozen=True, kw_only=True):
    """法定代理人 of a minor or of an adult ward (成年被後見人), and how that was shown."""

    standing: Literal["minor", "adult-ward"]
    name: NameText
    address: AddressText
    shown_by: Literal["family-register", "guardianship-certificate", "court-decision"]


class CaseState(Answer, frozen=True, kw_only=True):
    """A case as it stands, without a word about whom it is."""

    number: int
    kind: str
    state: str
    method: str
    received_on: str
    due_on: str
    days_left: int
    """Until ``due_on``, below 0 when it is over; 0 once the case is closed."""
    law: str


class OneCase(Arguments, frozen=True, kw_only=True):
    """A case by its 受付番号."""

    number: Number


def book(case: Case) -> Register:
    """Return the register of the cases."""
    return Register(case.papers, "cases")


def opened(case: Case, number: int, kind: Kind) -> Entry:
    """Return a case that is not closed, of one kind.

    Raises:
        NotFound: there is no such case.
        Rejected: it is of the other kind (D-04), or closed (D-05).
    """
    if book(case).get(number)["kind"] != kind:
        raise broken("D-04")
    return opened_any(case, number)


def opened_any(case: Case, number: int) -> Entry:
    """Return a case of either kind that is not closed.

    Raises:
        NotFound: there is no such case.
        Rejected: it is closed (D-05).
    """
    entry = book(case).get(number)
    if entry["state"] == "closed":
        raise broken("D-05")
    concern(case, entry)
    return entry


def not_now(entry: Entry) -> Rejected:
    """Return the refusal of a step that the state of a case does not allow (D-26)."""
    return broken("D-26", state=STATES[entry["state"]])


def concern(case: Case, entry: Entry) -> None:
    """Enter whom a case is about in the ledger, once that is known."""
    if (person := entry["person"]) is not None:
        case.registry.concerns(person)


def must_be_open(case: Case, entry: Entry) -> None:
    """Hold that what somebody wrote may be shown here: before the 突合 nobody is meant yet.

    Raises:
        Protected: it may be somebody whom two persons open together.
    """
    subject = entry["subject"]
    if entry["person"] is None:
        # Where a name holds nothing or too many have it, the 突合 comes to nobody either.
        with suppress(Malformed, AddConditions):
            by = {name: subject[name] for name in NAMING if subject.get(name)}
            case.registry.require_open(by, case.request.today)


def state_of(number: int, entry: Entry, today: date) -> CaseState:
    """Return a case as it is answered."""
    left = (date.fromisoformat(entry["due_on"]) - today).days
    return CaseState(
        number=number,
        kind=entry["kind"],
        state=entry["state"],
        method=entry["method"],
        received_on=entry["received_on"],
        due_on=entry["due_on"],
        days_left=0 if entry["state"] == "closed" else left,
        law=LAW[entry["kind"]],
    )
