from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from appliance.certificates import CertificateAuthority, is_issued_by, peer_from_pem
from appliance.enrolling import make_request, read_request, sign_request
from appliance.errors import Conflict, Malformed, NeedsApproval, NotFound, Unidentified
from appliance.pipeline import Pipeline
from appliance.testing import Bench, Seat
from plugins import roster
from tests.plugins.people import shipped_policy

NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)


@cache
def authority() -> CertificateAuthority:
    return CertificateAuthority.create("test CA", NOW - timedelta(days=30))


@cache
def certificate(name: str = "TERM-0002", days_ago: int = 1, days: int = 100) -> str:
    issued = authority().issue_client(name, now=NOW - timedelta(days=days_ago), days=days)
    return issued.certificate_pem.decode()


SERVER = {
    "terminal_id": "CS-432024",
    "kind": "municipality",
    "municipality_code": "432024",
    "certificate": certificate(),
}


@cache
def named(terminal_id: str) -> str:
    """A certificate that says in its URI whose it is."""
    asked = read_request(make_request(terminal_id).request_pem)
    return sign_request(authority(), asked, now=NOW - timedelta(days=1), days=100).decode()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"roster": roster}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def keeper(bench: Bench) -> Seat:
    return bench.clerk("ADMIN", roles=("system-administrator",), purposes=())


@pytest.fixture
def officer(bench: Bench) -> Seat:
    return bench.clerk("OFFICER", roles=("security-officer",), purposes=(), terminal_id="TERM-9001")


def enrol(keeper: Seat, officer: Seat | None = None, **changed: Any) -> dict[str, Any]:
    body = {
        "terminal_id": "TERM-0002",
        "kind": "business",
        "place": "県税事務所",
        "certificate": certificate(),
        **changed,
    }
    if officer is not None and body["kind"] == "municipality":
        return dict(keeper.ask_with(officer, "roster/enrol-terminal", body).data)
    return dict(keeper.ask("roster/enrol-terminal", body).data)


def test_a_registered_certificate_may_ask(bench: Bench, keeper: Seat) -> None:
    peer = peer_from_pem(certificate())
    with pytest.raises(Unidentified):
        Seat(bench, peer).ask("session/close", {})
    assert enrol(keeper, request_number="T-2026-1") == {
        "terminal_id": "TERM-0002",
        "kind": "business",
        "place": "県税事務所",
        "municipality_code": None,
        "fingerprint": peer.fingerprint,
        "revoked": "",
        "office": "",
        "own_office_only": False,
        "operations": (),
        "hours": (),
        "not_after": peer.not_after.isoformat().replace("+00:00", "Z"),
        "until": None,
        "request_number": "T-2026-1",
        "registered_at": "2026-04-01T01:00:00Z",
    }
    Seat(bench, peer).ask("session/close", {})
    entry = bench.ledger()[-2]
    assert entry.note == peer.fingerprint
    assert "certificate" not in entry.conditions


def test_a_municipal_server_is_bound_to_its_municipality(keeper: Seat, officer: Seat) -> None:
    told = keeper.ask_with(officer, "roster/enrol-terminal", SERVER).data
    assert told["municipality_code"] == "432024"


@pytest.mark.requirement("R127")
@pytest.mark.parametrize("changed", [{}, {"kind": "national", "municipality_code": None}])
def test_nobody_lets_another_server_in_alone(
    bench: Bench, keeper: Seat, officer: Seat, changed: dict[str, Any]
) -> None:
    """Whoever has its certificate is sent residents' data, and never logs in."""
    with pytest.raises(NeedsApproval):
        keeper.ask("roster/enrol-terminal", {**SERVER, **changed})
    assert bench.ledger()[-1].refusal == "needs-approval"
    keeper.ask_with(officer, "roster/enrol-terminal", {**SERVER, **changed})
    renewal = {"terminal_id": "CS-432024", "certificate": certificate("next")}
    with pytest.raises(NeedsApproval):
        keeper.ask("roster/renew-terminal", renewal)
    keeper.ask_with(officer, "roster/renew-terminal", renewal)


