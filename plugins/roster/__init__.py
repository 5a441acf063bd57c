"""操作者名簿 and 端末管理簿: who may log in, and which machines may ask (R21, R122 to R133).

The keeper of the roster is not his own keeper: he appoints or suspends nobody who is himself, not
under another 操作者ID either, and whoever keeps the roster reads no residents (R127). Nobody is
ever removed from a roster, and no 操作者ID is given to another person: an appointment is changed
(人事異動), suspended and resumed, and how it was before stays on record. Which duties one person
may join stands in ``suitable.py``.

What each operation means stands in ``people.py`` and ``machines.py``; ``ageing.py`` watches over
certificates that run out and terminals that nobody uses.
"""

from appliance.plugin_api import (
    Alarm,
    AnyOperation,
    Operation,
    OperationName,
    Power,
    Watch,
    hookimpl,
)
from plugins.roster import ageing, machines, people
from plugins.roster.machines import (
    ChangeTerminal,
    EnrolTerminal,
    ListTerminals,
    RenewTerminal,
    RevokeTerminal,
    TerminalHistory,
    TerminalList,
    TerminalRevisions,
    TerminalState,
)
from plugins.roster.people import (
    AddOperator,
    ChangeOperator,
    Enrolment,
    EnrolOperator,
    ListOperators,
    OperatorList,
    OperatorState,
    ResumeOperator,
    Suspended,
    SuspendOperator,
)

USES: frozenset[Power] = frozenset({"roster", "sessions"})

OPERATORS = Operation(
    name=OperationName("roster/operators"),
    summary="List every operator, suspended ones included.",
    asks=ListOperators,
    answers=OperatorList,
    handler=people.listed,
    purposed=False,
    uses=USES,
)
ADD_OPERATOR = Operation(
    name=OperationName("roster/add-operator"),
    summary="Appoint an operator; answers the one-use code with which a PIN is set.",
    asks=AddOperator,
    answers=Enrolment,
    handler=people.add,
    changes=True,
    once=True,
    purposed=False,
    uses=USES,
    records=AddOperator.__struct_fields__,
)
ENROL_OPERATOR = Operation(
    name=OperationName("roster/enrol-operator"),
    summary="Issue a new one-use code; earlier ones are void.",
    asks=EnrolOperator,
    answers=Enrolment,
    handler=people.enrol,
    changes=True,
    once=True,
    purposed=False,
    uses=USES,
    records=EnrolOperator.__struct_fields__,
)
SUSPEND_OPERATOR = Operation(
    name=OperationName("roster/suspend-operator"),
    summary="Shut an operator out, at once, until resumed.",
    asks=SuspendOperator,
    answers=Suspended,
    handler=people.suspend,
    changes=True,
    purposed=False,
    uses=USES,
    records=SuspendOperator.__struct_fields__,
    once=True,
)
CHANGE_OPERATOR = Operation(
    name=OperationName("roster/change-operator"),
    summary="Change office, roles, purposes or term of an operator.",
    asks=ChangeOperator,
    answers=OperatorState,
    handler=people.change,
    changes=True,
    purposed=False,
    records=ChangeOperator.__struct_fields__,
    uses=USES,
)
RESUME_OPERATOR = Operation(
    name=OperationName("roster/resume-operator"),
    summary="Let a suspended operator come back; answers the code for a new PIN.",
    asks=ResumeOperator,
    answers=Enrolment,
    handler=people.resume,
    changes=True,
    purposed=False,
    records=ResumeOperator.__struct_fields__,
    uses=USES,
    once=True,
)
TERMINALS = Operation(
    name=OperationName("roster/terminals"),
    summary="List every registered certificate, revoked ones included.",
    asks=ListTerminals,
    answers=TerminalList,
    handler=machines.listed,
    purposed=False,
    uses=USES,
)
ENROL_TERMINAL = Operation(
    name=OperationName("roster/enrol-terminal"),
    summary="Register the certificate of a terminal or another server.",
    asks=EnrolTerminal,
    answers=TerminalState,
    handler=machines.enrol,
    changes=True,
    purposed=False,
    uses=USES,
    records=tuple(name for name in EnrolTerminal.__struct_fields__ if name != "certificate"),
    drops=("certificate",),
)
CHANGE_TERMINAL = Operation(
    name=OperationName("roster/change-terminal"),
    summary="Change place, office, functions or hours of a terminal.",
    asks=ChangeTerminal,
    answers=TerminalState,
    handler=machines.change,
    changes=True,
    purposed=False,
    uses=USES,
    records=ChangeTerminal.__struct_fields__,
    example={
        "terminal_id": "TERM-0002",
        "hours": ["平日 08:30-17:15"],
        "operations": ["search", "provision/inquire"],
        "reason": "執務時間に限る",
    },
)
RENEW_TERMINAL = Operation(
    name=OperationName("roster/renew-terminal"),
    summary="Register the next certificate of a terminal; the former one lapses in seven days.",
    asks=RenewTerminal,
    answers=TerminalState,
    handler=machines.renew,
    changes=True,
    purposed=False,
    uses=USES,
    records=("terminal_id", "request_number"),
    drops=("certificate",),
)
TERMINAL_HISTORY = Operation(
    name=OperationName("roster/terminal-history"),
    summary="Tell every state a terminal was in: when, by whom and why it was changed.",
    asks=TerminalHistory,
    answers=TerminalRevisions,
    handler=machines.history,
    purposed=False,
    uses=USES,
    records=TerminalHistory.__struct_fields__,
)
REVOKE_TERMINAL = Operation(
    name=OperationName("roster/revoke-terminal"),
    summary="Refuse a terminal from the next request on.",
    asks=RevokeTerminal,
    answers=TerminalState,
    handler=machines.revoke,
    changes=True,
    purposed=False,
    uses=USES,
    records=RevokeTerminal.__struct_fields__,
)


@hookimpl
def operations() -> list[AnyOperation]:
    return [
        OPERATORS,
        ADD_OPERATOR,
        ENROL_OPERATOR,
        CHANGE_OPERATOR,
        SUSPEND_OPERATOR,
        RESUME_OPERATOR,
        TERMINALS,
        ENROL_TERMINAL,
        CHANGE_TERMINAL,
        RENEW_TERMINAL,
        TERMINAL_HISTORY,
        REVOKE_TERMINAL,
    ]


@hookimpl
def alarms(watch: Watch) -> list[Alarm]:
    return ageing.alarms(watch)
