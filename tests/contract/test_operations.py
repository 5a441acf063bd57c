"""What every operation of ours keeps to, and what the shipped policy may name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from appliance.duties import misjoined
from appliance.edge.japanese import CODES as JAPANESE
from appliance.edge.problems import TITLES
from appliance.edge.refusals import CODES, UNKNOWN_OUTCOME
from appliance.errors import Refusal
from appliance.loaded import put_together
from appliance.loading import installed
from appliance.model import OperationName, Role
from appliance.operation import AnyOperation, argument_paths
from appliance.policy import read_policy
from appliance.testing import identified
from plugins import (
    compliance,
    disclosure,
    ledger,
    national_relay,
    protection,
    provision,
    reconcile,
    retention,
    roster,
    search,
    statistics,
    update,
    usebook,
    watching,
)

ROOT = Path(__file__).parents[2]
OURS = {
    "update": update,
    "search": search,
    "provision": provision,
    "disclosure": disclosure,
    "retention": retention,
    "roster": roster,
    "ledger": ledger,
    "national_relay": national_relay,
    "reconcile": reconcile,
    "statistics": statistics,
    "compliance": compliance,
    "usebook": usebook,
    "protection": protection,
    "watching": watching,
}
CATALOGUE = put_together(OURS, identified()).operations
OPERATIONS = [operation for _, operation in CATALOGUE.values()]
PROTECTION_FREE = ("mark", "extend", "lift", "list", "agree", "refuse")
RECONCILE_FREE = ("begin", "digest", "compare", "finish", "status", "runs", "plan", "forget")
POLICY = read_policy(ROOT / "firmware_config/policy")

BATCHES = {"update/notify"}
"""What is large, and enters the ledger as outcomes only."""


def refusals(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for below in kind.__subclasses__():
        yield below
        yield from refusals(below)


def by_name(operation: AnyOperation) -> str:
    return operation.name


def test_every_refusal_has_its_own_code_and_an_http_status() -> None:
    codes = [kind.code for kind in refusals() if "code" in vars(kind)]
    assert len(codes) == len(set(codes))
    assert set(codes) - {UNKNOWN_OUTCOME.code} == set(CODES)
    assert all(400 <= status < 600 for status in CODES.values())
    assert set(codes) <= set(TITLES) & set(JAPANESE)


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_every_argument_is_declared_for_the_ledger(operation: AnyOperation) -> None:
    declared = [*operation.records, *operation.drops]
    for path in argument_paths(operation.asks):
        covering = [d for d in declared if path == d or path.startswith(f"{d}.")]
        assert len(covering) == 1, path


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_what_the_ledger_keeps_is_limited_in_length(operation: AnyOperation) -> None:
    kept = {path.split(".")[0] for path in operation.records}
    for field in msgspec.structs.fields(operation.asks):
        if field.name in kept:
            assert not list(unlimited(field.type)), field.name


def unlimited(kind: Any, limits: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield every text or sequence inside a type that may be of any length."""
    if metadata := getattr(kind, "__metadata__", ()):
        yield from unlimited(get_args(kind)[0], metadata)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield from unlimited(field.type)
    else:
        grows = kind is str or get_origin(kind) in (tuple, list, dict)
        if grows and not any(limit.max_length for limit in limits):
            yield kind
        for inner in get_args(kind):
            if not isinstance(inner, str) and inner is not Ellipsis:
                yield from unlimited(inner)


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_every_operation_is_told_in_one_sentence(operation: AnyOperation) -> None:
    assert 0 < len(operation.summary) < 100
    assert operation.asks.__doc__
    assert operation.answers.__doc__
    assert operation.handler.__doc__


NOBODY_SEEN = {
    "provision/bulk-step",
    "provision/bulk-expire",
    "provision/outputs",
    "provision/yearly",
    "provision/media-key",
    "provision/recipients",
    "provision/add-recipient",
    "provision/retire-recipient",
}
"""Operations of a function that shows residents, by which staff see none."""


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_whoever_sees_residents_says_what_for(operation: AnyOperation) -> None:
    """Machines, audits and the keeping of rosters are bound in other ways."""
    free = (
        *("session/", "ledger/", "roster/", "relay/", "update/"),
        *(
            "retention/",
            "keys/",
            "job/",
            "system/",
            "approval/",
            "statistics/",
            "compliance/",
            "usebook/",
            "watching/",
        ),
        *(f"protection/{what}" for what in PROTECTION_FREE),
        *(f"reconcile/{what}" for what in RECONCILE_FREE),
    )
    shows = operation.name in ("relay/inquire", "relay/case")
    unseen = operation.name.startswith(free) or operation.name in NOBODY_SEEN
    assert operation.purposed is (shows or not unseen)


def test_the_shipped_policy_names_only_what_there_is() -> None:
    assert POLICY.problems(CATALOGUE) == []
    assert POLICY.unapproved([each.name for each in OPERATIONS if each.seconded]) == []


def test_every_operation_is_reached_by_some_role() -> None:
    reached = {name for role in POLICY.roles.values() for name in role.operations}
    assert reached == set(CATALOGUE)


def test_every_purposed_operation_is_allowed_by_some_purpose() -> None:
    allowed = {name for purpose in POLICY.purposes.values() for name in purpose.operations}
    assert allowed == {op.name for op in OPERATIONS if op.purposed}


@pytest.mark.requirement("R127", "R132", "R146")
def test_the_shipped_policy_joins_no_duties() -> None:
    assert misjoined(POLICY, CATALOGUE) == []


@pytest.mark.requirement("R130", "R131", "R132", "R133", "R142")
def test_the_shipped_policy_has_the_roles_of_the_founding_document() -> None:
    labels = {name: rule.label for name, rule in POLICY.roles.items()}
    assert (
        labels.items()
        >= {
            Role("system-administrator"): "システム管理者",
            Role("auditor"): "セキュリティ統括責任者(監査責任者)",
            Role("security-officer"): "セキュリティ責任者(所属)",
            Role("registrar"): "本人確認情報利用担当者",
            Role("clerk"): "操作者",
            Role("contractor"): "委託先(運用担当者)",
            Role("municipality"): "市町村CS",
            Role("national"): "全国サーバ",
        }.items()
    )
    assert [name for name, rule in POLICY.roles.items() if rule.blind] == [Role("contractor")]


def test_machines_are_reached_by_their_own_kind_only() -> None:
    for name in ("municipality", "national", "service"):
        assert [kind.value for kind in POLICY.roles[Role(name)].terminals] == [name]


def test_the_installed_entry_points_are_our_plugins() -> None:
    from importlib.metadata import entry_points

    if not entry_points(group="appliance.plugins"):
        pytest.skip("juki-appliance is not installed here")
    assert installed(OURS) == OURS


def test_operation_names_are_the_wire_names() -> None:
    assert OperationName("search/find") in CATALOGUE
    assert all(name.count("/") == 1 for name in CATALOGUE)
