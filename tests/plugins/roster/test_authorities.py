from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, Malformed, NotFound, NotPermitted, Rejected, Unidentified
from appliance.roster import Roster
from appliance.testing import Bench
from plugins import roster
from tests.plugins.people import shipped_policy
from tests.plugins.roster.keeper import Keeper

NEW = {
    "operator_id": "OP-0002",
    "holders": ["P-0002"],
    "office": "県税事務所",
    "roles": ["clerk"],
    "purposes": ["prefectural-tax"],
    "expires_on": "2027-03-31",
    "form": "照合付-2026-12",
}
CHANGE = {"operator_id": "OP-0002", "form": "異動-2026-3"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"roster": roster}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def keeper(bench: Bench) -> Keeper:
    keeper = Keeper.of(bench)
    for person_id in ("P-0002", "P-0003"):
        keeper.ask(
            "roster/grant",
            {
                "person_id": person_id,
                "name": "試験　職員",
                "office": "県税事務所",
                "expires_on": "2099-03-31",
                "form": "照合付-2026-1",
            },
        )
    return keeper


def listed(keeper: Keeper) -> dict[str, dict[str, Any]]:
    answer = keeper.ask("roster/operators", {}).data
    return {operator["operator_id"]: operator for operator in answer["operators"]}


def test_an_authority_says_what_for_and_who_holds_it(bench: Bench, keeper: Keeper) -> None:
    made = keeper.ask("roster/add-operator", {**NEW, "holders": ["P-0002", "P-0003"]}).data
    assert listed(keeper)["OP-0002"] == made
    assert (made["roles"], made["purposes"]) == (("clerk",), ("prefectural-tax",))
    assert (made["holders"], made["state"]) == (("P-0002", "P-0003"), "active")
    entry = bench.ledger()[-2]
    assert entry.conditions["roles"] == ["clerk"]
    assert entry.operator == "ADMIN"


def test_an_operator_id_is_given_out_once(keeper: Keeper) -> None:
    keeper.ask("roster/add-operator", NEW)
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "廃止"})
    with pytest.raises(Conflict, match="given out"):
        keeper.ask("roster/add-operator", {**NEW, "holders": ["P-0003"]})


def test_the_appliance_keeps_its_own_operator_id(keeper: Keeper) -> None:
    with pytest.raises(Conflict):
        keeper.ask("roster/add-operator", {**NEW, "operator_id": "SYSTEM"})


WRONG = [
    ({"roles": ["clerk", "king"]}, "unknown-role", "roles"),
    ({"roles": ["municipality"]}, "unknown-role", "roles"),
    ({"roles": ["service"]}, "unknown-role", "roles"),
    ({"roles": ["at-a-terminal"]}, "unknown-role", "roles"),
    ({"purposes": ["curiosity"]}, "unknown-purpose", "purposes"),
    ({"holders": ["P-0002", "P-0099"]}, "unknown-person", "holders"),
    ({"expires_on": "2026-03-31"}, "past", "expires_on"),
    ({"roles": ["system-administrator", "clerk"]}, "separation", "roles"),
    ({"roles": ["system-administrator", "auditor"]}, "separation", "roles"),
    ({"roles": ["registrar", "auditor"]}, "separation", "roles"),
    ({"roles": ["contractor", "clerk"]}, "blind-alone", "roles"),
    ({"roles": ["contractor", "statistician"]}, "blind-alone", "roles"),
]


@pytest.mark.parametrize(("changed", "rule", "item"), WRONG)
def test_an_authority_that_cannot_be_given_says_why(
    keeper: Keeper, changed: dict[str, Any], rule: str, item: str
) -> None:
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", {**NEW, **changed})
    assert [(p.rule, p.item) for p in refused.value.problems] == [(rule, item)]
    assert "OP-0002" not in listed(keeper)


@pytest.mark.parametrize(("changed", "rule", "item"), WRONG)
def test_a_change_is_held_against_the_same_rules(
    keeper: Keeper, changed: dict[str, Any], rule: str, item: str
) -> None:
    keeper.ask("roster/add-operator", NEW)
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/change-operator", {**CHANGE, **changed})
    assert [(p.rule, p.item) for p in refused.value.problems] == [(rule, item)]


