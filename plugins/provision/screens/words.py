"""What the screens of this function have in common: the ground of a visit, and what is chosen."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypedDict

from appliance.plugin_api import ITEMS, Desk, Form, Ground, NotPermitted, Rejected

GROUP = "検索・提供"
PACKAGE = "plugins.provision"
CHECK_INPUT = "入力内容を確認してください。"
MY_NUMBER = "my_number"
LABELS = {str(item.name): item.label for item in ITEMS}


class Stated(TypedDict):
    """For what something is asked, as ``Desk.ask`` takes it."""

    purpose: str
    reason: str
    case: str


class Based(NamedTuple):
    """What is done on a page, and under which 事務, 利用事由 and 使用簿番号."""

    ground: Ground
    reason: str
    case: str
    choice: str

    @property
    def stated(self) -> Stated:
        """For ``Desk.ask``."""
        return Stated(purpose=self.ground.purpose, reason=self.reason, case=self.case)

    @property
    def told(self) -> dict[str, Any]:
        """For the page: to be shown, and carried by its forms."""
        return {
            "ground": self.ground,
            "reason": self.reason,
            "case": self.case,
            "carried": {"ground": self.choice, "case": self.case},
        }

    @property
    def items(self) -> list[str]:
        """The items that may be asked for, as the law lists them."""
        return [str(item.name) for item in ITEMS if item.name in self.ground.grant.items]


def based(desk: Desk, form: Form, operation: str) -> Based:
    """Return the ground that was chosen for an operation.

    Raises:
        Rejected: none was, or it is none that may be chosen here; that is in the ledger.
        NotPermitted: no role reaches the operation; so is that.
    """
    stated = form.stated()
    expect_no_problem(form)
    purpose, reason, case = stated["purpose"], stated["reason"], stated["case"]
    for ground in desk.grounds(operation):
        if ground.purpose == purpose and reason in ground.reasons and case is not None:
            return Based(ground, str(reason), case, form.raw("ground"))
    try:
        desk.ask(operation, {}, **stated)
    except NotPermitted:
        if not desk.may(operation):
            raise
    form.wrong("ground", "利用する事務と利用事由を選び直してください。")
    raise Rejected(CHECK_INPUT, problems=tuple(form.problems))


def expect_no_problem(form: Form) -> None:
    """Refuse what cannot be read.

    Raises:
        Rejected: something cannot.
    """
    if form.problems:
        raise Rejected(CHECK_INPUT, problems=tuple(form.problems))


def chosen(form: Form, name: str, words: Mapping[str, str], label: str) -> str:
    """Return a choice that must be made; what is none of the words is noted as wrong."""
    value = form.raw(name)
    if value not in words:
        form.wrong(name, f"{label}を選んでください。")
    return value


def chosen_items(form: Form, granted: list[str]) -> list[str]:
    """Return the items that were ticked, as the law lists them; at least one must be."""
    ticked = [item for item in granted if item in form.all("items")]
    if not ticked:
        form.wrong("items", "項目を1つ以上選んでください。")
    return ticked


def label_of(item: str) -> str:
    """Return what an item is called by law."""
    return LABELS[item]
