"""What may leave, and for whom: rights that end meanwhile, what is withheld, what is told early."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, Damaged, NotPermitted
from appliance.items import ItemName
from appliance.model import Actor, Request
from appliance.plugin_api import hookimpl
from appliance.roster import Roster
from appliance.testing import PREPARED
from plugins.provision import kept, release, work
from storage.engine import Unit
from storage.errors import Tampered
from tests.plugins.people import admit, code, number
from tests.plugins.provision.desks import TAX, Desks, by_four, by_number, inquiry

OVER: dict[str, dict[str, Any]] = {
    "R54-suspended": {"suspended": "left"},
    "R54-no role": {"roles": ()},
    "R54-another role": {"roles": ("media-approver",)},
    "R54-no purpose": {"purposes": ()},
    "R54-term over": {"expires_on": date(2026, 3, 1)},
}


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    with Desks.open(tmp_path) as desks:
        yield desks


def change(desks: Desks, operator: str, **changes: Any) -> None:
    """Change an operator in the roster."""

    def write(unit: Unit) -> None:
        Roster(unit, unit).change_operator(operator, **changes)
        unit.enter(PREPARED)

    desks.bench.vault.write(write)


def restore(desks: Desks) -> None:
    change(
        desks,
        "OP-1000",
        suspended="",
        roles=("media-operator",),
        purposes=("prefectural-tax",),
        expires_on=date(2099, 3, 31),
    )


def reported(desks: Desks) -> tuple[dict[str, Any], ...]:
    """Return what the first person is told of the provisions of his data."""
    registrar = desks.bench.clerk(
        "OP-2000", roles=("registrar",), purposes=("register-administration",), terminal_id="T-8"
    )
    asked = {"by": {"resident_code": code(1)}}
    about_him = {"purpose": "register-administration", "reason": "01"}
    told = registrar.ask("provision/report", asked, **about_him).data["provisions"]
    return tuple(told)


# --- the rights of whoever submitted ---


@pytest.mark.parametrize("over", OVER.values(), ids=OVER)
def test_rows_after_the_submitters_rights_ended_are_not_answered(
    desks: Desks, over: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.provision.kept.CHUNK", 1)
    admit(desks.bench, 1)
    admit(desks.bench, 2)
    job = desks.submit(inquiry([by_number(1), by_number(2)]))["job"]
    desks.step()
    change(desks, "OP-1000", **over)
    desks.step()
    entry = desks.bench.ledger()[-1]
    assert (entry.purpose, entry.outcomes, entry.subjects) == ("prefectural-tax", (), ())
    restore(desks)
    desks.work()
    desks.approve(job)
    desks = Desks.at(desks.bench, desks.key, desks.recipient)
    assert [row[1] for row in desks.opened(desks.fetch(job)).rows] == ["00", "90"]


@pytest.mark.parametrize("over", OVER.values(), ids=OVER)
def test_a_result_whose_submitter_lost_his_rights_does_not_leave(
    desks: Desks, over: dict[str, Any]
) -> None:
    admit(desks.bench, 1)
    other = desks.bench.clerk(
        "OP-2000", roles=("media-operator",), purposes=("prefectural-tax",), terminal_id="T-9"
    )
    job = desks.submit(inquiry([by_number(1)]))["job"]
    desks.work()
    change(desks, "OP-1000", **over)
    with pytest.raises(NotPermitted) as refused:
        desks.approve(job)
    assert refused.value.problems[0].rule == "B-33"
    restore(desks)
    desks.approve(job)
    change(desks, "OP-1000", **over)
    with pytest.raises(NotPermitted) as refused:
        desks.fetch(job, other)
    assert refused.value.problems[0].rule == "B-33"
    restore(desks)
    assert desks.fetch(job, other)["rows"] == 1


def test_rights_that_end_while_a_step_looks_people_up_answer_nothing(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = admit(desks.bench, 1)
    job = desks.submit(inquiry([by_number(1)]))["job"]
    written = work.data_lines

    def ended_meanwhile(*told: Any) -> str:
        change(desks, "OP-1000", suspended="left")
        return written(*told)

    with monkeypatch.context() as patched:
        patched.setattr(work, "data_lines", ended_meanwhile)
        assert desks.step()["more"]
    entry = desks.bench.ledger()[-1]
    assert (entry.note, entry.subjects, entry.outcomes) == (
        f"bulk {job}: {kept.NOT_KEPT}",
        (who,),
        (),
    )
    desks.work()
    restore(desks)
    assert desks.approve(job)["counts"] == {"90": 1}
    assert reported(desks) == ()


# --- what is told before approval ---


@pytest.mark.requirement("R45", "R55")
def test_no_result_is_told_before_it_is_approved_nor_after_it_is_gone(desks: Desks) -> None:
    admit(desks.bench, 1)
    job, gone = (desks.submit(inquiry([by_number(1)], number=n))["job"] for n in "ab")
    desks.work()
    assert (desks.status(job)["state"], desks.status(job)["counts"]) == ("done", {})
    assert desks.approve(job)["counts"] == desks.status(job)["counts"] == {"00": 1}
    desks.cancel(gone)
    desks.cancel(job)
    assert [desks.status(each)["counts"] for each in (job, gone)] == [{}, {}]
    with desks.bench.vault.view() as view:
        for paper in view.documents("provision.bulk-progress"):
            assert b"counts\xa0" in paper.body


# --- what a plugin withholds ---


class Hides:
    """Withholds the address: from whoever asks by these operations."""

    def __init__(self, *operations: str) -> None:
        self.operations = operations

    @hookimpl
    def withhold(self, actor: Actor, request: Request) -> frozenset[ItemName]:
        hidden = request.operation.rpartition("/")[2] in self.operations
        return frozenset({ItemName("address")} if hidden else ())


def test_what_is_withheld_is_refused_when_asked_for_and_when_it_would_leave(
    tmp_path: Path,
) -> None:
    hider = Hides("bulk-submit")
    with Desks.open(tmp_path, plugins={"hider": hider}) as desks:
        admit(desks.bench, 1)
        with pytest.raises(NotPermitted, match="withheld here: address"):
            desks.submit(inquiry([by_number(1)]))
        hider.operations = ("bulk-fetch",)
        with pytest.raises(NotPermitted, match="withheld here: address"):
            desks.result([by_number(1)])
        assert desks.approver.ask("provision/outputs", {}).data["outputs"] == ()


def test_a_row_whose_items_are_withheld_is_not_permitted_and_has_no_empty_cells(
    tmp_path: Path,
) -> None:
    with Desks.open(tmp_path, plugins={"hider": Hides("bulk-step")}) as desks:
        admit(desks.bench, 1)
        assert desks.result([by_number(1)]) == [("R1", "90", "")]


@pytest.mark.parametrize("address", ["熊本県八代市松江城町１番２５号", "熊本県八代市本町１番"])
def test_whether_a_withheld_item_is_as_claimed_is_not_told(tmp_path: Path, address: str) -> None:
    with Desks.open(tmp_path, plugins={"hider": Hides("bulk-step")}) as desks:
        admit(desks.bench, 1)
        rows = [by_number(1, address=address), by_four("x", name="熊本花子", address=address)]
        assert [row[1] for row in desks.result(rows, items=["name"])] == ["90", "90"]


# --- what is gone does not leave ---


def test_a_result_that_is_cancelled_while_it_is_made_ready_does_not_leave(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = desks.submit(inquiry([by_number(1)]))["job"]
    desks.work()
    desks.approve(job)
    made = release.framed

    def cancelled_meanwhile(*told: Any) -> str:
        desks.cancel(job, desks.approver)
        return made(*told)

    monkeypatch.setattr(release, "framed", cancelled_meanwhile)
    with pytest.raises(Conflict, match="not approved"):
        desks.fetch(job)
    entry = desks.bench.ledger()[-1]
    assert (entry.operation, entry.refusal) == ("provision/bulk-fetch", "conflict")
    assert desks.approver.ask("provision/outputs", {}).data["outputs"] == ()


def test_a_result_that_is_to_expire_today_leaves_no_more(desks: Desks) -> None:
    jobs = [desks.submit(inquiry([by_number(1)], number=n))["job"] for n in "ab"]
    desks.work()
    desks.approve(jobs[0])
    desks.bench.now += timedelta(days=work.DAYS_KEPT)
    desks = Desks.at(desks.bench, desks.key, desks.recipient)
    assert desks.status(jobs[0])["state"] == "expired"
    for job, leave in ((jobs[0], desks.fetch), (jobs[1], desks.approve)):
        with pytest.raises(Conflict) as refused:
            leave(job)
        assert "消去" in refused.value.problems[0].text


# --- whom it means ---


def test_namesakes_who_all_moved_out_are_several(desks: Desks) -> None:
    gone = {"removed_flag": True, "effective_date": "2026-03-01", "reason": "21"}
    for which in (1, 2, 3):
        admit(desks.bench, which, **gone)
    (row,) = desks.result([by_four("x", name="熊本花子", birth_date="1990-04-05")])
    assert row[1] == "10"
    assert [entry for entry in desks.bench.ledger() if entry.outcomes] == []


# --- a step that cannot be done ---


def test_a_job_whose_step_always_fails_does_not_keep_the_others_waiting(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(desks.bench, 2)
    bad, good = (desks.submit(inquiry([by_number(n)], number=str(n)))["job"] for n in (1, 2))
    found = work.find_out

    def damaged(case: Any, by: Any, *more: Any, **named: Any) -> Any:
        if by.my_number == number(1):
            raise Tampered("a cell does not open")
        return found(case, by, *more, **named)

    monkeypatch.setattr(work, "find_out", damaged)
    with pytest.raises(Damaged):
        desks.step()
    assert desks.step()["more"]
    assert desks.step()["more"]
    assert (desks.status(good)["state"], desks.status(bad)["state"]) == ("done", "queued")
    desks.bench.jobs.turn()
    alarms = {each["name"]: each["text"] for each in desks.bench.jobs.alarms()}
    assert f"申請 {bad} の処理が失敗" in alarms["provision/bulk-failing"]
    desks.cancel(bad)
    assert desks.step() == {"done": 0, "total": None, "more": False, "says": ""}
    assert desks.operator.ask("provision/bulk-status", {}, **TAX).data["jobs"][0]["job"] == good


def test_a_step_that_failed_after_it_looked_somebody_up_was_no_provision(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = admit(desks.bench, 1)
    admit(desks.bench, 2)
    job = desks.submit(inquiry([by_number(1), by_number(2)]))["job"]
    found = work.find_out

    def damaged(case: Any, by: Any, *more: Any, **named: Any) -> Any:
        if by.my_number == number(2):
            raise Tampered("a cell does not open")
        return found(case, by, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(work, "find_out", damaged)
        with pytest.raises(Damaged):
            desks.step()
    entry = desks.bench.ledger()[-1]
    assert (entry.refusal, who in entry.subjects, entry.note) == ("integrity", True, "")
    assert reported(desks) == ()
    desks.work()
    desks.approve(job)
    (provision,) = reported(desks)
    assert provision["method"] == "一括提供"
