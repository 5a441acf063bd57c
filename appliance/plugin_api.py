"""The whole contract of a plugin: everything a vendor imports comes from here.

A plugin is a module with functions marked ``@hookimpl`` (the questions are in ``hookspecs.py``),
found by the entry point group ``appliance.plugins`` and let in by ``firmware_config/plugins.toml``.
Operations are module constants; their handlers get a ``Case`` and their own arguments, see
residents only through ``case.registry``, and raise a ``Refusal`` for whatever the caller must know.
"""

import pluggy

from appliance import thresholds
from appliance.audit import Reading
from appliance.case import Case, Power
from appliance.certificates import BadCertificate, peer_from_pem
from appliance.duties import Duty, duties_of, joins_blind
from appliance.enrolling import terminal_named_in
from appliance.errors import (
    AddConditions,
    BadGateway,
    Conflict,
    Malformed,
    NeedsApproval,
    NotFound,
    NotPermitted,
    Problem,
    Protected,
    Refusal,
    Rejected,
    TooMany,
    Unavailable,
)
from appliance.finding import Conditions, Hit, Why
from appliance.firstload import FirstLoad, Judged, Occasion, Turn
from appliance.hours import PATTERN as HOURS_PATTERN
from appliance.hours import check as check_hours
from appliance.items import ITEM_NAMES, ITEMS, PROVIDED, ItemName, Value, Values
from appliance.jobs import Job, Nothing, Step
from appliance.ledger_reader import LedgerReader
from appliance.marks import AGREED, ITEM_LIST, MARK_SIZE, PLACE_SIZE, Marks, digest_of, place_of
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
    Operator,
    PurposeCode,
    Request,
    Resident,
    Role,
    TerminalKind,
)
from appliance.national import BASIS as NATIONAL_BASIS
from appliance.national import Abroad, Elsewhere
from appliance.operation import About, Answer, AnyOperation, Arguments, Operation
from appliance.outgoing import Backlog, Dispatch, inbox_of
from appliance.papers import Papers
from appliance.policy import Policy
from appliance.press import (
    MOST_ROWS,
    Printed,
    is_drawn,
    missing,
    printed_form,
    printed_table,
    shapes_missing,
)
from appliance.press.glyphs import Missing
from appliance.proofs import MAX_FAILURES
from appliance.protection import OPEN_FOR, Opening, ProtectionMark
from appliance.reasons import AMENDED, ENTERED, REASONS, STRUCK_OFF
from appliance.recount import differences, has_lapsed
from appliance.registers import Entry, Register
from appliance.roster import Roster
from appliance.screen import (
    Answered,
    Desk,
    Form,
    Ground,
    Onward,
    Page,
    Paper,
    Progress,
    Redirect,
    Screen,
    Upload,
    Waiting,
    Who,
    ground_stated,
)
from appliance.screens import plots
from appliance.staff import (
    Device,
    LoginState,
    Method,
    OperatorRecord,
    PersonRecord,
    PinGrant,
    Revised,
)
from appliance.standing import Standing
from appliance.terminals import TerminalRecord
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
from appliance.wire import decode_line as strict_json
from storage.engine import Mark, PersonId, VersionId

hookimpl = pluggy.HookimplMarker("appliance")

__all__ = [
    "ADDRESS_LENGTH",
    "AGREED",
    "AMENDED",
    "AT_A_TERMINAL",
    "ENTERED",
    "HOURS_PATTERN",
    "ITEMS",
    "ITEM_LIST",
    "ITEM_NAMES",
    "JST",
    "MARK_SIZE",
    "MAX_FAILURES",
    "MOST_ROWS",
    "NAME_LENGTH",
    "NATIONAL_BASIS",
    "OPEN_FOR",
    "PLACE_SIZE",
    "PROVIDED",
    "REASONS",
    "STRUCK_OFF",
    "SYSTEM",
    "About",
    "Abroad",
    "Actor",
    "AddConditions",
    "AddressText",
    "Alarm",
    "Answer",
    "Answered",
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
    "Desk",
    "Device",
    "Dispatch",
    "Duty",
    "Elsewhere",
    "Entry",
    "Eras",
    "FirstLoad",
    "Form",
    "Gaiji",
    "Grant",
    "Ground",
    "Hit",
    "Item",
    "ItemName",
    "Items",
    "Job",
    "Judged",
    "LedgerReader",
    "LoginState",
    "Malformed",
    "Mark",
    "Marks",
    "Message",
    "Method",
    "Missing",
    "Municipalities",
    "Municipality",
    "MyNumberText",
    "NameText",
    "NeedsApproval",
    "NotFound",
    "NotPermitted",
    "Nothing",
    "Occasion",
    "Onward",
    "Opening",
    "Operation",
    "OperationName",
    "Operator",
    "OperatorRecord",
    "Page",
    "Paper",
    "Papers",
    "PartialDate",
    "PersonId",
    "PersonRecord",
    "PinGrant",
    "Policy",
    "Power",
    "Printed",
    "Problem",
    "Progress",
    "Protected",
    "ProtectionMark",
    "PurposeCode",
    "Reading",
    "Redirect",
    "Refusal",
    "Register",
    "Rejected",
    "Request",
    "Resident",
    "ResidentCodeText",
    "Revised",
    "Role",
    "Roster",
    "Screen",
    "SexText",
    "ShortText",
    "Standing",
    "Step",
    "TerminalKind",
    "TerminalRecord",
    "Told",
    "TooMany",
    "Turn",
    "Unavailable",
    "Upload",
    "Value",
    "Values",
    "VersionId",
    "Waiting",
    "Watch",
    "Who",
    "Why",
    "YearText",
    "address_key",
    "check_digits",
    "check_hours",
    "composed",
    "data_lines",
    "differences",
    "digest_of",
    "duties_of",
    "framed",
    "gaiji",
    "ground_stated",
    "has_lapsed",
    "hiragana",
    "hookimpl",
    "inbox_of",
    "is_birth_date",
    "is_drawn",
    "is_my_number",
    "is_resident_code",
    "joins_blind",
    "kana_key",
    "missing",
    "name_key",
    "names_a_house",
    "outsiders",
    "peer_from_pem",
    "place_of",
    "plots",
    "printed_form",
    "printed_table",
    "rows_digest",
    "seion",
    "shapes_missing",
    "strict_json",
    "terminal_named_in",
    "thresholds",
    "told",
    "unframed",
    "visible_length",
    "western",
    "with_geta",
]
