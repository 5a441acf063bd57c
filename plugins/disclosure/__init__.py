"""開示・訂正: answer the resident about himself, and see a correction through (R63 to R82).

Read it in this order::

    book.py        the 受付簿: cases and their states
    rules.py       D-01 ...: what is refused, and what staff do next
    receiving.py   receive, amend, match, close          matching.py  the 突合
    issuing.py     the 確認書, the notice of non-existence, the notice of a later date
    correcting.py  from the wish to the 通報 to the municipality to the written result
    sheets.py      the 帳票管理簿: every paper until it is handed over or destroyed
    looking.py     the 受付簿 as it is seen      inquiries.py  the log of 問合せ
    letters.py     each paper of a case, from the case as it was
    blank.py       forms without a resident in them
    form.py        what is printed, as data      forms/*.typ  how
    screens/       the same at a terminal        templates/   how it looks
"""

from appliance.plugin_api import AnyOperation, Screen, hookimpl
from plugins.disclosure import (
    blank,
    correcting,
    inquiries,
    issuing,
    looking,
    receiving,
    sheets,
)
from plugins.disclosure.screens import SCREENS


@hookimpl
def operations() -> list[AnyOperation]:
    parts = (receiving, issuing, correcting, sheets, looking, inquiries, blank)
    return [operation for part in parts for operation in part.OPERATIONS]


@hookimpl
def screens() -> list[Screen]:
    return SCREENS
