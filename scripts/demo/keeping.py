"""How long it is kept: what becomes history gets a term of 150 years, and nothing goes before."""

from datetime import date

from scripts.demo.people import ADMINISTRATOR
from scripts.demo.stage import Stage

YEARS = 150


def keep(stage: Stage) -> None:
    """Ask what may be erased today, and in 150 years; and for the book of erasures."""
    administrator = stage.people[ADMINISTRATOR.name]
    with stage.steps.step("history is kept for 150 years and not a day longer") as step:
        later = date.today().replace(day=1)  # noqa: DTZ011
        later = later.replace(year=later.year + YEARS + 1)
        step.asks(f"retention/due today, and {later}; retention/book")
        now = administrator.gets("retention/due", {})["versions"]
        then = administrator.gets("retention/due", {"on": str(later)})["versions"]
        book = administrator.gets("retention/book", {})["entries"]
        step.saw(f"{now} versions may be erased today, {then:,} in {YEARS} years", now == 0 < then)
        step.saw(f"{len(book)} erasures so far", not book)
