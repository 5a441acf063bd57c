"""照合 at a terminal: whether what somebody claims holds, without any value of the record (R48)."""

from appliance.plugin_api import Desk, Form, OperationName, Page, Screen
from plugins.provision.screens.person import (
    FOUR,
    KEYS,
    answered,
    beginning,
    by_whom,
    informations,
    key_chosen,
    step_refused,
)
from plugins.provision.screens.words import GROUP, PACKAGE, based, label_of

VERIFY = "provision/verify"
PATH = "/screens/provision/verify"
STEPS = ("利用の根拠", "照合する人と内容", "照合の結果")
CLAIM = "claim_"
VERDICTS = {"match": ("一致", "good"), "mismatch": ("不一致", "bad")}
LEAD = (
    "申請書などの内容が本人確認情報と一致するかどうかだけを確認します。本人確認情報の内容は"
    "表示しません。照合は、操作した人、事務、条件、照合した項目とともに記録されます。"
)


def show(desk: Desk) -> Page:
    """Ask what for, and by what the person is named."""
    return beginning(desk, VERIFY, STEPS, LEAD)


def whom(desk: Desk, form: Form) -> Page:
    """Ask whom, and what is claimed of him."""
    known = based(desk, form, VERIFY)
    key = key_chosen(known, form)
    return Page(
        template="claims.html",
        title=f"照合({KEYS[key]}による照会)",
        data={
            **known.told,
            "key": key,
            "claimable": [item for item in FOUR if item in known.items],
            "steps": STEPS,
        },
    )


def verify(desk: Desk, form: Form) -> Page:
    """Answer which of the claims hold."""
    known = based(desk, form, VERIFY)
    key = key_chosen(known, form)
    by, claims = by_whom(form, key), informations(form, CLAIM)
    if not claims and not form.problems:
        form.wrong(f"{CLAIM}name", "照合する内容を1つ以上入力してください。")
    told = desk.ask(VERIFY, {"by": by, "claims": claims}, **known.stated)
    verdicts = [
        (label_of(item), *VERDICTS[told["claims"][item]]) for item in FOUR if item in told["claims"]
    ]
    return Page(
        template="verified.html",
        title="照合の結果",
        resident=told["result"] == "one",
        data={**answered(desk, known, key, told), "verdicts": verdicts, "steps": STEPS},
    )


def again(desk: Desk, form: Form) -> Page:
    """Return the step that was refused: the person, or already the ground."""
    return step_refused(desk, form, show, whom)


SCREENS = [
    Screen(
        path=PATH,
        title="照合",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(VERIFY),
        show=show,
        acts={"whom": whom, "verify": verify},
        again=again,
    )
]
