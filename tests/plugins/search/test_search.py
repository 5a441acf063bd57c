from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import AddConditions, Malformed, NotFound, NotPermitted, TooMany
from appliance.items import ItemName
from appliance.model import Actor, PurposeCode, Request
from appliance.plugin_api import hookimpl
from appliance.policy import PurposeRule
from appliance.testing import Bench, Seat
from plugins import search
from tests.plugins.people import KUMAMOTO, YATSUSHIRO, admit, change, shipped_policy

FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}
FOR_THE_REGISTER = {"purpose": "register-administration", "reason": "01"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"search": search}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Seat:
    return bench.clerk(roles=("clerk",), purposes=("prefectural-tax", "passport"))


@pytest.fixture
def registrar(bench: Bench) -> Seat:
    purposes = ("register-administration",)
    return bench.clerk("OP-0002", roles=("registrar",), purposes=purposes, terminal_id="TERM-0002")


def find(seat: Seat, asking: dict[str, str] | None = None, **conditions: Any) -> dict[str, Any]:
    return dict(seat.ask("search/find", conditions, **(asking or FOR_TAX)).data)


def test_r87_a_list_names_who_fits_and_why_best_first(bench: Bench, clerk: Seat) -> None:
    admit(bench, 1, name="渡邉　太郎", kana="わたなべ　たろう")
    admit(bench, 2, name="渡辺　太郎", kana="わたなべ　たろう")
    found = find(clerk, name="渡辺太郎")
    assert found["count"] == 2
    assert [(r["name"], r["why"]) for r in found["residents"]] == [
        ("渡辺　太郎", "exact"),
        ("渡邉　太郎", "variant"),
    ]


def test_a_list_shows_what_tells_people_apart_and_no_number(bench: Bench, clerk: Seat) -> None:
    admit(bench, birth_date="1990-04-00", birth_date_as_written="平成２年４月日不詳")
    (listed,) = find(clerk, name="熊本花子")["residents"]
    assert set(listed) == {"ref", "why", *search.LISTED}
    assert listed["birth_date"] == "1990-04-00"
    assert listed["removed_flag"] is False


def test_a_list_leaves_out_what_the_purpose_does_not_grant(tmp_path: Path) -> None:
    policy = shipped_policy()
    narrow = PurposeRule(
        label="狭い事務",
        basis="試験",
        agency="試験",
        operations=("search/find",),
        items=("name",),
        keys=("four",),
        reasons={"01": "試験"},
        valid_from=date(2020, 4, 1),
    )
    narrowed = replace(policy, purposes={PurposeCode("narrow"): narrow})
    with Bench.open(tmp_path, {"search": search}, narrowed) as bench:
        admit(bench)
        clerk = bench.clerk(roles=("clerk",), purposes=("narrow",))
        found = find(clerk, {"purpose": "narrow", "reason": "01"}, name="熊本花子")
        assert set(found["residents"][0]) == {"ref", "why", "name"}


@pytest.mark.parametrize("missing", ["purpose", "reason"])
def test_r90_nobody_is_looked_for_without_purpose_and_reason(clerk: Seat, missing: str) -> None:
    with pytest.raises(NotPermitted, match="name the purpose"):
        find(clerk, {**FOR_TAX, missing: None}, name="熊本花子")


def test_r88_r89_everybody_listed_and_everybody_opened_is_in_the_ledger(
    bench: Bench, clerk: Seat
) -> None:
    one, two = admit(bench, 1), admit(bench, 2)
    found = find(clerk, name="熊本花子", sex="2")
    ref = found["residents"][1]["ref"]
    clerk.ask("search/detail", {"ref": ref, "items": ["address"]}, **FOR_TAX)
    listed, opened = bench.ledger()[-2:]
    assert set(listed.subjects) == {one, two}
    assert listed.hits == 2
    assert listed.candidates == 2
    assert listed.conditions == {
        "name": "熊本花子",
        "name_match": "exact",
        "kana_match": "exact",
        "birth_match": "exact",
        "sex": "2",
        "include_removed": False,
    }
    assert opened.subjects == (two,)
    assert opened.items == (ItemName("address"),)
    assert "ref" not in opened.conditions


def test_more_than_the_cap_gives_only_the_count(bench: Bench, clerk: Seat) -> None:
    for which in range(51):
        admit(bench, which + 1)
    with pytest.raises(TooMany) as refused:
        find(clerk, name="熊本花子")
    assert refused.value.count == 51
    entry = bench.ledger()[-1]
    assert (entry.refusal, entry.hits, entry.subjects) == ("too-many", 51, ())


