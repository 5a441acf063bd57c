"""The counter of 開示・訂正 at a terminal: cases, papers and inquiries."""

from plugins.disclosure.screens import cases, papers

SCREENS = [*cases.SCREENS, *papers.SCREENS]
