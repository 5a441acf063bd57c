"""The municipality's register while things happen to it: who is where, as last told.

Only people whom something happened to are remembered; everybody else is made again from the
population when picked. Memory grows with the movements, not with the municipality.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from tests.simulators import names
from tests.simulators.notices import Notice
from tests.simulators.population import NEWCOMERS, Population

LEAVING: Final = frozenset({"21", "22", "23"})
_TRIES: Final = 20_000


class TooFewPeople(Exception):
    """The population is too small, or has too few of the kind, for what should happen."""


class Register:
    """One municipality's 住民基本台帳 as a stream of movements writes it."""

    def __init__(self, population: Population, rng: Random) -> None:
        self.population = population
        self.rng = rng
        self.day = population.day
        self.gone: list[str] = []
        """Moved out, and the day has come: may return."""
        self.struck: list[str] = []
        self.dead: list[str] = []
        self.meant: Notice | None = None
        """What the last faulty notice should have said; sent again rightly later."""
        self._touched: dict[str, Notice] = {}
        self._arrived: list[tuple[str, ...]] = []
        self._waiting: set[str] = set()
        self._first_codes: dict[str, str] = {}
        """The 住民票コード by which somebody was first known, by the one of now."""
        self._newcomers = NEWCOMERS
        self._sequence = population.residents

    def tell(self, notices: Iterable[Notice]) -> list[Notice]:
        """Write notices into the register and number them; return them as they are sent."""
        told = [self.numbered(notice) for notice in notices]
        for notice in told:
            self._write(notice)
        if arrived := tuple(n.resident_code for n in told if n.update_number == 1):
            self._arrived.append(arrived)
        return told

    def numbered(self, notice: Notice) -> Notice:
        """Give a notice the next sequence number without writing it into the register."""
        self._sequence += 1
        return replace(notice, sequence=self._sequence)

    def next_version(self, person: Notice, reason: str, **changes: str | int | None) -> Notice:
        """Return the person's next notice: this reason, a recent day, and what changed."""
        plain: dict[str, Any] = {"previous_resident_code": None}
        news = {**plain, "effective_date": self.recent(person), **changes}
        return replace(person, reason=reason, update_number=person.update_number + 1, **news)

    def first_version(self, person: Notice, reason: str, since: str) -> Notice:
        """Return the first notice of somebody new, not before the person was born."""
        return replace(person, reason=reason, effective_date=max(since, person.birth_date))

    def recent(self, person: Notice) -> str:
        """Return a day of the last fortnight, not before what was told of the person before."""
        drawn = self.day - timedelta(days=self.rng.randrange(14))
        return max(drawn.isoformat(), person.effective_date)

    def wait(self, code: str) -> None:
        """Let nothing happen to somebody whose last notice is on its way."""
        self._waiting.add(code)

    def resume(self, code: str) -> None:
        """The notice has arrived."""
        self._waiting.discard(code)

    def welcome(self, notice: Notice) -> None:
        """Let somebody who came from elsewhere be picked like everybody who lives here."""
        self._arrived.append((notice.resident_code,))

    def forget(self, code: str) -> None:
        """Never pick somebody again who now lives elsewhere in the prefecture."""
        self._waiting.add(code)
        if code in self.gone:
            self.gone.remove(code)

    def present(self, wanted: Callable[[Notice], bool] = lambda _: True) -> Notice:
        """Pick somebody who lives here.

        Raises:
            TooFewPeople: nobody such was found.
        """
        return self.household(wanted)[0]

    def household(self, wanted: Callable[[Notice], bool] = lambda _: True) -> list[Notice]:
        """Pick somebody who lives here; return this person first, then who lives with them."""
        for _ in range(_TRIES):
            members = self._some_household()
            if not members:
                continue
            person = self.rng.choice(members)
            if wanted(person):
                others = [member for member in members if member.address == person.address]
                return [person, *(member for member in others if member is not person)]
        raise TooFewPeople

    def newcomers(self) -> list[Notice]:
        """Return a household nobody here has heard of yet."""
        self._newcomers += 1
        return self.population.household(self._newcomers)

    def newborn(self, parent: Notice, day: date) -> Notice:
        """Return a child of ``parent`` born on ``day``."""
        self._newcomers += 1
        return self.population.newborn(self.rng, self._newcomers, parent, day)

    def former(self, codes: list[str]) -> Notice:
        """Pick one of ``gone``, ``struck`` or ``dead``.

        Raises:
            TooFewPeople: there is nobody.
        """
        if not codes:
            raise TooFewPeople
        return self._touched[self.rng.choice(codes)]

    def _write(self, notice: Notice) -> None:
        if before := notice.previous_resident_code:
            self._first_codes[notice.resident_code] = self._first_codes.get(before, before)
        code = self._first_codes.get(notice.resident_code, notice.resident_code)
        self._touched[code] = notice
        for former in (self.gone, self.struck):
            if code in former:
                former.remove(code)
        if notice.reason == "21" and notice.effective_date <= self.day.isoformat():
            self.gone.append(code)
        elif notice.reason == "22":
            self.dead.append(code)
        elif notice.reason == "23":
            self.struck.append(code)

    def _some_household(self) -> list[Notice]:
        index = self.rng.randrange(self.population.households + len(self._arrived))
        if index < self.population.households:
            everybody = [
                self._touched.get(person.resident_code, person)
                for person in self.population.household(index)
            ]
        else:
            codes = self._arrived[index - self.population.households]
            everybody = [self._touched[code] for code in codes]
        return [person for person in everybody if self._lives_here(person)]

    def _lives_here(self, person: Notice) -> bool:
        return person.reason not in LEAVING and person.resident_code not in self._waiting


def age(person: Notice, day: date) -> int:
    """Return full years, or 80 where the year of birth is unknown."""
    year = int(person.birth_date[:4])
    return day.year - year if year else 80


def is_foreign(person: Notice) -> bool:
    """Whether the name is a foreigner's: Latin letters, no ideographic space."""
    return names.SPACE not in person.name
