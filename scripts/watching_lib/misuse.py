"""What is planted: for every detector misuse of four strengths.

*weak* is at the reach that the thresholds claim, *medium* and *strong* are beyond; these are what
recall is about. *faint* is below the reach on purpose: how much of it is found is told apart.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from plugins.watching.hours import DayClass, Hours
from plugins.watching.kin import StaffName
from scripts.watching_lib.diary import Diary, Plant, moment
from scripts.watching_lib.honest import QuietYear
from scripts.watching_lib.staff import Clerk, kept_family

STRENGTHS = ("faint", "weak", "medium", "strong")
EACH = 2
"""Plants of a kind and strength in a year."""


class Misuse:
    """Plants misuse into a year."""

    def __init__(self, seed: str, diary: Diary, hours: Hours) -> None:
        self._rng = Random(seed)
        self._diary = diary
        self._hours = hours

    def plant(self) -> None:
        """Plant all kinds, in all strengths."""
        kinds: dict[str, Callable[[int], None]] = {
            "seen-by-many": self._seen_by_many,
            "looked-only": self._looked_only,
            "out-of-hours": self._out_of_hours,
            "volume": self._volume,
            "own-name": self._own_name,
            "name-fishing": self._name_fishing,
            "overlap": self._overlap,
            "failed-logins": self._failed_logins,
            "canary": self._canary,
        }
        for name, make in kinds.items():
            for level, strength in enumerate(STRENGTHS):
                if (name, strength) == ("canary", "faint"):
                    continue  # there is no less than one opening
                for _ in range(EACH):
                    self._diary.plant = Plant(name, strength)
                    self._diary.plants.append(self._diary.plant)
                    make(level)
        self._diary.plant = None

    def _seen_by_many(self, level: int) -> None:
        """Let colleagues, or several offices, look at one resident within days."""
        subject, first = self._diary.subject(), self._day()
        if level >= 2 or self._rng.random() < 0.5:
            offices = (1, 2, 2, 4)[level]
            people = self._from_offices(offices, (2, 2, 5, 8)[level])
        else:
            people = self._from_offices(1, (2, 3)[level])
        for clerk in people:
            self._glance(clerk, self._working(first, self._rng.randrange(0, 4)), subject)

    def _looked_only(self, level: int) -> None:
        """Let one look up neighbours and celebrities for three weeks."""
        clerk, first = self._clerk(), self._day()
        for _ in range((4, 15, 30, 80)[level]):
            day = self._working(first, self._rng.randrange(0, 19))
            self._glance(clerk, day, self._diary.subject())

    def _out_of_hours(self, level: int) -> None:
        """Let one work on a day off or at night, without approval."""
        clerk = self._clerk()
        if level == 0:
            self._glance(clerk, self._day(), self._diary.subject(), minute=19 * 60 + 20)
            return
        off = self._rng.random() < 0.5
        day = self._off_day() if off else self._day()
        for _ in range((0, 1, 5, 30)[level]):
            minute = self._rng.uniform(9 * 60, 18 * 60) if off else self._rng.uniform(1325, 1430)
            self._work(clerk, day, minute)

    def _volume(self, level: int) -> None:
        """Let one go through far more people on one day than he ever does, cases made up."""
        clerk, day = self._clerk(), self._day(after=90)
        for _ in range((10, 60, 120, 400)[level]):
            self._work(clerk, day, self._rng.uniform(9 * 60, 17 * 60))

    def _own_name(self, level: int) -> None:
        """Let one look up relatives, or himself."""
        clerk, day = self._clerk(), self._day()
        relative = self._diary.subject()
        if level == 0:
            self._glance(clerk, day, relative, of=kept_family(clerk.name, relative), case=True)
        for n in range((0, 1, 3, 6)[level]):
            subject = relative + n
            later = self._working(day, n * 2)
            self._glance(clerk, later, subject, of=kept_family(clerk.name, subject), case=False)
        if level == 3:
            self._glance(clerk, day, relative + 9, of=clerk.name, case=True)

    def _name_fishing(self, level: int) -> None:
        """Let one try name after name."""
        clerk, day = self._clerk(), self._day()
        minute = self._rng.uniform(9 * 60, 16 * 60)
        stem = self._rng.choice(("熊木　", "東　", "長谷川　", "阿部　"))
        givens = self._rng.sample("一二三郎子美江男雄香菜央樹翔陽蓮結愛心咲", (3, 5, 8, 18)[level])
        for n, given in enumerate(givens):
            at = moment(day, minute + n * self._rng.uniform(0.3, 0.7))
            hits = self._rng.randrange(0, 30)
            self._diary.write(clerk, at, "search/find", sought=stem + given, hits=hits)

    def _overlap(self, level: int) -> None:
        """Let somebody else work at the terminal that one left logged in."""
        clerk, day = self._clerk(), self._day()
        other = self._clerk().terminal if level == 3 else f"COUNTER-{clerk.office.name}"
        minute = self._rng.uniform(9 * 60, 15 * 60)
        for turn in range(2 * (1, 2, 3, 6)[level] + 1):
            terminal = (clerk.terminal, other)[turn % 2]
            at = moment(day, minute + turn * 2.5)
            self._diary.write(
                clerk,
                at,
                "provision/inquire",
                subjects=(self._diary.subject(),),
                case=self._diary.case(clerk),
                terminal=terminal,
                session=f"left/{clerk.person}/{terminal}",
            )

    def _failed_logins(self, level: int) -> None:
        """Let somebody guess: at one operator, at several, slowly, with success."""
        clerk, day = self._clerk(), self._day()
        minute = self._rng.uniform(9 * 60, 16 * 60)
        other = f"COUNTER-{clerk.office.name}"
        if level == 2:
            for n in range(12):
                at = moment(self._working(day, n // 3), minute + 60 * (n % 3))
                self._diary.login(clerk, at, refusal="unidentified", terminal=other)
            return
        if level == 3 or self._rng.random() < 0.5:
            victims = self._people((2, 3, 0, 12)[level])
            for n, victim in enumerate(victims):
                at = moment(day, minute + n * 0.8)
                self._diary.login(victim, at, refusal="unidentified", terminal=clerk.terminal)
            return
        for n in range((3, 4)[level]):
            self._diary.login(clerk, moment(day, minute + n * 2), refusal="unidentified")
        if level:
            self._diary.login(clerk, moment(day, minute + 9))

    def _canary(self, level: int) -> None:
        """Let somebody come upon a resident who does not exist."""
        clerk, day = self._clerk(), self._day()
        canary = self._rng.choice(sorted(self._diary.canaries))
        if level == 3:
            subjects = (canary, *(self._diary.subject() for _ in range(200)))
            self._diary.note(moment(day, 700), operation="provision/bulk-step", subjects=subjects)
        elif level == 2:
            found = (canary, *(self._diary.subject() for _ in range(30)))
            self._diary.write(clerk, moment(day, 700), "search/find", subjects=found)
        else:
            self._glance(clerk, day, canary)

    def _glance(
        self,
        clerk: Clerk,
        day: date,
        subject: int,
        *,
        minute: float | None = None,
        of: StaffName | None = None,
        case: bool | None = None,
    ) -> None:
        """Find and open somebody, and do nothing with it; half of the time a case is made up."""
        when = minute if minute is not None else self._rng.uniform(9 * 60, 17 * 60)
        named = case if case is not None else self._rng.random() < 0.5
        more: dict[str, Any] = {
            "case": self._diary.case(clerk) if named else "",
            "names": (of,) if of else None,
        }
        for later, operation in ((0, "search/find"), (1, "search/detail")):
            at = moment(day, when + later)
            self._diary.write(clerk, at, operation, subjects=(subject,), **more)

    def _work(self, clerk: Clerk, day: date, minute: float) -> None:
        case, subject = self._diary.case(clerk), self._diary.subject()
        at = moment(day, minute)
        self._diary.write(clerk, at, "provision/inquire", subjects=(subject,), case=case)

    def _clerk(self) -> Clerk:
        return self._rng.choice(self._diary.staff.clerks)

    def _people(self, count: int) -> list[Clerk]:
        return self._rng.sample(self._diary.staff.clerks, count)

    def _from_offices(self, offices: int, count: int) -> Iterator[Clerk]:
        staff = self._diary.staff
        enough = -(-count // offices)
        large = {c.office.name: c.office for c in staff.clerks if c.office.people >= enough}
        chosen = self._rng.sample(sorted(large), offices)
        drawn = [self._rng.sample(staff.of(large[name]), enough) for name in chosen]
        mixed = [clerk for together in zip(*drawn, strict=True) for clerk in together]
        return iter(mixed[:count])

    def _day(self, after: int = 20) -> date:
        days = list(QuietYear.days())[after:-30]
        return self._working(self._rng.choice(days), 0)

    def _off_day(self) -> date:
        days = list(QuietYear.days())[20:-30]
        return self._rng.choice([d for d in days if self._is_off(d)])

    def _working(self, first: date, later: int) -> date:
        day = first + timedelta(days=later)
        while self._is_off(day):
            day += timedelta(days=1)
        return day

    def _is_off(self, day: date) -> bool:
        return self._hours.class_of(day.toordinal()) is DayClass.OFF
