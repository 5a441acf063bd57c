from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Malformed, NotFound, NotPermitted
from appliance.testing import Seat
from tests.plugins.people import admit, code, number
from tests.plugins.provision.desks import TAX, Desks, by_number, inquiry

FOR_HIM = {"purpose": "register-administration", "reason": "02"}
ADDRESS = ["address"]


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    with Desks.open(tmp_path) as desks:
        yield desks


@pytest.fixture
def clerk(desks: Desks) -> Seat:
    return desks.bench.clerk(roles=("clerk",), purposes=("prefectural-tax",), office="県税事務所")


@pytest.fixture
def registrar(desks: Desks) -> Seat:
    purposes = ("register-administration",)
    return desks.bench.clerk("OP-0002", roles=("registrar",), purposes=purposes, terminal_id="T-8")


def report(registrar: Seat, which: int = 1, **more: Any) -> list[dict[str, Any]]:
    body = {"by": {"resident_code": code(which)}, **more}
    return list(registrar.ask("provision/report", body, **FOR_HIM).data["provisions"])


@pytest.mark.requirement("R52")
def test_a_person_is_told_every_provision_of_his_data(
    desks: Desks, clerk: Seat, registrar: Seat
) -> None:
    admit(desks.bench, 1)
    by = {"my_number": number(1)}
    clerk.ask("provision/inquire", {"by": by, "items": ADDRESS}, case_number="R8-1", **TAX)
    clerk.ask("provision/inquire", {"by": by, "items": ["my_number"]}, **TAX)
    clerk.ask("provision/verify", {"by": by, "claims": {"sex": "2"}}, **TAX)
    other = {"by": by, "items": ADDRESS, "claimed": {"name": "他人"}}
    clerk.ask("provision/inquire", other, **TAX)
    told = report(registrar)
    assert [(one["method"], one["items"], one["result"]) for one in told] == [
        ("即時提供", (), "該当なし"),
        ("照合", ("sex",), "本人特定、1項目中1項目一致"),
        ("即時提供", ("my_number",), "一致"),
        ("即時提供", ("address",), "一致"),
    ]
    assert {one["kind"] for one in told} == {"移転"}
    assert [one["my_number"] for one in told] == [False, False, True, False]
    first = told[-1]
    assert (first["label"], first["agency"], first["office"]) == (
        "県税の賦課徴収に関する事務",
        "県税事務所",
        "県税事務所",
    )
    assert "第30条の15" in first["basis"]
    assert (first["reason"], first["case"]) == ("納税義務者の住所の確認", "R8-1")
    assert first["provision_id"].startswith("request-")


def test_days_the_wrong_way_round_are_refused(desks: Desks, registrar: Seat) -> None:
    admit(desks.bench, 1)
    with pytest.raises(Malformed, match="since is after until"):
        report(registrar, since="2026-04-02", until="2026-04-01")
    assert report(registrar, since="2026-04-01", until="2026-04-01") == []


def test_a_comparison_that_does_not_hold_is_told_as_that(
    desks: Desks, clerk: Seat, registrar: Seat
) -> None:
    admit(desks.bench, 1)
    claims = {"sex": "1", "birth_date": "1990-04-05"}
    clerk.ask("provision/verify", {"by": {"my_number": number(1)}, "claims": claims}, **TAX)
    assert report(registrar)[0]["result"] == "本人特定、2項目中1項目一致"


def test_rows_of_bulk_inquiries_are_told_with_when_they_left(desks: Desks, registrar: Seat) -> None:
    admit(desks.bench, 1)
    admit(desks.bench, 2, removed_flag=True, reason="21", effective_date="2026-03-01")
    job = desks.submit(inquiry([by_number(1), by_number(2), by_number(1, name="他人")]))["job"]
    desks.work()
    (one,) = report(registrar)
    assert (one["method"], one["items"], one["result"]) == ("一括提供", ("name", "address"), "一致")
    assert (one["office"], one["case"], one["put_out"]) == ("税務課", "R8-77", ())
    (gone,) = report(registrar, 2)
    assert (gone["items"], gone["result"]) == ((), "転出")
    desks.approve(job)
    desks.fetch(job)
    assert report(registrar)[0]["put_out"] == (desks.bench.now.isoformat(),)


