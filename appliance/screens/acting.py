"""A button is pressed: what the screen does, and what comes of it when it is refused.

Every way out of a POST is a page on the shelf and 303 to it.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from appliance import wire
from appliance.edge.answers import HttpAnswer
from appliance.edge.door import Ask, Seat
from appliance.edge.problems import malformed
from appliance.edge.refusals import UNKNOWN_OUTCOME, nothing_here
from appliance.errors import (
    NeedsApproval,
    Protected,
    Refusal,
    Unidentified,
    VerifyAgain,
)
from appliance.filled import Form
from appliance.operation import AnyOperation
from appliance.screen import Answered, Page, Paper, Redirect, Screen
from appliance.screens.approvals import LIST
from appliance.screens.approvals import PATH as APPROVALS
from appliance.screens.asked import Asked
from appliance.screens.desk import OpenDesk, Question
from appliance.screens.look import COMMON, PAPER_HEADERS, PREFIX, Around, Look
from appliance.screens.refused import (
    ASKING,
    OPENING,
    REQUEST,
    Told,
    Waits,
    names_somebody,
    to_be_opened,
    told,
    wanted,
)
from appliance.screens.shelf import Shelf
from storage.errors import OutcomeUnknown

PDF = "application/pdf"
MENU_CRUMB = ("業務メニュー", f"{PREFIX}/menu")


class _Unknown(Refusal):
    """Nobody knows whether it was done; the form keeps its key, so that once more is the same."""

    code = UNKNOWN_OUTCOME.code


class Acting:
    """What can be done on screens."""

    def __init__(
        self,
        look: Look,
        shelf: Shelf,
        ask_line: Ask,
        operations: Mapping[str, AnyOperation],
        titles: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._look = look
        self._shelf = shelf
        self._ask = ask_line
        self._operations = operations
        self._titles = titles

    def desk(
        self, seat: Seat, asked: Asked, form: Form | None = None, *, attended: bool = True
    ) -> OpenDesk:
        """Return the desk of this visit."""
        return OpenDesk(
            seat=seat,
            asked=asked,
            ask_line=self._ask,
            operations=self._operations,
            form=form or Form(),
            attended=attended,
        )

    def shown(self, seat: Seat, asked: Asked, screen: Screen) -> HttpAnswer:
        """Return a screen before anything was done."""
        desk = self.desk(seat, asked)
        around = Around(title=screen.title, seat=seat, here=screen.path)
        around.notice = self._shelf.told(seat.who.session)
        try:
            return self._rendered(screen, screen.show(desk), around)
        except VerifyAgain:
            return self._prompt(seat, Waits(screen, "", Form(), desk.last), ())

    def polled(self, seat: Seat, asked: Asked, screen: Screen, poll: str) -> HttpAnswer:
        """Return how far something is, as JSON."""
        form = asked.form()
        found = screen.polls[poll](self.desk(seat, asked, form, attended=False), form)
        return HttpAnswer(HTTPStatus.OK, wire.JSON, wire.encode(wire.JSON, found), COMMON)

    def pressed(self, seat: Seat, asked: Asked, screen: Screen, act: str, form: Form) -> HttpAnswer:
        """Do an act; return where to see what came of it.

        Raises:
            Unidentified: the session is over.
        """
        desk = self.desk(seat, asked, form)
        try:
            answered = screen.acts[act](desk, form) if act else Redirect(screen.path)
        except VerifyAgain:
            return self._keep(seat, self._prompt(seat, Waits(screen, act, form, desk.last), ()))
        except Unidentified:
            raise
        except (NeedsApproval, Protected) as refusal:
            said = told(refusal, self._titles_of(desk))
            return self._keep(
                seat,
                self._second(seat, desk, Waits(screen, act, form, desk.last), refusal.code, said),
            )
        except Refusal as refusal:
            return self._keep(seat, self._again(seat, asked, screen, form, desk, refusal))
        except OutcomeUnknown:
            unknown = _Unknown(UNKNOWN_OUTCOME.text)
            return self._keep(seat, self._again(seat, asked, screen, form, desk, unknown, form.key))
        self._shelf.note(seat.who.session, screen.title)
        return self._done(seat, screen, form, answered)

    def goes_on(self, seat: Seat, asked: Asked, word: str) -> HttpAnswer:
        """Go on with an act that waited.

        Raises:
            Unidentified: the session is over.
            TurnedAway: nothing waits under this word.
        """
        waits = self._shelf.kept(seat.who.session, word, Waits)
        if waits is None:
            raise nothing_here()
        form = asked.form()
        how = form.raw("how")
        if how == "verify":
            return self._verified(seat, asked, waits, form)
        if how in ("request", "opening") and waits.question is not None:
            return self._sought(seat, asked, waits, waits.question, form, how)
        return self.pressed(
            seat, asked, waits.screen, waits.act, waits.with_approval(form.raw("approval")).form
        )

    # --- a proof ---

    def _verified(self, seat: Seat, asked: Asked, waits: Waits, form: Form) -> HttpAnswer:
        device = form.raw("device")
        try:
            body = {"device": json.loads(device)} if device else {"pin": form.raw("pin")}
        except ValueError:
            raise malformed("the form cannot be read") from None
        try:
            self.desk(seat, asked).ask("session/verify", body)
        except Refusal as refusal:
            return self._keep(seat, self._prompt(seat, waits, (told(refusal).text,)))
        return self.pressed(seat, asked, waits.screen, waits.act, waits.form)

    def _prompt(self, seat: Seat, waits: Waits, wrong: tuple[str, ...]) -> HttpAnswer:
        word = self._shelf.put(seat.who.session, waits)
        around = Around(title="もう一度認証してください", seat=seat, here=waits.screen.path)
        around.crumbs = (MENU_CRUMB, (waits.screen.title, waits.screen.path))
        return self._look.page("verify.html", around, {"word": word, "wrong_proof": wrong})

    # --- another person ---

    def _second(
        self,
        seat: Seat,
        desk: OpenDesk,
        waits: Waits,
        code: str,
        said: Told,
        sought: Mapping[str, Any] | None = None,
    ) -> HttpAnswer:
        word = self._shelf.put(seat.who.session, waits)
        protected = code == Protected.code
        around = Around(
            title="要注意: 二人で開いてください" if protected else "別の職員の承認が必要です",
            seat=seat,
            here=waits.screen.path,
            crumbs=(MENU_CRUMB, (waits.screen.title, waits.screen.path)),
            form=desk.form if sought is None else Form(),
            problems=said.problems,
        )
        offered = desk.may(OPENING if protected else REQUEST)
        nobody = protected and not names_somebody(waits.question)
        data = {
            "word": word,
            "protected": protected,
            "offered": offered and not nobody,
            "elsewhere": ASKING if nobody else None,
            "text": said.text,
            "number": sought["number"] if sought else None,
            "named": waits.form.approval,
            "approvers": sought.get("approvers", ()) if sought else (),
            "approvals": APPROVALS if desk.may(LIST) else None,
        }
        return self._look.page("second.html", around, data)

    def _sought(
        self, seat: Seat, asked: Asked, waits: Waits, question: Question, form: Form, how: str
    ) -> HttpAnswer:
        form.need(why="理由", **({"form": "申請書の番号"} if how == "request" else {}))
        desk = self.desk(seat, asked, form)
        code = Protected.code if how == "opening" else NeedsApproval.code
        try:
            data = desk.ask(
                OPENING if how == "opening" else REQUEST,
                to_be_opened(question, form) if how == "opening" else wanted(question, form),
                purpose=question.purpose,
                reason=question.reason,
                case=question.case,
            )
        except Unidentified:
            raise
        except Refusal as refusal:
            return self._keep(seat, self._second(seat, desk, waits, code, told(refusal)))
        return self._keep(seat, self._second(seat, desk, waits, code, Told("", (), None), data))

    # --- pages ---

    def _again(
        self,
        seat: Seat,
        asked: Asked,
        screen: Screen,
        form: Form,
        desk: OpenDesk,
        refusal: Refusal,
        key: str | None = None,
    ) -> HttpAnswer:
        """Return the form again, with what was typed and why it was refused."""
        said = told(refusal, self._titles_of(desk))
        shown = self.desk(seat, asked, Form(form.fields))
        page = screen.again(shown, form) if screen.again else screen.show(shown)
        around = Around(title=screen.title, seat=seat, here=screen.path)
        around.form, around.problems, around.key = form, said.problems, key
        around.refusal, around.count, around.code = said.text, said.count, refusal.code
        return self._rendered(screen, page, around)

    def _titles_of(self, desk: OpenDesk) -> Mapping[str, str] | None:
        return self._titles.get(desk.last.operation) if desk.last else None

    def _done(self, seat: Seat, screen: Screen, form: Form, answered: Answered) -> HttpAnswer:
        match answered:
            case Redirect(path=path, notice=notice):
                if notice:
                    self._shelf.tell(seat.who.session, notice)
                return _see(path)
            case Paper():
                return self._laid_out(seat, screen, answered)
            case Page():
                around = Around(title=screen.title, seat=seat, here=screen.path, form=form)
                if answered.title:
                    around.crumbs = ((screen.title, screen.path),)
                return self._keep(seat, self._rendered(screen, answered, around))

    def _laid_out(self, seat: Seat, screen: Screen, paper: Paper) -> HttpAnswer:
        """Show a PDF inside a page, which locks and is emptied as every page is."""
        if paper.saved or paper.media_type != PDF:
            return self._keep(seat, _paper(paper))
        around = Around(
            title=paper.title or screen.title, seat=seat, here=screen.path, framing=True
        )
        around.crumbs = (MENU_CRUMB, (screen.title, screen.path))
        data = {
            "paper": self._address(seat, paper),
            "back": screen.path,
            "onward": paper.back,
        }
        return self._keep(seat, self._look.page("paper.html", around, data))

    def _rendered(self, screen: Screen, page: Page, around: Around) -> HttpAnswer:
        around.title = page.title or screen.title
        around.crumbs = (MENU_CRUMB, *around.crumbs)
        around.notice = page.notice or around.notice
        around.resident, around.prints = page.resident, page.prints
        data: dict[str, Any] = {"screen": screen, **page.data}
        if page.paper is not None and around.seat is not None:
            around.framing = True
            data["paper"] = self._address(around.seat, page.paper)
        return self._look.page(f"{screen.package}:{page.template}", around, data)

    def _address(self, seat: Seat, paper: Paper) -> str:
        return f"{PREFIX}/r/{self._shelf.put(seat.who.session, _paper(paper))}"

    def _keep(self, seat: Seat, page: HttpAnswer) -> HttpAnswer:
        return _see(f"{PREFIX}/r/{self._shelf.put(seat.who.session, page)}")


def _paper(paper: Paper) -> HttpAnswer:
    how = "attachment" if paper.saved else "inline"
    named = ("Content-Disposition", f'{how}; filename="{paper.name}"')
    return HttpAnswer(HTTPStatus.OK, paper.media_type, paper.content, (named, *PAPER_HEADERS))


def _see(path: str) -> HttpAnswer:
    return HttpAnswer(HTTPStatus.SEE_OTHER, "text/plain", b"", (("Location", path),))
