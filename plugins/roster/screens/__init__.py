"""The rosters at a terminal: who has a 照合ID, which 操作者ID there are, and the machines.

Each has a list, one entry of it, and steps that are taken with that entry, each on a page of its
own that says what it comes to (``book.py``). Nobody's ID stands in a path: it is carried by the
forms. What gives a right waits for a second person, which is the frame's to ask.
"""

from plugins.roster.screens import operators, people, terminals

SCREENS = [*people.SCREENS, *operators.SCREENS, *terminals.SCREENS]
