"""What a municipality's server and the appliance say to one another in a 整合性確認."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from appliance.plugin_api import (
    ADDRESS_LENGTH,
    NAME_LENGTH,
    Answer,
    AreaText,
    Arguments,
    DateText,
    ItemName,
    MyNumberText,
    ResidentCodeText,
    SexText,
    ShortText,
    Value,
    Values,
    composed,
    hiragana,
)
from plugins.reconcile.tree import Next

MOST_BUCKETS = 4096
MOST_LEAVES = 512
MOST_RECORDS = 500

Mode = Literal["differences", "whole"]
Kind = Literal["differing", "missing-here", "missing-there"]
NameSent = Annotated[str, Meta(max_length=4 * NAME_LENGTH)]
AddressSent = Annotated[str, Meta(max_length=4 * ADDRESS_LENGTH)]
"""A visible character may take several code points: selectors, marks."""
RunNumber = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
DigestText = Annotated[
    str,
    Meta(
        min_length=32, max_length=32, pattern="^[0-9a-f]{32}$", description="32 hexadecimal digits"
    ),
]
PrefixText = Annotated[
    str, Meta(max_length=32, pattern="^[0-9a-f]*$", description="up to 32 hexadecimal digits")
]
MarkText = Annotated[
    str,
    Meta(
        min_length=64, max_length=64, pattern="^[0-9a-f]{64}$", description="64 hexadecimal digits"
    ),
]
"""Place and digest of a resident."""


class Begin(Arguments, frozen=True, kw_only=True):
    """How to compare: down to the differences, or every record in the order of places."""

    mode: Mode = "differences"


class Group(Answer, frozen=True, kw_only=True):
    """A 市町村コード of the caller's, the key of its marks (hex), how many residents we have."""

    municipality_code: str
    key: str
    count: int


class Begun(Answer, frozen=True, kw_only=True):
    """The number of the run, the items that are compared, and the caller's groups."""

    run: int
    mode: Mode
    item_list: str
    items: tuple[str, ...]
    groups: tuple[Group, ...]


class Bucket(Arguments, frozen=True, kw_only=True):
    """What the caller's marks below a prefix come to."""

    municipality_code: AreaText
    prefix: PrefixText
    count: Count
    digest: DigestText


class Leaf(Arguments, frozen=True, kw_only=True):
    """Every mark of the caller's below a prefix."""

    municipality_code: AreaText
    prefix: PrefixText
    marks: Annotated[tuple[MarkText, ...], Meta(max_length=1024)]


class Digest(Arguments, frozen=True, kw_only=True):
    """Buckets to be compared by digest, and small ones mark by mark."""

    run: RunNumber
    buckets: Annotated[tuple[Bucket, ...], Meta(max_length=MOST_BUCKETS)] = ()
    leaves: Annotated[tuple[Leaf, ...], Meta(max_length=MOST_LEAVES)] = ()


class Differs(Answer, frozen=True, kw_only=True):
    """A bucket that differs: send the digests of the sixteen below it, or its marks."""

    municipality_code: str
    prefix: str
    next: Next


class Place(Arguments, frozen=True, kw_only=True):
    """A place of a group."""

    municipality_code: AreaText
    place: DigestText


class Digested(Answer, frozen=True, kw_only=True):
    """What differs: buckets; places whose records to send; places only we have."""

    differing: tuple[Differs, ...]
    send: tuple[Place, ...]
    absent: tuple[Place, ...]


class Record(Arguments, frozen=True, kw_only=True):
    """整合性確認用の本人確認情報 of one current resident: the items that are compared (R91)."""

    resident_code: ResidentCodeText
    name: NameSent
    name_gaiji_count: Count = 0
    kana: NameSent | None
    birth_date: DateText
    birth_date_as_written: ShortText | None = None
    sex: SexText
    address: AddressSent
    address_gaiji_count: Count = 0
    my_number: MyNumberText | None
    reason: Annotated[str, Meta(min_length=2, max_length=2)]
    effective_date: DateText
    municipality_code: AreaText
    town_code: AreaText | None
    update_number: Annotated[int, Meta(ge=1)]
    name_gaiji_serial: Count = 0
    address_gaiji_serial: Count = 0

    def values(self) -> Values:
        """Return the items in the form in which they are stored."""
        plain: dict[ItemName, Value] = {
            ItemName(name): value for name, value in msgspec.structs.asdict(self).items()
        }
        stored: dict[ItemName, Value] = {
            ItemName("name"): composed(self.name),
            ItemName("address"): composed(self.address),
            ItemName("kana"): None if self.kana is None else hiragana(self.kana),
        }
        return plain | stored


class Range(Arguments, frozen=True, kw_only=True):
    """Of a group, the places above ``after`` (left out: from the first) and up to ``through``."""

    municipality_code: AreaText
    after: DigestText | None = None
    through: DigestText


class Compare(Arguments, frozen=True, kw_only=True):
    """Records, and places only we have; or all records of a range."""

    run: RunNumber
    records: Annotated[tuple[Record, ...], Meta(max_length=MOST_RECORDS)] = ()
    absent: Annotated[tuple[Place, ...], Meta(max_length=MOST_RECORDS)] = ()
    whole: Range | None = None


class Found(Answer, frozen=True, kw_only=True):
    """Somebody about whom the files differ, and in which items; what to do stands in ``text``."""

    resident_code: str
    kind: Kind
    items: tuple[str, ...] = ()
    text: str


class Compared(Answer, frozen=True, kw_only=True):
    """What differs, and how many records were the same."""

    same: int
    findings: tuple[Found, ...]


class Root(Arguments, frozen=True, kw_only=True):
    """What all the caller's marks of a group come to."""

    municipality_code: AreaText
    count: Count
    digest: DigestText


class Finish(Arguments, frozen=True, kw_only=True):
    """What the caller's groups come to at the end."""

    run: RunNumber
    roots: Annotated[tuple[Root, ...], Meta(max_length=64)]


class Paired(Answer, frozen=True, kw_only=True):
    """Somebody missing here who may be somebody missing there, and what is the same (R94)."""

    sent: str
    kept: str
    score: int
    same: tuple[str, ...]


class Finished(Answer, frozen=True, kw_only=True):
    """整合性確認結果 (R93)."""

    run: int
    result: Literal["agreed", "differs"]
    explained: bool
    """Whether the findings make up for the difference between the two counts."""
    theirs: int
    ours: int
    differing: int
    missing_here: int
    missing_there: int
    pairs: tuple[Paired, ...]
    finished_at: datetime
    next_due: str
    """The day by which the next run is due."""
    text: str
