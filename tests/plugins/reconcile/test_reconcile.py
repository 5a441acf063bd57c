"""整合 through the front door: what a municipality's server sends, and is told."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from appliance.errors import NotFound, NotPermitted
from appliance.plugin_api import hookimpl
from appliance.testing import Bench, Seat
from plugins import reconcile as plugin
from plugins.reconcile.tree import SMALL
from tests.plugins.people import KUMAMOTO, UTO, YATSUSHIRO, admit, change, code, shipped_policy
from tests.plugins.reconcile.files import (
    asking,
    begun,
    both,
    bucket,
    different,
    entries,
    found,
    notice,
    reconcile,
    sent,
)
from tests.simulators.reconcile import Reconciler

CHUO, HIGASHI = "431010", "431028"
MODES = pytest.mark.parametrize("whole", [False, True], ids=["differences", "whole"])


# --- R91 to R94: what is sent, what is found, what is told


@pytest.mark.requirement("R91", "R92", "R93")
@MODES
def test_files_that_agree_are_told_so(bench: Bench, whole: bool) -> None:
    theirs = both(bench, range(1, 81))
    outcome = reconcile(bench, theirs.values(), whole=whole)
    assert (outcome.result, outcome.findings, outcome.same) == ("agreed", [], 80 if whole else 0)
    assert "80人の本人確認情報がすべて一致" in outcome.text


@pytest.mark.requirement("R92", "R93", "R94")
@MODES
def test_every_kind_of_difference_is_found_and_nothing_else(bench: Bench, whole: bool) -> None:
    theirs = both(bench, range(1, 2 * SMALL + 20))
    theirs[5] = replace(theirs[5], address="熊本県八代市本町１番", sex="1")
    del theirs[9]
    theirs[900] = notice(900, **different(900))
    outcome = reconcile(bench, theirs.values(), whole=whole)
    assert found(outcome) == {
        (code(5), "differing", ("sex", "address")),
        (code(9), "missing-there", ()),
        (code(900), "missing-here", ()),
    }
    assert outcome.result == "differs"
    assert "項目の不一致1人、都道府県に記録なし1人、市町村に記録なし1人" in outcome.text
    assert all("ください。" in finding["text"] for finding in outcome.findings)


@pytest.mark.requirement("R92")
@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("name", "別　花子"),
        ("name_gaiji_count", 1),
        ("kana", "べつ　はなこ"),
        ("kana", None),
        ("birth_date", "1951-00-00"),
        ("birth_date_as_written", "昭和２６年"),
        ("sex", "1"),
        ("address", "熊本県八代市本町９番"),
        ("address_gaiji_count", 1),
        ("my_number", None),
        ("reason", "31"),
        ("effective_date", "2020-04-02"),
        ("town_code", "002000"),
        ("town_code", None),
        ("update_number", 2),
        ("name_gaiji_serial", 1),
        ("address_gaiji_serial", 1),
    ],
    ids=lambda value: f"R92-{value}",
)
def test_every_item_a_municipality_sends_is_compared(bench: Bench, item: str, value: Any) -> None:
    (theirs,) = both(bench, [1]).values()
    outcome = reconcile(bench, [replace(theirs, **{item: value})])
    assert found(outcome) == {(code(1), "differing", (item,))}


@pytest.mark.requirement("R92")
def test_a_spelling_that_is_stored_alike_is_no_difference(bench: Bench) -> None:
    (theirs,) = both(bench, [1]).values()
    katakana = theirs.kana and theirs.kana.translate({n: n + 0x60 for n in range(0x3041, 0x3097)})
    assert katakana != theirs.kana
    assert reconcile(bench, [replace(theirs, kana=katakana)]).result == "agreed"


@pytest.mark.requirement("R92")
def test_who_is_struck_off_here_is_missing_here(bench: Bench) -> None:
    theirs = both(bench, [1, 2])
    gone = admit(bench, 3)
    change(bench, gone, 3, reason="21", removed_flag=True)
    theirs[3] = notice(3)
    assert found(reconcile(bench, theirs.values())) == {(code(3), "missing-here", ())}


@pytest.mark.requirement("R94")
@MODES
def test_leftovers_are_paired_by_four_informations(bench: Bench, whole: bool) -> None:
    theirs = both(bench, range(1, 8))
    theirs[3] = replace(theirs[3], resident_code=code(333), address="熊本県八代市本町１番")
    outcome = reconcile(bench, theirs.values(), whole=whole)
    (pair,) = outcome.pairs
    assert (pair["sent"], pair["kept"]) == (code(333), code(3))
    assert list(pair["same"]) == ["name", "kana", "birth_date", "sex"]
    assert "同一人の可能性がある組が1件" in outcome.text


@pytest.mark.requirement("R94")
def test_strangers_are_not_paired(bench: Bench) -> None:
    theirs = both(bench, [1, 2])
    del theirs[1]
    theirs[44] = notice(44, **different(44), sex="1")
    outcome = reconcile(bench, theirs.values())
    assert (len(outcome.findings), list(outcome.pairs)) == (2, [])


# --- the work follows the differences


@pytest.mark.requirement("R92")
@MODES
def test_nobody_who_agrees_is_opened(bench: Bench, whole: bool) -> None:
    theirs = both(bench, range(1, 120))
    theirs[7] = replace(theirs[7], sex="1")
    reconcile(bench, theirs.values(), whole=whole)
    opened = {who for entry in bench.ledger() for who in entry.subjects}
    assert len(opened) == 1
    compared_items = {item for entry in entries(bench, "reconcile/compare") for item in entry.items}
    assert "sex" in compared_items


def test_what_is_sent_follows_the_differences(bench: Bench) -> None:
    theirs = both(bench, range(1, 300))
    theirs[7] = replace(theirs[7], sex="1")
    some = reconcile(bench, theirs.values())
    everything = reconcile(bench, theirs.values(), whole=True)
    assert found(some) == found(everything)
    assert some.sent_bytes < everything.sent_bytes / 5


# --- who may ask, and see what


def test_another_municipality_sees_nothing_of_ours(bench: Bench) -> None:
    theirs = both(bench, [1, 2])
    uto = bench.municipality(UTO)
    run = begun(uto)
    assert [group["municipality_code"] for group in run["groups"]] == [UTO]
    for operation, body in (
        ("digest", {"buckets": [bucket(YATSUSHIRO)]}),
        ("digest", {"leaves": [{"municipality_code": YATSUSHIRO, "prefix": "", "marks": []}]}),
        ("compare", {"records": [sent(theirs[1])]}),
        ("compare", {"absent": [{"municipality_code": YATSUSHIRO, "place": "0" * 32}]}),
    ):
        with pytest.raises(NotPermitted):
            uto.ask(f"reconcile/{operation}", {"run": run["run"], **body})
    denied = [entry for entry in bench.ledger() if entry.refusal == "not-permitted"]
    assert len(denied) == 4
    assert not any(entry.subjects for entry in denied)


def test_a_record_claimed_for_oneself_tells_nothing_of_another_s_resident(bench: Bench) -> None:
    theirs = both(bench, [1])
    uto = bench.municipality(UTO)
    run = begun(uto)["run"]
    claimed = sent(replace(theirs[1], municipality_code=UTO))
    told = uto.ask("reconcile/compare", {"run": run, "records": [claimed]}).data
    assert [(f["kind"], *f["items"]) for f in told["findings"]] == [("missing-here",)]
    assert entries(bench, "reconcile/compare")[-1].subjects == ()


def test_answers_hold_no_value_that_was_not_sent(bench: Bench) -> None:
    theirs = both(bench, range(1, 10))
    theirs[4] = replace(theirs[4], name="別　太郎", my_number=None)
    del theirs[6]
    cs = bench.municipality(YATSUSHIRO)
    answers: list[Any] = []
    ask = asking(cs)

    def overheard(operation: str, body: Any) -> Any:
        answers.append(ask(operation, body))
        return answers[-1]

    outcome = Reconciler(overheard, theirs.values()).run()
    assert len(outcome.findings) == 2
    assert code(6) in str(answers)
    assert "花子" not in str(answers)
    assert "松江城町" not in str(answers)


def test_staff_and_other_machines_may_not_compare(bench: Bench, registrar: Seat) -> None:
    for seat in (registrar, bench.national()):
        with pytest.raises(NotPermitted):
            seat.ask("reconcile/begin", {})


def test_whoever_has_no_municipality_has_nothing_to_compare(tmp_path: Path) -> None:
    with Bench.open(tmp_path, {"reconcile": plugin}) as bench:
        clerk = bench.clerk()
        with pytest.raises(NotPermitted, match="only a municipality"):
            clerk.ask("reconcile/begin", {})


@pytest.mark.requirement("R203")
def test_a_difference_changes_nothing_here(bench: Bench) -> None:
    theirs = both(bench, [1])
    outcome = reconcile(bench, [replace(theirs[1], sex="1")])
    assert "都道府県では修正しません" in outcome.findings[0]["text"]
    again = reconcile(bench, [replace(theirs[1], sex="1")])
    assert found(again) == found(outcome)
    with bench.vault.view() as view:
        assert [view.latest(person) for person in view.persons(0, 10)] == [1]


def test_the_run_of_another_is_not_there(bench: Bench) -> None:
    run = begun(bench.municipality(YATSUSHIRO))["run"]
    with pytest.raises(NotFound):
        bench.municipality(UTO).ask("reconcile/digest", {"run": run})


def test_a_withheld_code_is_not_told(tmp_path: Path) -> None:
    class Shy:
        @hookimpl
        def withhold(self) -> frozenset[str]:
            return frozenset({"resident_code"})

    with Bench.open(tmp_path, {"reconcile": plugin, "shy": Shy()}, shipped_policy()) as bench:
        both(bench, [1])
        with pytest.raises(NotPermitted, match="withholds"):
            reconcile(bench, [])


# --- a city and its wards


@pytest.mark.requirement("R91", "R92")
@MODES
def test_a_designated_city_compares_all_its_wards(bench: Bench, whole: bool) -> None:
    theirs = both(bench, range(1, 20), municipality_code=CHUO)
    theirs |= both(bench, range(20, 40), municipality_code=HIGASHI)
    theirs[30] = replace(theirs[30], municipality_code=CHUO)
    del theirs[3]
    both(bench, range(40, 42))
    outcome = reconcile(bench, theirs.values(), KUMAMOTO, whole=whole)
    kinds = found(outcome)
    assert (code(30), "differing", ("municipality_code",)) in kinds
    assert (code(3), "missing-there", ()) in kinds
    assert "項目の不一致1人、都道府県に記録なし0人、市町村に記録なし1人" in outcome.text


def test_the_marks_follow_who_moves_to_another_municipality(bench: Bench) -> None:
    who = admit(bench, 1)
    change(bench, who, 1, municipality_code=UTO, reason="11")
    moved = notice(1, municipality_code=UTO, reason="11", update_number=2)
    assert reconcile(bench, [moved], UTO).result == "agreed"
    assert reconcile(bench, []).result == "agreed"
