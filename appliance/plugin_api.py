"""The whole contract of a plugin: everything a vendor imports comes from here.

A plugin is a module with functions marked ``@hookimpl`` (the questions are in ``hookspecs.py``),
found by the entry point group ``appliance.plugins`` and let in by ``firmware_config/plugins.toml``.
Operations are module constants; their handlers get a ``Case`` and their own arguments, see
residents only through ``case.registry``, and raise a ``Refusal`` for whatever the caller must know.
"""

import pluggy
from appliance.dates import PartialDate

from appliance.case import Case
from appliance.errors import (
    AddConditions,
    Conflict,
    Malformed,
    NotFound,
    NotPermitted,
    Problem,
    Refusal,
    Rejected,
    TooMany,
)
from appliance.finding import Conditions, Hit, Why
from appliance.items import ITEM_NAMES, ITEMS, PROVIDED, ItemName, Value, Values
from appliance.model import (
    JST,
    Actor,
    Change,
    Deny,
    Message,
    OperationName,
    Request,
    Resident,
    TerminalKind,
)
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.roster import OperatorRecord, TerminalRecord

hookimpl = pluggy.HookimplMarker("appliance")

__all__ = [
    "ITEMS",
    "ITEM_NAMES",
    "JST",
    "PROVIDED",
    "Actor",
    "AddConditions",
    "Answer",
    "AnyOperation",
    "Arguments",
    "Case",
    "Change",
    "Conditions",
    "Conflict",
    "Deny",
    "Hit",
    "ItemName",
    "Malformed",
    "Message",
    "NotFound",
    "NotPermitted",
    "Operation",
    "OperationName",
    "OperatorRecord",
    "PartialDate",
    "Problem",
    "Refusal",
    "Rejected",
    "Request",
    "Resident",
    "TerminalKind",
    "TerminalRecord",
    "TooMany",
    "Value",
    "Values",
    "Why",
    "hookimpl",
]
