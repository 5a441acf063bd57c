from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Malformed, NotPermitted
from appliance.items import ItemName
from appliance.model import Actor, Request
from appliance.plugin_api import hookimpl
from appliance.testing import Bench, Seat
from plugins import provision
from tests.plugins.people import admit, change, code, number, shipped_policy

FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}
FOR_A_PASSPORT = {"purpose": "passport", "reason": "01"}
FOR_THE_REGISTER = {"purpose": "register-administration", "reason": "01"}
HANAKO = {"name": "熊本花子", "birth_date": "1990-04-05"}
GONE = {"removed_flag": True, "effective_date": "2026-03-01"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"provision": provision}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Seat:
    purposes = ("prefectural-tax", "passport", "education-scholarship")
    return bench.clerk(roles=("clerk",), purposes=purposes, office="県税事務所")


@pytest.fixture
def registrar(bench: Bench) -> Seat:
    purposes = ("register-administration",)
    return bench.clerk("OP-0002", roles=("registrar",), purposes=purposes, terminal_id="TERM-0002")


def inquire(
    seat: Seat,
    by: dict[str, Any],
    items: tuple[str, ...] = ("address",),
    asking: dict[str, str] = FOR_TAX,
    **more: Any,
) -> dict[str, Any]:
    body = {"by": by, "items": list(items), **more}
    return dict(seat.ask("provision/inquire", body, **asking).data)


def verify(
    seat: Seat, by: dict[str, Any], claims: dict[str, Any], asking: dict[str, str] = FOR_TAX
) -> dict[str, Any]:
    return dict(seat.ask("provision/verify", {"by": by, "claims": claims}, **asking).data)


@pytest.mark.parametrize(
    ("by", "match"),
    [
        ({"my_number": number(1)}, None),
        (HANAKO, "exact"),
        ({"name": "熊本花子", "sex": "2"}, "exact"),
        ({"name": "熊本花子", "address": "八代市松江城町1-25"}, "exact"),
        ({"kana": "クマモト　ハナコ", "birth_date": "1990-04-05"}, "kana"),
        ({"kana": "くまもとばなこ", "birth_date": "1990-04-05"}, "seion"),
    ],
    ids=["number", "name-birth", "name-sex", "name-address", "kana", "seion"],
)
@pytest.mark.requirement("R41", "R42", "R48", "R49")
def test_one_person_is_answered_with_the_items_asked_for(
    bench: Bench, clerk: Seat, by: dict[str, str], match: str | None
) -> None:
    admit(bench)
    answer = inquire(clerk, by, ("address", "sex"))
    assert answer["result"] == "one"
    assert answer["resident"] == {"address": "熊本県八代市松江城町１番２５号", "sex": "2"}
    assert answer["match"] == match


@pytest.mark.requirement("R41", "R47")
def test_by_resident_code_only_for_who_administers_the_register(
    bench: Bench, clerk: Seat, registrar: Seat
) -> None:
    admit(bench)
    by = {"resident_code": code(1)}
    assert inquire(registrar, by, asking=FOR_THE_REGISTER)["result"] == "one"
    with pytest.raises(NotPermitted, match="resident_code"):
        inquire(clerk, by)


@pytest.mark.requirement("R50", "R52")
def test_the_ledger_entry_is_the_provision_record(bench: Bench, clerk: Seat) -> None:
    who = admit(bench)
    change(bench, who, address="熊本県八代市本町１番")
    answer = inquire(clerk, {"my_number": number(1)}, ("name", "address"))
    entry = bench.ledger()[-1]
    assert entry.request_id == answer["provision_id"]
    assert (entry.purpose, entry.reason) == ("prefectural-tax", "01")
    assert (entry.operator, entry.person) == ("OP-0001", "P-OP-0001")
    assert (entry.terminal, entry.office) == ("TERM-0001", "県税事務所")
    assert entry.items == (ItemName("name"), ItemName("address"))
    assert entry.subjects == (who,)
    assert entry.note == "one by my_number, version 2"


def test_no_my_number_is_ever_written_into_the_ledger(bench: Bench, clerk: Seat) -> None:
    admit(bench)
    inquire(clerk, {"my_number": number(1)}, ("my_number",))
    inquire(clerk, {"my_number": number(2)}, ("my_number",))
    verify(clerk, {"my_number": number(1)}, {"my_number": number(1)})
    with bench.vault.view() as view:
        for entered in view.entries(0, view.ledger_size()):
            assert number(1).encode() not in entered.body
            assert number(2).encode() not in entered.body


@pytest.mark.requirement("R50")
def test_what_was_asked_by_is_kept(bench: Bench, clerk: Seat) -> None:
    inquire(clerk, HANAKO)
    entry = bench.ledger()[-1]
    assert entry.conditions == {"by": HANAKO, "items": ["address"]}
    assert (entry.note, entry.hits, entry.subjects) == ("none by four", 0, ())


