"""What the shipped 事務 allow, and what they do not (R46, R47, R57 to R62)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from appliance.errors import NotPermitted
from appliance.model import PurposeCode
from appliance.policy import items_of
from appliance.testing import Bench
from plugins import provision
from tests.plugins.people import admit, code, number, shipped_policy

POLICY = shipped_policy()
REGISTER = PurposeCode("register-administration")
OTHERS = [code for code, rule in POLICY.purposes.items() if rule.kind != "own"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"provision": provision}, POLICY) as bench:
        yield bench


@pytest.mark.parametrize(
    ("purpose", "agency", "kind", "by_number"),
    [
        pytest.param("prefectural-tax", "県税事務所", "transfer", True, id="R59-県税"),
        pytest.param("designated-disease", "健康づくり推進課", "transfer", True, id="R60-指定難病"),
        pytest.param("passport", "パスポートセンター", "transfer", False, id="R61-旅券"),
        pytest.param("child-rearing-allowance", "子ども家庭福祉課", "transfer", True, id="手当"),
        pytest.param("construction-licence", "監理課", "transfer", False, id="建設業"),
        pytest.param("public-housing", "住宅課", "transfer", True, id="公営住宅"),
        pytest.param("education-scholarship", "教育委員会", "provision", True, id="R46-教育委員会"),
    ],
)
@pytest.mark.requirement("R62")
def test_an_office_is_answered_for_its_purpose_by_the_keys_it_allows(
    bench: Bench, purpose: str, agency: str, kind: str, by_number: bool
) -> None:
    rule = POLICY.purposes[PurposeCode(purpose)]
    assert (rule.agency, rule.kind) == (agency, kind)
    admit(bench)
    clerk = bench.clerk(roles=("clerk",), purposes=(purpose,), office=agency)
    body = {"by": {"my_number": number(1)}, "items": ["address"]}
    asking = {"purpose": purpose, "reason": "01"}
    if not by_number:
        with pytest.raises(NotPermitted, match="my_number"):
            clerk.ask("provision/inquire", body, **asking)
        body["by"] = {"name": "熊本花子", "birth_date": "1990-04-05"}
    assert clerk.ask("provision/inquire", body, **asking).data["result"] == "one"


@pytest.mark.parametrize("purpose", OTHERS)
@pytest.mark.requirement("R47")
def test_no_other_office_gets_a_resident_code_or_asks_by_it(bench: Bench, purpose: str) -> None:
    admit(bench)
    clerk = bench.clerk(roles=("registrar",), purposes=(purpose,))
    asking = {"purpose": purpose, "reason": "01"}
    for by, items in (
        ({"my_number": number(1)}, ["resident_code"]),
        ({"resident_code": code(1)}, ["address"]),
    ):
        with pytest.raises(NotPermitted, match="resident_code"):
            clerk.ask("provision/inquire", {"by": by, "items": items}, **asking)


def test_r47_a_resident_code_among_the_items_must_be_said_to_be_transitional() -> None:
    purpose = PurposeCode("education-scholarship")
    named = msgspec.structs.replace(
        POLICY.purposes[purpose], items=("name", "resident_code"), operations=()
    )
    for transitional, problems in ((False, 1), (True, 0)):
        rule = msgspec.structs.replace(named, transitional=transitional)
        policy = replace(POLICY, purposes={purpose: rule})
        found = [text for text in policy.problems(()) if "transitional" in text]
        assert len(found) == problems


@pytest.mark.parametrize("purpose", OTHERS)
def test_my_number_is_a_right_of_its_own(purpose: str) -> None:
    rule = POLICY.purposes[PurposeCode(purpose)]
    named = {str(item) for item in items_of(rule)}
    assert ("my_number" in named) is ("my_number" in rule.items)
    assert "*" not in rule.items
    if "my_number" in rule.keys:
        assert "my_number" in rule.items


@pytest.mark.parametrize("purpose", POLICY.purposes)
@pytest.mark.requirement("R46", "R57")
def test_every_purpose_names_the_rule_it_rests_on(purpose: PurposeCode) -> None:
    rule = POLICY.purposes[purpose]
    assert rule.basis.startswith("住民基本台帳法第30条の")
    assert rule.label
    assert rule.agency
    second = "第30条の15第2項" in rule.basis
    assert (rule.kind == "provision") is second
