"""The whole contract of a plugin: everything a vendor imports comes from here.

A plugin is a module with functions marked ``@hookimpl`` (the questions are in ``hookspecs.py``),
found by the entry point group ``appliance.plugins`` and let in by ``firmware_config/plugins.toml``.
Operations are module constants; their handlers get a ``Case`` and their own arguments, see
residents only through ``case.registry``, and raise a ``Refusal`` for whatever the caller must know.
"""

import pluggy

from appliance import thresholds
from appliance.audit import Reading
from appliance.case import Case
from appliance.certificates import BadCertificate, peer_from_pem
from appliance.errors import (
    AddConditions,
    BadGateway,
    Conflict,
    Malformed,
    NotFound,
    NotPermitted,
    Problem,
    Refusal,
    Rejected,
    TooMany,
    Unavailable,
)
from appliance.finding import Conditions, Hit, Why
from appliance.items import ITEM_NAMES, ITEMS, PROVIDED, ItemName, Value, Values
from appliance.jobs import Job, Nothing, Step
from appliance.marks import AGREED, ITEM_LIST, PLACE_SIZE, Marks, digest_of, place_of
from appliance.media import data_lines, framed, rows_digest, unframed
from appliance.model import (
    AT_A_TERMINAL,
    JST,
    SYSTEM,
    Actor,
    Behalf,
    Change,
    Deny,
    Grant,
    Message,
    OperationName,
    PurposeCode,
    Request,
    Resident,
    Role,
    TerminalKind,
)
from appliance.national import BASIS as NATIONAL_BASIS
from appliance.national import Abroad, Elsewhere
from appliance.operation import Answer, AnyOperation, Arguments, Operation, Power
from appliance.outgoing import Backlog, Dispatch, inbox_of
from appliance.papers import Papers
from appliance.policy import Policy
from appliance.recount import differences, has_lapsed
from appliance.registers import Entry, Register
from appliance.roster import OperatorRecord, TerminalRecord
from appliance.sessions import MAX_FAILURES
from appliance.standing import Standing
from appliance.values.addresses import address_key, names_a_house
from appliance.values.characters import (
    ADDRESS_LENGTH,
    NAME_LENGTH,
    Gaiji,
    composed,
    gaiji,
    outsiders,
    visible_length,
    with_geta,
)
from appliance.values.dates import Eras, PartialDate, western
from appliance.values.identifiers import (
    Municipalities,
    Municipality,
    is_my_number,
    is_resident_code,
)
from appliance.values.kana import hiragana, seion
from appliance.values.normalise import kana_key, name_key
from appliance.vocabulary import (
    AddressText,
    AreaText,
    DateText,
    Item,
    Items,
    MyNumberText,
    NameText,
    ResidentCodeText,
    SexText,
    ShortText,
    Told,
    YearText,
    check_digits,
    is_birth_date,
    told,
)
from appliance.watch import Alarm, Watch
from storage.engine import Mark, PersonId, VersionId

hookimpl = pluggy.HookimplMarker("appliance")

__all__ = [
    "ADDRESS_LENGTH",
    "AGREED",
    "AT_A_TERMINAL",
    "ITEMS",
    "ITEM_LIST",
    "ITEM_NAMES",
    "JST",
    "MAX_FAILURES",
    "NAME_LENGTH",
    "NATIONAL_BASIS",
    "PLACE_SIZE",
    "PROVIDED",
    "SYSTEM",
    "Abroad",
    "Actor",
    "AddConditions",
    "AddressText",
    "Alarm",
    "Answer",
    "AnyOperation",
    "AreaText",
    "Arguments",
    "Backlog",
    "BadCertificate",
    "BadGateway",
    "Behalf",
    "Case",
    "Change",
    "Conditions",
    "Conflict",
    "DateText",
    "Deny",
    "Dispatch",
    "Elsewhere",
    "Entry",
    "Eras",
    "Gaiji",
    "Grant",
    "Hit",
    "Item",
    "ItemName",
    "Items",
    "Job",
    "Malformed",
    "Mark",
    "Marks",
    "Message",
    "Municipalities",
    "Municipality",
    "MyNumberText",
    "NameText",
    "NotFound",
    "NotPermitted",
    "Nothing",
    "Operation",
    "OperationName",
    "OperatorRecord",
    "Papers",
    "PartialDate",
    "PersonId",
    "Policy",
    "Power",
    "Problem",
    "PurposeCode",
    "Reading",
    "Refusal",
    "Register",
    "Rejected",
    "Request",
    "Resident",
    "ResidentCodeText",
    "Role",
    "SexText",
    "ShortText",
    "Standing",
    "Step",
    "TerminalKind",
    "TerminalRecord",
    "Told",
    "TooMany",
    "Unavailable",
    "Value",
    "Values",
    "VersionId",
    "Watch",
    "Why",
    "YearText",
    "address_key",
    "check_digits",
    "composed",
    "data_lines",
    "differences",
    "digest_of",
    "framed",
    "gaiji",
    "has_lapsed",
    "hiragana",
    "hookimpl",
    "inbox_of",
    "is_birth_date",
    "is_my_number",
    "is_resident_code",
    "kana_key",
    "name_key",
    "names_a_house",
    "outsiders",
    "peer_from_pem",
    "place_of",
    "rows_digest",
    "seion",
    "thresholds",
    "told",
    "unframed",
    "visible_length",
    "western",
    "with_geta",
]
