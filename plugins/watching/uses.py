"""A use: what the detectors see of an entry of the ledger. No name of a resident is in a state.

Conditions are in a ``Use`` only where a detector compares them, and only while it is looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appliance.plugin_api import JST, Reading
from plugins.watching.kin import Kin

FUNCTIONS = ("search/", "provision/", "disclosure/", "relay/", "ledger/person")
"""Operations by which staff see residents."""
INQUIRIES = ("provision/inquire", "provision/verify")
FOLLOWING = ("provision/", "disclosure/", "relay/")
"""What a look is for: a provision, a form, an inquiry under the same case."""
FIND, DETAIL = "search/find", "search/detail"
LOGIN, LOGOUT = "session/", "session/close"
NOTIFY = "update/notify"
PROOFS = ("session/open", "session/verify")
"""Answered only to whoever has proved who he is; a challenge is drawn for anybody."""
NAMES = frozenset(
    {"name", "name_match", "kana", "kana_match", "include_removed", "birth_match", "sex"}
)
"""Conditions of a search that is by name alone: the sex, one of two, is nothing known beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One entry of the ledger, as far as the watching needs it."""

    index: int
    seconds: int
    """Since 1970."""
    day: int
    """The date in Japan, as an ordinal."""
    minute: int
    """Of that day."""
    operation: str
    answered: bool
    refusal: str = ""
    person: str = ""
    """照合ID; empty of machines, and of whoever has not logged in."""
    operator: str = ""
    office: str = ""
    terminal: str = ""
    session: str = ""
    case: str = ""
    """使用簿番号."""
    subjects: tuple[int, ...] = ()
    hits: int = 0
    tried: str = ""
    """As whom somebody tried to prove himself: 照合ID, since a PIN is the person's."""
    sought: str = ""
    """The name or reading of a search by name alone."""
    method: str = ""
    """By what somebody has proved who he is: ``device`` or ``pin``."""
    lags: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """Of notices that were applied: by municipality, how many after how many days."""
    kin: Kin = Kin.NONE
    """Whether the operator's own name, or family name, was asked for or found."""

    @property
    def sees_residents(self) -> bool:
        """Whether somebody of the staff used a function that shows residents."""
        return bool(self.person) and self.operation.startswith(FUNCTIONS)


def use_of(reading: Reading, kin: Kin = Kin.NONE) -> Use:
    """Return what the detectors see of an entry; how names of persons are recorded ends here."""
    at = datetime.fromtimestamp(reading.at_ms / 1000, JST)
    return Use(
        index=reading.index,
        seconds=reading.at_ms // 1000,
        day=at.toordinal(),
        minute=at.hour * 60 + at.minute,
        operation=reading.operation,
        answered=reading.result == reading.result.OK,
        refusal=reading.refusal or "",
        person=reading.person or "",
        operator=reading.operator or "",
        office=reading.office or "",
        terminal=reading.terminal or "",
        session=reading.session or "",
        case=reading.case_number or "",
        subjects=tuple(reading.subjects),
        hits=reading.hits or 0,
        tried=_tried(reading),
        sought=_sought(reading.operation, reading.conditions),
        method=_method(reading),
        lags=reading.conditions.get("lags", {}) if reading.operation == NOTIFY else {},
        kin=kin,
    )


def _tried(reading: Reading) -> str:
    if not reading.operation.startswith(LOGIN):
        return ""
    # Not the 操作者ID that is named beside it: whoever guesses can name another one each time.
    return str(reading.conditions.get("person") or reading.person or "")


def _method(reading: Reading) -> str:
    if reading.operation not in PROOFS or reading.refusal:
        return ""
    return reading.note.partition(" ")[0]


def _sought(operation: str, conditions: Mapping[str, object]) -> str:
    if operation != FIND or not NAMES.issuperset(conditions):
        return ""
    return str(conditions.get("name") or conditions.get("kana") or "")
