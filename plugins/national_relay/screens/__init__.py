"""What staff do with 機構 at a terminal.

::

    inquiring.py   機構への照会: one person, and what the national server answers (R83 to R86)
    reports.py     機構からの通報: what it reports as wrong or refuses (R190), case by case
    line.py        全国サーバとの通信: what waits for it, and the line out of use on purpose
"""

from plugins.national_relay.screens import inquiring, line, reports

SCREENS = [inquiring.SCREEN, reports.SCREEN, line.SCREEN]
