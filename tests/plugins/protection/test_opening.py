"""Whatever opens a resident: refused for one person alone, served for two."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appliance.errors import (
    Conflict,
    Malformed,
    NotFound,
    NotPermitted,
    Protected,
    Rejected,
    VerifyAgain,
)
from appliance.testing import PIN, Seat
from plugins import protection
from tests.contract.test_operations import OPERATIONS, POLICY
from tests.plugins.people import code, number
from tests.plugins.protection.office import (
    DISCLOSING,
    HANAKO,
    HERS,
    ITEMS,
    NOT_HERS,
    TAX,
    WORK,
    Office,
)

Body = Callable[[Office], dict[str, Any]]
BY_NUMBER = {"by": {"my_number": number(1)}}
BY_FOUR = {"by": HANAKO, "items": ITEMS}


def fixed(body: dict[str, Any]) -> Body:
    return lambda office: body


def of_list(office: Office) -> dict[str, Any]:
    """Ask about her under the reference of a list."""
    (hit,) = office.find(name=HANAKO["name"], birth_date=HANAKO["birth_date"])
    return {"ref": hit["ref"], "items": ITEMS}


def looked_at(office: Office) -> dict[str, Any]:
    """Ask to issue what a look at it showed; where there was none, what nobody saw."""
    with suppress(Protected):
        seen = office.registrar.ask("disclosure/preview", {"number": 5}, **DISCLOSING)
        return {"number": 5, "sha256": seen.data["sha256"]}
    return {"number": 5, "sha256": "0" * 64}


CASE, CORRECTION, SHEET = {"number": 1}, {"number": 2}, {"sheet": 2}
UNMATCHED = {"number": 4}
"""What she wrote says where she lives, before anybody compared it with a record."""
OPENS: list[tuple[str, dict[str, str], Body]] = [
    ("search/detail", WORK, of_list),
    ("search/detail", WORK, lambda office: {**of_list(office), "history": True}),
    ("provision/inquire", TAX, fixed({**BY_NUMBER, "items": ITEMS})),
    ("provision/inquire", TAX, fixed({**BY_NUMBER, "items": ITEMS, "claimed": {"address": HERS}})),
    ("provision/inquire", WORK, fixed({"by": {"resident_code": code(1)}, "items": ITEMS})),
    ("provision/inquire", TAX, fixed(BY_FOUR)),
    ("provision/verify", TAX, fixed({**BY_NUMBER, "claims": {"address": HERS}})),
    ("provision/report", WORK, fixed({"by": {"resident_code": code(1)}})),
    ("relay/inquire", WORK, fixed({**BY_NUMBER, "items": ITEMS})),
    ("relay/inquire", WORK, fixed({"by": {"resident_code": code(1)}, "items": ITEMS})),
    ("relay/inquire", WORK, fixed(BY_FOUR)),
    ("relay/case", WORK, fixed({"number": 1, "items": ["address"]})),
    ("disclosure/case", DISCLOSING, fixed(CASE)),
    ("disclosure/case", DISCLOSING, fixed(UNMATCHED)),
    ("disclosure/extend", DISCLOSING, fixed({**UNMATCHED, "until": "2026-05-01", "why": "混雑"})),
    ("disclosure/amend", DISCLOSING, fixed({**CASE, "stamps_yen": 10})),
    ("disclosure/match", DISCLOSING, fixed(CASE)),
    ("disclosure/match", DISCLOSING, fixed(UNMATCHED)),
    ("disclosure/preview", DISCLOSING, fixed({"number": 5})),
    ("disclosure/issue", DISCLOSING, looked_at),
    ("disclosure/extend", DISCLOSING, fixed({**CASE, "until": "2026-05-01", "why": "混雑"})),
    ("disclosure/close", DISCLOSING, fixed({**CASE, "why": "completed"})),
    (
        "disclosure/correct",
        DISCLOSING,
        fixed(
            {
                "disclosure": 1,
                "method": "post",
                "identity": ["passport"],
                "wish": "correct",
                "items": ["address"],
                "claim": "番地が違う",
            }
        ),
    ),
    (
        "disclosure/investigate",
        DISCLOSING,
        fixed({**CORRECTION, "finding": "error", "account": "転記の誤り"}),
    ),
    ("disclosure/report", DISCLOSING, fixed(CORRECTION)),
    ("disclosure/link", DISCLOSING, fixed(CORRECTION)),
    (
        "disclosure/result",
        DISCLOSING,
        fixed({**CORRECTION, "outcome": "corrected", "explanation": "訂正済み"}),
    ),
    ("disclosure/reissue", DISCLOSING, fixed({**SHEET, "why": "汚損"})),
    ("disclosure/deliver", DISCLOSING, fixed({**SHEET, "method": "counter"})),
    ("disclosure/store", DISCLOSING, fixed({**SHEET, "place": "金庫"})),
    (
        "disclosure/dispose",
        DISCLOSING,
        fixed({**SHEET, "how": "shredded", "witness": "P-OTHER"}),
    ),
]
HINDERED = {
    f"disclosure/{step}": "rejected"
    for step in ("amend", "extend", "correct", "report", "link", "result", "deliver", "store")
} | {"disclosure/dispose": "rejected", "disclosure/match": "rejected"}
"""What the state of the case may forbid once the steps above it were done; never the mark."""
TELLS_LESS = {
    "search/find": "lists that there is somebody (test_oracles)",
    "reconcile/report": "a line without the number (test_oracles)",
    "provision/bulk-submit": "takes a file; its rows about her come back as 91 (test_oracles)",
    "provision/bulk-status": "counts",
    "provision/bulk-approve": "counts",
    "provision/bulk-fetch": "gives what was answered",
    "provision/bulk-cancel": "nothing",
    "disclosure/receive": "takes what the requester writes",
    "disclosure/cases": "no names",
    "disclosure/sheets": "no names",
    "disclosure/forms": "empty forms",
    "disclosure/inquiry": "no residents",
    "disclosure/inquiries": "no residents",
    "protection/ask-opening": "a number",
}


def begun(office: Office) -> None:
    """Let cases about her be open before she is marked."""

    def ask(operation: str, **body: Any) -> dict[str, Any]:
        return dict(office.registrar.ask(f"disclosure/{operation}", body, **DISCLOSING).data)

    def issued(number: int) -> int:
        seen = ask("preview", number=number)["sha256"]
        return int(ask("issue", number=number, sha256=seen)["sheet"])

    paper = {"method": "counter", "identity": ["passport"], "stamps_yen": 10}
    ask("receive", subject=HANAKO, **paper)
    ask("match", number=1)
    sheet = issued(1)
    ask("deliver", sheet=sheet, method="counter")
    wish = {"wish": "correct", "items": ["address"], "claim": "番地が違う"}
    ask("correct", disclosure=1, method="post", identity=["passport"], **wish)
    for _ in range(3):
        ask("receive", subject=HANAKO, **paper)
    ask("match", number=3)
    issued(3)
    ask("match", number=5)
    notice = {"notice": "N-1", "resident_code": code(1), "items": ["address"], "finding": "differs"}
    office.bench.national().ask("relay/report-error", notice)


def test_the_table_holds_every_operation_by_which_staff_is_shown_residents() -> None:
    staffed = {
        name
        for role in POLICY.roles.values()
        if any(kind.is_staffed for kind in role.terminals)
        for name in role.operations
    }
    showing = {op.name for op in OPERATIONS if op.purposed and op.name in staffed}
    assert showing == {name for name, _, _ in OPENS} | set(TELLS_LESS)


def test_every_operation_refuses_one_person_and_serves_two(office: Office) -> None:
    """One office for the whole table: each row is refused, entered, and after that let through."""
    begun(office)
    office.mark()
    for name, purpose, body in OPENS:
        with pytest.raises(Protected, match="two persons"):
            office.registrar.ask(name, body(office), **purpose)
        refused = office.bench.ledger()[-1]
        assert (refused.operation, refused.refusal) == (name, "protected"), name
        assert office.hanako in refused.subjects, name
        assert (refused.operator, refused.items) == ("REG", ()), name
    request = office.open(office.registrar, WORK)
    for name, purpose, body in OPENS:
        with suppress(Conflict, Rejected):
            office.registrar.ask(name, body(office), **purpose)
        entry = office.bench.ledger()[-1]
        assert (entry.operation, entry.refusal) in ((name, None), (name, HINDERED.get(name)))
        if entry.refusal is None:
            assert f"opening {request} with P-SEC" in entry.note, name


def test_another_operator_is_refused_while_one_session_may_open_her(office: Office) -> None:
    office.mark()
    office.open(office.registrar, WORK)
    asked = {**BY_NUMBER, "items": ITEMS}
    assert office.registrar.ask("provision/inquire", asked, **TAX).data["resident"]
    with pytest.raises(Protected):
        office.clerk.ask("provision/inquire", asked, **TAX)


def test_an_opening_ends_with_its_session(office: Office) -> None:
    office.mark()
    office.open(office.clerk, TAX)
    asked = {**BY_NUMBER, "items": ITEMS}
    office.clerk.ask("provision/inquire", asked, **TAX)
    office.clerk.ask("session/close", {})
    seat = replace(office.clerk, bearer=None)
    opened = seat.ask("session/open", {"person": "P-TAX", "pin": PIN})
    again = replace(seat, bearer=opened.data["token"])
    with pytest.raises(Protected):
        again.ask("provision/inquire", asked, **TAX)


def test_an_opening_is_over_after_ten_minutes(office: Office) -> None:
    office.mark()
    office.open(office.clerk, TAX)
    asked = {**BY_NUMBER, "items": ITEMS}
    for minutes in (4, 4, 1):
        office.bench.now += timedelta(minutes=minutes)
        office.clerk.ask("provision/inquire", asked, **TAX)
    office.bench.now += timedelta(minutes=1)
    with pytest.raises(Protected):
        office.clerk.ask("provision/inquire", asked, **TAX)


@pytest.mark.parametrize(
    ("operation", "body"),
    [("disclosure/match", fixed({"number": 4})), ("disclosure/issue", looked_at)],
)
def test_what_was_answered_while_she_was_open_is_not_told_again_afterwards(
    office: Office, operation: str, body: Body
) -> None:
    begun(office)
    office.mark()
    office.open(office.registrar, WORK)
    asked = body(office)
    asking: dict[str, Any] = {**DISCLOSING, "key": "the-same-key-0001"}
    office.registrar.ask(operation, asked, **asking)
    again = office.registrar.ask(operation, asked, **asking)
    assert again.data
    assert office.hanako in office.bench.ledger()[again.receipt].subjects
    for _ in range(3):
        office.bench.now += timedelta(minutes=4)
        office.registrar.ask("session/verify", {"pin": PIN})
    with pytest.raises(Protected):
        office.registrar.ask(operation, asked, **asking)


def test_an_opening_is_of_one_person(office: Office) -> None:
    office.mark()
    office.mark(2)
    office.open(office.clerk, TAX)
    other = {"by": {"my_number": number(2)}, "items": ITEMS}
    with pytest.raises(Protected):
        office.clerk.ask("provision/inquire", other, **TAX)


def test_nobody_agrees_to_what_he_asked_under_another_operator_id_either(office: Office) -> None:
    office.mark()
    request = office.request_opening(office.registrar, WORK)
    with pytest.raises(NotPermitted, match="second person"):
        office.agree(request, office.registrar)
    # The same person under another 操作者ID, at another terminal.
    office.registrar.ask("session/close", {})
    himself = office.bench.clerk(
        "REG-2", roles=("registrar",), purposes=(), terminal_id="TERM-0009", person_id="P-REG"
    )
    with pytest.raises(NotPermitted, match="second person"):
        office.agree(request, himself)
    assert office.agree(request)["kind"] == "opening"


def test_the_second_person_agrees_at_a_terminal_of_his_own(office: Office) -> None:
    office.mark()
    request = office.request_opening(office.clerk, TAX)
    beside = office.bench.clerk(
        "SEC-2", roles=("security-officer",), purposes=(), terminal_id="TERM-0002"
    )
    with pytest.raises(NotPermitted, match="another terminal"):
        office.agree(request, beside)


def test_whoever_agrees_has_just_proved_who_he_is(office: Office) -> None:
    office.mark()
    office.bench.now += timedelta(minutes=3)
    request = office.request_opening(office.registrar, WORK)
    with pytest.raises(VerifyAgain):
        office.agree(request)
    office.officer.ask("session/verify", {"pin": PIN})
    office.agree(request)


def test_a_clerk_agrees_to_nothing(office: Office) -> None:
    office.mark()
    request = office.request_opening(office.registrar, WORK)
    with pytest.raises(NotPermitted, match="no role of yours"):
        office.agree(request, office.clerk)


def test_what_was_answered_or_waits_too_long_is_not_agreed_to(office: Office) -> None:
    office.mark()
    refused = office.request_opening(office.registrar, WORK)
    office.officer.ask("protection/refuse", {"number": refused, "why": "必要がない"})
    with pytest.raises(Conflict, match="answered already"):
        office.agree(refused)
    with pytest.raises(NotFound):
        office.agree(99)
    late = office.request_opening(office.registrar, WORK)
    office.bench.now += timedelta(minutes=61)
    officer = office.bench.clerk(
        "SEC-3", roles=("security-officer",), purposes=(), terminal_id="TERM-0003"
    )
    with pytest.raises(Conflict, match="ask again"):
        office.agree(late, officer)


def test_the_ledger_names_both_persons_and_what_for(office: Office) -> None:
    office.mark()
    request = office.open(office.clerk, TAX)
    asked, agreed = office.bench.ledger()[-2:]
    assert (asked.operation, asked.person, asked.case_number) == (
        "protection/ask-opening",
        "P-TAX",
        "R8-77",
    )
    assert (asked.purpose, asked.conditions) == ("prefectural-tax", {"why": "本人来庁のため"})
    assert (agreed.operation, agreed.person) == ("protection/agree", "P-SEC")
    assert agreed.note == f"opening {request} of P-TAX"
    assert asked.subjects == agreed.subjects == (office.hanako,)
    office.clerk.ask("provision/inquire", {**BY_NUMBER, "items": ITEMS}, **TAX)
    assert office.bench.ledger()[-1].note.endswith(f"; opening {request} with P-SEC")


@pytest.mark.parametrize(
    "who",
    [
        {"name": HANAKO["name"], "birth_date": HANAKO["birth_date"]},
        {"resident_code": code(1)},
        {"my_number": number(1)},
    ],
    ids=["name-and-birth", "resident-code", "my-number"],
)
def test_an_opening_is_asked_for_by_whatever_the_person_is_known_by(
    office: Office, who: dict[str, str]
) -> None:
    office.mark()
    office.agree(office.request_opening(office.registrar, WORK, **who))
    asked = {**BY_NUMBER, "items": ITEMS}
    assert office.registrar.ask("provision/inquire", asked, **TAX).data["result"] == "one"


def test_an_opening_of_nobody_or_of_somebody_who_needs_none_is_not_asked_for(
    office: Office,
) -> None:
    office.mark()
    with pytest.raises(Conflict, match="open him as anybody"):
        office.request_opening(office.registrar, WORK, my_number=number(3))
    with pytest.raises(NotFound):
        office.request_opening(office.registrar, WORK, my_number=number(9))
    for who in ({"name": "熊本　花子"}, {"my_number": number(1), "resident_code": code(1)}):
        with pytest.raises(Malformed):
            office.request_opening(office.registrar, WORK, **who)


def test_a_place_that_is_not_hers_opens_nothing_more(office: Office) -> None:
    """Opened, she is compared as anybody again."""
    office.mark()
    office.open(office.registrar, WORK)
    wrong = {"by": {**HANAKO, "address": NOT_HERS}, "items": ITEMS}
    assert office.registrar.ask("provision/inquire", wrong, **TAX).data["result"] == "none"


def test_machines_are_not_held_up(office: Office) -> None:
    office.mark()
    feed = office.bench.national().ask("relay/feed", {"after": 0})
    assert "messages" in feed.data
    cs: Seat = office.bench.municipality("432024")
    with suppress(NotFound):
        cs.ask("update/held", {})
    assert {op.name for op in protection.operations()} >= {"protection/agree"}


def test_a_case_of_the_national_server_ends_without_opening_her(office: Office) -> None:
    begun(office)
    office.mark()
    closed = office.registrar.ask("relay/close-case", {"number": 1, "reason": "訂正済み"})
    assert closed.data
    assert office.bench.ledger()[-1].subjects == (office.hanako,)
