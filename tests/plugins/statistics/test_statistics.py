"""Residents, updates and provisions are counted as they happen, and told rounded."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.errors import Malformed, NotFound, NotPermitted
from appliance.papers import Papers
from appliance.standing import until
from appliance.testing import Bench
from plugins.statistics.counting import tallies_of
from tests.plugins.people import KUMAMOTO, UTO, YATSUSHIRO, admit, change, number, person
from tests.plugins.people import shipped_policy as shipped
from tests.plugins.update.making import moving_out, notify, wire

pytestmark = pytest.mark.requirement("R171", "R172")

BY = ["municipality", "age", "sex"]
DAY = timedelta(days=1)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path) as bench:
        yield bench


def crowd(bench: Bench, count: int, begin: int = 1, **items: Any) -> None:
    for which in range(begin, begin + count):
        admit(bench, which, **items)


def told(bench: Bench, operation: str, by: list[str], **body: Any) -> dict[Any, int]:
    """Return the rows of a table, and under ``()`` the total."""
    data = bench.clerk().ask(f"statistics/{operation}", {"by": by, **body}).data
    assert set(data["by"]) == set(by)
    rows = {tuple(row["of"][name] for name in by): row["count"] for row in data["rows"]}
    return {**rows, (): data["total"]}


def rounding_down(_: tuple[str, ...], __: int) -> int:
    """Lots that let a number be told only when it is full."""
    return 9


def kept(bench: Bench, prefix: str) -> dict[str, int]:
    with bench.vault.view() as view:
        return dict(view.tallies(prefix))


# --- population ---


def test_residents_are_counted_by_municipality_age_and_sex(bench: Bench) -> None:
    crowd(bench, 20)
    crowd(bench, 10, 100, municipality_code=UTO, sex="1", birth_date="2020-01-01")
    assert told(bench, "population", BY) == {
        (YATSUSHIRO, "035-039", "2"): 20,
        (UTO, "005-009", "1"): 10,
        (): 30,
    }
    assert told(bench, "population", ["sex"]) == {("1",): 10, ("2",): 20, (): 30}


def test_a_small_number_is_told_as_nought_or_ten_and_always_alike(bench: Bench) -> None:
    places = [(f"43{number}", "1") for number in range(1000, 1040)]
    add(bench, {f"population/{town}/1980-05/{sex}": 1 for town, sex in places})
    add(bench, {f"population/{YATSUSHIRO}/1980-05/2": 20})
    first = told(bench, "population", BY)
    ten = {place for place, count in first.items() if count == 10}
    assert len(ten) < len(places), "not every lot can fall so"
    assert all(count % 10 == 0 for count in first.values())
    assert first[()] == 20 + 10 * len(ten)
    assert told(bench, "population", ["sex"])[("2",)] == 20
    assert told(bench, "population", BY) == first
    asked = bench.clerk().ask("statistics/population", {"by": BY}).data
    assert asked["rounded_to"] == 10


def test_a_closed_month_is_told_alike_however_the_year_goes_on(bench: Bench) -> None:
    """What is hidden does not wander, so earlier and later answers add nothing to each other."""
    by, seen = ["month", "municipality", "reason"], []
    for month in ("2026-04", "2026-05", "2026-06"):
        towns = enumerate((YATSUSHIRO, UTO, KUMAMOTO), start=1)
        add(bench, {f"update/{month}/{town}/{at}{at}": 3 * at for at, town in towns})
        seen.append(told(bench, "updates", by, period="2026"))
        alone = told(bench, "updates", by, period=month)
        del alone[()]
        assert alone == {place: n for place, n in seen[-1].items() if place and place[0] == month}
    for earlier, later in pairwise(seen):
        months = {place[0] for place in earlier if place}
        del earlier[()]
        assert earlier == {
            place: count for place, count in later.items() if place and place[0] in months
        }


def test_the_key_of_the_lots_is_drawn_by_the_first_question_and_kept(bench: Bench) -> None:
    def drawn() -> list[dict[str, Any]]:
        with bench.vault.view() as view:
            papers = Papers(view, None, "statistics")
            return list(papers.revisions("lot", "key"))

    assert drawn() == []
    told(bench, "population", ["sex"])
    (key,) = drawn()
    assert len(key["key"]) == 32
    told(bench, "updates", ["month"], period="2026")
    assert drawn() == [key]


def test_of_two_first_questions_at_a_time_one_draws_the_key(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, question = bench.clerk(), {"by": ["sex"]}
    drawing = SimpleNamespace(token_bytes=os.urandom)

    def drawn_too_late(size: int) -> bytes:
        monkeypatch.setattr(drawing, "token_bytes", os.urandom)
        clerk.ask("statistics/population", question)
        return bytes(size)

    monkeypatch.setattr(drawing, "token_bytes", drawn_too_late)
    monkeypatch.setattr("plugins.statistics.rounding.secrets", drawing)
    clerk.ask("statistics/population", question)
    with bench.vault.view() as view:
        (key,) = Papers(view, None, "statistics").revisions("lot", "key")
    assert key["key"] != bytes(32)


@pytest.mark.parametrize(
    ("birth", "age"),
    [("1990-04-00", "035-039"), ("1990-00-00", "035-039"), ("0000-00-00", "不詳")],
    ids=["the day is unknown", "the month is unknown", "nothing is known"],
)
def test_an_unknown_birth_date_is_counted_too(bench: Bench, birth: str, age: str) -> None:
    crowd(bench, 10, birth_date=birth)
    assert told(bench, "population", ["age"]) == {(age,): 10, (): 10}


def test_a_birthday_moves_nothing_but_the_class(bench: Bench) -> None:
    crowd(bench, 10, birth_date="2021-05-20", sex="0")
    before = kept(bench, "population/")
    assert told(bench, "population", ["age", "sex"]) == {("000-004", "0"): 10, (): 10}
    bench.now += 40 * DAY
    assert told(bench, "population", ["age", "sex"]) == {("005-009", "0"): 10, (): 10}
    assert kept(bench, "population/") == before


def test_who_moves_within_the_prefecture_dies_or_is_struck_off_is_counted_so(
    bench: Bench,
) -> None:
    people = [admit(bench, which) for which in range(1, 6)]
    for which, (who, items) in enumerate(
        zip(
            people,
            [
                {"municipality_code": UTO, "reason": "31"},
                {"reason": "22", "removed_flag": True},
                {"reason": "23", "removed_flag": True},
                {"reason": "21", "removed_flag": True, "effective_date": "2026-04-01"},
                {"sex": "1", "reason": "32"},
            ],
            strict=True,
        ),
        start=1,
    ):
        change(bench, who, which, **items)
    assert kept(bench, "population/") == {
        f"population/{UTO}/1990-04/2": 1,
        f"population/{YATSUSHIRO}/1990-04/1": 1,
    }


def test_who_moves_out_on_a_day_to_come_is_counted_until_that_day(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.statistics.rounding.lots_under", lambda *_: rounding_down)
    cs = bench.municipality(YATSUSHIRO)
    crowd(bench, 9, 100, birth_date="1980-05-17", sex="1")
    notify(cs, wire())
    notify(cs, moving_out(day="2026-04-15"))
    for _ in range(2):
        assert told(bench, "population", ["sex"])[()] == 10
        bench.now += 13 * DAY
    bench.now = bench.now.replace(month=4, day=15)
    assert told(bench, "population", ["sex"])[()] == 0, "nine are left"
    assert "until-2026-04-15" in str(kept(bench, "population/"))
    bench.work()
    assert kept(bench, "population/") == {f"population/{YATSUSHIRO}/1980-05/1": 9}


def test_a_correction_of_who_moves_out_later_moves_his_count(bench: Bench) -> None:
    who = admit(bench, 1)
    change(bench, who, 1, reason="21", effective_date="2026-05-01", removed_flag=True, seen=1)
    change(bench, who, 1, seen=2, reason="32", sex="1", removed_flag=True)
    change(bench, who, 1, seen=3, reason="32", sex="1", removed_flag=True, kana="べつ")
    name = f"population/{YATSUSHIRO}/1990-04/1/until-2026-05-01"
    assert kept(bench, "population/") == {name: 1}
    bench.now += 60 * DAY
    bench.work()
    assert kept(bench, "population/") == {}
    change(bench, who, 1, seen=4, reason="11")
    assert kept(bench, "population/") == {f"population/{YATSUSHIRO}/1990-04/2": 1}


def test_what_was_undone_is_not_counted(bench: Bench) -> None:
    cs = bench.municipality(YATSUSHIRO)
    notify(cs, wire(), wire(sequence=2, name="", resident_code="1"))
    assert kept(bench, "update/") == {f"update/2026-04/{YATSUSHIRO}/11": 1}


def test_the_population_of_the_first_of_a_month_is_kept(bench: Bench) -> None:
    crowd(bench, 20)
    with pytest.raises(NotFound):
        told(bench, "population", ["sex"], period="2026-04")
    bench.work()
    crowd(bench, 10, 100, sex="1")
    assert told(bench, "population", ["sex"], period="2026-04") == {("2",): 20, (): 20}
    assert told(bench, "population", ["sex"])[()] == 30
    bench.now += DAY
    bench.work()
    assert told(bench, "population", ["sex"], period="2026-04")[()] == 20, "it is kept once"
    bench.now = bench.now.replace(month=5, day=3)
    bench.work()
    with pytest.raises(NotFound):
        told(bench, "population", ["sex"], period="2026-05")


def test_many_lapsed_counts_are_taken_away_in_steps(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.statistics.rollover.MOST_DROPPED", 2)
    for which in range(1, 6):
        born = {"birth_date": f"199{which}-01-01"}
        who = admit(bench, which, **born)
        out = {"reason": "21", "effective_date": "2026-04-02", "removed_flag": True}
        change(bench, who, which, **out, **born)
    bench.now += 2 * DAY
    assert bench.work().count("statistics/rollover") == 3
    assert kept(bench, "population/") == {}


# --- updates ---


def test_updates_are_counted_by_month_municipality_and_reason(bench: Bench) -> None:
    crowd(bench, 10, recorded_at="2026-03-31T14:59:59.000000Z")
    crowd(bench, 20, 100, recorded_at="2026-03-31T15:00:00.000000Z", reason="12")
    assert told(bench, "updates", ["month", "reason"], period="2026") == {
        ("2026-03", "11"): 10,
        ("2026-04", "12"): 20,
        (): 30,
    }
    assert told(bench, "updates", ["municipality"], period="2026-04") == {(YATSUSHIRO,): 20, (): 20}
    assert told(bench, "updates", ["month"], period="2025") == {(): 0}


# --- provisions ---


def test_a_table_of_provisions_is_of_what_provision_counted(bench: Bench) -> None:
    names = {
        "provision/2026-04/prefectural-tax/県税事務所/inquire/one": 30,
        "provision/2026-04/prefectural-tax/県税事務所/verify/one": 10,
        "provision/2026-05/passport/パスポートセンター/inquire/none": 40,
    }
    add(bench, names)
    assert told(bench, "provisions", ["agency", "method"], period="2026") == {
        ("県税事務所", "inquire"): 30,
        ("県税事務所", "verify"): 10,
        ("パスポートセンター", "inquire"): 40,
        (): 80,
    }
    assert told(bench, "provisions", ["result"], period="2026-04") == {("one",): 40, (): 40}


def add(bench: Bench, names: dict[str, int]) -> None:
    bench.vault.write(lambda unit: [unit.tally(name, by) for name, by in names.items()])


# --- forms, rights ---


def test_a_table_can_be_had_as_csv(bench: Bench) -> None:
    crowd(bench, 10)
    crowd(bench, 20, 200, municipality_code=KUMAMOTO)
    answer = bench.clerk().ask(
        "statistics/population", {"by": ["municipality", "sex"], "format": "csv"}
    )
    assert answer.data["csv"].split("\r\n") == [
        "\ufeff市町村コード,市町村,性別,性別の名称,人数",
        "431001,熊本市,2,女,20",
        "432024,八代市,2,女,10",
        "合計,,,,30",
        "数は、個人が特定されないよう、10単位に丸めています。",
        "",
    ]
    assert not answer.data["rows"]


@pytest.mark.parametrize(
    "body",
    [
        {"by": []},
        {"by": ["name"]},
        {"by": ["sex"], "period": "2026"},
        {"by": ["sex"], "period": "2026-13"},
        {"by": ["sex"], "format": "xml"},
        {"by": ["sex"], "who": "佐藤"},
    ],
)
def test_a_wrong_question_is_refused(bench: Bench, body: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        bench.clerk().ask("statistics/population", body)


@pytest.mark.requirement("R173")
def test_a_statistic_names_nobody_and_whoever_makes_them_reaches_nobody(tmp_path: Path) -> None:
    """R173: no decision about a person can rest on what shows no person."""
    with Bench.open(tmp_path, policy=shipped()) as bench:
        crowd(bench, 12)
        clerk = bench.clerk(roles=("statistician",), purposes=("register-administration",))
        answer = str(clerk.ask("statistics/population", {"by": BY}).data)
        assert all(text not in answer for text in ("熊本　花子", number(1), "1990-04"))
        for operation in ("search/find", "provision/inquire", "statistics/roll-over"):
            with pytest.raises(NotPermitted):
                clerk.ask(operation, {}, purpose="register-administration", reason="01")
        entry = bench.ledger()[-4]
        assert (entry.operation, entry.subjects, entry.items) == ("statistics/population", (), ())


# --- what a change counts for ---


def test_whatever_the_changes_they_add_up_to_what_the_last_one_counts_for() -> None:
    """Under one ``today``, as ``juki check`` replays them."""
    from appliance.plugin_api import Change
    from storage.engine import PersonId, VersionId

    today = date(2026, 4, 1)
    versions = [
        person(),
        person(municipality_code=UTO, reason="31"),
        person(removed_flag=True, reason="21", effective_date="2026-04-20"),
        person(removed_flag=True, reason="32", sex="1"),
        person(reason="11", birth_date="1990-05-00"),
    ]
    total: Counter[str] = Counter()
    before, left = None, None
    for at, after in enumerate(versions, start=1):
        leaves = until(after, left)
        moved = tallies_of(Change(VersionId(PersonId(1), at), before, after, left, leaves), today)
        total.update({name: by for name, by in moved.items() if name.startswith("population")})
        before, left = after, leaves
        assert sum(total.values()) == 1
    assert {name: by for name, by in total.items() if by} == {
        f"population/{YATSUSHIRO}/1990-05/2": 1
    }