def test_a_terminal_for_people_takes_one_person(keeper: Seat, officer: Seat) -> None:
    wanted = {"form": "端-1", "reason": "新設", "operation": "roster/enrol-terminal"}
    body = {"terminal_id": "TERM-0002", "kind": "business", "place": "窓口"}
    arguments = {**body, "certificate": certificate()}
    with pytest.raises(Malformed, match="one person is enough"):
        keeper.ask("approval/request", {**wanted, "arguments": arguments})
    with pytest.raises(Malformed, match="X-Approval"):
        keeper.ask("roster/enrol-terminal", arguments, approval=1)
    keeper.ask("roster/enrol-terminal", arguments)


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "municipality"},
        {"kind": "municipality", "municipality_code": "430005"},
        {"kind": "municipality", "municipality_code": "439999"},
        {"municipality_code": "432024"},
        {"kind": "service"},
        {"certificate": "not a certificate"},
        {"certificate": certificate() + certificate()},
        {"certificate": certificate("TERM-0009", days_ago=20, days=10)},
        {"terminal_id": "端末２"},
        {"place": ""},
        {"kind": "representative", "place": " "},
        {"hours": ["平日 8:30-17:15"]},
        {"hours": ["平日 17:15-08:30"]},
        {"hours": ["月曜 08:30-17:15"]},
        {"operations": ["search", "no-such-function"]},
        {"operations": ["search/burn"]},
        {"own_office_only": True},
        {"kind": "municipality", "municipality_code": "432024", "hours": ["毎日 00:00-24:00"]},
        {"certificate": named("TERM-0009")},
    ],
    ids=[
        "no-municipality",
        "prefecture",
        "unknown-municipality",
        "municipality-of-a-terminal",
        "service",
        "no-certificate",
        "two-certificates",
        "certificate-over",
        "bad-id",
        "R21-business-without-place",
        "R21-representative-without-place",
        "hours-not-of-the-form",
        "hours-over-midnight",
        "hours-of-no-class-of-days",
        "no-such-function",
        "no-such-operation",
        "own-office-without-office",
        "hours-of-a-server",
        "certificate-of-another-id",
    ],
)
def test_what_cannot_be_registered_is_malformed(
    keeper: Seat, officer: Seat, changed: dict[str, Any]
) -> None:
    with pytest.raises(Malformed):
        enrol(keeper, officer, **changed)


def test_a_certificate_that_could_open_no_connection_is_not_registered(tmp_path: Path) -> None:
    other = CertificateAuthority.create("another CA", NOW - timedelta(days=30))
    both = authority().certificate_pem + other.certificate_pem
    with Bench.open(tmp_path, {"roster": roster}, shipped_policy()) as bench:
        believed = [authority().certificate_pem]
        parts = replace(bench.parts, is_ours=lambda pem: is_issued_by(pem, believed[-1]))
        bench.pipeline = Pipeline(parts)
        keeper = bench.clerk("ADMIN", roles=("system-administrator",), purposes=())
        foreign = other.issue_client("TERM-0002", now=NOW).certificate_pem.decode()
        with pytest.raises(Malformed, match="another authority"):
            enrol(keeper, certificate=foreign)
        believed.append(both)
        enrol(keeper, certificate=foreign)
        enrol(keeper, terminal_id="TERM-0003")


def test_a_certificate_with_its_key_is_not_taken(keeper: Seat) -> None:
    issued = authority().issue_client("TERM-0002", now=NOW)
    both = (issued.certificate_pem + issued.key_pem).decode()
    with pytest.raises(Malformed) as refused:
        enrol(keeper, certificate=both)
    assert "PRIVATE" not in str(refused.value)


def test_a_terminal_id_stands_for_one_live_certificate(keeper: Seat) -> None:
    enrol(keeper)
    with pytest.raises(Conflict):
        enrol(keeper, certificate=certificate("another"))
    with pytest.raises(Conflict):
        enrol(keeper, terminal_id="TERM-0003")
    with pytest.raises(Conflict):
        enrol(keeper, terminal_id="SYSTEM", certificate=certificate("another"))


def test_a_revoked_terminal_is_out_at_once_and_may_get_a_new_certificate(
    bench: Bench, keeper: Seat
) -> None:
    enrol(keeper)
    seat = Seat(bench, peer_from_pem(certificate()))
    seat.ask("session/close", {})
    asked = {"terminal_id": "TERM-0002", "reason": "端末更新"}
    assert keeper.ask("roster/revoke-terminal", asked).data["revoked"] == "端末更新"
    with pytest.raises(Unidentified):
        seat.ask("session/close", {})
    assert bench.strangers[-1][0] == seat.peer.fingerprint
    with pytest.raises(NotFound):
        keeper.ask("roster/revoke-terminal", asked)
    with pytest.raises(Conflict):
        enrol(keeper)
    enrol(keeper, certificate=certificate("renewed"))
    lines = keeper.ask("roster/terminals", {}).data["terminals"]
    states = [(line["terminal_id"], bool(line["revoked"])) for line in lines]
    assert sorted(states) == [("TERM-0001", False), ("TERM-0002", False), ("TERM-0002", True)]


def test_a_terminal_does_not_revoke_itself(keeper: Seat) -> None:
    with pytest.raises(Conflict, match="itself"):
        keeper.ask("roster/revoke-terminal", {"terminal_id": "TERM-0001", "reason": "更新"})


def test_no_terminal_is_two_by_another_spelling(keeper: Seat) -> None:
    with pytest.raises(Malformed, match="of A-Z 0-9 -"):
        enrol(keeper, terminal_id="term-0002")
