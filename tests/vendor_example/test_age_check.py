"""What a vendor's tests look like: nothing here that does not come with juki-appliance."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import age_check
import pytest

from appliance.plugin_api import ItemName, NotPermitted, TerminalKind
from appliance.testing import Bench, Seat
from plugins import search, update

FOR_ALL = {"purpose": "all", "reason": "01"}
MOVED_IN = {
    "sequence": 1,
    "resident_code": "90000000018",
    "name": "熊本　花子",
    "kana": "くまもと　はなこ",
    "birth_date": "1990-04-05",
    "sex": "2",
    "address": "熊本県八代市松江城町１番２５号",
    "town_code": None,
    "my_number": "900000000010",
    "reason": "11",
    "effective_date": "2026-03-31",
    "municipality_code": "432024",
    "update_number": 1,
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"age_check": age_check, "search": search, "update": update}
    with Bench.open(tmp_path, plugins) as bench:
        yield bench


def admit(bench: Bench, **items: str) -> None:
    """Let the municipality notify a resident."""
    cs = bench.municipality("432024")
    answer = cs.ask("update/notify", {"notifications": [{**MOVED_IN, **items}]})
    assert [result["outcome"] for result in answer.data["results"]] == ["applied"]


def ref(seat: Seat) -> str:
    found = seat.ask("search/find", {"name": "熊本花子"}, **FOR_ALL)
    return str(found.data["residents"][0]["ref"])


@pytest.mark.parametrize(
    ("born", "on", "of_age"),
    [
        ("2008-04-01", "2026-04-01", True),
        ("2008-04-01", "2026-03-31", False),
        ("2008-04-00", "2026-03-31", False),
        ("2008-04-00", "2026-04-15", None),
        ("2008-04-00", "2026-05-01", True),
        ("0000-00-00", "2026-04-01", None),
    ],
)
def test_of_age_is_told_and_nothing_else(
    bench: Bench, born: str, on: str, of_age: bool | None
) -> None:
    admit(bench, birth_date=born)
    clerk = bench.clerk()
    answer = clerk.ask("age/of-majority", {"ref": ref(clerk), "on": on}, **FOR_ALL)
    assert answer.data == {"of_age": of_age}
    entry = bench.ledger()[-1]
    assert (len(entry.subjects), entry.items) == (1, (ItemName("birth_date"),))
    assert entry.conditions == {"on": on}


def test_nobody_works_at_night(bench: Bench) -> None:
    admit(bench)
    clerk = bench.clerk()
    bench.now += timedelta(hours=8, minutes=1)
    clerk = bench.clerk()
    with pytest.raises(NotPermitted, match="outside office hours"):
        ref(clerk)
    assert bench.ledger()[-1].why == "outside office hours"


def test_business_terminals_never_see_a_my_number(bench: Bench) -> None:
    admit(bench)
    bench.seat("TERM-0002", TerminalKind.BUSINESS)
    clerk = bench.clerk(terminal_id="TERM-0002")
    asked = {"ref": ref(clerk), "items": ["name", "my_number"]}
    detail = clerk.ask("search/detail", asked, **FOR_ALL).data
    assert detail["withheld"] == ("my_number",)
    assert detail["resident"] == {"name": "熊本　花子"}
