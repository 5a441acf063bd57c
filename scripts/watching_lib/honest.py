"""A quiet year: everybody does his work, with the slips and coincidences that there are.

What is in it, and how often, is named below; all of it is our own idea of an office.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import exp
from random import Random
from typing import Any

from plugins.watching.hours import DayClass, Hours
from scripts.watching_lib.diary import Diary, moment
from scripts.watching_lib.staff import Clerk, Office, make_staff, resident_name

FIRST_DAY, DAYS = date(2026, 4, 1), 365
OPENS, CLOSES = 8 * 60 + 30, 17 * 60 + 15
WEEKDAYS = {DayClass.MONDAY: 1.3, DayClass.MIDWEEK: 1.0, DayClass.FRIDAY: 1.1}
ABSENT = 0.08
LATE = 0.04
"""Share of work after hours, before the office closes for good."""
STAYS = 0.003
"""A day on which somebody does one or two things more after 19:00, without approval."""
OVERTIME_A_YEAR, WEEKENDS_A_YEAR = 6.0, 1.5
"""Of one person, approved beforehand; the approval is forgotten in ..."""
FORGOTTEN_APPROVAL = 0.01
WITHOUT_CASE = 0.015
"""A piece of work for which the case number was forgotten."""
SHARED_CASE = 0.10
"""A colleague goes on with the same case within days."""
CLIENTS, CLIENT_SHARE = 400, 0.15
"""Residents whom an office deals with again and again."""
COMMON_CLIENTS, COMMON_SHARE = 3000, 0.02
"""Residents whom several offices deal with."""
BY_NAME = 0.05
"""A search by name alone, with up to two more spellings."""
PILES_A_YEAR, CAMPAIGNS_A_YEAR = 1.5, 4
"""One day on which somebody has several times his work; days on which a whole office has."""
FORGOTTEN_PIN_A_YEAR, TO_THE_LOCK = 0.3, 0.2
CONFLICTS = 0.004
"""Logins refused because of a session left open elsewhere."""
AT_THE_COUNTER = 0.03
TWO_AUTHORITIES_A_YEAR = 0.1
"""Whoever holds two 操作者ID works under both, and goes back once."""
CANARIES, LISTED_CANARIES_A_YEAR = 20, 0.5


@dataclass(slots=True)
class _Load:
    """How busy it is."""

    campaigns: dict[str, dict[int, float]]
    piles: dict[str, set[int]]


class QuietYear:
    """Writes a quiet year into a diary."""

    def __init__(self, seed: str, hours: Hours) -> None:
        self._rng = rng = Random(seed)
        self._hours = hours
        self._staff = make_staff(rng)
        self.diary = Diary(
            self._staff, rng, canaries=frozenset(range(2_000_000, 2_000_000 + CANARIES))
        )
        self._clients = {
            office.name: [rng.randrange(1, 1_700_000) for _ in range(CLIENTS)]
            for office in {clerk.office.name: clerk.office for clerk in self._staff.clerks}.values()
        }
        self._common = [rng.randrange(1, 1_700_000) for _ in range(COMMON_CLIENTS)]
        self._load = self._loads()

    def write(self) -> Diary:
        """Write the whole year; return the diary."""
        for day in self.days():
            kind = self._hours.class_of(day.toordinal())
            for clerk in self._staff.clerks:
                if kind is DayClass.OFF:
                    if self._happens(WEEKENDS_A_YEAR / 120):
                        self._overtime(clerk, day, 9 * 60, 16 * 60)
                elif not self._happens(ABSENT):
                    self._day(clerk, day, kind)
        for _ in range(_poisson(self._rng, LISTED_CANARIES_A_YEAR)):
            self._list_canary()
        self._drill()
        return self.diary

    @staticmethod
    def days() -> Iterator[date]:
        """Yield the days of the year."""
        return (FIRST_DAY + timedelta(days=n) for n in range(DAYS))

    def _day(self, clerk: Clerk, day: date, kind: DayClass) -> None:
        ordinal = day.toordinal()
        busy = clerk.pace * WEEKDAYS[kind] * clerk.office.months.get(day.month, 1.0)
        busy *= self._load.campaigns[clerk.office.name].get(ordinal, 1.0)
        busy *= self._rng.gammavariate(6, 1 / 6)
        if ordinal in self._load.piles[clerk.person]:
            busy *= self._rng.uniform(2.5, 4)
        self._logins(clerk, day)
        for minute in self._apart(_poisson(self._rng, busy)):
            self._item(clerk, day, minute)
        if self._happens(STAYS):
            self._item(clerk, day, self._rng.uniform(19 * 60, 19 * 60 + 40))
        if self._happens(OVERTIME_A_YEAR / 245):
            self._overtime(clerk, day, 19 * 60, 21 * 60 + 30)
        if self._happens(FORGOTTEN_PIN_A_YEAR / 245):
            self._forget_pin(clerk, day)
        if self._happens(TWO_AUTHORITIES_A_YEAR / 245):
            self._two_authorities(clerk, day)

    def _apart(self, count: int) -> Iterator[float]:
        """Yield when pieces of work begin: one after another, nobody does two at a time."""
        late = sum(self._happens(LATE) for _ in range(count))
        minutes = sorted(self._minute() for _ in range(count - late))
        minutes += sorted(self._rng.uniform(CLOSES, 18 * 60 + 30) for _ in range(late))
        free = 0.0
        for minute in minutes:
            begins = max(minute, free)
            if begins >= 18 * 60 + 50:
                return
            yield begins
            free = begins + 4.5

    def _overtime(self, clerk: Clerk, day: date, since: int, until: int) -> None:
        if not self._happens(FORGOTTEN_APPROVAL):
            begin, end = moment(day, since - 30), moment(day, until + 60)
            span = int(begin.timestamp()), int(end.timestamp())
            self.diary.approved.append((*span, clerk.person, ""))
        for _ in range(1 + _poisson(self._rng, 3)):
            self._item(clerk, day, self._rng.uniform(since, until))

    def _item(self, clerk: Clerk, day: date, minute: float) -> None:
        """Do a piece of work."""
        diary, rng = self.diary, self._rng
        at, subject = moment(day, minute), self._subject(clerk.office)
        case = "" if self._happens(WITHOUT_CASE) else diary.case(clerk)
        terminal = (
            f"COUNTER-{clerk.office.name}" if self._happens(AT_THE_COUNTER) else clerk.terminal
        )
        more: dict[str, Any] = {"case": case, "terminal": terminal, "session": diary.session()}
        draw = rng.random()
        if draw < clerk.loose:
            self._search(clerk, at, subject, more)
            diary.write(clerk, _after(at, 1), "search/detail", subjects=(subject,), **more)
        elif draw < clerk.loose + 0.06:
            self._search(clerk, at, None, more)
        elif draw < clerk.loose + 0.06 + 0.27:
            self._search(clerk, at, subject, more)
            noted: dict[str, Any] = {**more, "case": "" if self._happens(0.03) else case}
            diary.write(clerk, _after(at, 1), "search/detail", subjects=(subject,), **noted)
            self._conclude(clerk, _after(at, 2), subject, more)
        else:
            self._conclude(clerk, at, subject, more)
        is_off = self._hours.class_of(day.toordinal()) is DayClass.OFF
        if case and draw > clerk.loose + 0.06 and not is_off and self._happens(SHARED_CASE):
            self._colleague(clerk, day, minute, subject, case)

    def _search(
        self, clerk: Clerk, at: datetime, subject: int | None, more: dict[str, Any]
    ) -> None:
        """Search, with a second or third try now and then."""
        rng = self._rng
        found = (subject,) if subject is not None else ()
        others = tuple(self.diary.subject() for _ in range(_poisson(rng, 0.6))) if found else ()
        sought = ""
        if self._happens(BY_NAME):
            sought = resident_name(subject or self.diary.subject()).name
        for slip in range(rng.choices((0, 1, 2), (80, 15, 5))[0]):
            written = sought and sought[:-1] + rng.choice("子男美一二三郎江")
            self.diary.write(
                clerk, _after(at, -1 + slip / 4), "search/find", sought=written, **more
            )
        hits = rng.randrange(1, 40) if sought and found else len(found + others)
        listed = found if sought else found + others
        self.diary.write(
            clerk, at, "search/find", subjects=listed, hits=hits, sought=sought, **more
        )

    def _conclude(self, clerk: Clerk, at: datetime, subject: int, more: dict[str, Any]) -> None:
        kinds = ("provision/inquire", "provision/verify", "disclosure/match")
        weights = (4, 1, 3) if clerk.office.name == "市町村課" else (8, 2, 0)
        (kind,) = self._rng.choices(kinds, weights)
        self.diary.write(clerk, at, kind, subjects=(subject,), **more)

    def _colleague(self, clerk: Clerk, day: date, minute: float, subject: int, case: str) -> None:
        other = self._rng.choice(self._staff.of(clerk.office))
        later = day + timedelta(days=self._rng.choice((0, 1, 2)))
        if self._hours.class_of(later.toordinal()) is DayClass.OFF:
            later = day
        at = moment(later, self._minute() if later > day else min(minute + 20, 18 * 60 + 50))
        self.diary.write(other, at, "search/detail", subjects=(subject,), case=case)
        if self._happens(0.7):
            self.diary.write(
                other, _after(at, 2), "provision/inquire", subjects=(subject,), case=case
            )

    def _logins(self, clerk: Clerk, day: date) -> None:
        for _ in range(1 + _poisson(self._rng, 1)):
            at = moment(day, self._rng.uniform(OPENS - 10, CLOSES - 30))
            while self._happens(clerk.slips):
                self.diary.login(clerk, at, refusal="unidentified")
                at = _after(at, 0.4)
            if self._happens(CONFLICTS):
                for _ in range(1 + self._happens(0.15)):
                    self.diary.login(clerk, at, refusal="conflict")
                    at = _after(at, 1)
            self.diary.login(clerk, _after(at, 0.3))

    def _forget_pin(self, clerk: Clerk, day: date) -> None:
        at = moment(day, self._minute())
        for tried in range(5 if self._happens(TO_THE_LOCK) else 3):
            self.diary.login(clerk, _after(at, tried * 0.5), refusal="unidentified")
        self.diary.login(clerk, _after(at, 40))

    def _two_authorities(self, clerk: Clerk, day: date) -> None:
        counter, at = f"COUNTER-{clerk.office.name}", moment(day, self._minute())
        mine, other = self.diary.session(), self.diary.session()
        for turn, (terminal, session) in enumerate(
            ((clerk.terminal, mine), (counter, other), (clerk.terminal, mine))
        ):
            case, subject = self.diary.case(clerk), self.diary.subject()
            self.diary.write(
                clerk,
                _after(at, turn * 3),
                "provision/inquire",
                subjects=(subject,),
                case=case,
                terminal=terminal,
                session=session,
            )

    def _list_canary(self) -> None:
        clerk = self._rng.choice(self._staff.clerks)
        at = moment(self._working_day(), self._minute())
        canary = self._rng.choice(sorted(self.diary.canaries))
        self.diary.write(
            clerk, at, "search/find", subjects=(canary, self.diary.subject()), case="listed"
        )

    def _drill(self) -> None:
        for _ in range(4):
            clerk, day = self._rng.choice(self._staff.clerks), self._working_day()
            begin, end = moment(day, 10 * 60), moment(day, 11 * 60)
            self.diary.drills.append((int(begin.timestamp()), int(end.timestamp()), clerk.person))
            canary = self._rng.choice(sorted(self.diary.canaries))
            case = self.diary.case(clerk)
            self.diary.write(
                clerk, moment(day, 630), "search/detail", subjects=(canary,), case=case
            )

    def _working_day(self) -> date:
        return self._rng.choice(
            [d for d in self.days() if self._hours.class_of(d.toordinal()) is not DayClass.OFF]
        )

    def _subject(self, office: Office) -> int:
        draw = self._rng.random()
        if draw < CLIENT_SHARE:
            return self._rng.choice(self._clients[office.name])
        if draw < CLIENT_SHARE + COMMON_SHARE:
            return self._rng.choice(self._common)
        return self.diary.subject()

    def _minute(self) -> float:
        return self._rng.triangular(OPENS, CLOSES - 5, 10 * 60 + 30)

    def _happens(self, share: float) -> bool:
        return self._rng.random() < share

    def _loads(self) -> _Load:
        rng, first = self._rng, FIRST_DAY.toordinal()
        campaigns: dict[str, dict[int, float]] = {}
        for name in self._clients:
            mine = campaigns.setdefault(name, {})
            for _ in range(CAMPAIGNS_A_YEAR):
                begin, factor = first + rng.randrange(DAYS), rng.uniform(1.8, 3)
                mine.update(dict.fromkeys(range(begin, begin + rng.randrange(2, 6)), factor))
        piles = {
            clerk.person: {first + rng.randrange(DAYS) for _ in range(_poisson(rng, PILES_A_YEAR))}
            for clerk in self._staff.clerks
        }
        return _Load(campaigns, piles)


def _after(at: datetime, minutes: float) -> datetime:
    return at + timedelta(minutes=minutes)


def _poisson(rng: Random, mean: float) -> int:
    limit, count, product = exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
