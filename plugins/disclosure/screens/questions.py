"""問合せ at a terminal: the log of inquiries, and how each was answered (R81)."""

from appliance.plugin_api import (
    Desk,
    Form,
    OperationName,
    Page,
    Redirect,
    Refusal,
    Rejected,
    Screen,
)
from plugins.disclosure.screens.words import (
    GROUP,
    INQUIRY,
    INQUIRY_METHODS,
    PACKAGE,
    TOPICS,
    WORDS,
    ask,
    chosen,
    given,
)

PATH = "/screens/disclosure/inquiries"
MOST, MOST_LOOKED_THROUGH = 100, 1000
WORDED = {**WORDS, "inquiry_methods": INQUIRY_METHODS, "topics": TOPICS}


def show(desk: Desk) -> Page:
    """List the newest inquiries."""
    return _listing(desk, Form())


def pick(desk: Desk, form: Form) -> Page:
    """List the inquiries about something, or those without an end."""
    return _listing(desk, form)


def _listing(desk: Desk, form: Form) -> Page:
    topic = form.raw("about") if form.raw("about") in TOPICS else None
    wanted = given(topic=topic, unfinished=True if form.ticked("unfinished") else None)
    found = ask(desk, INQUIRY, "inquiries", **wanted, limit=MOST)["inquiries"]
    data = {"inquiries": found, "full": len(found) == MOST, "narrowed": bool(wanted)}
    return Page(template="inquiries.html", data={**WORDED, **data})


def new(desk: Desk, form: Form) -> Page:
    """Ask for a new inquiry."""
    return _blank()


def _blank() -> Page:
    return Page(
        template="inquiry.html",
        title="問合せの登録",
        data={**WORDED, "entry": None, "number": None},
    )


def carry_on(desk: Desk, form: Form) -> Page:
    """Ask how an inquiry went on; what was entered stands in the form."""
    number = form.number("number")
    found = ask(desk, INQUIRY, "inquiries", limit=MOST_LOOKED_THROUGH)["inquiries"]
    entry = next((each for each in found if each["number"] == number), None)
    if entry is None:
        raise Rejected("記録が見つかりません。一覧から選び直してください。")
    data = {**WORDED, "entry": entry, "number": number}
    return Page(template="inquiry.html", title=f"問合せ {number}", data=data)


def enter(desk: Desk, form: Form) -> Redirect:
    """Enter an inquiry, or what came of one."""
    form.need(asked="問合せの内容", answered="回答")
    told = {
        "method": chosen(form, "method", INQUIRY_METHODS, "問合せの方法"),
        "topic": chosen(form, "topic", TOPICS, "区分"),
        "asked": form.text("asked"),
        "answered": form.text("answered"),
        "finished": chosen(form, "finished", {"1": "", "0": ""}, "対応の状況") == "1",
        **given(number=form.number("number")),
    }
    number = ask(desk, INQUIRY, "inquiry", **told)["number"]
    return Redirect(PATH, f"問合せ{number}を登録しました。")


def again(desk: Desk, form: Form) -> Page:
    """Return the form an act was pressed on, or the list."""
    if "asked" not in form.fields:
        return show(desk)
    if not form.raw("number"):
        return _blank()
    try:
        return carry_on(desk, Form(form.fields))
    except Refusal:
        return show(desk)


SCREENS = [
    Screen(
        path=PATH,
        title="問合せ",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("disclosure/inquiries"),
        show=show,
        acts={"list": pick, "new": new, "entry": carry_on, "enter": enter},
        again=again,
    )
]
