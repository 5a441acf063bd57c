"""帳票管理簿 at a terminal: every sheet until it is handed over or destroyed (R66)."""

from typing import Any

from appliance.plugin_api import (
    Desk,
    Form,
    NotFound,
    OperationName,
    Page,
    Paper,
    Redirect,
    Refusal,
    Screen,
)
from plugins.disclosure.screens.cases import handed, printed
from plugins.disclosure.screens.words import (
    GROUP,
    HOW_DISPOSED,
    PACKAGE,
    SHEETS,
    WORDS,
    ask,
    chosen,
    given,
)
from plugins.disclosure.sheets import STATES as SHEET_STATES

PATH = "/screens/disclosure/sheets"
MOST, MOST_OF_A_CASE = 100, 1000


def show(desk: Desk) -> Page:
    """List the newest sheets."""
    return _listing(desk, Form())


def pick(desk: Desk, form: Form) -> Page:
    """List the sheets of a case, or in a state."""
    return _listing(desk, form)


def _listing(desk: Desk, form: Form) -> Page:
    state = form.raw("state") if form.raw("state") in SHEET_STATES else None
    wanted = given(number=form.number("number"), state=state)
    found = ask(desk, SHEETS, "sheets", **wanted, limit=MOST)["sheets"]
    data = {**WORDS, "sheets": found, "full": len(found) == MOST, "narrowed": bool(wanted)}
    return Page(template="sheets.html", data=data)


def whole(desk: Desk, form: Form) -> Page:
    """Open one sheet, with what can be entered of it."""
    number, sheet = form.number("number"), form.number("sheet")
    found = ask(desk, SHEETS, "sheets", number=number, limit=MOST_OF_A_CASE)["sheets"]
    line = next((each for each in found if each["sheet"] == sheet), None)
    if line is None:
        raise NotFound("the register has no entry of this number")
    data: dict[str, Any] = {**WORDS, "sheet": line, "ours": {"number": number, "sheet": sheet}}
    return Page(template="sheet.html", title=f"帳票番号{sheet}", data=data)


def again(desk: Desk, form: Form) -> Page:
    """Return the sheet an act was pressed on, or the list."""
    if not form.raw("sheet"):
        return show(desk)
    try:
        return whole(desk, Form(form.fields))
    except Refusal:
        return show(desk)


def deliver(desk: Desk, form: Form) -> Redirect:
    """Enter the 交付."""
    handed(desk, SHEETS, form)
    return _done(form, "交付")


def store(desk: Desk, form: Form) -> Redirect:
    """Enter the 保管."""
    form.need(place="保管場所")
    ask(desk, SHEETS, "store", sheet=form.number("sheet"), place=form.text("place"))
    return _done(form, "保管")


def dispose(desk: Desk, form: Form) -> Redirect:
    """Enter the 廃棄, which a witness saw."""
    form.need(witness="立会者の操作者ID又は職員番号")
    how = chosen(form, "how", HOW_DISPOSED, "廃棄の方法")
    if not form.ticked("destroyed"):
        form.wrong("destroyed", "帳票番号と現物を照合し、確認欄にチェックを入れてください。")
    witness = form.text("witness")
    ask(desk, SHEETS, "dispose", sheet=form.number("sheet"), how=how, witness=witness)
    return _done(form, "廃棄")


def reissue(desk: Desk, form: Form) -> Paper:
    """Put a sheet out once more, in the place of this one."""
    form.need(again_why="再発行の理由")
    why = form.text("again_why")
    return printed(ask(desk, SHEETS, "reissue", sheet=form.number("sheet"), why=why))


def _done(form: Form, what: str) -> Redirect:
    return Redirect(PATH, f"帳票番号{form.number('sheet')}の{what}を登録しました。")


SCREENS = [
    Screen(
        path=PATH,
        title="帳票管理簿",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("disclosure/sheets"),
        show=show,
        acts={
            "list": pick,
            "sheet": whole,
            "deliver": deliver,
            "store": store,
            "dispose": dispose,
            "reissue": reissue,
        },
        again=again,
    )
]
