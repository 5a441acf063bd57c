"""操作者名簿, 照合情報認証管理簿, 端末管理簿: who may log in, as what, from where (R21, R122-133).

Two things are kept apart: who somebody is (照合ID, ``people.py``) and with what authority he works
(操作者ID, ``authorities.py``); the machines are a third (``machines.py``). The keeper of the roster
is not his own keeper: he appoints, suspends or resumes nobody who is himself, and whoever keeps the
roster reads no residents (R127). Nobody is ever removed from a roster, and no ID is given to
another person. Which duties one person may join stands in ``suitable.py``.

Whatever gives somebody a right takes two persons (協議): the セキュリティ責任者 of his 所属, or of
the keeper's, agrees first (``seconded``). So does he to the certificate of another server: whoever
has it is sent residents' data without logging in. Whatever takes a right away takes one, at once.

``ageing.py`` watches over certificates that run out and terminals that nobody uses.
"""

from appliance.plugin_api import (
    Alarm,
    AnyOperation,
    Operation,
    OperationName,
    Power,
    Screen,
    Watch,
    hookimpl,
)
from plugins.roster import ageing, authorities, listing, machines, people, printing
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
from plugins.roster.screens import SCREENS

USES: frozenset[Power] = frozenset({"roster", "sessions"})

PEOPLE = Operation(
    name=OperationName("roster/people"),
    summary="List everybody who has a 照合ID, with devices, PIN and state.",
    asks=people.ListPeople,
    answers=listing.People,
    handler=people.listed,
    purposed=False,
    uses=USES,
)
GRANT = Operation(
    name=OperationName("roster/grant"),
    summary="Give somebody a 照合ID; answers the one-use code to register a device with.",
    asks=people.Grant,
    answers=people.EnrolmentCode,
    handler=people.grant,
    changes=True,
    once=True,
    purposed=False,
    uses=USES,
    records=("person_id", "office", "contractor", "expires_on", "form"),
    drops=("name", "kana"),
    seconded=True,
    about=people.about_new,
    shows=("name", "kana"),
)
CHANGE_PERSON = Operation(
    name=OperationName("roster/change-person"),
    summary="Change name, office or term of a person.",
    asks=people.ChangePerson,
    answers=listing.PersonState,
    handler=people.change,
    changes=True,
    purposed=False,
    uses=USES,
    records=("person_id", "office", "expires_on", "form"),
    drops=("name", "kana"),
    seconded=True,
    about=people.about_changed,
    shows=("name", "kana"),
)
ENROL_PERSON = Operation(
    name=OperationName("roster/enrol-person"),
    summary="Issue a one-use code for another device; earlier ones are void.",
    asks=people.EnrolPerson,
    answers=people.EnrolmentCode,
    handler=people.enrol,
    changes=True,
    once=True,
    purposed=False,
    uses=USES,
    records=people.EnrolPerson.__struct_fields__,
    seconded=True,
    about=people.about_known,
)
ISSUE_PIN = Operation(
    name=OperationName("roster/issue-pin"),
    summary="Let somebody log in by PIN for a time; answers the code to set it with.",
    asks=people.IssuePin,
    answers=people.EnrolmentCode,
    handler=people.issue_pin,
    changes=True,
    once=True,
    purposed=False,
    uses=USES,
    records=people.IssuePin.__struct_fields__,
    seconded=True,
    about=people.about_known,
)
RETIRE_DEVICE = Operation(
    name=OperationName("roster/retire-device"),
    summary="Let a device open nothing any more.",
    asks=people.RetireDevice,
    answers=listing.PersonState,
    handler=people.retire_device,
    changes=True,
    purposed=False,
    uses=USES,
    records=people.RetireDevice.__struct_fields__,
)
SUSPEND_PERSON = Operation(
    name=OperationName("roster/suspend-person"),
    summary="Shut a person out, at once, until resumed.",
    asks=people.SuspendPerson,
    answers=listing.PersonState,
    handler=people.suspend,
    changes=True,
    purposed=False,
    uses=USES,
    records=people.SuspendPerson.__struct_fields__,
)
RESUME_PERSON = Operation(
    name=OperationName("roster/resume-person"),
    summary="Let a suspended person come back.",
    asks=people.ResumePerson,
    answers=people.EnrolmentCode,
    handler=people.resume,
    changes=True,
    once=True,
    purposed=False,
    uses=USES,
    records=people.ResumePerson.__struct_fields__,
    seconded=True,
    about=people.about_known,
)
OPERATORS = Operation(
    name=OperationName("roster/operators"),
    summary="List every authority, suspended ones included.",
    asks=authorities.ListOperators,
    answers=authorities.OperatorList,
    handler=authorities.listed,
    purposed=False,
    uses=USES,
)
ADD_OPERATOR = Operation(
    name=OperationName("roster/add-operator"),
    summary="Make an authority and let people hold it.",
    asks=authorities.AddOperator,
    answers=authorities.OperatorState,
    handler=authorities.add,
    changes=True,
    purposed=False,
    uses=USES,
    records=authorities.AddOperator.__struct_fields__,
    seconded=True,
    about=authorities.about_new,
)
CHANGE_OPERATOR = Operation(
    name=OperationName("roster/change-operator"),
    summary="Change office, roles, purposes, holders or term of an authority.",
    asks=authorities.ChangeOperator,
    answers=authorities.OperatorState,
    handler=authorities.change,
    changes=True,
    purposed=False,
    uses=USES,
    records=authorities.ChangeOperator.__struct_fields__,
    seconded=True,
    about=authorities.about_changed,
)
SUSPEND_OPERATOR = Operation(
    name=OperationName("roster/suspend-operator"),
    summary="Let nobody work under an authority, at once, until resumed.",
    asks=authorities.SuspendOperator,
    answers=authorities.OperatorState,
    handler=authorities.suspend,
    changes=True,
    purposed=False,
    uses=USES,
    records=authorities.SuspendOperator.__struct_fields__,
)
RESUME_OPERATOR = Operation(
    name=OperationName("roster/resume-operator"),
    summary="Let a suspended authority be used again.",
    asks=authorities.ResumeOperator,
    answers=authorities.OperatorState,
    handler=authorities.resume,
    changes=True,
    purposed=False,
    uses=USES,
    records=authorities.ResumeOperator.__struct_fields__,
    seconded=True,
    about=authorities.about_known,
)
PRINT = Operation(
    name=OperationName("roster/print"),
    summary="Print a register, with every earlier line if asked.",
    asks=printing.Print,
    answers=printing.PrintedRegister,
    handler=printing.on_paper,
    purposed=False,
    uses=USES,
    records=printing.Print.__struct_fields__,
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
    seconded=True,
    alone=machines.seats_people,
    shows=("certificate",),
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
    seconded=True,
    alone=machines.seats_people_already,
    shows=("certificate",),
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
        PEOPLE,
        GRANT,
        CHANGE_PERSON,
        ENROL_PERSON,
        ISSUE_PIN,
        RETIRE_DEVICE,
        SUSPEND_PERSON,
        RESUME_PERSON,
        OPERATORS,
        ADD_OPERATOR,
        CHANGE_OPERATOR,
        SUSPEND_OPERATOR,
        RESUME_OPERATOR,
        PRINT,
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


@hookimpl
def screens() -> list[Screen]:
    return SCREENS
