"""開示・訂正 at the counter: residents are answered, and a wrong record comes right."""

import base64
import itertools
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from appliance.model import JST
from scripts.demo.cast import Cast
from scripts.demo.grounds import MUNICIPALITY
from scripts.demo.people import REGISTRAR
from scripts.demo.servers import next_sequence, notify
from scripts.demo.stage import Stage
from scripts.demo.steps import Step
from scripts.demo.town import store
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.notices import Notice

UNPROCESSABLE = 422
FORMS = ("request", "correction", "file-register")


def answer(stage: Stage, cast: Cast) -> None:
    """Answer residents about themselves."""
    desk = _Desk(stage)
    disclosure = _disclosed(desk, cast)
    _refused(desk, cast)
    _put_off(desk, cast)
    _corrected(desk, cast)
    _papers(desk, disclosure)
    _asked(desk)


class _Desk:
    """The registrar, under the 事務 of disclosure."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.steps = stage.steps
        self._seat = stage.people[REGISTRAR.name]
        self._keys = itertools.count(1)

    def does(self, operation: str, **body: Any) -> dict[str, Any]:
        return self._seat.gets(f"disclosure/{operation}", body, **self._asking())

    def is_refused(self, step: Step, rule: str, operation: str, **body: Any) -> None:
        answer = self._seat.asks(f"disclosure/{operation}", body, **self._asking())
        problems = answer.body.get("problems") or [{"rule": "", "text": ""}]
        said = (answer.status, problems[0]["rule"])
        step.saw(f"{rule}: {problems[0]['text']}", said == (UNPROCESSABLE, rule))

    def receives(self, person: Notice, **other: str) -> int:
        subject = {name: getattr(person, name) for name in ("name", "birth_date", "sex", "address")}
        body = {"method": "counter", "subject": {**subject, **other}, "identity": ["passport"]}
        number: int = self.does("receive", **body, stamps_yen=10)["number"]
        return number

    def issues(self, number: int) -> dict[str, Any]:
        seen = self.does("preview", number=number)["sha256"]
        return self.does("issue", number=number, sha256=seen)

    def hands_over(self, paper: dict[str, Any]) -> None:
        self.does("deliver", sheet=paper["sheet"], method="counter")

    def _asking(self) -> dict[str, Any]:
        return {"purpose": "disclosure", "key": f"disclosure-{next(self._keys):06}"}


def _disclosed(desk: _Desk, cast: Cast) -> int:
    with desk.steps.step("a resident is shown what is recorded of her") as step:
        step.asks("disclosure/receive, match, preview, issue")
        number = desk.receives(cast.sawako)
        step.saw(desk.does("match", number=number)["advice"])
        desk.is_refused(step, "D-38", "issue", number=number, sha256="0" * 64)
        seen = desk.does("preview", number=number)
        step.saw(f"見本, {len(seen['shapes'])} shapes to look at", not seen["shapes"])
        issued = desk.does("issue", number=number, sha256=seen["sha256"])
        step.saw("what was looked at is issued", issued["sha256"] == seen["sha256"])
        pdf = base64.b64decode(issued["pdf"])
        path = desk.stage.grounds.terminal / "confirmation.pdf"
        path.write_bytes(pdf)
        is_one = pdf.startswith(b"%PDF-") and sha256(pdf).hexdigest() == issued["sha256"]
        step.saw(f"{issued['form']}, {len(pdf):,} bytes, sheet {issued['sheet']}", is_one)
    with desk.steps.step("a spoiled paper is put out once more, byte for byte") as step:
        step.asks("disclosure/store, reissue, dispose, deliver, close")
        desk.does("store", sheet=issued["sheet"], place="市町村課 保管庫")
        again = desk.does("reissue", sheet=issued["sheet"], why="汚損")
        step.saw("the same bytes", again["pdf"] == issued["pdf"])
        gone = {"how": "shredded", "witness": "OP-0005"}
        desk.is_refused(step, "D-31", "close", number=number, why="withdrawn")
        desk.does("dispose", sheet=issued["sheet"], **gone)
        desk.hands_over(again)
        state = desk.does("close", number=number, why="completed")["state"]
        step.saw(f"the case is {state}", state == "closed")
    return number


def _refused(desk: _Desk, cast: Cast) -> None:
    with desk.steps.step("where the request differs from the record, nothing is printed") as step:
        step.asks("disclosure/match with another birth date, preview, amend")
        number = desk.receives(cast.sawako, birth_date="1951-03-09")
        differing = desk.does("match", number=number)["differing"]
        step.saw(f"differing: {', '.join(differing)}", differing == ["birth_date"])
        desk.is_refused(step, "D-08", "preview", number=number)
        desk.does("amend", number=number, stamps_yen=10)
        desk.does("close", number=number, why="withdrawn")
    with desk.steps.step("that nothing is recorded is answered in writing") as step:
        step.asks("disclosure/match, preview, issue about somebody nobody told of")
        number = desk.receives(cast.stranger)
        state = desk.does("match", number=number)["state"]
        step.saw(state, state == "absent")
        paper = desk.issues(number)
        step.saw(f"form {paper['form']}", paper["form"] == "absence")
        desk.hands_over(paper)


def _put_off(desk: _Desk, cast: Cast) -> None:
    with desk.steps.step("a disclosure is put off with reasons, in writing") as step:
        until = datetime.now(UTC).astimezone(JST).date() + timedelta(days=45)
        step.asks(f"disclosure/extend until {until}, cases, case")
        number = desk.receives(cast.sawako)
        desk.does("extend", number=number, until=str(until), why="調査に日時を要するため")
        due = desk.does("case", number=number)["due_on"]
        step.saw(f"due on {due}", due == str(until))
        listed = desk.does("cases")
        named = cast.sawako.name in str(listed)
        step.saw(f"{listed['count']} cases are open, listed without a name", not named)


def _corrected(desk: _Desk, cast: Cast) -> None:
    wrong = cast.home[1]
    right = replace(
        wrong,
        reason="33",
        address=f"{wrong.address}１０１号室",
        update_number=wrong.update_number + 1,
    )
    with desk.steps.step("a wrong record is told to the municipality") as step:
        step.asks("disclosure/correct, investigate, report")
        disclosure = desk.receives(wrong, resident_code=wrong.resident_code)
        desk.does("match", number=disclosure)
        desk.hands_over(desk.issues(disclosure))
        asked = {"method": "counter", "identity": ["passport"], "wish": "correct"}
        asked |= {"items": ["address"], "claim": "部屋番号がない"}
        number = desk.does("correct", disclosure=disclosure, **asked)["number"]
        desk.does("investigate", number=number, finding="error", account="記載の漏れを確認")
        told = desk.does("report", number=number)
        said = f"message {told['message']} to {told['municipality_code']}"
        step.saw(said, told["municipality_code"] == MUNICIPALITY)
        desk.is_refused(step, "D-18", "link", number=number)
    with desk.steps.step("its new notification ends the case, with a written result") as step:
        step.asks("update/notify 職権修正等, disclosure/link, result, deliver, close")
        with desk.stage.link(desk.stage.grounds.municipality, f"cs-{MUNICIPALITY}") as link:
            right = replace(right, sequence=next_sequence(link))
            (applied,) = notify(link, right, "corrected").body["data"]["results"]
        step.must(applied["outcome"], applied["outcome"] == "applied")
        with MunicipalFile(store(desk.stage.grounds.municipality)) as file:
            file.record([right], [])
        desk.does("link", number=number)
        told = {"outcome": "corrected", "explanation": "八代市長から通知を受けました。"}
        desk.hands_over(desk.does("result", number=number, **told))
        state = desk.does("close", number=number, why="completed")["state"]
        step.saw(f"the case is {state}", state == "closed")


def _papers(desk: _Desk, disclosure: int) -> None:
    with desk.steps.step("every paper is in the 帳票管理簿") as step:
        step.asks(f"disclosure/sheets of case {disclosure}")
        lines = desk.does("sheets", number=disclosure)["sheets"]
        states = [line["state"] for line in lines]
        step.saw(", ".join(states), states == ["handed-over", "disposed"])


def _asked(desk: _Desk) -> None:
    with desk.steps.step("forms are printed, and an inquiry is kept with its answer") as step:
        step.asks(f"disclosure/forms {', '.join(FORMS)}, inquiry, inquiries")
        pages = [desk.does("forms", form=form)["pages"] for form in FORMS]
        step.saw(f"{sum(pages)} pages", all(pages))
        asked = {"method": "telephone", "topic": "disclosure", "asked": "手数料はいくらか"}
        desk.does("inquiry", **asked, answered="1件10円と答えた")
        log = desk.does("inquiries")["inquiries"]
        step.saw(f"{log[0]['asked']}: {log[0]['answered']}", len(log) == 1)
