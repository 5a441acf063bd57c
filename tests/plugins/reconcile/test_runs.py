"""Runs from beginning to end, and what a request may not ask."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from appliance.errors import Conflict, Malformed, Refusal, Rejected
from appliance.papers import Papers
from appliance.testing import Bench, Seat
from plugins import reconcile as plugin
from plugins.reconcile import records
from tests.plugins.people import KUMAMOTO, YATSUSHIRO
from tests.plugins.reconcile.files import (
    REPORTING,
    begun,
    both,
    bucket,
    logged_in,
    notice,
    reconcile,
    root,
    sent,
)


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
        cs.ask("reconcile/finish", {"run": run, "roots": [root()]})


def test_a_comparison_left_half_done_is_told(bench: Bench) -> None:
    theirs = both(bench, [1, 2, 3])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    changed = replace(theirs[1], sex="1")
    cs.ask("reconcile/compare", {"run": run, "records": [sent(changed)]})
    told = cs.ask("reconcile/finish", {"run": run, "roots": [root()]}).data
    assert (told["result"], told["explained"]) == ("differs", False)
    assert "もう一度実施してください" in told["text"]


def test_every_group_is_named_at_the_end(bench: Bench) -> None:
    cs = bench.municipality(KUMAMOTO)
    run = begun(cs)["run"]
    with pytest.raises(Malformed, match="every group"):
        cs.ask("reconcile/finish", {"run": run, "roots": [root(KUMAMOTO)]})


def test_a_repeated_request_is_counted_once(bench: Bench) -> None:
    theirs = both(bench, [1, 2])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    body = {"run": run, "records": [sent(replace(theirs[1], sex="1"))]}
    first = cs.ask("reconcile/compare", body, key="the-same-key-of-16").data
    again = cs.ask("reconcile/compare", body, key="the-same-key-of-16").data
    cs.ask("reconcile/compare", body)
    assert msgspec.json.encode(first) == msgspec.json.encode(again)
    told = cs.ask("reconcile/finish", {"run": run, "roots": [root(total=theirs.values())]}).data
    assert told["differing"] == 1


@pytest.mark.parametrize("operation", ["compare", "finish"])
def test_two_requests_side_by_side_do_not_both_count(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """The second was prepared on what the first has changed meanwhile."""
    theirs = both(bench, [1, 2])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    record = sent(replace(theirs[1], sex="1"))
    cs.ask("reconcile/compare", {"run": run, "records": [record]})
    body: dict[str, Any] = {"records": [record]} if operation == "compare" else {"roots": [root()]}
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
        "twice": [bucket(), bucket()],
        "nested": [bucket(prefix="a"), bucket(prefix="ab")],
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
        cs.ask("reconcile/finish", {"run": run, "roots": [root()]})


def test_records_of_a_range_lie_within_it(bench: Bench) -> None:
    theirs = both(bench, [1])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs, "whole")["run"]
    whole = {"municipality_code": YATSUSHIRO, "through": "0" * 31 + "1"}
    with pytest.raises(Malformed, match="within the range"):
        cs.ask("reconcile/compare", {"run": run, "records": [sent(theirs[1])], "whole": whole})


def test_a_range_that_leaves_very_many_out_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_LEFT_OUT", 2)
    both(bench, range(1, 5))
    with pytest.raises(Malformed, match="smaller ranges"):
        reconcile(bench, [], whole=True)


def papers_left(bench: Bench) -> dict[str, int]:
    """Count the papers that name somebody."""
    with bench.vault.view() as view:
        papers = Papers(view, None, "reconcile")
        kinds = ("sent", "findings", "pairs", "kept", "progress")
        counts = {kind: sum(1 for _ in papers.every(kind)) for kind in kinds}
    return {kind: count for kind, count in counts.items() if count}


def forgotten(bench: Bench) -> int:
    """Let the job run to its end; return how many findings it dropped."""
    dropped = 0
    while (step := bench.step("reconcile/forget")).more:
        dropped += step.done
    return dropped + step.done


def test_an_abandoned_run_leaves_nothing_of_who_was_sent(bench: Bench) -> None:
    both(bench, [1])
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    cs.ask("reconcile/compare", {"run": run, "records": [sent(notice(2)), sent(notice(3))]})
    assert papers_left(bench) == {"sent": 2, "findings": 2, "kept": 1, "progress": 1}
    begun(cs)
    assert papers_left(bench) == {"findings": 2, "kept": 2}
    assert forgotten(bench) == 2
    assert papers_left(bench) == {"kept": 1}


def test_a_run_left_open_is_abandoned_after_a_month(bench: Bench) -> None:
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    cs.ask("reconcile/compare", {"run": run, "records": [sent(notice(2))]})
    bench.now += timedelta(days=30)
    assert forgotten(bench) == 0
    cs.ask("reconcile/compare", {"run": run, "records": [sent(notice(3))]})
    bench.now += timedelta(days=1)
    assert forgotten(bench) == 2
    assert papers_left(bench) == {}
    with pytest.raises(Conflict, match="over"):
        cs.ask("reconcile/digest", {"run": run})
    begun(cs)


def test_whom_a_finished_run_was_about_is_forgotten_after_a_year(
    bench: Bench, registrar: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "FORGOTTEN_AT_ONCE", 2)
    theirs = both(bench, [1, 2, 3, 4])
    theirs[1] = replace(theirs[1], sex="1")
    theirs[3] = notice(5, name=theirs[3].name, birth_date=theirs[3].birth_date)
    ended = reconcile(bench, theirs.values())
    assert len(ended.pairs) == 1
    assert papers_left(bench) == {"findings": 3, "pairs": 1, "kept": 1}
    bench.now += timedelta(days=364)
    assert forgotten(bench) == 0
    bench.now += timedelta(days=1)
    assert forgotten(bench) == 3
    assert papers_left(bench) == {}
    again = logged_in(bench).ask("reconcile/report", {"run": ended.run}, **REPORTING).data
    assert (again["findings"], again["pairs"], again["missing_here"]) == ((), (), 1)


def test_what_was_sent_is_kept_of_no_more_than_are_paired(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "MOST_SENT", 2)
    cs = bench.municipality(YATSUSHIRO)
    run = begun(cs)["run"]
    strangers = [sent(notice(which)) for which in (2, 3, 4)]
    cs.ask("reconcile/compare", {"run": run, "records": strangers})
    assert papers_left(bench) == {"sent": 2, "findings": 3, "kept": 1, "progress": 1}
