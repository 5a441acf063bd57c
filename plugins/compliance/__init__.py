"""監査の支援: 自己点検, 監査, 研修, 委託, 事故, each a book on one shared mechanism.

R142 to R145, R149 to R152, R168, R174 to R185, R199, R204, R205.

Read it in this order::

    book.py      what a book is: fields, steps, clocks
    books/       each book as data         shelf.py   all of them      checklists.tsv  their lists
    rules.py     C-01 ...: what is refused, and what staff do next
    forms.py     what is given, held against the fields
    entries.py   a step is taken: who, when, in which state; what it opens
    clocks.py    by when; how long it is kept
    people.py    what the books need of the rosters
    handling.py  open, step                 looking.py  books, entries, entry, due
    overview.py  coverage, lacking          affected.py count-affected, in the ledger (reach.py)
    pack.py      the evidence for outside   keeping.py  the nightly job, the alarms
    screens/     at a terminal: 自己点検, every other book, what is due, who is missing
"""

from collections.abc import Iterable

from appliance.plugin_api import Alarm, AnyOperation, Job, Screen, Watch, hookimpl
from plugins.compliance import affected, handling, keeping, looking, overview, pack
from plugins.compliance.screens import SCREENS


@hookimpl
def operations() -> list[AnyOperation]:
    parts = (handling, looking, overview, affected, pack, keeping)
    return [operation for part in parts for operation in part.OPERATIONS]


@hookimpl
def jobs() -> list[Job]:
    return [keeping.NIGHTLY]


@hookimpl
def alarms(watch: Watch) -> Iterable[Alarm]:
    return list(keeping.alarms(watch))


@hookimpl
def screens() -> list[Screen]:
    return SCREENS
