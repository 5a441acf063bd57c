"""Who is not a resident of the prefecture is asked of the national server (R43)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import testing
from appliance.errors import Refusal
from appliance.items import PROVIDED
from appliance.testing import Bench, Seat
from plugins import provision
from tests.plugins.people import admit, change, number, person, shipped_policy

TAX = {"purpose": "prefectural-tax", "reason": "01"}
GONE = {"removed_flag": True, "effective_date": "2026-03-01", "reason": "21"}
AWAY = "東京都千代田区千代田１番１号"
BY = {"my_number": number(1)}
HANAKO = {"name": "熊本　花子", "birth_date": "1990-04-05"}

pytestmark = pytest.mark.requirement("R43")


@pytest.fixture
def national() -> Any:
    """Return a national server that knows where 花子 has gone."""
    known = person(1, address=AWAY)
    return testing.FakeNational(people=[{item: known[item] for item in PROVIDED}])


@pytest.fixture
def bench(tmp_path: Path, national: Any) -> Iterator[Bench]:
    plugins = {"provision": provision}
    with Bench.open(tmp_path, plugins, shipped_policy(), national=national) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Seat:
    return bench.clerk(roles=("clerk",), purposes=("prefectural-tax",))


def inquire(seat: Seat, by: dict[str, str], *items: str, **more: Any) -> dict[str, Any]:
    body = {"by": by, "items": list(items or ("address",)), **more}
    return dict(seat.ask("provision/inquire", body, **TAX).data)


@pytest.mark.parametrize("by", [BY, HANAKO], ids=["number", "four"])
def test_who_moved_out_is_answered_from_where_he_lives_now(
    bench: Bench, clerk: Seat, by: dict[str, str]
) -> None:
    who = admit(bench, 1, **GONE)
    answer = inquire(clerk, by)
    assert (answer["result"], answer["resident"]) == ("one", {"address": AWAY})
    entry = bench.ledger()[-1]
    assert entry.subjects == (who,)
    assert entry.note.startswith("one by ")
    with bench.vault.view() as view:
        assert view.latest(who) == 1  # nothing of the answer is kept


def test_what_the_national_server_told_is_counted_as_told(bench: Bench, clerk: Seat) -> None:
    admit(bench, 1, **GONE)
    inquire(clerk, BY)
    inquire(clerk, {"my_number": number(3)})
    with bench.vault.view() as view:
        counted = {name.rpartition("/")[2]: n for name, n in view.tallies("provision/").items()}
    assert counted == {"one": 1, "none": 1}


def test_who_was_never_here_is_answered_too(clerk: Seat, national: Any) -> None:
    assert inquire(clerk, BY)["resident"] == {"address": AWAY}
    assert len(national.asked) == 1


def test_claims_are_compared_with_what_the_national_server_tells(bench: Bench, clerk: Seat) -> None:
    admit(bench, 1, **GONE)
    claims = {"address": AWAY, "sex": "1"}
    answer = clerk.ask("provision/verify", {"by": BY, "claims": claims}, **TAX).data
    assert answer["claims"] == {"address": "match", "sex": "mismatch"}


def test_whom_nobody_knows_is_elsewhere_or_none_as_before(bench: Bench, clerk: Seat) -> None:
    admit(bench, 2, **GONE)
    assert inquire(clerk, {"my_number": number(2)})["result"] == "elsewhere"
    assert inquire(clerk, {"my_number": number(3)})["result"] == "none"


def test_a_resident_is_not_asked_of_anybody(bench: Bench, clerk: Seat, national: Any) -> None:
    admit(bench, 1)
    assert inquire(clerk, BY)["result"] == "one"
    assert national.asked == []


@pytest.mark.parametrize(
    ("by", "items", "claimed"),
    [
        pytest.param(
            {"kana": "くまもとはなこ", "birth_date": "1990-04-05"}, ("address",), {}, id="kana"
        ),
        pytest.param(BY, ("kana",), {}, id="an item it does not keep"),
        pytest.param(BY, ("address",), {"claimed": {"sex": "2"}}, id="claimed of a stranger"),
    ],
)
def test_what_the_national_server_cannot_say_is_not_asked(
    clerk: Seat, national: Any, by: dict[str, str], items: tuple[str, ...], claimed: dict[str, Any]
) -> None:
    assert inquire(clerk, by, *items, **claimed)["result"] == "none"
    assert national.asked == []


def test_a_former_number_is_not_asked_of_anybody(bench: Bench, clerk: Seat, national: Any) -> None:
    who = admit(bench, 1)
    change(bench, who, my_number=number(7))
    assert inquire(clerk, BY)["result"] == "none"
    assert national.asked == []


def test_that_the_national_server_is_down_is_said(clerk: Seat, national: Any) -> None:
    national.fault = "unreachable"
    with pytest.raises(Refusal, match="bad-gateway"):
        inquire(clerk, BY)
