"""提供先の鍵: to whose public key a bulk result is sealed; kept by the システム管理者 (R51, R62).

A recipient belongs to one 事務. The register keeps whoever was retired. Entering a key takes two
persons, for whoever holds its other half reads every result sealed to it: the second one is of the
office that is to get the results, or of that of whoever asks, and compares the key with the paper.
"""

from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    About,
    Answer,
    Arguments,
    Case,
    Conflict,
    NotFound,
    Operation,
    OperationName,
    Papers,
    Problem,
    PurposeCode,
    Register,
    Rejected,
    Roster,
    ShortText,
)

Number = Annotated[int, Meta(ge=1)]
PublicKey = Annotated[str, Meta(min_length=44, max_length=44)]
"""X25519, 32 bytes in base64."""


class NoArguments(Arguments, frozen=True, kw_only=True):
    """Nothing is asked for."""


class MediaKey(Answer, frozen=True, kw_only=True):
    """For which key a file for the appliance is to be sealed."""

    public_key: str


class Recipient(Answer, frozen=True, kw_only=True):
    """One recipient; the agency is that of the 事務."""

    number: int
    purpose: str
    agency: str
    name: str
    public_key: str
    retired: bool


class Recipients(Answer, frozen=True, kw_only=True):
    """Every recipient, the retired ones too."""

    recipients: tuple[Recipient, ...]


class AddRecipient(Arguments, frozen=True, kw_only=True):
    """Whose key, and for which 事務."""

    purpose: ShortText
    name: Annotated[ShortText, Meta(title="提供先の名称")]
    public_key: PublicKey


class RetireRecipient(Arguments, frozen=True, kw_only=True):
    """Who is to get nothing more."""

    number: Number


def book(case: Case) -> Register:
    """Return the register of recipients."""
    return Register(case.papers, "recipient")


def media_key(case: Case, asked: NoArguments) -> MediaKey:
    """Tell the key for which files are sealed."""
    return MediaKey(public_key=case.media.public_key)


def recipients(case: Case, asked: NoArguments) -> Recipients:
    """List everybody."""
    every = tuple(_recipient(number, entry) for number, entry in book(case).every())
    return Recipients(recipients=every)


def whose(roster: Roster, asked: AddRecipient) -> About:
    """Return the office that is to get the results."""
    return About(offices=frozenset({asked.name}))


def add(case: Case, asked: AddRecipient) -> Recipient:
    """Enter a recipient.

    Raises:
        Rejected: there is no such 事務.
        Malformed: that is not a public key.
        Conflict: the key is registered already, for whomever; a retired one is not used again.
    """
    rule = case.policy.purposes.get(PurposeCode(asked.purpose))
    if rule is None:
        text = "この事務は登録されていません。事務の選択を確認してください。"
        raise Rejected("there is no such purpose", [Problem("B-20", "purpose", text)])
    case.media.seal_for(asked.public_key, b"")
    if any(known["public_key"] == asked.public_key for _, known in book(case).every()):
        raise Conflict("this public key is registered already")
    entry = {
        "purpose": asked.purpose,
        "agency": rule.agency,
        "name": asked.name,
        "public_key": asked.public_key,
        "retired": False,
    }
    return _recipient(book(case).add(entry), entry)


def retire(case: Case, asked: RetireRecipient) -> Recipient:
    """Let a recipient get nothing more; what was submitted for it is not handed out either."""
    return _recipient(asked.number, book(case).amend(asked.number, retired=True))


def name_of(papers: Papers, number: int) -> str:
    """Return what a recipient is called, retired or not."""
    return str(Register(papers, "recipient").get(number)["name"])


def recipient_of(case: Case, number: int) -> Recipient:
    """Return a recipient that may get something under the 事務 of this request.

    Raises:
        NotFound: there is none, or it belongs to another 事務.
        Rejected: it was retired.
    """
    found = _recipient(number, book(case).get(number))
    if found.purpose != case.request.purpose:
        raise NotFound("this purpose has no such recipient")
    if found.retired:
        text = "この提供先の鍵は廃止されています。現在の鍵の番号を指定してください。"
        raise Rejected("the recipient was retired", [Problem("B-21", "recipient", text)])
    return found


def _recipient(number: int, entry: dict[str, object]) -> Recipient:
    return Recipient(
        number=number,
        purpose=str(entry["purpose"]),
        agency=str(entry["agency"]),
        name=str(entry["name"]),
        public_key=str(entry["public_key"]),
        retired=bool(entry["retired"]),
    )


OPERATIONS = (
    Operation(
        name=OperationName("provision/media-key"),
        summary="Tell the public key for which files for the appliance are sealed.",
        asks=NoArguments,
        answers=MediaKey,
        handler=media_key,
        purposed=False,
    ),
    Operation(
        name=OperationName("provision/recipients"),
        summary="List the recipients of bulk results and their keys.",
        asks=NoArguments,
        answers=Recipients,
        handler=recipients,
        purposed=False,
    ),
    Operation(
        name=OperationName("provision/add-recipient"),
        summary="Enter the public key to which the results of a purpose are sealed.",
        asks=AddRecipient,
        answers=Recipient,
        handler=add,
        example={
            "purpose": "prefectural-tax",
            "name": "県税事務所",
            "public_key": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
        },
        changes=True,
        seconded=True,
        about=whose,
        purposed=False,
        records=("purpose", "name", "public_key"),
    ),
    Operation(
        name=OperationName("provision/retire-recipient"),
        summary="Let a recipient get nothing more.",
        asks=RetireRecipient,
        answers=Recipient,
        handler=retire,
        changes=True,
        purposed=False,
        records=("number",),
    ),
)