def test_a_row_that_only_named_him_falsely_is_told_as_nothing(
    desks: Desks, registrar: Seat
) -> None:
    admit(desks.bench, 1)
    desks.submit(inquiry([by_number(1, name="他人")]))
    desks.work()
    assert [(one["items"], one["result"]) for one in report(registrar)] == [((), "該当なし")]


def test_only_what_was_asked_for_is_told(
    desks: Desks, clerk: Seat, registrar: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(desks.bench, 1)
    body = {"by": {"my_number": number(1)}, "items": ADDRESS}
    for _ in range(3):
        clerk.ask("provision/inquire", body, **TAX)
    today = datetime.fromtimestamp(desks.bench.ledger()[-1].at_ms / 1000, UTC).date()
    day = timedelta(days=1)
    for since, until, count in (
        (today - day, today + day, 3),
        (None, today - 2 * day, 0),
        (today + 2 * day, None, 0),
    ):
        period = {"since": since and str(since), "until": until and str(until)}
        assert len(report(registrar, **period)) == count
    monkeypatch.setattr("plugins.provision.report.MOST", 2)
    asked = {"by": {"resident_code": code(1)}}
    page = registrar.ask("provision/report", asked, **FOR_HIM).data
    assert (len(page["provisions"]), page["next"]) == (2, page["provisions"][-1]["index"])
    rest = registrar.ask("provision/report", {**asked, "before": page["next"]}, **FOR_HIM).data
    assert (len(rest["provisions"]), rest["next"]) == (1, None)


def test_looking_is_entered_as_about_him(desks: Desks, registrar: Seat) -> None:
    who = admit(desks.bench, 1)
    report(registrar)
    assert desks.bench.ledger()[-1].subjects == (who,)
    with pytest.raises(NotFound):
        report(registrar, 7)


# --- R54: attempts that were not permitted ---


@pytest.mark.requirement("R54")
def test_an_attempt_that_was_not_permitted_is_on_record(desks: Desks, clerk: Seat) -> None:
    for body, why in (
        ({"by": {"my_number": number(1)}, "items": ["resident_code"]}, "resident_code"),
        ({"by": {"resident_code": code(1)}, "items": ADDRESS}, "resident_code"),
    ):
        with pytest.raises(NotPermitted):
            clerk.ask("provision/inquire", body, **TAX)
        entry = desks.bench.ledger()[-1]
        assert (entry.refusal, entry.operator, entry.purpose) == (
            "not-permitted",
            "OP-0001",
            "prefectural-tax",
        )
        assert why in str(entry.why)


# --- the yearly report ---


@pytest.mark.requirement("R62")
def test_what_was_provided_in_a_year_is_told_by_agency_month_and_method(
    desks: Desks, clerk: Seat, registrar: Seat
) -> None:
    admit(desks.bench, 1)
    body = {"by": {"my_number": number(1)}, "items": ADDRESS}
    nobody = {"by": {"my_number": number(7)}, "items": ADDRESS}
    verify = {"by": {"my_number": number(1)}, "claims": {"sex": "2"}}
    for operation, asked in (("inquire", body), ("inquire", nobody), ("verify", verify)):
        clerk.ask(f"provision/{operation}", asked, **TAX)
    with pytest.raises(NotPermitted):
        clerk.ask("provision/inquire", {**body, "items": ["resident_code"]}, **TAX)
    job = desks.submit(inquiry([by_number(1), by_number(7)]))["job"]
    desks.work()
    registrar_told = registrar.ask("provision/yearly", {"fiscal_year": 2026}).data
    assert {line["method"] for line in registrar_told["lines"]} == {
        "電気通信回線(即時提供)",
        "電気通信回線(照合)",
    }
    desks.approve(job)
    told = registrar.ask("provision/yearly", {"fiscal_year": 2026}).data
    lines = {
        line["method"]: (
            line["month"],
            line["agency"],
            line["kind"],
            line["asked"],
            line["provided"],
        )
        for line in told["lines"]
    }
    month = ("2026-04", "県税事務所", "移転")
    assert lines == {
        "電気通信回線(即時提供)": (*month, 2, 1),
        "電気通信回線(照合)": (*month, 1, 1),
        "電磁的記録媒体(一括提供)": (*month, 2, 1),
    }
    assert (told["asked"], told["provided"]) == ({"prefectural-tax": 5}, {"prefectural-tax": 3})
    assert registrar.ask("provision/yearly", {"fiscal_year": 2025}).data["lines"] == ()
