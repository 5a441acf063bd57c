"""整合 through the front door: a municipality's server compares, staff read and plan."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from appliance.errors import Conflict, Malformed, NotFound, NotPermitted, Refusal, Rejected
from appliance.plugin_api import hookimpl
from appliance.testing import Bench, Seat
from plugins import reconcile as plugin
from plugins.reconcile import records
from plugins.reconcile.tree import SMALL
from tests.plugins.people import KUMAMOTO, UTO, YATSUSHIRO, admit, change, code, shipped_policy
from tests.plugins.reconcile.files import (
    REPORTING,
    asking,
    both,
    different,
    found,
    notice,
    reconcile,
)
from tests.simulators.reconcile import Group, Reconciler, record

CHUO, HIGASHI = "431010", "431028"
MODES = pytest.mark.parametrize("whole", [False, True], ids=["differences", "whole"])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"reconcile": plugin}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def registrar(bench: Bench) -> Seat:
    return logged_in(bench)


def logged_in(bench: Bench) -> Seat:
    return bench.clerk("REGISTRAR", roles=("registrar",), purposes=("register-administration",))


def begun(seat: Seat, mode: str = "differences") -> dict[str, Any]:
    return dict(seat.ask("reconcile/begin", {"mode": mode}).data)


def entries(bench: Bench, operation: str) -> list[Any]:
    return [entry for entry in bench.ledger() if entry.operation == operation]


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
def test_nobody_who_agrees_is_opened(bench: Bench) -> None:
    theirs = both(bench, range(1, 120))
    theirs[7] = replace(theirs[7], sex="1")
    reconcile(bench, theirs.values())
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
        ("digest", {"buckets": [_bucket(YATSUSHIRO)]}),
        ("digest", {"leaves": [{"municipality_code": YATSUSHIRO, "prefix": "", "marks": []}]}),
        ("compare", {"records": [_record(theirs[1])]}),
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
    claimed = _record(replace(theirs[1], municipality_code=UTO))
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


# --- runs


def test_a_new_run_abandons_the_one_left_open(bench: Bench, registrar: Seat) -> None:
    cs = bench.municipality(YATSUSHIRO)
    first, second = begun(cs)["run"], begun(cs)["run"]
    with pytest.raises(Conflict, match="over"):
        cs.ask("reconcile/digest", {"run": first})
    cs.ask("reconcile/digest", {"run": second})
    report = registrar.ask("reconcile/report", {"run": first}, **REPORTING).data
    assert report["state"] == "abandoned"


def test_a_run_that_found_nobody_ends_only_if_the_files_agree(bench: Bench) -> None:
    both(bench, [1])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    with pytest.raises(Conflict, match="nobody was found"):
        cs.ask("reconcile/finish", {"run": run, "roots": [_root()]})


def test_a_comparison_left_half_done_is_told(bench: Bench) -> None:
    theirs = both(bench, [1, 2, 3])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    changed = replace(theirs[1], sex="1")
    cs.ask("reconcile/compare", {"run": run, "records": [_record(changed)]})
    told = cs.ask("reconcile/finish", {"run": run, "roots": [_root()]}).data
    assert (told["result"], told["explained"]) == ("differs", False)
    assert "もう一度実施してください" in told["text"]


def test_every_group_is_named_at_the_end(bench: Bench) -> None:
    cs = bench.municipality(KUMAMOTO)
    run = begun(cs)["run"]
    with pytest.raises(Malformed, match="every group"):
        cs.ask("reconcile/finish", {"run": run, "roots": [_root(KUMAMOTO)]})


def test_a_repeated_request_is_counted_once(bench: Bench) -> None:
    theirs = both(bench, [1, 2])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    body = {"run": run, "records": [_record(replace(theirs[1], sex="1"))]}
    first = cs.ask("reconcile/compare", body, key="the-same-key-of-16").data
    again = cs.ask("reconcile/compare", body, key="the-same-key-of-16").data
    cs.ask("reconcile/compare", body)
    assert msgspec.json.encode(first) == msgspec.json.encode(again)
    told = cs.ask("reconcile/finish", {"run": run, "roots": [_root(total=theirs.values())]}).data
    assert told["differing"] == 1


@pytest.mark.parametrize("operation", ["compare", "finish"])
def test_two_requests_side_by_side_do_not_both_count(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """The second was prepared on what the first has changed meanwhile."""
    theirs = both(bench, [1, 2])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    record = _record(replace(theirs[1], sex="1"))
    cs.ask("reconcile/compare", {"run": run, "records": [record]})
    body: dict[str, Any] = {"records": [record]} if operation == "compare" else {"roots": [_root()]}
    inner = bench.parts.engine.write
    done: list[bool] = []

    def overtaken(work: Any, **more: Any) -> Any:
        if not done:
            done.append(True)
            cs.ask("reconcile/compare", {"run": run, "records": [record]})
        return inner(work, **more)

    monkeypatch.setattr(bench.vault, "write", overtaken)
    with pytest.raises(Conflict, match="another request"):
        cs.ask(f"reconcile/{operation}", {"run": run, **body})


# --- bounds


@pytest.mark.parametrize(
    ("operation", "body", "why"),
    [
        ("digest", {"buckets": "twice"}, "within another"),
        ("digest", {"buckets": "nested"}, "within another"),
        ("digest", {"leaves": "strange"}, "does not begin with the prefix"),
        ("compare", {"whole": "range"}, "mode whole"),
    ],
    ids=lambda value: str(value),
)
def test_requests_that_make_no_sense_are_refused(
    bench: Bench, operation: str, body: dict[str, str], why: str
) -> None:
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    what: dict[str, Any] = {
        "twice": [_bucket(), _bucket()],
        "nested": [_bucket(prefix="a"), _bucket(prefix="ab")],
        "strange": [{"municipality_code": YATSUSHIRO, "prefix": "a", "marks": ["0" * 64]}],
        "range": {"municipality_code": YATSUSHIRO, "through": "f" * 32},
    }
    asked = {name: what[value] for name, value in body.items()}
    with pytest.raises(Malformed, match=why):
        cs.ask(f"reconcile/{operation}", {"run": run, **asked})


def test_a_large_bucket_is_not_answered_mark_by_mark(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "MOST_IN_LEAF", 3)
    both(bench, range(1, 6))
    cs = bench.municipality(YATSUSHIRO)
    leaf = {"municipality_code": YATSUSHIRO, "prefix": "", "marks": []}
    with pytest.raises(Malformed, match="send digests"):
        cs.ask("reconcile/digest", {"run": begun(cs)["run"], "leaves": [leaf]})


def test_more_differences_than_a_comparison_is_for_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_FINDINGS", 2)
    both(bench, range(1, 5))
    with pytest.raises(Rejected) as refused:
        reconcile(bench, [])
    assert "協議してください" in refused.value.problems[0].text


@pytest.mark.parametrize(
    ("ranges", "why"),
    [
        ([(None, "8" * 32), ("7" * 32, "f" * 32)], "range before ended"),
        ([("0" * 32, "f" * 32)], "range before ended"),
        ([(None, "8" * 32), ("8" * 32, "8" * 32)], "not above"),
    ],
    ids=["gap", "not-from-the-first", "empty"],
)
def test_a_whole_comparison_leaves_nothing_out(
    bench: Bench, ranges: list[tuple[str | None, str]], why: str
) -> None:
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs, "whole")["run"]
    *before, last = [
        {"municipality_code": YATSUSHIRO, "after": after, "through": through}
        for after, through in ranges
    ]
    for whole in before:
        cs.ask("reconcile/compare", {"run": run, "whole": whole})
    with pytest.raises(Refusal, match=why):
        cs.ask("reconcile/compare", {"run": run, "whole": last})


def test_a_whole_comparison_is_not_over_before_the_last_place(bench: Bench) -> None:
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs, "whole")["run"]
    whole = {"municipality_code": YATSUSHIRO, "through": "8" * 32}
    cs.ask("reconcile/compare", {"run": run, "whole": whole})
    with pytest.raises(Malformed, match="last place"):
        cs.ask("reconcile/finish", {"run": run, "roots": [_root()]})


def test_records_of_a_range_lie_within_it(bench: Bench) -> None:
    theirs = both(bench, [1])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs, "whole")["run"]
    whole = {"municipality_code": YATSUSHIRO, "through": "0" * 31 + "1"}
    with pytest.raises(Malformed, match="within the range"):
        cs.ask("reconcile/compare", {"run": run, "records": [_record(theirs[1])], "whole": whole})


def test_a_range_that_leaves_very_many_out_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_LEFT_OUT", 2)
    both(bench, range(1, 5))
    with pytest.raises(Malformed, match="smaller ranges"):
        reconcile(bench, [], whole=True)


# --- what staff read


@pytest.mark.requirement("R93")
def test_staff_read_what_was_found_page_by_page(bench: Bench, registrar: Seat) -> None:
    theirs = both(bench, range(1, 8))
    theirs[2] = replace(theirs[2], sex="1")
    del theirs[3]
    theirs[70] = notice(70)
    moved = admit(bench, 71)
    change(bench, moved, 71, municipality_code=UTO)
    theirs[71] = notice(71)
    outcome = reconcile(bench, theirs.values())
    pages, after = [], ""
    while True:
        asked = {"run": outcome.run, "after": after, "limit": 3}
        page = registrar.ask("reconcile/report", asked, **REPORTING).data
        pages.append(page)
        if page["next"] is None:
            break
        after = page["next"]
    findings = [each for page in pages for each in page["findings"]]
    assert len(pages) == 2
    assert {(f["resident_code"], f["kind"], f["here"]) for f in findings} == {
        (code(2), "differing", ""),
        (code(3), "missing-there", ""),
        (code(70), "missing-here", "unknown"),
        (code(71), "missing-here", "here"),
    }
    counts = ("differing", "missing_here", "missing_there", "theirs", "ours")
    assert [pages[0][name] for name in counts] == [1, 2, 1, 8, 7]
    shown = {who for entry in entries(bench, "reconcile/report") for who in entry.subjects}
    assert len(shown) == 3


def test_staff_need_a_purpose_that_allows_it(bench: Bench, registrar: Seat) -> None:
    run = reconcile(bench, []).run
    with pytest.raises(NotPermitted, match="purpose"):
        registrar.ask("reconcile/report", {"run": run})
    clerk = bench.clerk("CLERK", roles=("clerk",), purposes=("register-administration",))
    with pytest.raises(NotPermitted, match="no role"):
        clerk.ask("reconcile/report", {"run": run}, **REPORTING)


def test_a_withheld_code_is_not_shown_to_staff_either(tmp_path: Path) -> None:
    class Shy:
        @hookimpl
        def withhold(self, request: Any) -> frozenset[str]:
            shy = request.operation == "reconcile/report"
            return frozenset({"resident_code"} if shy else ())

    with Bench.open(tmp_path, {"reconcile": plugin, "shy": Shy()}, shipped_policy()) as bench:
        both(bench, [1])
        run = reconcile(bench, []).run
        seat = bench.clerk("R", roles=("registrar",), purposes=("register-administration",))
        page = seat.ask("reconcile/report", {"run": run}, **REPORTING).data
        assert [each["resident_code"] for each in page["findings"]] == [None]


@pytest.mark.requirement("R95")
def test_a_municipality_not_compared_in_time_is_told(bench: Bench) -> None:
    asked = {"municipality_codes": [YATSUSHIRO, UTO], "every_days": 7}
    logged_in(bench).ask("reconcile/plan", asked)
    bench.now += timedelta(days=7)
    assert logged_in(bench).ask("reconcile/status", {}).data["overdue"] == 0
    assert reconcile(bench, []).next_due == "2026-04-15"
    bench.now += timedelta(days=3)
    administrator = bench.clerk("ADMIN", roles=("system-administrator",), purposes=())
    for seat in (logged_in(bench), administrator):
        told = seat.ask("reconcile/status", {}).data
        assert told["overdue"] == 1
        rows = {row["municipality_code"]: row for row in told["municipalities"]}
        assert (rows[YATSUSHIRO]["age_days"], rows[YATSUSHIRO]["overdue"]) == (3, False)
        assert rows[YATSUSHIRO]["last_result"] == "agreed"
        assert (rows[UTO]["age_days"], rows[UTO]["overdue"]) == (None, True)
        assert "期限(2026-04-08)を3日過ぎています。実施されたことがありません" in rows[UTO]["text"]
    bench.now += timedelta(days=30)
    told = logged_in(bench).ask("reconcile/status", {"municipality_code": YATSUSHIRO}).data
    (row,) = told["municipalities"]
    assert "2026-04-08が最後です" in row["text"]


@pytest.mark.requirement("R95")
def test_who_was_compared_once_is_in_the_calendar(bench: Bench, registrar: Seat) -> None:
    with pytest.raises(Malformed, match="not in the calendar"):
        registrar.ask("reconcile/status", {"municipality_code": YATSUSHIRO})
    reconcile(bench, [])
    (row,) = registrar.ask("reconcile/status", {}).data["municipalities"]
    assert (row["municipality_code"], row["every_days"], row["due"]) == (
        YATSUSHIRO,
        31,
        "2026-05-02",
    )


def test_only_municipalities_are_planned(registrar: Seat) -> None:
    asked = {"municipality_codes": ["999999"], "every_days": 7}
    with pytest.raises(Malformed, match="no municipality"):
        registrar.ask("reconcile/plan", asked)


def test_a_run_that_goes_on_is_shown_as_such(bench: Bench, registrar: Seat) -> None:
    run = begun(bench.municipality(YATSUSHIRO))["run"]
    page = registrar.ask("reconcile/report", {"run": run}, **REPORTING).data
    assert (page["state"], page["text"]) == ("open", "整合性確認は完了していません。")


def _bucket(group: str = YATSUSHIRO, prefix: str = "") -> dict[str, Any]:
    return {"municipality_code": group, "prefix": prefix, "count": 0, "digest": "0" * 32}


def _root(group: str = YATSUSHIRO, total: Any = ()) -> dict[str, Any]:
    return {"municipality_code": group, **Group(b"k" * 32, ["resident_code"], total).total()}


def _record(theirs: Any) -> dict[str, Any]:
    return msgspec.to_builtins(record(theirs))
