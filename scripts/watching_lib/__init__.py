"""How good the watching is: precision, recall, false flags a week, on years that are made up.

::

    staff.py      offices, people, terminals, and the names of residents
    diary.py      a year's uses as they are written down, and put in order
    honest.py     what a quiet year is: work, seasons, slips, coincidences
    misuse.py     what is planted in the other years, faint to strong
    measuring.py  the detectors of ``plugins/watching`` over it, and what was right
    command.py    the command line and the tables

No resident and no ledger is needed: uses are what ``plugins/watching/uses.py`` makes of entries.
Thresholds are those of ``firmware_config/policy/watching.toml``. What a quiet year is like is our
own idea, since nobody publishes the ledger of a prefecture: the figures say how the detectors do on
that idea, and no more.
"""