def test_several_are_only_counted(bench: Bench, clerk: Seat) -> None:
    admit(bench, 1)
    admit(bench, 2)
    answer = inquire(clerk, HANAKO)
    assert (answer["result"], answer["resident"]) == ("several", None)
    entry = bench.ledger()[-1]
    assert (entry.hits, entry.subjects, entry.items) == (2, (), ())


def test_very_many_are_several_too(bench: Bench, clerk: Seat) -> None:
    for which in range(51):
        admit(bench, which + 1)
    assert inquire(clerk, HANAKO)["result"] == "several"
    assert bench.ledger()[-1].hits == 51


@pytest.mark.requirement("R43")
def test_who_moved_out_is_elsewhere_and_not_opened(bench: Bench, registrar: Seat) -> None:
    who = admit(bench, reason="21", **GONE)
    for by in (HANAKO, {"my_number": number(1)}):
        answer = inquire(registrar, by, asking=FOR_THE_REGISTER)
        assert (answer["result"], answer["resident"], answer["match"]) == ("elsewhere", None, None)
        entry = bench.ledger()[-1]
        assert (entry.subjects, entry.items) == ((who,), ())


def test_who_moved_out_is_elsewhere_after_a_correction_too(bench: Bench, clerk: Seat) -> None:
    who = admit(bench, reason="21", **GONE)
    change(bench, who, name="熊本　華子", reason="33", **GONE)
    assert inquire(clerk, {"my_number": number(1)})["result"] == "elsewhere"


def test_who_is_to_move_out_later_is_a_resident_until_then(bench: Bench, clerk: Seat) -> None:
    admit(bench, removed_flag=True, reason="21", effective_date="2026-04-10")
    assert inquire(clerk, HANAKO)["result"] == "one"
    assert inquire(clerk, {"my_number": number(1)})["result"] == "one"


@pytest.mark.parametrize("reason", ["22", "23"])
def test_the_dead_are_found_by_whom_the_register_is_kept(
    bench: Bench, clerk: Seat, registrar: Seat, reason: str
) -> None:
    admit(bench, reason=reason, **GONE)
    for by in (HANAKO, {"my_number": number(1)}):
        assert inquire(clerk, by)["result"] == "none"
        assert inquire(registrar, by, asking=FOR_THE_REGISTER)["result"] == "one"


def test_a_former_number_is_nobodys(bench: Bench, clerk: Seat) -> None:
    who = admit(bench)
    change(bench, who, my_number=number(7))
    assert inquire(clerk, {"my_number": number(1)})["result"] == "none"
    entry = bench.ledger()[-1]
    assert entry.note == "none by my_number: the number is a former one"
    assert entry.subjects == (who,)
    assert inquire(clerk, {"my_number": number(7)})["result"] == "one"


@pytest.mark.parametrize(
    ("claimed", "match"),
    [
        ({"name": "熊本花子", "birth_date": "1990-04-05", "sex": "2"}, "exact"),
        ({"kana": "くまもとはなこ"}, "kana"),
        ({"address": "八代市松江城町1番25"}, None),
    ],
)
def test_claimed_informations_that_hold_are_graded(
    bench: Bench, clerk: Seat, claimed: dict[str, str], match: str | None
) -> None:
    admit(bench)
    answer = inquire(clerk, {"my_number": number(1)}, claimed=claimed)
    assert (answer["result"], answer["match"]) == ("one", match)


@pytest.mark.requirement("R49")
def test_claimed_informations_that_differ_give_nobody(bench: Bench, clerk: Seat) -> None:
    who = admit(bench)
    claimed = {"name": "熊本太郎", "birth_date": "1990-04-05"}
    answer = inquire(clerk, {"my_number": number(1)}, claimed=claimed)
    assert (answer["result"], answer["resident"]) == ("none", None)
    entry = bench.ledger()[-1]
    assert entry.note == "none by my_number: the four informations claimed differ"
    assert (entry.subjects, entry.items) == ((who,), ())
    assert entry.conditions["claimed"] == claimed


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.requirement("R42", "R54")
def test_asking_for_more_than_the_purpose_allows_is_refused_whoever_it_is(
    bench: Bench, clerk: Seat, known: bool
) -> None:
    if known:
        admit(bench)
    with pytest.raises(NotPermitted, match="my_number"):
        inquire(clerk, HANAKO, ("name", "my_number"), FOR_A_PASSPORT)
    with pytest.raises(NotPermitted, match="my_number"):
        verify(clerk, HANAKO, {"my_number": number(1)}, FOR_A_PASSPORT)
    denied = bench.ledger()[-2:]
    assert {entry.refusal for entry in denied} == {"not-permitted"}
    assert {entry.purpose for entry in denied} == {"passport"}
    assert {entry.subjects for entry in denied} == {()}


