"""The day on which the tests of statistics begin."""

from datetime import date

TODAY = date(2026, 4, 1)