def test_every_problem_is_told_at_once(keeper: Keeper) -> None:
    wrong = {**NEW, "roles": ["king"], "purposes": ["curiosity"], "expires_on": "2000-01-01"}
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", wrong)
    roles, purposes, _ = (problem.text for problem in refused.value.problems)
    assert {"auditor", "clerk", "registrar"} <= set(roles.split(": ")[1].split("、"))
    assert "at-a-terminal" not in roles
    assert "prefectural-tax" in purposes


SECOND = {**NEW, "operator_id": "OP-0003"}
"""Another 操作者ID of the same person."""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("clerk", "auditor", id="R132-clerk-auditor"),
        pytest.param("auditor", "registrar", id="R132-auditor-registrar"),
        pytest.param("clerk", "system-administrator", id="R127-clerk-administrator"),
        pytest.param("auditor", "system-administrator", id="R127-auditor-administrator"),
    ],
)
def test_duties_stay_apart_under_a_second_operator_id(
    keeper: Keeper, first: str, second: str
) -> None:
    keeper.ask("roster/add-operator", {**NEW, "roles": [first]})
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", {**SECOND, "roles": [second]})
    assert [problem.rule for problem in refused.value.problems] == ["separation"]
    keeper.ask("roster/add-operator", {**SECOND, "roles": [first]})
    keeper.ask(
        "roster/add-operator",
        {**SECOND, "operator_id": "OP-0004", "holders": ["P-0003"], "roles": [second]},
    )
    both = {**CHANGE, "holders": ["P-0002", "P-0003"]}
    for changed in ({"operator_id": "OP-0003", "roles": [second]}, {"operator_id": "OP-0004"}):
        with pytest.raises(Rejected):
            keeper.ask("roster/change-operator", {**both, **changed})


@pytest.mark.requirement("R142")
@pytest.mark.parametrize("other", ["clerk", "auditor", "statistician", "system-administrator"])
def test_the_contractor_holds_no_other_role_under_a_second_operator_id_either(
    keeper: Keeper, other: str
) -> None:
    keeper.ask("roster/add-operator", {**NEW, "roles": ["contractor"]})
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", {**SECOND, "roles": [other]})
    assert [problem.rule for problem in refused.value.problems] == ["blind-alone"]
    keeper.ask("roster/add-operator", {**SECOND, "roles": ["contractor"]})


@pytest.mark.requirement("R142")
def test_nobody_of_the_contractor_is_given_a_role_that_sees_residents(keeper: Keeper) -> None:
    worker = {"person_id": "P-0004", "name": "委託　太郎", "office": "委託先", "contractor": True}
    papers = {"expires_on": "2099-03-31", "form": "照合付-2026-2"}
    keeper.ask("roster/grant", {**worker, **papers})
    for role in ("clerk", "system-administrator", "security-officer"):
        with pytest.raises(Rejected) as refused:
            keeper.ask("roster/add-operator", {**NEW, "holders": ["P-0004"], "roles": [role]})
        assert [problem.rule for problem in refused.value.problems] == ["contractor"]
    keeper.ask("roster/add-operator", {**NEW, "holders": ["P-0004"], "roles": ["contractor"]})


def test_what_is_suspended_or_over_does_not_count_until_it_comes_back(
    bench: Bench, keeper: Keeper
) -> None:
    keeper.ask("roster/add-operator", {**NEW, "expires_on": "2026-04-01"})
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "異動"})
    keeper.ask("roster/add-operator", {**SECOND, "roles": ["auditor"]})
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/resume-operator", {"operator_id": "OP-0002", "reason": "復帰"})
    assert [problem.rule for problem in refused.value.problems] == ["separation"]
    bench.now += timedelta(days=1)
    keeper = keeper.again(bench)
    keeper.ask("roster/add-operator", {**SECOND, "operator_id": "OP-0005", "roles": ["auditor"]})


@pytest.mark.requirement("R125")
def test_a_transfer_changes_what_it_says_and_keeps_how_it_was(bench: Bench, keeper: Keeper) -> None:
    keeper.ask("roster/add-operator", NEW)
    moved = {"office": "パスポートセンター", "purposes": ["passport"], "expires_on": "2028-03-31"}
    line = keeper.ask("roster/change-operator", {**CHANGE, **moved}).data
    assert {name: line[name] for name in moved} == {**moved, "purposes": ("passport",)}
    assert (line["roles"], line["holders"]) == (("clerk",), ("P-0002",))
    assert bench.ledger()[-1].conditions == {**CHANGE, **moved}
    with bench.vault.view() as view:
        history = list(Roster(view, None).operator_history("OP-0002"))
    assert [each.office for each in history] == ["県税事務所", "パスポートセンター"]
    assert [each.form for each in history] == ["照合付-2026-12", "異動-2026-3"]


