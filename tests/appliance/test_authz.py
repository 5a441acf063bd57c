"""The table of rights: role × terminal × operation × 事務 × reason × day, and the plugins' no."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pluggy
import pytest

from appliance import authz
from appliance.errors import NotPermitted, Unidentified
from appliance.items import ITEM_NAMES, ItemName
from appliance.loading import admit
from appliance.model import (
    Actor,
    Deny,
    Grant,
    OperationName,
    Operator,
    PurposeCode,
    Request,
    RequestId,
    Role,
    Terminal,
    TerminalKind,
)
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.plugin_api import hookimpl
from appliance.policy import Policy, PurposeRule, RoleRule
from appliance.testing import OFFICE

NAME, ADDRESS, MY_NUMBER = map(ItemName, ("name", "address", "my_number"))
STAFFED = (TerminalKind.REPRESENTATIVE, TerminalKind.BUSINESS)


class Nothing(Arguments, frozen=True, kw_only=True):
    pass


def operation(name: str = "search/find", *, purposed: bool = True) -> AnyOperation:
    return Operation(
        name=OperationName(name),
        summary="A test.",
        asks=Nothing,
        answers=Answer,
        handler=lambda case, asked: Answer(),
        purposed=purposed,
    )


def purpose(**changed: Any) -> PurposeRule:
    rule: dict[str, Any] = {
        "label": "県税",
        "basis": "条例",
        "agency": "県税事務所",
        "operations": ("search/find",),
        "items": ("name", "my_number"),
        "keys": ("four",),
        "reasons": {"01": "住所の確認"},
        "valid_from": date(2026, 4, 1),
        "valid_until": date(2026, 4, 30),
    }
    return PurposeRule(**(rule | changed))


POLICY = Policy(
    roles={
        Role("clerk"): RoleRule(
            label="操作者",
            terminals=STAFFED,
            operations=("search/find", "session/close"),
            items=("name", "address"),
            keys=("four", "my_number"),
        ),
        Role("registrar"): RoleRule(
            label="利用担当者",
            terminals=(TerminalKind.REPRESENTATIVE,),
            operations=("search/find",),
            items=("*",),
            keys=("resident_code",),
            removed=True,
            history=True,
        ),
        Role("auditor"): RoleRule(label="監査", terminals=STAFFED, operations=("ledger/search",)),
    },
    purposes={
        PurposeCode("tax"): purpose(),
        PurposeCode("open-ended"): purpose(valid_until=None),
        PurposeCode("other"): purpose(operations=("provision/inquire",)),
    },
    office=OFFICE,
    version=(1, 1, 1),
    digest=b"",
)


def actor(
    *roles: str,
    kind: TerminalKind = TerminalKind.REPRESENTATIVE,
    purposes: tuple[str, ...] = ("tax", "other", "gone", "open-ended"),
) -> Actor:
    return Actor(
        terminal=Terminal(terminal_id="TERM-0001", kind=kind, fingerprint="00"),
        operator=Operator(person_id="P-1", operator_id="OP-1", office="県税事務所"),
        roles=frozenset(map(Role, roles)),
        purposes=frozenset(map(PurposeCode, purposes)),
    )


def request(
    code: str | None = "tax",
    reason: str | None = "01",
    now: datetime = datetime(2026, 4, 10, tzinfo=UTC),
) -> Request:
    return Request(
        id=RequestId("request-1"),
        operation=OperationName("search/find"),
        now=now,
        purpose=None if code is None else PurposeCode(code),
        reason=reason,
    )


def hooks(*plugins: object) -> pluggy.HookRelay:
    return admit({f"plugin{n}": plugin for n, plugin in enumerate(plugins)}).hook


def permit(
    who: Actor,
    what: AnyOperation | None = None,
    asked: Request | None = None,
    hook: pluggy.HookRelay | None = None,
) -> Grant:
    return authz.permit(POLICY, hook or hooks(), who, what or operation(), asked or request())


def refusal(*args: Any, **more: Any) -> str:
    with pytest.raises(NotPermitted) as refused:
        permit(*args, **more)
    return refused.value.text


def test_whoever_has_not_logged_in_is_told_to() -> None:
    nobody = replace(actor("at-a-terminal"), operator=None)
    with pytest.raises(Unidentified, match="log in first"):
        permit(nobody)
    with pytest.raises(NotPermitted):  # nobody reaches it here, so logging in would not help
        permit(nobody, operation("update/notify"))
    server = actor("municipality", kind=TerminalKind.MUNICIPALITY)
    with pytest.raises(NotPermitted):
        permit(replace(server, operator=None))


def test_a_grant_is_what_both_role_and_purpose_reach() -> None:
    assert permit(actor("clerk")) == Grant(
        items=frozenset({NAME}), keys=frozenset({"four"}), most_results=50
    )


def test_roles_join_and_the_purpose_still_narrows() -> None:
    assert permit(actor("clerk", "registrar")) == Grant(
        items=frozenset({NAME, MY_NUMBER}),
        keys=frozenset({"four"}),
        removed=True,
        history=True,
        most_results=50,
    )


def test_what_needs_no_purpose_reaches_as_far_as_the_roles() -> None:
    grant = permit(actor("registrar"), operation(purposed=False), request(None, None))
    assert grant.items == ITEM_NAMES
    assert grant.keys == {"resident_code"}


@pytest.mark.parametrize(
    ("roles", "kind", "name"),
    [
        ((), TerminalKind.REPRESENTATIVE, "search/find"),
        (("auditor",), TerminalKind.REPRESENTATIVE, "search/find"),
        (("clerk",), TerminalKind.REPRESENTATIVE, "ledger/search"),
        (("clerk",), TerminalKind.MUNICIPALITY, "search/find"),
        (("registrar",), TerminalKind.BUSINESS, "search/find"),
        (("emperor",), TerminalKind.REPRESENTATIVE, "search/find"),
    ],
    ids=["no-role", "other-role", "other-operation", "server", "other-terminal", "unknown-role"],
)
def test_no_role_no_way(roles: tuple[str, ...], kind: TerminalKind, name: str) -> None:
    assert f"reaches {name}" in refusal(actor(*roles, kind=kind), operation(name))


def test_a_role_counts_only_where_it_reaches_the_operation() -> None:
    grant = permit(actor("clerk", "registrar", kind=TerminalKind.BUSINESS))
    assert not grant.removed
    assert grant.items == {NAME}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request(None), "name the purpose"),
        (request("tax", None), "name the purpose"),
        (request("unknown"), "not among yours"),
        (request("gone"), "not among yours"),
        (request("other"), "does not allow search/find"),
        (request("tax", "02"), "reason does not belong"),
        (request(now=datetime(2026, 3, 31, 14, 59, tzinfo=UTC)), "not in force"),
        (request(now=datetime(2026, 4, 30, 15, 0, tzinfo=UTC)), "not in force"),
    ],
    ids=[
        "no-purpose",
        "no-reason",
        "unknown",
        "not-in-policy",
        "other-operation",
        "other-reason",
        "too-early",
        "too-late",
    ],
)
def test_without_its_purpose_no_way(asked: Request, why: str) -> None:
    assert why in refusal(actor("clerk"), asked=asked)


def test_a_purpose_of_the_policy_must_be_the_operators_too() -> None:
    assert "not among yours" in refusal(actor("clerk", purposes=("other",)))


@pytest.mark.parametrize(
    ("code", "now"),
    [
        ("tax", datetime(2026, 3, 31, 15, 0, tzinfo=UTC)),
        ("tax", datetime(2026, 4, 30, 14, 59, tzinfo=UTC)),
        ("open-ended", datetime(2099, 1, 1, tzinfo=UTC)),
    ],
)
def test_days_are_counted_in_japan_both_ends_included(code: str, now: datetime) -> None:
    assert permit(actor("clerk"), asked=request(code, now=now))


class Objects:
    def __init__(self, reason: str) -> None:
        self._reason = reason

    @hookimpl
    def veto(self, actor: Actor, request: Request) -> Deny | None:
        return Deny(self._reason)


class HasNoObjection:
    @hookimpl
    def veto(self, actor: Actor, request: Request) -> Deny | None:
        return None


class Fails:
    @hookimpl
    def veto(self, actor: Actor, request: Request) -> Deny | None:
        raise RuntimeError("熊本花子")

    @hookimpl
    def withhold(self, actor: Actor, request: Request) -> frozenset[ItemName]:
        raise RuntimeError("熊本花子")


class Withholds:
    def __init__(self, *items: ItemName) -> None:
        self._items = frozenset(items)

    @hookimpl
    def withhold(self, actor: Actor, request: Request) -> frozenset[ItemName]:
        return self._items


def test_one_veto_is_enough_and_all_reasons_are_told() -> None:
    assert permit(actor("clerk"), hook=hooks(HasNoObjection()))
    why = refusal(actor("clerk"), hook=hooks(Objects("夜間"), HasNoObjection(), Objects("休日")))
    assert set(why.split("; ")) == {"夜間", "休日"}


def test_a_plugin_that_fails_counts_as_no(caplog: pytest.LogCaptureFixture) -> None:
    why = refusal(actor("clerk"), hook=hooks(HasNoObjection(), Fails()))
    assert why == "a plugin could not decide"
    assert "the request is refused" in caplog.text


def test_plugins_are_not_asked_about_what_the_policy_refuses() -> None:
    asked: list[Request] = []

    class Listens:
        @hookimpl
        def veto(self, actor: Actor, request: Request) -> Deny | None:
            asked.append(request)
            return None

    refusal(actor(), hook=hooks(Listens()))
    assert asked == []


def test_a_veto_cannot_be_answered_with_yes() -> None:
    assert "no role" in refusal(actor(), hook=hooks(HasNoObjection()))


@pytest.mark.parametrize(
    ("plugins", "items"),
    [
        ((), frozenset()),
        ((Withholds(NAME),), {NAME}),
        ((Withholds(NAME), Withholds(ADDRESS), Withholds()), {NAME, ADDRESS}),
        ((Withholds(NAME), Fails()), ITEM_NAMES),
    ],
    ids=["nobody", "one", "several", "failing"],
)
def test_what_is_withheld_adds_up(plugins: tuple[object, ...], items: frozenset[ItemName]) -> None:
    assert authz.withheld(hooks(*plugins), actor("clerk"), request()) == items


@pytest.mark.parametrize(
    "answer", ["address", ["address"], {"address": True}, frozenset({"adress"}), 1]
)
def test_an_answer_that_is_no_set_of_items_withholds_everything(answer: Any) -> None:
    class Mumbles:
        @hookimpl
        def withhold(self, actor: Actor, request: Request) -> Any:
            return answer

    assert authz.withheld(hooks(Mumbles()), actor("clerk"), request()) == ITEM_NAMES


@pytest.mark.parametrize("answer", [True, False, "yes"])
def test_a_veto_that_is_none_counts_as_no(answer: Any) -> None:
    class Mumbles:
        @hookimpl
        def veto(self, actor: Actor, request: Request) -> Any:
            return answer

    assert refusal(actor("clerk"), hook=hooks(Mumbles())) == "a plugin could not decide"
