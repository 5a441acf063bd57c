"""即時提供 at a terminal: what for, whom and which items, the answer (R41, R42, R48, R49).

Only what the 事務 reaches can be chosen. No item is ticked beforehand: whoever asks says what he
needs. 個人番号 comes with the answer where it was asked for, and is folded away on the page.
"""

from appliance.plugin_api import Desk, Form, OperationName, Page, Screen
from plugins.provision.screens.person import (
    KEYS,
    answered,
    beginning,
    by_whom,
    informations,
    key_chosen,
    step_refused,
)
from plugins.provision.screens.words import GROUP, PACKAGE, based, chosen_items, label_of

INQUIRE = "provision/inquire"
PATH = "/screens/provision/inquire"
STEPS = ("利用の根拠", "照会する人と項目", "提供の結果")
LEAD = (
    "照会は、操作した人、事務、条件、提供した項目とともに記録されます。"
    "職務に必要な範囲で照会してください。"
)


def show(desk: Desk) -> Page:
    """Ask what for, and by what the person is named."""
    return beginning(desk, INQUIRE, STEPS, LEAD)


def whom(desk: Desk, form: Form) -> Page:
    """Ask whom, and which of the items that may be asked for."""
    known = based(desk, form, INQUIRE)
    key = key_chosen(known, form)
    return Page(
        template="whom.html",
        title=f"即時提供({KEYS[key]}による照会)",
        data={
            **known.told,
            "key": key,
            "choices": [(item, label_of(item)) for item in known.items],
            "steps": STEPS,
        },
    )


def inquire(desk: Desk, form: Form) -> Page:
    """Answer the items."""
    known = based(desk, form, INQUIRE)
    key = key_chosen(known, form)
    body = {"by": by_whom(form, key), "items": chosen_items(form, known.items)}
    if key != "four" and (claimed := informations(form)):
        body["claimed"] = claimed
    told = desk.ask(INQUIRE, body, **known.stated)
    return Page(
        template="inquired.html",
        title="提供の結果",
        resident=told["result"] == "one",
        data={**answered(desk, known, key, told), "items": body["items"], "steps": STEPS},
    )


def again(desk: Desk, form: Form) -> Page:
    """Return the step that was refused: the person, or already the ground."""
    return step_refused(desk, form, show, whom)


SCREENS = [
    Screen(
        path=PATH,
        title="即時提供",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(INQUIRE),
        show=show,
        acts={"whom": whom, "inquire": inquire},
        again=again,
    )
]
