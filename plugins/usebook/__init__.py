"""使用簿: the offices' own books of use, held against the ledger (R136, R137).

::

    matching.py   uses and lines held against each other; pure
    uses.py       from entries of the ledger to uses
    book.py       lines, months, findings and marks, as they are kept
    sheet.py      a book as a CSV file
    entering.py   one line, a file of lines, corrections
    held.py       a month held against the ledger, and told in words
    reviewing.py  the matching of a month, leftovers, marks
    nightly.py    the same for all offices, every night
    closing.py    sign-off, reopening, figures, the alarm
    screens_*.py  使用簿 and 使用簿突合 at a terminal, and 月次確認書

What an office must write down, and what is decided in it, stands in ``README.md``.
"""

from collections.abc import Iterator

from appliance.plugin_api import Alarm, AnyOperation, Job, Screen, Watch, hookimpl
from plugins.usebook import closing, entering, nightly, reviewing, screens_book, screens_matching


@hookimpl
def operations() -> list[AnyOperation]:
    return [
        entering.ENTER,
        entering.IMPORT,
        entering.CORRECT,
        entering.LINES,
        reviewing.MATCH,
        reviewing.LEFTOVERS,
        reviewing.MARK,
        nightly.SURVEY,
        closing.SIGN_OFF,
        closing.REOPEN,
        closing.FIGURES,
    ]


@hookimpl
def jobs() -> list[Job]:
    return [nightly.JOB]


@hookimpl
def screens() -> list[Screen]:
    return [*screens_book.SCREENS, *screens_matching.SCREENS]


@hookimpl
def alarms(watch: Watch) -> Iterator[Alarm]:
    yield from closing.alarms(watch)
