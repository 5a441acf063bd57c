"""操作者名簿 and 端末管理簿: who may log in, and which machines may ask (R21, R122 to R133).

The keeper of the roster is not his own keeper: he appoints or suspends nobody who is himself, not
under another 操作者ID either, and whoever keeps the roster reads no residents (R127). Nobody is
ever removed from a roster, and no 操作者ID is given to another person: an appointment is changed
(人事異動), suspended and resumed, and how it was before stays on record. Which duties one person
may join stands in ``suitable.py``.

What each operation means stands in ``people.py`` and ``machines.py``.
"""

from appliance.plugin_api import AnyOperation, Operation, OperationName, hookimpl
from plugins.roster import machines, people
from plugins.roster.machines import (
    EnrolTerminal,
    ListTerminals,
    RevokeTerminal,
    TerminalList,
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

OPERATORS = Operation(
    name=OperationName("roster/operators"),
    summary="List every operator, suspended ones included.",
    asks=ListOperators,
    answers=OperatorList,
    handler=people.listed,
    purposed=False,
)
ADD_OPERATOR = Operation(
    name=OperationName("roster/add-operator"),
    summary="Appoint an operator; answers the one-use code with which a PIN is set.",
    asks=AddOperator,
    answers=Enrolment,
    handler=people.add,
    changes=True,
    purposed=False,
    records=AddOperator.__struct_fields__,
)
ENROL_OPERATOR = Operation(
    name=OperationName("roster/enrol-operator"),
    summary="Issue a new one-use code; earlier ones are void.",
    asks=EnrolOperator,
    answers=Enrolment,
    handler=people.enrol,
    changes=True,
    purposed=False,
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
    records=SuspendOperator.__struct_fields__,
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
)
TERMINALS = Operation(
    name=OperationName("roster/terminals"),
    summary="List every registered certificate, revoked ones included.",
    asks=ListTerminals,
    answers=TerminalList,
    handler=machines.listed,
    purposed=False,
)
ENROL_TERMINAL = Operation(
    name=OperationName("roster/enrol-terminal"),
    summary="Register the certificate of a terminal or another server.",
    asks=EnrolTerminal,
    answers=TerminalState,
    handler=machines.enrol,
    changes=True,
    purposed=False,
    records=("terminal_id", "kind", "place", "municipality_code"),
    drops=("certificate",),
)
REVOKE_TERMINAL = Operation(
    name=OperationName("roster/revoke-terminal"),
    summary="Refuse a terminal from the next request on.",
    asks=RevokeTerminal,
    answers=TerminalState,
    handler=machines.revoke,
    changes=True,
    purposed=False,
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
        REVOKE_TERMINAL,
    ]