def test_a_transfer_counts_from_the_next_request_on(bench: Bench, keeper: Keeper) -> None:
    other = bench.clerk(
        "OP-0002", roles=("system-administrator",), purposes=(), terminal_id="TERM-0002"
    )
    other.ask("roster/operators", {})
    keeper.ask("roster/change-operator", {**CHANGE, "roles": ["clerk"]})
    with pytest.raises(NotPermitted):
        other.ask("roster/operators", {})


def test_who_holds_it_no_more_is_out_at_once(bench: Bench, keeper: Keeper) -> None:
    other = bench.clerk(
        "OP-0002", roles=("system-administrator",), purposes=(), terminal_id="TERM-0002"
    )
    keeper.ask("roster/change-operator", {**CHANGE, "holders": ["P-0003"]})
    with pytest.raises(Unidentified):
        other.ask("roster/operators", {})


def test_a_change_must_change_something(keeper: Keeper) -> None:
    keeper.ask("roster/add-operator", NEW)
    with pytest.raises(Malformed, match="office, roles, purposes, holders, expires_on"):
        keeper.ask("roster/change-operator", CHANGE)


@pytest.mark.requirement("R127")
@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("add-operator", {**NEW, "operator_id": "ADMIN"}),
        ("add-operator", {**NEW, "holders": ["P-0002", "P-ADMIN"]}),
        ("change-operator", {**CHANGE, "operator_id": "ADMIN", "office": "県税事務所"}),
        ("change-operator", {**CHANGE, "holders": ["P-0002", "P-ADMIN"]}),
        ("suspend-operator", {"operator_id": "ADMIN", "reason": "休み"}),
        ("resume-operator", {"operator_id": "ADMIN", "reason": "復職"}),
    ],
)
def test_nobody_gives_himself_anything(
    keeper: Keeper, operation: str, body: dict[str, Any]
) -> None:
    keeper.ask("roster/add-operator", {**NEW, "operator_id": CHANGE["operator_id"]})
    with pytest.raises(NotPermitted, match="himself"):
        keeper.ask(f"roster/{operation}", body)


@pytest.mark.requirement("R123")
def test_suspending_an_authority_ends_what_is_done_under_it(bench: Bench, keeper: Keeper) -> None:
    other = bench.clerk(
        "OP-0002", roles=("system-administrator",), purposes=(), terminal_id="TERM-0002"
    )
    line = keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "廃止"}).data
    assert (line["state"], line["suspended"]) == ("suspended", "廃止")
    with pytest.raises(Unidentified):
        other.ask("roster/operators", {})
    with pytest.raises(Conflict, match="already"):
        keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "廃止"})
    back = keeper.ask("roster/resume-operator", {"operator_id": "OP-0002", "reason": "再開"}).data
    assert back["state"] == "active"
    with pytest.raises(Conflict, match="not suspended"):
        keeper.ask("roster/resume-operator", {"operator_id": "OP-0002", "reason": "再開"})
    bench.log_in("P-OP-0002", "OP-0002", "TERM-0002")


@pytest.mark.parametrize(
    "changed",
    [
        {"operator_id": "op 2"},
        {"operator_id": "op-0003"},
        {"operator_id": "X" * 17},
        {"holders": []},
        {"holders": ["p-0002"]},
        {"roles": []},
        {"expires_on": "soon"},
        {"pin_hash": "x"},
    ],
)
def test_what_is_no_authority_is_malformed(keeper: Keeper, changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        keeper.ask("roster/add-operator", {**NEW, **changed})


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("suspend-operator", {"operator_id": "OP-0099", "reason": "廃止"}),
        ("resume-operator", {"operator_id": "OP-0099", "reason": "再開"}),
        ("change-operator", {**CHANGE, "operator_id": "OP-0099", "office": "県税事務所"}),
    ],
)
def test_unknown_authorities_are_not_found(
    keeper: Keeper, operation: str, body: dict[str, Any]
) -> None:
    with pytest.raises(NotFound):
        keeper.ask(f"roster/{operation}", body)
