"""監査の支援 at a terminal: 自己点検, the books with their entries, what is due, who is missing."""

from plugins.compliance.screens import books, overview, selfcheck

SCREENS = [*selfcheck.SCREENS, *books.SCREENS, *overview.SCREENS]
