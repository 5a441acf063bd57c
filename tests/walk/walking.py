"""One request after another by random callers; answers are judged, refusals counted."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from appliance.errors import Refusal, Unregistered
from appliance.media import new_key, open_sealed
from appliance.model import JST, OperationName
from appliance.testing import Bench, FakeNational
from tests import rights
from tests.plugins.people import shipped_policy
from tests.plugins.provision.desks import step
from tests.rights import PURPOSES, Asking
from tests.walk import actors, judge
from tests.walk.actors import Caller
from tests.walk.bodies import Desk
from tests.walk.judge import Violation
from tests.walk.people import ABROAD, Person, items_of, populate

SHOWING = (
    *("search/find", "search/detail", "provision/inquire", "provision/verify"),
    *("relay/inquire", "relay/case", "provision/bulk-submit", "provision/bulk-fetch"),
    *("disclosure/case", "ledger/person", "provision/report", "relay/feed", "update/inbox"),
)
"""The operations by which something of a resident is told; two thirds of the requests."""
LEFT_OUT = {
    *("session/open", "session/enrol"),  # attempts lock operators out: tests/appliance/test_login
    *("disclosure/issue", "disclosure/reissue", "disclosure/result"),  # answer a sheet as PDF
    *("roster/suspend-operator", "roster/change-operator", "roster/revoke-terminal"),
    *("relay/maintenance", "update/open-recovery"),  # would stop what is to be looked at
}
RETURNS = {"out": 0.8, "suspended": 0.3, "over": 0.3, "revoked": 0.3}
"""How likely somebody comes back before he asks for something."""


@dataclass
class Figures:
    """What a walk came to."""

    seed: int
    requests: int = 0
    answered: int = 0
    strangers: int = 0
    """Refused at a revoked terminal: those are noted, not entered in the ledger."""
    answered_by_operation: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    """How often each item was told."""
    missing_in_ledger: int = 0
    violations: list[Violation] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """Return the figures as data."""
        return {
            "seed": self.seed,
            "requests": self.requests,
            "answered": self.answered,
            "strangers": self.strangers,
            "refused": dict(self.refused.most_common()),
            "items": dict(self.items.most_common()),
            "operations_answered": dict(self.answered_by_operation.most_common()),
            "missing_in_ledger": self.missing_in_ledger,
            "violations": [violation._asdict() for violation in self.violations],
        }


@dataclass
class Walk:
    """A bench full of people, and a random choice of what happens next."""

    bench: Bench
    random: Random
    people: Mapping[int, Person]
    callers: list[Caller]
    desk: Desk
    recipient_keys: Mapping[str, bytes]
    figures: Figures
    jobs: dict[int, Asking] = field(default_factory=dict)
    """Who submitted each bulk inquiry, as far as rights go."""
    entered: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What the ledger must have of refusals: operation and code."""

    @classmethod
    @contextmanager
    def prepare(cls, folder: Path, seed: int) -> Iterator["Walk"]:
        """Yield a walk that has not begun."""
        random = Random(seed)
        national = FakeNational(people=[items_of(which).values for which in ABROAD])
        with Bench.open(folder, policy=shipped_policy(), national=national) as bench:
            people = populate(bench, random)
            keys, desk = _desk(bench, random)
            callers = actors.gather(bench, random)
            yield cls(bench, random, people, callers, desk, keys, Figures(seed))

    def go(self, requests: int, *, patient: bool = True) -> Figures:
        """Ask so many times, or until something is wrong; hold the refusals against the ledger."""
        for number in range(requests):
            if number % 40 == 39:
                self._happen()
            self._step()
            if self.figures.violations and not patient:
                break
        self._count_ledger()
        return self.figures

    def _happen(self) -> None:
        """Let time pass, work be done, and something befall somebody."""
        self.bench.now += timedelta(seconds=self.random.randint(1, 90))
        step(self.bench, "bulk-step", f"job-{next(self.bench.counter)}")
        working = [caller for caller in self.callers if caller.name and not caller.fate]
        if working:
            actors.befall(self.bench, self.random, self.random.choice(working))
        live = {caller.terminal for caller in self.callers if caller.fate != "revoked"}
        spare = sorted(live & {*actors.TERMINALS})
        if len(spare) > 4 and self.random.random() < 0.02:
            actors.revoke(self.bench, self.callers, self.random.choice(spare))

    def _step(self) -> None:
        caller = self.random.choice(self.callers)
        if caller.name and self.random.random() < RETURNS.get(caller.fate, 0):
            actors.sit_down(self.bench, self.callers, caller)
        asking = self._asking(caller)
        body = self.desk.body(caller, asking)
        self.figures.requests += 1
        approval = self._approval(caller, asking, body)
        try:
            reply = caller.seat.ask(
                asking.operation,
                body,
                purpose=asking.purpose,
                reason=asking.reason,
                approval=approval,
            )
        except Unregistered as refusal:
            self.figures.strangers += 1
            self._refused(caller, asking, refusal)
        except Refusal as refusal:
            self.entered[asking.operation, refusal.code] += 1
            self._refused(caller, asking, refusal)
        else:
            if approval is None and self._seconded(asking.operation):
                alone = Violation("answered without a second person", asking.operation, "", "")
                self.figures.violations.append(alone)
            self._answered(caller, asking, body, reply.data)

    def _seconded(self, operation: str) -> bool:
        return self.bench.loaded.operations[OperationName(operation)][1].seconded

    def _approval(self, caller: Caller, asking: Asking, body: Mapping[str, Any]) -> int | None:
        """Let somebody agree beforehand to what takes two persons; None if nobody does."""
        random = self.random
        if not self._seconded(asking.operation) or random.random() < 0.2:
            return None
        second = random.choice([each for each in self.callers if each.name])
        wanted = {"operation": asking.operation, "arguments": body, "form": "1", "reason": "test"}
        asked = self._beside(
            caller, "approval/request", wanted, purpose=asking.purpose, reason=asking.reason
        )
        if asked is None:
            return None
        given = self._beside(second, "approval/give", {"number": asked["number"]})
        if given is not None and second is caller:
            himself = Violation("agreed to by himself", asking.operation, "", caller.name)
            self.figures.violations.append(himself)
        number: int = asked["number"]
        return number if given is not None or random.random() < 0.3 else None

    def _beside(
        self, caller: Caller, operation: str, body: Mapping[str, Any], **why: str | None
    ) -> Mapping[str, Any] | None:
        """Ask for what another request needs; its refusal is counted like any other."""
        try:
            return caller.seat.ask(operation, body, **why).data
        except Unregistered:
            return None
        except Refusal as refusal:
            self.entered[operation, refusal.code] += 1
            return None

    def _asking(self, caller: Caller) -> Asking:
        """Choose what to ask: mostly what his rights reach, and what shows somebody."""
        random, offered = self.random, self.bench.loaded.operations
        names = [str(name) for name in offered if name not in LEFT_OUT]
        if random.random() < 0.97:
            names.remove("session/close")
        if random.random() < 0.8:
            names = [name for name in names if self._reaches(caller, name)] or names
        if random.random() < 0.66:
            names = [name for name in names if name in SHOWING] or names
        asking = self._plain(caller, random.choice(names))
        return self._for_something(asking) if asking.purposed else asking

    def _plain(self, caller: Caller, name: str) -> Asking:
        _, operation = self.bench.loaded.operations[OperationName(name)]
        on = self.bench.now.astimezone(JST).date()
        attended = any(
            other.terminal == caller.terminal and other.name and not other.fate
            for other in self.callers
            if other is not caller and "contractor" not in other.roles
        )
        return caller.asking(
            name, purposed=operation.purposed, blind=operation.blind, on=on, attended=attended
        )

    def _reaches(self, caller: Caller, name: str) -> bool:
        plain = self._plain(caller, name)
        purposes = caller.held if plain.purposed else (None,)
        return any(rights.refusal(rights.under(plain, each)) is None for each in purposes)

    def _for_something(self, asking: Asking) -> Asking:
        random = self.random
        fitting = [
            code for code in sorted(asking.held) if asking.operation in PURPOSES[code]["operations"]
        ]
        chance = random.random()
        if chance < 0.03:
            return asking
        purpose = random.choice(sorted(fitting if fitting and chance < 0.85 else PURPOSES))
        reason = "99" if random.random() < 0.03 else None
        return rights.under(asking, purpose, reason)

    def _refused(self, caller: Caller, asking: Asking, refusal: Refusal) -> None:
        self.figures.refused[refusal.code] += 1
        problems = [(problem.rule, problem.item, problem.text) for problem in refusal.problems]
        text = judge.written([refusal.text, problems])
        self.figures.violations += judge.refused_tells(caller, asking, text)
        if refusal.code == "unidentified" and caller.name and not caller.fate:
            caller.fate = "out"

    def _answered(self, caller: Caller, asking: Asking, body: Any, data: Mapping[str, Any]) -> None:
        figures = self.figures
        figures.answered += 1
        figures.answered_by_operation[asking.operation] += 1
        if judge.overasked(asking, body):
            over = Violation(
                "answered though too much was asked", asking.operation, "", caller.name
            )
            figures.violations.append(over)
        if judge.typed_numbers(asking.operation, data):
            kept = Violation("kept in the ledger", asking.operation, "my_number", caller.name)
            figures.violations.append(kept)
        answer = judge.of_residents(asking.operation, data)
        figures.items.update({told.item for told in judge.told_in(answer)})
        figures.violations += judge.judged(caller, asking, answer, self.people)
        self._follow(caller, asking, data)

    def _follow(self, caller: Caller, asking: Asking, data: Mapping[str, Any]) -> None:
        """Remember what an answer is good for."""
        match asking.operation:
            case "search/find":
                refs = [listed["ref"] for listed in data["residents"]]
                caller.refs += refs
                self.desk.refs += refs
            case "session/close":
                caller.fate = "out" if caller.name else ""
            case "provision/bulk-submit":
                self.jobs[data["job"]] = asking
            case "provision/bulk-fetch":
                submitter = self.jobs[data["job"]]
                key = self.recipient_keys[submitter.purpose or ""]
                opened = open_sealed(key, data["file"]).decode()
                self.figures.items.update({told.item for told in judge.told_in(opened)})
                self.figures.violations += judge.judged(caller, submitter, opened, self.people)

    def _count_ledger(self) -> None:
        found = Counter(
            (each.operation, each.refusal)
            for each in self.bench.ledger()
            if each.refusal is not None
            and each.terminal != "SYSTEM"
            and each.operation != "session/open"
        )
        self.figures.missing_in_ledger = ((self.entered - found) + (found - self.entered)).total()


def _desk(bench: Bench, random: Random) -> tuple[dict[str, bytes], Desk]:
    """Return the recipients' keys by 事務, and what everybody knows of sealing files."""
    keeper = bench.clerk(
        "OP-SETUP", roles=("system-administrator",), purposes=(), terminal_id="T-SETUP"
    )
    second = bench.clerk(
        "OP-SETUP-2", roles=("security-officer",), purposes=(), terminal_id="T-SETUP-2"
    )
    keys, recipients = {}, {}
    for purpose in sorted(PURPOSES):
        keys[purpose], public = new_key()
        body = {"purpose": purpose, "name": purpose, "public_key": public}
        added = keeper.ask_with(second, "provision/add-recipient", body)
        recipients[purpose] = added.data["number"]
    media_key = keeper.ask("provision/media-key", {}).data["public_key"]
    return keys, Desk(random, media_key, recipients)
