"""操作履歴: who did what, who looked at whom, what was refused; and proof (R134 to R138, R144).

Read it in this order::

    entries.py     an entry as it is told
    filters.py     what an entry must be, and how the newest that fit are found
    looking.py     search, proof; denials: what was refused, counted
    persons.py     who looked at one person; the same on paper for the resident
    exporting.py   a period as CSV or PDF, with its digest in the ledger
    wording.py     the columns and words of both, in Japanese
    screens*.py    操作履歴 and 本人確認情報利用記録 at a terminal

Reading the ledger is itself entered in the ledger, with what was asked. Items of residents are not
in it; what was asked by is (sealed), since an audit must compare it with the 使用簿.
"""

from appliance.plugin_api import AnyOperation, Screen, hookimpl
from plugins.ledger import exporting, looking, persons
from plugins.ledger.screens import SCREENS


@hookimpl
def operations() -> list[AnyOperation]:
    return [*looking.OPERATIONS, *persons.OPERATIONS, *exporting.OPERATIONS]


@hookimpl
def screens() -> list[Screen]:
    return SCREENS
