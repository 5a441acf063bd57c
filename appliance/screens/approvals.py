"""承認: what waits for the second person, what was asked for, and how either goes on (R127).

Whoever asked may carry out from here what was agreed to, in another session too: with the very
arguments, 事務 and 利用事由 that were agreed to. That is a request of his own, as on any screen.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pluggy

from appliance.approvaldesk import RECENT
from appliance.approvals import VALID, WAITS
from appliance.errors import Refusal
from appliance.filled import CASE, CASE_NUMBER, Form
from appliance.forms import titles
from appliance.model import OperationName
from appliance.operation import AnyOperation
from appliance.screen import Answered, Desk, Page, Paper, Screen, Waiting
from appliance.screens.arguments import Line, Words, labels, lines, when

hookimpl = pluggy.HookimplMarker("appliance")

PATH = "/screens/approval/desk"
REQUEST, LIST, SHOW = "approval/request", "approval/list", "approval/show"
GIVE, REFUSE, WITHDRAW = "approval/give", "approval/refuse", "approval/withdraw"
MOST = 50
"""Of what is over and done with, on the list."""
STATES = {
    "open": ("承認待ち", "wait"),
    "given": ("承認済み(未実行)", "good"),
    "refused": ("不承認", "bad"),
    "withdrawn": ("取下げ", "plain"),
    "used": ("実行済み", "plain"),
    "over": ("期限切れ", "plain"),
}
"""By state: what it is called, and its colour."""
PDF = "application/pdf"
FILES = {"csv": "text/csv", "pdf": PDF}
HOUR = timedelta(hours=1)
Told = Mapping[str, Any]


class Approvals:
    """The screen; ``catalogue`` is set once all plugins are let in."""

    def __init__(self) -> None:
        self.catalogue: Mapping[OperationName, tuple[str, AnyOperation]] = {}

    @hookimpl
    def screens(self) -> Iterable[Screen]:
        """Offer the screen."""
        return (
            Screen(
                path=PATH,
                title="承認",
                group="システム",
                package="appliance.screens",
                needs=OperationName(LIST),
                show=self.show,
                acts={
                    "open": self.open,
                    "give": self.give,
                    "refuse": self.refuse,
                    "withdraw": self.withdraw,
                    "carry-out": self.carry_out,
                },
                again=self.again,
                waiting=waiting,
            ),
        )

    def show(self, desk: Desk) -> Page:
        """List what waits, what was asked for and what was decided, the last 30 days."""
        told = desk.ask(LIST, {})
        data = {
            "to_decide": [self._row(each) for each in told["to_decide"]],
            "mine": [self._row(each) for each in told["mine"][:MOST]],
            "decided": [self._row(each) for each in told["decided"][:MOST]],
            "most": MOST,
            "days": RECENT.days,
            "waits": WAITS.days,
            "hours": VALID // HOUR,
            "may_ask": desk.may(REQUEST),
        }
        return Page(template="approvals.html", data=data)

    def open(self, desk: Desk, form: Form) -> Page:
        """Show what exactly would be done, and what whoever looks may do about it."""
        return self._opened(desk, form.number("number"))

    def again(self, desk: Desk, form: Form) -> Page:
        """Return what an act was pressed on, or the list."""
        number = Form(form.fields).number("number")
        if number is None:
            return self.show(desk)
        try:
            return self._opened(desk, number)
        except Refusal:
            return self.show(desk)

    def give(self, desk: Desk, form: Form) -> Page:
        """Agree."""
        _tick(form, "compared", "申請書と照合し、印を付けてから承認してください。")
        number = form.number("number")
        until = when(desk.ask(GIVE, {"number": number})["until"])
        notice = f"承認しました。申請した人が{until}までに、1回だけ実行できます。"
        return self._opened(desk, number, notice)

    def refuse(self, desk: Desk, form: Form) -> Page:
        """Do not agree."""
        form.need(reason="承認しない理由")
        number = form.number("number")
        desk.ask(REFUSE, {"number": number, "reason": form.text("reason")})
        return self._opened(desk, number, "承認しないことを記録しました。")

    def withdraw(self, desk: Desk, form: Form) -> Page:
        """Take back."""
        _tick(form, "taken_back", "取り下げると元に戻せません。印を付けてから取り下げてください。")
        number = form.number("number")
        desk.ask(WITHDRAW, {"number": number})
        return self._opened(desk, number, "取り下げました。")

    def carry_out(self, desk: Desk, form: Form) -> Answered:
        """Do what was agreed to; show what it answers only where it is told but once."""
        _tick(form, "meant", "内容を確認し、印を付けてから実行してください。")
        number, case = form.number("number"), form.text(CASE)
        if case and not CASE_NUMBER.fullmatch(case):
            form.wrong(CASE, "英数字と . _ / - で、64字以内で入力してください。")
        told = desk.ask(SHOW, {"number": number})
        approval, arguments = told["approval"], told["arguments"]
        if arguments is None or told["not_shown"]:
            return self._opened(desk, number)
        answer = desk.ask(
            approval["operation"],
            arguments,
            purpose=approval["purpose"],
            reason=approval["reason"],
            case=case,
            approval=form.approval or number,
        )
        file = next((each for each in answer.values() if isinstance(each, bytes)), None)
        if file is not None:
            return _paper(file, str(answer.get("format")), f"approval-{number}")
        operation = self._operation(approval["operation"])
        data = {
            "what": self._title(approval["operation"]),
            "arguments": self._lines(approval, arguments, told["words"]),
            "answer": lines(answer, {}, {}) if operation and operation.once else [],
        }
        return Page(template="approved.html", title="実行しました", data=data)

    def _opened(self, desk: Desk, number: int | None, notice: str = "") -> Page:
        told = desk.ask(SHOW, {"number": number})
        approval, arguments, words = told["approval"], told["arguments"], told["words"]
        mine = approval["asked"]["person"] == desk.who.person_id
        state = approval["state"]
        data = {
            "number": number,
            "state": STATES[state],
            "facts": self._facts(approval, words),
            "arguments": arguments and self._lines(approval, arguments, words),
            "not_shown": labels(told["not_shown"], self._titles(approval)),
            "decides": state == "open" and not mine,
            "withdraws": state in ("open", "given") and mine and desk.may(WITHDRAW),
            "given": state == "given" and mine,
            "purposed": approval["purpose"] is not None,
            "hours": VALID // HOUR,
        }
        title = f"承認 受付番号{number}"
        return Page(template="approval.html", title=title, notice=notice, data=data)

    def _facts(self, approval: Told, words: Words) -> list[Line]:
        facts = [
            ("申請された操作", self._title(approval["operation"])),
            ("申請した人", _who(approval["asked"])),
            ("申請日時", when(approval["asked"]["at"])),
            ("申請書の番号", approval["form"]),
            ("申請の理由", approval["why"]),
        ]
        for name, label in (("purpose", "事務"), ("reason", "利用事由")):
            if code := approval[name]:
                facts.append((label, f"{words[name].get(code, '')} ({code})"))
        if approval["state"] == "open":
            facts.append(("承認の期限", when(approval["until"])))
            facts.append(("承認できる役割", "、".join(approval["approvers"])))
        if decided := approval["decided"]:
            what = "取り下げた人" if approval["state"] == "withdrawn" else "決定した人"
            facts += [(what, _who(decided)), ("決定日時", when(decided["at"]))]
        if approval["decided_why"]:
            facts.append(("承認しない理由", approval["decided_why"]))
        if approval["state"] == "given":
            facts.append(("実行の期限", when(approval["until"])))
        if used := approval["used"]:
            facts += [("実行した人", _who(used)), ("実行日時", when(used["at"]))]
        return facts

    def _row(self, approval: Told) -> dict[str, Any]:
        live = approval["state"] in ("open", "given")
        decided = approval["decided"]
        return {
            "number": approval["number"],
            "what": self._title(approval["operation"]),
            "state": STATES[approval["state"]],
            "asked_by": _who(approval["asked"]),
            "asked_at": when(approval["asked"]["at"]),
            "until": when(approval["until"]) if live else "",
            "decided_by": _who(decided) if decided else "",
            "decided_at": when(decided["at"]) if decided else "",
        }

    def _lines(self, approval: Told, arguments: Told, words: Words) -> list[Line]:
        functions = {str(name): each.title for name, (_, each) in self.catalogue.items()}
        known = {**words, "operation": functions, "operations": functions}
        return lines(arguments, self._titles(approval), known)

    def _titles(self, approval: Told) -> Mapping[str, str]:
        operation = self._operation(approval["operation"])
        return titles(operation.asks) if operation else {}

    def _title(self, name: str) -> str:
        operation = self._operation(name)
        return (operation.title if operation else "") or name

    def _operation(self, name: str) -> AnyOperation | None:
        _, operation = self.catalogue.get(OperationName(name), ("", None))
        return operation


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how many wait for whoever sits there: for his agreement, or to be carried out by him."""
    told = desk.ask(LIST, {})
    given = sum(each["state"] == "given" for each in told["mine"])
    return [
        Waiting("あなたの承認を待っている申請", len(told["to_decide"])),
        Waiting("承認され、あなたの実行を待っている申請", given),
    ]


def _tick(form: Form, name: str, text: str) -> None:
    if not form.ticked(name):
        form.wrong(name, text)


def _who(party: Mapping[str, str]) -> str:
    return f"{party['person']} ({party['operator']}、{party['office']})"


def _paper(file: bytes, kind: str, name: str) -> Paper:
    """Return what an operation answers with as a file: a PDF to be looked at, else to be saved."""
    media_type = FILES.get(kind, PDF if file.startswith(b"%PDF-") else "application/octet-stream")
    ending = kind if kind in FILES else "bin"
    return Paper(content=file, media_type=media_type, name=f"{name}.{ending}", saved=kind != "pdf")