def test_a_wide_question_is_told_what_to_add(clerk: Seat) -> None:
    with pytest.raises(AddConditions, match="birth_date"):
        find(clerk, name="熊", name_match="prefix")


def test_the_city_is_searched_with_its_wards(bench: Bench, clerk: Seat) -> None:
    admit(bench, municipality_code="431010")
    conditions = {"birth_date": "1990-04-05", "sex": "2"}
    assert find(clerk, municipality_code=KUMAMOTO, **conditions)["count"] == 1
    assert find(clerk, municipality_code=YATSUSHIRO, **conditions)["count"] == 0


def test_by_town_and_by_year_of_birth(bench: Bench, clerk: Seat, registrar: Seat) -> None:
    admit(bench)
    place = {"kana": "くま", "kana_match": "prefix", "municipality_code": YATSUSHIRO}
    (by_town,) = find(registrar, FOR_THE_REGISTER, town_code="001001", **place)["residents"]
    assert by_town["why"] == "prefix"
    assert find(clerk, birth_year="1990", **place)["count"] == 1
    assert find(clerk, birth_year="1991", **place)["count"] == 0


@pytest.mark.parametrize(
    "conditions",
    [
        {"name": ""},
        {"name": "あ" * 201},
        {"birth_date": "1990-4-5"},
        {"birth_year": "90"},
        {"sex": "9"},
        {"municipality_code": "４３２０２４"},
        {"name": "熊本花子", "my_number": "912345678901"},
        {"name": "熊本花子", "name_match": "contains"},
    ],
)
def test_what_is_no_condition_is_malformed(clerk: Seat, conditions: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        find(clerk, **conditions)


def test_a_clerk_finds_nobody_who_was_struck_off(
    bench: Bench, clerk: Seat, registrar: Seat
) -> None:
    admit(bench, removed_flag=True, reason="22", effective_date="2026-03-01")
    assert find(clerk, name="熊本花子")["count"] == 0
    with pytest.raises(NotPermitted, match="struck-off"):
        find(clerk, name="熊本花子", include_removed=True)
    assert find(registrar, FOR_THE_REGISTER, name="熊本花子", include_removed=True)["count"] == 1


def test_unknown_parts_of_a_birth_date_match_on_request(bench: Bench, clerk: Seat) -> None:
    admit(bench, birth_date="1990-04-00")
    asked = {"kana": "くま", "kana_match": "prefix", "birth_date": "1990-04-05"}
    assert find(clerk, **asked)["count"] == 0
    assert find(clerk, **asked, birth_match="open")["count"] == 1


def test_a_foreigner_is_found_by_the_name_used_here(bench: Bench, clerk: Seat) -> None:
    admit(bench, name="NGUYEN VAN ANH（阮　文英）", kana=None)
    for name in ("NGUYEN VAN ANH", "nguyễn văn anh", "阮文英"):
        (listed,) = find(clerk, name=name)["residents"]
        assert listed["name"] == "NGUYEN VAN ANH（阮　文英）"


def test_who_may_not_know_of_somebody_is_answered_alike_whether_he_is_there(
    bench: Bench, clerk: Seat
) -> None:
    admit(bench, removed_flag=True, reason="22", effective_date="2026-03-01")
    told = []
    for name in ("熊本花子", "八代花子"):
        with pytest.raises(NotPermitted) as refused:
            find(clerk, name=name, include_removed=True)
        told.append((refused.value.code, refused.value.text, refused.value.problems))
        assert bench.ledger()[-1].candidates == 0
    assert told[0] == told[1]


def test_who_is_to_move_out_later_is_still_found(bench: Bench, clerk: Seat) -> None:
    admit(bench, removed_flag=True, reason="21", effective_date="2026-04-10")
    assert find(clerk, name="熊本花子")["count"] == 1
    bench.now += timedelta(days=10)
    clerk = bench.clerk(roles=("clerk",), purposes=("prefectural-tax",))
    assert find(clerk, name="熊本花子")["count"] == 0


def test_detail_opens_only_what_is_asked(bench: Bench, clerk: Seat) -> None:
    admit(bench, birth_date_as_written="平成２年４月５日")
    ref = find(clerk, name="熊本花子")["residents"][0]["ref"]
    detail = clerk.ask("search/detail", {"ref": ref, "items": ["sex", "birth_date"]}, **FOR_TAX)
    assert detail.data == {
        "resident": {
            "sex": "2",
            "birth_date": "1990-04-05",
            "birth_date_as_written": "平成２年４月５日",
        },
        "versions": (),
        "withheld": (),
    }


@pytest.mark.parametrize("items", [[], ["shoe_size"], ["name"] * 25])
def test_items_are_named_one_by_one(bench: Bench, clerk: Seat, items: list[str]) -> None:
    admit(bench)
    ref = find(clerk, name="熊本花子")["residents"][0]["ref"]
    with pytest.raises(Malformed) as refused:
        clerk.ask("search/detail", {"ref": ref, "items": items}, **FOR_TAX)
    assert "shoe_size" not in str(refused.value)


def test_asking_beyond_the_purpose_is_refused_whole(bench: Bench, clerk: Seat) -> None:
    admit(bench)
    passport = {"purpose": "passport", "reason": "01"}
    ref = find(clerk, passport, name="熊本花子")["residents"][0]["ref"]
    with pytest.raises(NotPermitted, match="my_number"):
        clerk.ask("search/detail", {"ref": ref, "items": ["name", "my_number"]}, **passport)
    entry = bench.ledger()[-1]
    assert (entry.refusal, entry.subjects, entry.items) == ("not-permitted", (), ())


def test_the_history_is_newest_first_and_needs_its_right(
    bench: Bench, clerk: Seat, registrar: Seat
) -> None:
    who = admit(bench)
    change(bench, who, address="熊本県宇土市浦田町５１", reason="31")
    ref = find(registrar, FOR_THE_REGISTER, name="熊本花子")["residents"][0]["ref"]
    asked = {"ref": ref, "items": ["reason"], "history": True}
    detail = registrar.ask("search/detail", asked, **FOR_THE_REGISTER).data
    assert [(v["version"], v["resident"]["reason"]) for v in detail["versions"]] == [
        (2, "31"),
        (1, "11"),
    ]
    assert detail["resident"] == {"reason": "31"}
    ref = find(clerk, name="熊本花子")["residents"][0]["ref"]
    with pytest.raises(NotPermitted, match="history"):
        clerk.ask("search/detail", {**asked, "ref": ref}, **FOR_TAX)


def test_a_ref_is_good_for_its_session_and_ten_minutes(
    bench: Bench, clerk: Seat, registrar: Seat
) -> None:
    admit(bench)
    asked = {"ref": find(clerk, name="熊本花子")["residents"][0]["ref"], "items": ["name"]}
    with pytest.raises(NotFound):
        registrar.ask("search/detail", asked, **FOR_THE_REGISTER)
    bench.now += timedelta(minutes=4)
    clerk.ask("search/detail", asked, **FOR_TAX)
    bench.now += timedelta(minutes=4)
    clerk.ask("search/detail", asked, **FOR_TAX)
    bench.now += timedelta(minutes=4)
    with pytest.raises(NotFound):
        clerk.ask("search/detail", asked, **FOR_TAX)


class HidesAddresses:
    @hookimpl
    def withhold(self, actor: Actor, request: Request) -> frozenset[ItemName]:
        return frozenset({ItemName("address")})


def test_what_a_plugin_withholds_is_listed_and_not_opened(tmp_path: Path) -> None:
    with Bench.open(tmp_path, {"search": search, "hider": HidesAddresses()}) as bench:
        admit(bench)
        clerk = bench.clerk()
        all_ = {"purpose": "all", "reason": "01"}
        (listed,) = find(clerk, all_, name="熊本花子")["residents"]
        assert "address" not in listed
        asked = {"ref": listed["ref"], "items": ["name", "address"]}
        detail = clerk.ask("search/detail", asked, **all_).data
        assert detail["resident"] == {"name": "熊本　花子"}
        assert detail["withheld"] == ("address",)
        assert bench.ledger()[-1].items == (ItemName("name"),)


@pytest.mark.requirement("R126")
def test_nobody_is_found_by_an_item_beyond_the_purpose(bench: Bench, clerk: Seat) -> None:
    admit(bench)
    place = {"kana": "くま", "kana_match": "prefix", "municipality_code": YATSUSHIRO}
    with pytest.raises(NotPermitted, match="town_code"):
        find(clerk, town_code="001001", **place)
    assert bench.ledger()[-1].refusal == "not-permitted"
