"""What is printed, as data: the versions of a record as the blocks of 別記第3号様式 (R69 to R73).

The eight items of R73 are disclosed, 個人番号 among them; the newest version comes first and is
labelled 最新, the others by their place. 区分 is one of 記載, 消除, 修正, before the 異動事由.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec import to_builtins

from appliance.plugin_api import (
    ITEMS,
    PROVIDED,
    REASONS,
    Case,
    Eras,
    ItemName,
    PartialDate,
    Printed,
    Resident,
    Value,
    gaiji,
    printed_form,
    shapes_missing,
    western,
    with_geta,
)
from plugins.disclosure.rules import broken

DOCUMENTS = {"disclosure": "開示", "correction": "訂正"}
"""What the 文書番号 of a letter begins with, by the kind of the case."""
LABELS = {str(item.name): item.label for item in ITEMS} | {"name": "氏名"}
"""As a resident reads them."""
SEXES = {"1": "男", "2": "女"}

FORMS: Final = Path(__file__).parent / "forms"
OWN_WORDS = ("explanation", "why")
"""Items that the clerk writes himself."""

Data = dict[str, Any]


def shapes(data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what is printed in another shape than is recorded: item and code points (字形を確認).

    Raises:
        Unavailable: as ``plugin_api.shapes_missing``.
    """
    return shapes_missing(data, OWN_WORDS)


def printed(form: str, data: Mapping[str, Any], on: date, *, shapes_seen: bool = False) -> Printed:
    """Print a form of disclosure; a 確認書 says which items have another shape than is recorded.

    Raises:
        Rejected: D-39, there are ``shapes`` that nobody has looked at.
        Unavailable, Rejected: as ``plugin_api.printed_form``.
    """
    if unlike := shapes(data):
        items = "、".join(dict.fromkeys(LABELS.get(item, "記載") for item, _ in unlike))
        if not shapes_seen:
            characters = "、".join(dict.fromkeys(character for _, character in unlike))
            raise broken("D-39", items=items, characters=characters)
        data = {**data, "plain_shapes": items}
    return printed_form(FORMS, form, data, on, own_words=OWN_WORDS, plainly=shapes_seen)


def paper(case: Case, number: int, on: date, kind: str) -> Data:
    """Return what every paper of a case says: who sends it, of which case, of which day."""
    return {
        **sender(case, on),
        "reference": f"受付番号 第{number}号",
        "document": f"{DOCUMENTS[kind]}第{number}号",
    }


def sender(case: Case, on: date) -> Data:
    """Return what every paper says: who sends it, and of which day it is."""
    return {"office": to_builtins(case.policy.office), "issued": written(on.isoformat())}


def blocks(versions: Sequence[Resident]) -> Data:
    """Return the blocks of the versions of a record, given newest first."""
    return {
        "blocks": [_block(version, at) for at, version in enumerate(versions, 1)],
        "gaiji": any(
            gaiji(str(version.values[ItemName(item)] or ""))
            for version in versions
            for item in ("name", "address")
        ),
    }


def written(day: str) -> str:
    """Return a date of the register as 和暦, 不詳 where a part is unknown."""
    parsed = PartialDate.parse(day)
    return next(iter(_eras().spellings(parsed)), western(parsed))


def printable(text: str) -> str:
    """Return a text as it is printed: 〓 for each image of a character."""
    return with_geta(text)


def _block(version: Resident, at: int) -> dict[str, str]:
    get = version.values.get
    plain = {str(item): _plain(get(item)) for item in PROVIDED}
    kind, reason = REASONS[plain["reason"]]
    as_written = _plain(get(ItemName("birth_date_as_written")))
    return {
        **plain,
        "label": "最新" if at == 1 else str(at),
        "name": printable(plain["name"]),
        "address": printable(plain["address"]),
        "birth_date": as_written or written(plain["birth_date"]),
        "sex": SEXES.get(plain["sex"], "不明"),
        "reason": f"{kind}・{reason}",
        "effective_date": written(plain["effective_date"]),
    }


def _plain(value: Value) -> str:
    return "" if value is None else str(value)


@cache
def _eras() -> Eras:
    return Eras.load()