def test_a_purpose_allows_its_own_keys_only(bench: Bench, clerk: Seat) -> None:
    with pytest.raises(NotPermitted, match="my_number"):
        inquire(clerk, {"my_number": number(1)}, asking=FOR_A_PASSPORT)
    scholarship = {"purpose": "education-scholarship", "reason": "01"}
    with pytest.raises(NotPermitted, match="four"):
        inquire(clerk, HANAKO, asking=scholarship)


@pytest.mark.parametrize(
    "body",
    [
        {"by": HANAKO, "items": []},
        {"by": HANAKO, "items": ["height"]},
        {"by": {}, "items": ["name"]},
        {"by": {"my_number": "1234"}, "items": ["name"]},
        {"by": {**HANAKO, "birth_date": "1990-13-05"}, "items": ["name"]},
        {"by": HANAKO},
    ],
)
def test_an_inquiry_that_is_none_is_malformed(clerk: Seat, body: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        clerk.ask("provision/inquire", body, **FOR_TAX)


@pytest.mark.parametrize("name", ["my_number", "resident_code"])
@pytest.mark.parametrize("ask", ["inquire", "verify"])
def test_a_mistyped_number_is_no_nobody(registrar: Seat, name: str, ask: str) -> None:
    typed = number(1) if name == "my_number" else code(1)
    wrong = typed[:-1] + str((int(typed[-1]) + 5) % 10)
    more = {"items": ["address"]} if ask == "inquire" else {"claims": {"name": "熊本花子"}}
    with pytest.raises(Malformed, match=f"^malformed: {name}: the check digit is wrong$"):
        registrar.ask(f"provision/{ask}", {"by": {name: wrong}, **more}, **FOR_THE_REGISTER)


def test_verifying_says_match_or_mismatch_and_no_value(bench: Bench, clerk: Seat) -> None:
    who = admit(bench)
    claims = {"name": "熊本 花子", "sex": "1", "address": "熊本県八代市松江城町１番２５号"}
    answer = verify(clerk, {"my_number": number(1)}, claims)
    assert answer["claims"] == {"name": "match", "sex": "mismatch", "address": "match"}
    assert "resident" not in answer
    entry = bench.ledger()[-1]
    assert entry.note == "one by my_number, version 1, 2 of 3 match"
    assert entry.subjects == (who,)
    assert set(entry.items) == set(map(ItemName, claims))
    assert "claims" not in entry.conditions


def test_nothing_is_verified_of_nobody(clerk: Seat) -> None:
    answer = verify(clerk, HANAKO, {"name": "熊本花子"})
    assert (answer["result"], answer["claims"]) == ("none", {})


class HidesAddresses:
    @hookimpl
    def withhold(self, actor: Actor, request: Request) -> frozenset[ItemName]:
        return frozenset({ItemName("address")})


def test_what_is_withheld_is_neither_answered_nor_compared(tmp_path: Path) -> None:
    plugins = {"provision": provision, "hider": HidesAddresses()}
    asking = {"purpose": "all", "reason": "01"}
    with Bench.open(tmp_path, plugins) as bench:
        admit(bench)
        clerk = bench.clerk()
        answer = inquire(clerk, HANAKO, ("name", "address"), asking)
        assert answer["resident"] == {"name": "熊本　花子"}
        assert answer["withheld"] == ("address",)
        answer = verify(clerk, HANAKO, {"name": "熊本花子", "address": "八代市"}, asking)
        assert answer["claims"] == {"name": "match"}
        assert answer["withheld"] == ("address",)


@pytest.mark.requirement("R126")
@pytest.mark.parametrize("claimed", [{"sex": "2"}, {"kana": "くまもと　はなこ"}], ids=str)
def test_what_is_claimed_must_be_within_the_purpose_too(
    bench: Bench, clerk: Seat, claimed: dict[str, str]
) -> None:
    """Else the answer would tell, one guess at a time, what may not be seen (R46)."""
    admit(bench)
    (item,) = claimed
    body = {"by": {"my_number": number(1)}, "items": ["name"], "claimed": claimed}
    scholarship = {"purpose": "education-scholarship", "reason": "01"}
    with pytest.raises(NotPermitted, match=item):
        clerk.ask("provision/inquire", body, **scholarship)
    entry = bench.ledger()[-1]
    assert (entry.refusal, entry.conditions["claimed"]) == ("not-permitted", claimed)


@pytest.mark.requirement("R49", "R134")
def test_what_was_compared_is_in_the_ledger(bench: Bench, clerk: Seat) -> None:
    resident = admit(bench)
    claimed = {"name": "熊本　太郎", "birth_date": "1990-04-05"}
    body = {"by": {"my_number": number(1)}, "items": ["address"], "claimed": claimed}
    clerk.ask("provision/inquire", body, **FOR_TAX)
    entry = bench.ledger()[-1]
    assert (entry.subjects, entry.items) == ((resident,), ())
    assert set(entry.compared) == {"my_number", "name", "birth_date"}
