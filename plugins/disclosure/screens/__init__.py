"""The counter of 開示・訂正 at a terminal: cases, papers, wishes and inquiries."""

from plugins.disclosure.screens import cases, papers, questions, wishes

SCREENS = [*cases.SCREENS, *papers.SCREENS, *wishes.SCREENS, *questions.SCREENS]
