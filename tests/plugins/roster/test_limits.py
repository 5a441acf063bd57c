"""What a terminal is registered for: hours, functions, 所属; its certificates one after another."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.audit import Result
from appliance.certificates import CertificateAuthority, peer_from_pem
from appliance.errors import Conflict, Malformed, NotFound, NotPermitted, Unidentified
from appliance.loading import installed
from appliance.testing import PIN, Bench, Seat
from tests.plugins.people import shipped_policy

# Wednesday, ten o'clock in Japan.
NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
AUTHORITY = CertificateAuthority.create("test CA", NOW - timedelta(days=30))
OFFICE_HOURS = ["平日 08:30-12:00", "平日 13:00-17:15"]
NOBODY = {"name": "熊本　太郎", "birth_date": "1990-04-05"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, installed(("roster", "search", "provision")), shipped_policy()) as b:
        yield b


@pytest.fixture
def keeper(bench: Bench) -> Seat:
    return bench.clerk("ADMIN", roles=("system-administrator",), purposes=())


def certificate(days: int = 100) -> str:
    return AUTHORITY.issue_client(
        "TERM-0002", now=NOW - timedelta(days=1), days=days + 1
    ).certificate_pem.decode()


def enrol(bench: Bench, keeper: Seat, **changed: Any) -> Seat:
    """Register a 業務端末 of the tax office, and sit down at it."""
    pem = changed.pop("certificate", None) or certificate()
    body = {
        "terminal_id": "TERM-0002",
        "kind": "business",
        "place": "県税事務所 2階",
        "office": "県税事務所",
        "certificate": pem,
        **changed,
    }
    if body["kind"] == "municipality":
        officer = bench.clerk(
            "OFFICER", roles=("security-officer",), purposes=(), terminal_id="TERM-9001"
        )
        keeper.ask_with(officer, "roster/enrol-terminal", body)
    else:
        keeper.ask("roster/enrol-terminal", body)
    return Seat(bench, peer_from_pem(pem))


def tax_clerk(bench: Bench, office: str = "県税事務所") -> None:
    """Appoint OP-0004; he has logged in at another terminal, and out again."""
    seat = bench.clerk(
        "OP-0004",
        roles=("clerk",),
        purposes=("prefectural-tax",),
        office=office,
        terminal_id="TERM-0009",
    )
    seat.ask("session/close", {})


def log_in(seat: Seat, operator: str = "OP-0004") -> Seat:
    opened = seat.ask("session/open", {"person": f"P-{operator}", "pin": PIN})
    return replace(seat, bearer=opened.data["token"])


def find(seat: Seat) -> object:
    return seat.ask("search/find", NOBODY, purpose="prefectural-tax", reason="01").data["count"]


def change(keeper: Seat, **changes: Any) -> dict[str, Any]:
    body = {"terminal_id": "TERM-0002", "reason": "変更", **changes}
    return dict(keeper.ask("roster/change-terminal", body).data)


def again_in(bench: Bench, keeper_id: str, days: float) -> Seat:
    """Return the administrator, logged in anew some days later."""
    bench.now += timedelta(days=days)
    return bench.clerk(keeper_id, roles=("system-administrator",), purposes=())


@pytest.mark.parametrize(
    ("japan", "again"),
    [
        ("2026-04-01T08:30", None),
        ("2026-04-01T11:59", None),
        ("2026-04-01T12:00", "2026-04-01 13:00"),
        ("2026-04-01T17:14", None),
        ("2026-04-01T17:15", "2026-04-02 08:30"),
        ("2026-04-01T08:29", "2026-04-01 08:30"),
        ("2026-04-04T10:00", "2026-04-06 08:30"),
        ("2026-04-28T20:00", "2026-04-30 08:30"),
        ("2026-04-29T10:00", "2026-04-30 08:30"),
    ],
    ids=[
        "opens",
        "last-minute-before-noon",
        "noon",
        "last-minute",
        "R126-closes",
        "too-early",
        "saturday",
        "before-a-holiday",
        "holiday",
    ],
)
def test_r126_outside_its_hours_nobody_logs_in_at_a_terminal(
    tmp_path: Path, japan: str, again: str | None
) -> None:
    policy = shipped_policy()
    holiday = datetime(2026, 4, 29, tzinfo=UTC).date()
    office = msgspec.structs.replace(policy.office, closed_days=(holiday,))
    with Bench.open(tmp_path, installed(("roster", "search")), replace(policy, office=office)) as b:
        seat = enrol(b, b.clerk("ADMIN", roles=("system-administrator",)), hours=OFFICE_HOURS)
        tax_clerk(b)
        b.now = datetime.fromisoformat(f"{japan}:00+09:00").astimezone(UTC)
        if again is None:
            assert find(log_in(seat)) == 0
            return
        with pytest.raises(NotPermitted, match=f"again from {again}$"):
            log_in(seat)
        refused = b.ledger()[-1]
    assert (refused.operation, refused.result) == ("session/open", Result.DENIED)
    assert refused.terminal == "TERM-0002"


def test_a_session_does_nothing_after_closing_time_but_log_out(bench: Bench, keeper: Seat) -> None:
    seat = enrol(bench, keeper, hours=["毎日 00:00-10:03"])
    tax_clerk(bench)
    clerk = log_in(seat)
    assert find(clerk) == 0
    bench.now += timedelta(minutes=3)
    with pytest.raises(NotPermitted, match="not used at this hour"):
        find(clerk)
    clerk.ask("session/close", {})
    with pytest.raises(NotPermitted):
        log_in(seat)


def test_r126_a_terminal_serves_only_the_functions_it_is_registered_for(
    bench: Bench, keeper: Seat
) -> None:
    seat = enrol(bench, keeper, operations=["provision/verify", "relay"])
    tax_clerk(bench)
    clerk = log_in(seat)
    with pytest.raises(NotPermitted, match="not registered for search/find"):
        find(clerk)
    assert bench.ledger()[-1].result == Result.DENIED
    change(keeper, operations=["search"])
    assert find(clerk) == 0


def test_a_terminal_gives_nobody_more_than_his_role(bench: Bench, keeper: Seat) -> None:
    seat = enrol(bench, keeper, operations=["search", "provision", "roster"])
    tax_clerk(bench)
    clerk = log_in(seat)
    with pytest.raises(NotPermitted, match="no role of yours reaches roster/terminals"):
        clerk.ask("roster/terminals", {})


def test_a_terminal_of_one_office_alone_lets_nobody_else_log_in(bench: Bench, keeper: Seat) -> None:
    seat = enrol(bench, keeper, own_office_only=True)
    tax_clerk(bench, office="市町村課")
    for _ in range(6):
        with pytest.raises(NotPermitted, match="own office only"):
            log_in(seat)
    # Nor is he locked for it: his PIN was right.
    change(keeper, own_office_only=False)
    clerk = log_in(seat)
    change(keeper, own_office_only=True)
    with pytest.raises(NotPermitted, match="own office only"):
        find(clerk)
    clerk.ask("session/close", {})


def test_a_change_keeps_how_it_was_who_changed_it_and_why(bench: Bench, keeper: Seat) -> None:
    enrol(bench, keeper, request_number="T-2026-3")
    change(keeper, hours=OFFICE_HOURS, reason="執務時間に限る")
    changed = change(keeper, hours=[], place="県税事務所 3階", reason="移設")
    assert (changed["place"], changed["hours"]) == ("県税事務所 3階", ())
    told = keeper.ask("roster/terminal-history", {"terminal_id": "TERM-0002"}).data
    states = [(r["why"], r["changed_by"], r["state"]["hours"]) for r in told["revisions"]]
    assert states == [
        ("登録", "ADMIN", ()),
        ("執務時間に限る", "ADMIN", tuple(OFFICE_HOURS)),
        ("移設", "ADMIN", ()),
    ]
    assert {r["state"]["request_number"] for r in told["revisions"]} == {"T-2026-3"}


def test_a_change_says_what_changes_and_of_which_terminal(bench: Bench, keeper: Seat) -> None:
    enrol(bench, keeper)
    with pytest.raises(Malformed, match="say what changes"):
        change(keeper)
    with pytest.raises(Malformed, match="place is needed"):
        change(keeper, place=" ")
    with pytest.raises(NotFound):
        change(keeper, terminal_id="TERM-0008", place="倉庫")
    with pytest.raises(NotFound):
        keeper.ask("roster/terminal-history", {"terminal_id": "TERM-0008"})
    assert keeper.ask("roster/terminals", {}).data["terminals"][1]["place"] == "県税事務所 2階"


def test_a_renewed_terminal_keeps_its_limits_and_its_former_certificate_lapses(
    bench: Bench, keeper: Seat
) -> None:
    old = enrol(bench, keeper, hours=["毎日 00:00-24:00"], operations=["search"])
    pem = certificate(days=800)
    renewed = keeper.ask("roster/renew-terminal", {"terminal_id": "TERM-0002", "certificate": pem})
    assert renewed.data["hours"] == ("毎日 00:00-24:00",)
    assert renewed.data["operations"] == ("search",)
    new = Seat(bench, peer_from_pem(pem))
    new.ask("session/close", {})
    bench.now += timedelta(days=6, hours=23)
    old.ask("session/close", {})
    bench.now += timedelta(hours=1)
    with pytest.raises(Unidentified):
        old.ask("session/close", {})
    new.ask("session/close", {})


def test_a_certificate_is_registered_once_and_of_a_terminal_in_use(
    bench: Bench, keeper: Seat
) -> None:
    pem = certificate()
    enrol(bench, keeper, certificate=pem)
    renewal = {"terminal_id": "TERM-0002", "certificate": pem}
    with pytest.raises(Conflict):
        keeper.ask("roster/renew-terminal", renewal)
    with pytest.raises(NotFound):
        keeper.ask("roster/renew-terminal", {**renewal, "terminal_id": "TERM-0008"})


def test_revoking_ends_all_certificates_of_a_terminal_and_the_sessions_there(
    bench: Bench, keeper: Seat
) -> None:
    old = enrol(bench, keeper)
    tax_clerk(bench)
    clerk = log_in(old)
    pem = certificate()
    keeper.ask("roster/renew-terminal", {"terminal_id": "TERM-0002", "certificate": pem})
    keeper.ask("roster/revoke-terminal", {"terminal_id": "TERM-0002", "reason": "盗難"})
    for seat in (clerk, Seat(bench, peer_from_pem(pem))):
        with pytest.raises(Unidentified):
            seat.ask("session/close", {})
    # His session does not live on there: he may log in elsewhere at once.
    log_in(bench.seat("TERM-0009"))


def test_an_alarm_names_certificates_that_run_out(bench: Bench, keeper: Seat) -> None:
    enrol(bench, keeper, certificate=certificate(days=45))
    assert alarms(bench) == {}
    bench.now += timedelta(days=15)
    (told,) = alarms(bench).values()
    assert "TERM-0002(2026-05-16まで)" in told
    keeper = again_in(bench, "ADMIN", 1)
    pem = certificate(days=800)
    keeper.ask("roster/renew-terminal", {"terminal_id": "TERM-0002", "certificate": pem})
    bench.now += timedelta(minutes=2)
    assert alarms(bench) == {}


def test_an_alarm_names_terminals_at_which_nobody_logs_in(bench: Bench, keeper: Seat) -> None:
    seat = enrol(bench, keeper, certificate=certificate(days=800))
    cs = {"terminal_id": "CS-432024", "kind": "municipality", "municipality_code": "432024"}
    enrol(bench, keeper, **cs, office="", certificate=certificate(days=800))
    tax_clerk(bench)
    bench.now += timedelta(days=60)
    log_in(seat)
    bench.now += timedelta(days=90)
    assert "TERM-0002" not in alarms(bench)["roster/terminals-unused"]
    bench.now += timedelta(days=1)
    told = alarms(bench)["roster/terminals-unused"]
    assert "TERM-0002(2026-05-31以降)" in told
    assert "CS-432024" not in told


def alarms(bench: Bench) -> dict[str, str]:
    bench.jobs.turn()
    return {each["name"]: each["text"] for each in bench.jobs.alarms()}
