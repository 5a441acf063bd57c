"""What no policy may join: administration, audit, and the sight of residents (R127, R132, R146)."""

from typing import Any

import pytest

from appliance.duties import Duty, duties_of, misjoined
from appliance.model import OperationName, Role, TerminalKind
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.policy import Policy, RoleRule
from appliance.testing import OFFICE


def offered(name: str, *, purposed: bool = False, blind: bool = False) -> AnyOperation:
    return Operation(
        name=OperationName(name),
        summary="A test.",
        asks=Arguments,
        answers=Answer,
        handler=lambda case, asked: Answer(),
        purposed=purposed,
        blind=blind,
    )


OPERATIONS = {
    operation.name: ("test", operation)
    for operation in (
        offered("search/find", purposed=True),
        offered("roster/operators"),
        offered("ledger/search"),
        offered("job/list", blind=True),
        offered("job/erase"),
    )
}


def told(name: str = "tested", **rule: Any) -> list[str]:
    made = RoleRule(**({"label": "試", "terminals": (TerminalKind.BUSINESS,)} | rule))
    policy = Policy(roles={Role(name): made}, purposes={}, office=OFFICE, version=(), digest=b"")
    return misjoined(policy, OPERATIONS)


@pytest.mark.parametrize(
    "rule",
    [
        {"operations": ("search/find",), "items": ("*",), "keys": ("four",), "removed": True},
        {"operations": ("roster/operators", "job/list", "job/erase")},
        {"operations": ("ledger/search",), "keys": ("resident_code",)},
        {"operations": ("job/list",), "blind": True},
        {"operations": ("not/offered",), "blind": True},  # told as unknown, elsewhere
    ],
)
def test_a_role_of_one_duty_stands(rule: dict[str, Any]) -> None:
    assert told(**rule) == []


KEEPING, AUDITING = ("roster/operators",), ("ledger/search",)


@pytest.mark.requirement("R127", "R132")
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"operations": KEEPING, "items": ("name",)}, "no items"),
        ({"operations": KEEPING, "keys": ("four",)}, "no keys"),
        ({"operations": KEEPING, "removed": True}, "no removed"),
        ({"operations": KEEPING, "history": True}, "no history"),
        ({"operations": (*KEEPING, "search/find")}, "search/find, which is done for a 事務"),
        ({"operations": AUDITING, "items": ("name",)}, "no items"),
        ({"operations": AUDITING, "history": True}, "no history"),
        ({"operations": (*AUDITING, "search/find")}, "search/find, which is done for a 事務"),
        ({"operations": KEEPING + AUDITING}, "make two roles"),
    ],
)
def test_administration_and_audit_have_no_rights_to_data(rule: dict[str, Any], said: str) -> None:
    (problem,) = told(**rule)
    assert problem.startswith("roles.toml [tested]: reaches ")
    assert said in problem


@pytest.mark.requirement("R142", "R146")
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"operations": (), "items": ("name",)}, "no items"),
        ({"operations": (), "keys": ("resident_code",)}, "no keys"),
        ({"operations": (), "removed": True}, "no removed"),
        ({"operations": (), "history": True}, "no history"),
        ({"operations": ("search/find",)}, "search/find, which is not declared blind"),
        ({"operations": ("job/erase",)}, "job/erase, which is not declared blind"),
    ],
)
def test_a_blind_role_names_nothing_that_could_show_a_resident(
    rule: dict[str, Any], said: str
) -> None:
    (problem,) = told(blind=True, **rule)
    assert said in problem
    assert told(name="at-a-terminal", **rule), "nor what anybody does who has not logged in"


def test_every_problem_is_told_at_once() -> None:
    assert len(told(operations=KEEPING + AUDITING, items=("*",), keys=("four",))) == 4


def test_what_somebody_sees_is_a_duty_too() -> None:
    rule = RoleRule(label="試", terminals=(), operations=KEEPING + AUDITING, items=("sex",))
    assert duties_of(rule) == set(Duty)
