import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import Conflict, Malformed, NeedsApproval, NotFound, NotPermitted, Rejected
from appliance.items import ItemName
from appliance.media import new_key, seal_for, unframed
from appliance.model import PurposeCode, Role
from appliance.policy import Policy
from plugins.provision import kept, work
from tests.plugins.people import admit, code, number, shipped_policy
from tests.plugins.provision.desks import (
    ITEMS,
    MEDIUM_IN,
    MEDIUM_OUT,
    TAX,
    Desks,
    by_four,
    by_number,
    inquiry,
)

HANAKO = by_four("x", name="熊本花子", birth_date="1990-04-05")
GONE = {"removed_flag": True, "effective_date": "2026-03-01"}
BORN = "1990-04-05"


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    with Desks.open(tmp_path) as desks:
        yield desks


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make a few rows many steps."""
    monkeypatch.setattr("plugins.provision.kept.CHUNK", 2)
    return 2


# --- a file in, a file out ---


def test_r44_a_list_of_inquiries_gives_a_file_of_results(desks: Desks) -> None:
    admit(desks.bench, 1)
    admit(desks.bench, 2, name="八代　太郎", sex="1")
    job = desks.submit(inquiry([by_number(1), by_number(2), by_number(3)]))["job"]
    desks.work()
    desks.approve(job)
    frame = desks.opened(desks.fetch(job))
    assert frame.header == ("juki-bulk-result/1", "prefectural-tax", "R8-1", "1", "name address")
    home = "熊本県八代市松江城町１番２５号"
    assert frame.rows == (
        ("R1", "00", "", "熊本　花子", home),
        ("R2", "00", "", "八代　太郎", home),
        ("R3", "20", ""),
    )


@pytest.mark.parametrize(
    ("people", "row", "expected"),
    [
        pytest.param([{}], by_number(1), "00", id="R44-one"),
        pytest.param([{}], HANAKO, "00", id="R49-four"),
        pytest.param([{}, {}], HANAKO, "10", id="R44-several"),
        pytest.param([], by_number(1), "20", id="R44-none"),
        pytest.param([{}], by_number(1, name="熊本太郎"), "20", id="R49-claimed-differs"),
        pytest.param([{}], by_number(1, name="熊本花子"), "00", id="R49-claimed-holds"),
        pytest.param([{"reason": "21", **GONE}], by_number(1), "30", id="R43-moved-out"),
        pytest.param([{"reason": "22", **GONE}], by_number(1), "40", id="R44-dead"),
        pytest.param([{"reason": "23", **GONE}], by_number(1), "41", id="R44-struck-off"),
        pytest.param([{}], ["x", code(1), *[""] * 6], "90", id="R47-住民票コード"),
        pytest.param([{}], by_four("x", name="ー", birth_date=BORN), "20", id="R44-empty-name"),
    ],
)
def test_every_row_gets_a_result_code(
    desks: Desks, people: list[dict[str, Any]], row: list[str], expected: str
) -> None:
    for which, items in enumerate(people, start=1):
        admit(desks.bench, which, **items)
    (answered,) = desks.result([row])
    assert answered[1] == expected
    assert bool(answered[3:]) is (expected == "00")


def policy_with(**changed: Any) -> Policy:
    """Return the shipped policy with another role for whoever submits."""
    policy, role = shipped_policy(), Role("media-operator")
    rule = msgspec.structs.replace(policy.roles[role], **changed)
    return replace(policy, roles={**policy.roles, role: rule})


@pytest.mark.parametrize(
    ("role", "person", "expected"),
    [
        pytest.param({"removed": False}, {"reason": "22", **GONE}, "20", id="the dead are nobody"),
        pytest.param({"keys": ("four",)}, {}, "90", id="R54-not by number"),
    ],
)
def test_a_row_is_answered_under_the_rights_of_whoever_submitted_it(
    tmp_path: Path, role: dict[str, Any], person: dict[str, Any], expected: str
) -> None:
    with Desks.open(tmp_path, policy_with(**role)) as desks:
        admit(desks.bench, 1, **person)
        assert desks.result([by_number(1)])[0][1] == expected


def test_more_than_the_candidates_that_are_opened_are_several(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.seeking.CANDIDATES", 1)
    admit(desks.bench, 1)
    admit(desks.bench, 2)
    assert desks.result([HANAKO])[0][1] == "10"


def test_r49_the_degree_of_the_match_is_told(desks: Desks) -> None:
    admit(desks.bench, 1)
    rows = [by_four("x", kana="くまもとはなこ", birth_date=BORN), by_number(1, name="熊本花子")]
    assert [row[2] for row in desks.result(rows)] == ["kana", "exact"]


def test_values_are_written_plainly(desks: Desks) -> None:
    admit(desks.bench, 1, address="熊本県八代市,１番", kana=None, search_kana=None)
    (row,) = desks.result([by_number(1)], items=["address", "kana"])
    assert row[3:] == ("熊本県八代市,１番", "")


# --- what is refused before any work ---


def bad_row(**changed: str) -> list[str]:
    columns = dict(
        zip(
            ("ref", "code", "number", "name", "kana", "born", "sex", "address"),
            by_number(1),
            strict=True,
        )
    )
    return list({**columns, **changed}.values())


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        pytest.param(by_number(1)[:-1], "B-05", id="columns"),
        pytest.param(bad_row(ref="x" * 41), "B-06", id="reference"),
        pytest.param(bad_row(number="1234"), "B-07", id="form"),
        pytest.param(bad_row(sex="3"), "B-07", id="sex"),
        pytest.param(bad_row(number=""), "B-08", id="no-key"),
        pytest.param(bad_row(code=code(1)), "B-08", id="two-keys"),
        pytest.param(bad_row(number="", name="熊本花子"), "B-08", id="name-alone"),
        pytest.param(bad_row(number="912345678900"), "B-09", id="number-digit"),
        pytest.param(bad_row(code="90000000013", number=""), "B-09", id="code-digit"),
        pytest.param(bad_row(born="1990-13-05"), "B-10", id="date"),
        pytest.param(bad_row(born="1990-02-30"), "B-10", id="no-day-of-the-calendar"),
        pytest.param(bad_row(address="　"), "B-11", id="blank-address"),
        pytest.param(bad_row(address="東京都"), "B-11", id="prefecture-claimed"),
        pytest.param([*HANAKO[:-1], "熊本県"], "B-11", id="prefecture-with-birth"),
        pytest.param(by_four("x", name="熊本花子", address=" "), "B-08", id="name-and-blank"),
        pytest.param(
            by_four("x", kana="くまもと", address="東京都"), "B-08", id="kana-and-prefecture"
        ),
    ],
)
def test_r44_every_problem_is_told_by_its_row(desks: Desks, row: list[str], rule: str) -> None:
    with pytest.raises(Rejected) as refused:
        desks.submit(inquiry([by_number(1), row, by_number(2), row]))
    told = [(problem.rule, problem.item) for problem in refused.value.problems]
    assert told == [(rule, "row 2"), (rule, "row 4")]
    assert all("件目" in problem.text for problem in refused.value.problems)
    assert desks.step() == {"done": 0, "total": None, "more": False, "says": ""}
    assert desks.bench.ledger()[-2].refusal == "rejected"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        pytest.param("氏名".encode("cp932"), "M-01", id="shift-jis"),
        pytest.param(inquiry([by_number(1)]).replace(b"H,", b"X,"), "M-02", id="no-header"),
        pytest.param(inquiry([by_number(1)]).replace(b"D,1,", b"D,2,"), "M-03", id="numbering"),
        pytest.param(inquiry([by_number(1)]).replace(b"D,1,R", b'D,1,"R'), "M-03", id="quotes"),
        pytest.param(inquiry([by_number(1)]).replace(b"\nT,", b"\nU,"), "M-04", id="no-trailer"),
        pytest.param(b"", "M-02", id="empty"),
        pytest.param(inquiry([by_number(1)]).replace(b"T,1,", b"T,2,"), "M-05", id="count"),
        pytest.param(inquiry([by_number(1)]).replace(b"R1", b"R7"), "M-06", id="hash"),
        pytest.param(inquiry([by_number(1)]).replace(b"bulk/1", b"bulk/2"), "B-01", id="profile"),
        pytest.param(inquiry([by_number(1)], "passport"), "B-02", id="purpose"),
        pytest.param(inquiry([by_number(1)]).replace(b"R8-1", b""), "B-03", id="request-number"),
        pytest.param(inquiry([]), "B-04", id="no-row"),
    ],
)
def test_a_file_that_is_not_whole_is_not_taken(desks: Desks, content: bytes, rule: str) -> None:
    with pytest.raises(Rejected) as refused:
        desks.submit(content)
    assert rule in {problem.rule for problem in refused.value.problems}
    assert desks.operator.ask("provision/bulk-status", {}, **TAX).data["jobs"] == ()


def test_windows_line_ends_and_a_byte_order_mark_are_no_matter(desks: Desks) -> None:
    content = b"\xef\xbb\xbf" + inquiry([by_number(1)]).replace(b"\n", b"\r\n")
    assert desks.submit(content)["rows"] == 1


def test_very_many_problems_are_counted(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.provision.bulk.MOST_PROBLEMS", 2)
    with pytest.raises(Rejected) as refused:
        desks.submit(inquiry([bad_row(sex="3")] * 5))
    assert [problem.rule for problem in refused.value.problems] == ["B-07", "B-07", "B-99"]
    assert "3件" in refused.value.problems[-1].text


def test_r45_only_what_was_sealed_for_this_appliance_is_opened(desks: Desks) -> None:
    _, elses = new_key()
    mine, desks.media_key = desks.media_key, elses
    with pytest.raises(Malformed, match="not sealed for this key"):
        desks.submit(inquiry([by_number(1)]))
    desks.media_key = mine
    assert desks.submit(inquiry([by_number(1)]))["job"] == 1


def test_r42_items_beyond_the_purpose_are_refused_whole(desks: Desks) -> None:
    with pytest.raises(NotPermitted, match="town_code"):
        desks.submit(inquiry([by_number(1)]), items=["name", "town_code"])


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("bulk-submit", {"file": "AAAA", "media_id": "x", "recipient": 1, "items": ["name"]}),
        ("bulk-approve", {"job": 1, "media_id": "x"}),
        ("bulk-fetch", {"job": 1, "media_id": "x"}),
    ],
)
@pytest.mark.requirement("R58")
def test_taking_information_out_is_a_right_of_its_own(
    desks: Desks, operation: str, body: dict[str, Any]
) -> None:
    clerk = desks.bench.clerk("OP-2000", roles=("clerk",), purposes=("prefectural-tax",))
    with pytest.raises(NotPermitted, match="no role of yours"):
        clerk.ask(f"provision/{operation}", body, **TAX)


# --- recipients ---


def test_r51_a_recipient_of_another_purpose_or_a_retired_one_gets_nothing(desks: Desks) -> None:
    _, public = new_key()
    body = {"purpose": "designated-disease", "name": "x", "public_key": public}
    other = desks.administrator.ask_with(desks.approver, "provision/add-recipient", body).data[
        "number"
    ]
    with pytest.raises(NotFound, match="no such recipient"):
        desks.submit(inquiry([by_number(1)]), recipient=other)
    with pytest.raises(NotFound):
        desks.submit(inquiry([by_number(1)]), recipient=9)
    job = desks.submit(inquiry([by_number(1)]))["job"]
    desks.work()
    desks.approve(job)
    desks.administrator.ask("provision/retire-recipient", {"number": desks.recipient})
    with pytest.raises(Rejected, match="retired"):
        desks.fetch(job)
    with pytest.raises(Rejected, match="retired"):
        desks.submit(inquiry([by_number(1)]))
    listed = desks.administrator.ask("provision/recipients", {}).data["recipients"]
    assert [(each["agency"], each["retired"]) for each in listed] == [
        ("県税事務所", True),
        ("健康づくり推進課", False),
    ]


@pytest.mark.requirement("R51", "R127")
def test_a_key_is_entered_by_two_persons(desks: Desks) -> None:
    body = {"purpose": "prefectural-tax", "name": "保健所", "public_key": new_key()[1]}
    with pytest.raises(NeedsApproval):
        desks.administrator.ask("provision/add-recipient", body)
    wanted = {"operation": "provision/add-recipient", "form": "1", "reason": "新規"}
    asked = desks.administrator.ask("approval/request", {**wanted, "arguments": body})
    number = {"number": asked.data["number"]}
    there = desks.bench.clerk(
        "OP-301", roles=("security-officer",), office="保健所", terminal_id="T"
    )
    assert there.ask("approval/show", number).data["arguments"] == body
    there.ask("approval/give", number)
    again = desks.administrator.ask("approval/request", {**wanted, "arguments": body})
    elsewhere = desks.bench.clerk(
        "OP-300", roles=("security-officer",), office="統計課", terminal_id="T"
    )
    with pytest.raises(NotPermitted, match="another office"):
        elsewhere.ask("approval/give", {"number": again.data["number"]})
    desks.administrator.ask("provision/add-recipient", body, approval=asked.data["number"])
    assert desks.bench.ledger()[-1].approved_by == "P-OP-301"


@pytest.mark.parametrize("key", ["A" * 43 + "=", "A" * 44, "*" * 44])
def test_a_key_that_is_none_is_not_entered(desks: Desks, key: str) -> None:
    body = {"purpose": "prefectural-tax", "name": "x", "public_key": key}
    with pytest.raises(Malformed, match="public_key"):
        desks.administrator.ask_with(desks.approver, "provision/add-recipient", body)


def test_a_recipient_needs_a_purpose_that_exists(desks: Desks) -> None:
    body = {"purpose": "fortune-telling", "name": "x", "public_key": new_key()[1]}
    with pytest.raises(Rejected, match="no such purpose"):
        desks.administrator.ask_with(desks.approver, "provision/add-recipient", body)


# --- the job ---


def test_progress_is_told_while_it_runs(desks: Desks, small_chunks: int) -> None:
    admit(desks.bench, 1)
    job = desks.submit(inquiry([by_number(n) for n in range(1, 7)]))["job"]
    status = desks.status(job)
    assert (status["state"], status["done"], status["rows"]) == ("queued", 0, 6)
    assert (status["rate"], status["eta"]) == (None, None)
    assert desks.step() == {"done": 2, "total": 6, "more": True, "says": ""}
    assert desks.status(job)["state"] == "running"
    desks.bench.now += timedelta(seconds=10)
    assert desks.step() == {"done": 4, "total": 6, "more": True, "says": ""}
    status = desks.status(job)
    assert (status["done"], status["counts"]) == (4, {})
    assert desks.step()["more"]
    assert desks.step() == {"done": 6, "total": 6, "more": False, "says": ""}
    assert desks.status(job)["state"] == "done"
    assert len(desks.status(job)["digest"]) == 64


def test_the_rate_and_what_is_left_are_told(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bulk", "kept"):
        monkeypatch.setattr(f"plugins.provision.{module}.CHUNK", 2)
    job = desks.submit(inquiry([by_number(n) for n in range(1, 11)]))["job"]
    desks.step()
    desks.bench.now += timedelta(seconds=4)
    desks.step()
    status = desks.status(job)
    assert (status["rate"], status["eta"]) == (0.5, 12.0)


def test_jobs_are_done_in_the_order_in_which_they_came(desks: Desks, small_chunks: int) -> None:
    rows = [by_number(n) for n in (1, 2, 3)]
    jobs = [desks.submit(inquiry(rows, number=request))["job"] for request in ("R8-1", "R8-2")]
    desks.step()
    assert [desks.status(job)["state"] for job in jobs] == ["running", "queued"]
    assert desks.work() == 5
    listed = desks.operator.ask("provision/bulk-status", {}, **TAX).data["jobs"]
    assert [(each["job"], each["state"]) for each in listed] == [(2, "done"), (1, "done")]


def test_rows_are_gone_once_they_are_answered(desks: Desks, small_chunks: int) -> None:
    job = desks.submit(inquiry([by_number(n) for n in (1, 2, 3)]))["job"]
    assert left(desks, kept.ROWS) == 2
    desks.step()
    assert (left(desks, kept.ROWS), left(desks, kept.RESULT)) == (1, 1)
    desks.cancel(job)
    assert (left(desks, kept.ROWS), left(desks, kept.RESULT)) == (0, 0)


def left(desks: Desks, kind: str) -> int:
    """Return how many papers of a kind there are, as whoever has the store would count them."""
    with desks.bench.vault.view() as view:
        return len(list(view.documents(f"provision.{kind}")))


def test_a_job_that_is_cancelled_meanwhile_gets_nothing(
    desks: Desks, small_chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(desks.bench, 1)
    job = desks.submit(inquiry([by_number(n) for n in (1, 2, 3)]))["job"]
    written = work.data_lines

    def cancelled_meanwhile(*told: Any) -> str:
        desks.cancel(job)
        return written(*told)

    monkeypatch.setattr(work, "data_lines", cancelled_meanwhile)
    assert desks.step() == {"done": 0, "total": None, "more": False, "says": ""}
    assert desks.status(job)["state"] == "cancelled"
    assert left(desks, kept.RESULT) == 0
    assert desks.bench.ledger()[-2].subjects == (1,)  # he was looked up all the same


def test_a_purpose_that_ended_meanwhile_answers_no_row(tmp_path: Path) -> None:
    policy = shipped_policy()
    code_ = PurposeCode("prefectural-tax")
    with Desks.open(tmp_path) as desks:
        admit(desks.bench, 1)
        job = desks.submit(inquiry([by_number(1)]))["job"]
        ended = msgspec.structs.replace(
            policy.purposes[code_], valid_until=desks.bench.now.date() - timedelta(days=1)
        )
        policy = replace(policy, purposes={**policy.purposes, code_: ended})
        parts = replace(desks.bench.parts, policy=policy)
        desks.bench.pipeline = type(desks.bench.pipeline)(parts)
        desks.work()
        desks.bench.pipeline = type(desks.bench.pipeline)(desks.bench.parts)
        assert desks.approve(job)["counts"] == {"90": 1}


def test_a_job_of_another_purpose_is_not_there(desks: Desks) -> None:
    job = desks.submit(inquiry([by_number(1)]))["job"]
    disease = {"purpose": "designated-disease", "reason": "01"}
    with pytest.raises(NotFound, match="no such job"):
        desks.operator.ask("provision/bulk-status", {"job": job}, **disease)
    with pytest.raises(NotFound):
        desks.status(7)


# --- how the result leaves ---


@pytest.mark.requirement("R56")
@pytest.mark.parametrize("witness", ["OP-1000", "p-op-1000", "OP-1001", "P-OP-1001"])
def test_whoever_submits_or_approves_is_no_witness(desks: Desks, witness: str) -> None:
    admit(desks.bench, 1)
    job = desks.submit(inquiry([by_number(1)]))["job"]
    desks.work()
    with pytest.raises(Rejected) as refused:
        desks.approve(job, witness=witness)
    (problem,) = refused.value.problems
    assert (problem.rule, problem.item) == ("B-33", "witness")
    assert problem.text == "立会者は、申請した者及び承認する者以外の職員でなければなりません。"
    assert desks.status(job)["state"] == "done"


def test_r55_each_media_output_is_entered_one_by_one(desks: Desks) -> None:
    admit(desks.bench, 1)
    job = desks.submit(inquiry([by_number(1), by_number(2)]))["job"]
    desks.work()
    desks.approve(job, witness="P-OP-9")
    first, second = desks.fetch(job), desks.fetch(job)
    newest, oldest = desks.approver.ask("provision/outputs", {}).data["outputs"]
    assert (oldest["number"], newest["number"]) == (1, 2)
    assert (oldest["provision_id"], newest["provision_id"]) == (
        first["provision_id"],
        second["provision_id"],
    )
    by = {"operator": "OP-1000", "person": "P-OP-1000", "terminal": "T-0", "office": "税務課"}
    assert oldest["by"] == {**by, "at": desks.bench.now.isoformat()}
    assert (oldest["approved"]["operator"], oldest["witness"]) == ("OP-1001", "P-OP-9")
    assert (oldest["media_id"], oldest["purpose"], oldest["reason"]) == (
        MEDIUM_OUT,
        "prefectural-tax",
        "01",
    )
    assert (oldest["rows"], oldest["digest"]) == (2, first["digest"])
    assert desks.opened(first).digest == first["digest"]


@pytest.mark.requirement("R55", "R56")
def test_whoever_submitted_cannot_approve_and_whoever_approved_cannot_fetch(desks: Desks) -> None:
    both = desks.bench.clerk(
        "OP-3000",
        roles=("media-operator", "media-approver"),
        purposes=("prefectural-tax",),
        terminal_id="T-9",
    )
    job = desks.submit(inquiry([by_number(1)]), both)["job"]
    desks.work()
    with pytest.raises(NotPermitted, match="second person") as refused:
        desks.approve(job, both)
    assert "申請した本人" in refused.value.problems[0].text
    mine = desks.submit(inquiry([by_number(1)], number="R8-2"))["job"]
    desks.work()
    desks.approve(mine, both)
    with pytest.raises(NotPermitted, match="second person"):
        desks.fetch(mine, both)
    assert desks.fetch(mine)["rows"] == 1


def test_r45_a_result_leaves_on_the_approved_medium_only(desks: Desks) -> None:
    job = desks.submit(inquiry([by_number(1)]))["job"]
    desks.work()
    desks.approve(job)
    with pytest.raises(Rejected, match="another medium"):
        desks.fetch(job, medium=MEDIUM_IN)
    assert desks.approver.ask("provision/outputs", {}).data["outputs"] == ()


def test_nothing_leaves_that_was_not_approved_or_is_gone(desks: Desks) -> None:
    job = desks.submit(inquiry([by_number(1)]))["job"]
    with pytest.raises(Conflict, match="not done"):
        desks.approve(job)
    with pytest.raises(Conflict, match="not approved"):
        desks.fetch(job)
    desks.work()
    with pytest.raises(Conflict, match="not approved"):
        desks.fetch(job)
    desks.approve(job)
    with pytest.raises(Conflict, match="not done"):
        desks.approve(job)
    assert desks.cancel(job)["state"] == "cancelled"
    for refused in (desks.fetch, desks.cancel):
        with pytest.raises(Conflict):
            refused(job)


def test_what_was_put_out_cannot_be_cancelled(desks: Desks) -> None:
    job = desks.submit(inquiry([by_number(1)]))["job"]
    desks.work()
    desks.approve(job)
    desks.fetch(job)
    with pytest.raises(Conflict, match="put out already") as refused:
        desks.cancel(job)
    assert [problem.rule for problem in refused.value.problems] == ["B-31"]
    assert desks.status(job)["state"] == "approved"


def test_a_request_of_an_office_is_taken_once(desks: Desks) -> None:
    job = desks.submit(inquiry([by_number(1)]))["job"]
    with pytest.raises(Conflict, match=rf"taken already \(job {job}\)"):
        desks.submit(inquiry([by_number(2)]))
    assert desks.submit(inquiry([by_number(2)], number="R8-2"))["job"] == job + 1
    desks.cancel(job)
    assert desks.submit(inquiry([by_number(2)]))["job"] == job + 2


def test_a_request_that_came_in_meanwhile_counts_too(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.provision.bulk._expect_new", lambda *_: None)
    desks.submit(inquiry([by_number(1)]))
    monkeypatch.undo()
    with pytest.raises(Conflict, match="taken already"):
        desks.submit(inquiry([by_number(1)]))


def test_a_public_key_is_registered_once(desks: Desks) -> None:
    (known,) = desks.administrator.ask("provision/recipients", {}).data["recipients"]
    body = {"purpose": "designated-disease", "name": "保健所", "public_key": new_key()[1]}
    number = desks.administrator.ask_with(desks.approver, "provision/add-recipient", body).data[
        "number"
    ]
    desks.administrator.ask("provision/retire-recipient", {"number": number})
    with pytest.raises(Conflict, match="public key is registered"):
        desks.administrator.ask_with(desks.approver, "provision/add-recipient", body)
    assert known["number"] != number


def test_a_result_expires(desks: Desks) -> None:
    numbers = ("R8-1", "R8-2")
    jobs = [desks.submit(inquiry([by_number(1)], number=n))["job"] for n in numbers]
    desks.work()
    desks.approve(jobs[0])
    assert desks.step("bulk-expire") == {"done": 0, "total": None, "more": False, "says": ""}
    desks.bench.now += timedelta(days=13)
    desks.step("bulk-expire")
    assert left(desks, kept.RESULT) == 2
    desks.bench.now += timedelta(days=1)
    assert desks.step("bulk-expire")["more"]
    assert not desks.step("bulk-expire")["more"]
    assert left(desks, kept.RESULT) == 0
    desks = Desks.at(desks.bench)
    assert [desks.status(job)["state"] for job in jobs] == ["expired", "expired"]
    with pytest.raises(Conflict) as refused:
        desks.fetch(jobs[0])
    assert "消去" in refused.value.problems[0].text


# --- what stays on record ---


@pytest.mark.requirement("R50", "R52", "R54")
def test_the_entry_of_a_step_is_the_provision_record_of_its_rows(desks: Desks) -> None:
    who = admit(desks.bench, 1)
    gone = admit(desks.bench, 2, reason="21", **GONE)
    rows = [by_number(1), by_number(2), by_number(3), ["x", code(1), *[""] * 6]]
    job = desks.submit(inquiry(rows))["job"]
    submitted = desks.bench.ledger()[-1]
    desks.step()
    entry = desks.bench.ledger()[-1]
    digest = unframed(inquiry(rows)).digest
    assert submitted.note == f"bulk {job}: 4 rows, sha256 {digest}"
    assert submitted.conditions == {"media_id": MEDIUM_IN, "recipient": 1, "items": list(ITEMS)}
    assert (entry.purpose, entry.reason, entry.case_number) == ("prefectural-tax", "01", "R8-77")
    assert (entry.note, entry.subjects) == (f"bulk {job}: rows 1 to 4", (who, gone))
    assert set(entry.items) == set(map(ItemName, ITEMS))
    assert entry.outcomes == ((who, "00", "1"), (gone, "30", "2"))
    with desks.bench.vault.view() as view:
        for entered in view.entries(0, view.ledger_size()):
            assert number(1).encode() not in entered.body


def test_the_same_submission_again_is_one_job(desks: Desks) -> None:
    sealed = base64.b64encode(seal_for(desks.media_key, inquiry([by_number(1)]))).decode()
    body = {"file": sealed, "media_id": "x", "recipient": 1, "items": ["name"]}
    asked = [
        desks.operator.ask("provision/bulk-submit", body, key="the-same-key-0001", **TAX)
        for _ in range(2)
    ]
    assert [reply.data["job"] for reply in asked] == [1, 1]
    assert len(desks.operator.ask("provision/bulk-status", {}, **TAX).data["jobs"]) == 1


def test_r53_what_was_provided_stays_on_record_when_the_result_is_gone(desks: Desks) -> None:
    who = admit(desks.bench, 1)
    job = desks.submit(inquiry([by_number(1)]))["job"]
    desks.work()
    desks.cancel(job)
    desks.step("bulk-expire")
    records = [entry for entry in desks.bench.ledger() if entry.subjects == (who,)]
    assert [entry.outcomes for entry in records if entry.outcomes] == [((who, "00", "1"),)]
