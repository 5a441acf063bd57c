"""What staff do with 機構 at a terminal.

::

    inquiring.py   機構への照会: one person, and what the national server answers (R83 to R86)
"""

from plugins.national_relay.screens import inquiring

SCREENS = [inquiring.SCREEN]
