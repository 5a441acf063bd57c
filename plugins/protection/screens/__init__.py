"""要注意 at a terminal: what waits for a second person, the marks, and what is asked for.

``book.py`` shows the book of marks and requests, and there a second person agrees or refuses;
``asking.py`` has the two forms that name somebody: for a mark, and for opening together. Whose a
number is stands on no screen.
"""

from plugins.protection.screens import asking, book

SCREENS = [*book.SCREENS, *asking.SCREENS]
