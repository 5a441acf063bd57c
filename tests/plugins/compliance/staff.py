"""People of two offices, and what they do with the books, each at a terminal."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, NamedTuple

import pytest

from appliance.errors import Refusal, Rejected
from appliance.model import JST
from appliance.testing import Bench
from plugins.compliance.forms import checklists


class Person(NamedTuple):
    operator: str
    role: str
    office: str

    person: str = ""

    @property
    def id(self) -> str:
        return self.person or f"P-{self.operator}"


TAX, WELFARE = "県税事務所", "福祉課"
ADMIN = Person("OP-0001", "system-administrator", "市町村課")
AUDITOR = Person("OP-0002", "auditor", "監査室")
AUDITOR_2 = Person("OP-0003", "auditor", "監査室")
OFFICER = Person("OP-0004", "security-officer", TAX)
REGISTRAR = Person("OP-0005", "registrar", TAX)
CLERK = Person("OP-0006", "clerk", TAX)
OTHER_OFFICER = Person("OP-0007", "security-officer", WELFARE)
OTHER_CLERK = Person("OP-0008", "clerk", WELFARE)
CONTRACTOR = Person("OP-0009", "contractor", "委託会社")
EVERYBODY = (ADMIN, AUDITOR, AUDITOR_2, OFFICER, REGISTRAR, CLERK, OTHER_OFFICER, OTHER_CLERK)


class Staff:
    """A bench with everybody appointed."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        for person in (*EVERYBODY, CONTRACTOR):
            self._log_in(person)

    def today(self, day: str) -> None:
        """Let it be a day, ten o'clock in Japan."""
        at = date.fromisoformat(day)
        self.bench.now = datetime(at.year, at.month, at.day, 1, tzinfo=UTC)

    def day(self) -> str:
        """Return on which day the ledger of a bench is written: its clock stands still there."""
        at = datetime.fromtimestamp(self.bench.ledger()[-1].at_ms / 1000, JST)
        return at.date().isoformat()

    def ask(self, who: Person, what: str, /, **body: Any) -> dict[str, Any]:
        return dict(self._log_in(who).ask(f"compliance/{what}", body).data)

    def open(self, who: Person, book: str, **given: Any) -> int:
        return int(self.ask(who, "open", book=book, given=given)["number"])

    def step(self, who: Person, book: str, number: int, step: str, **given: Any) -> str:
        body = {"book": book, "number": number, "step": step, "given": given}
        return str(self.ask(who, "step", **body)["state"])

    def entry(self, book: str, number: int, who: Person = AUDITOR) -> dict[str, Any]:
        return self.ask(who, "entry", book=book, number=number)

    def due(self, who: Person = AUDITOR, within: int = 3660) -> dict[tuple[str, int, str], str]:
        """Return the last day of each clock that runs."""
        found = self.ask(who, "due", within=within)["due"]
        return {(d["book"], d["number"], d["clock"]): d["due_on"] for d in found}

    def alarms(self) -> dict[str, int]:
        self.bench.work()
        alarms = {each["name"]: each["count"] for each in self.bench.jobs.alarms()}
        return {name: n for name, n in alarms.items() if name.startswith("compliance/")}

    def second_authority(self, who: Person, operator: str, role: str) -> Person:
        """Appoint somebody a second time: the same 照合ID, another 操作者ID."""
        return who._replace(operator=operator, role=role, person=who.id)

    def _log_in(self, who: Person) -> Any:
        person_id = who.person or None
        granted = {"roles": (who.role,), "purposes": ()}
        return self.bench.clerk(who.operator, **granted, office=who.office, person_id=person_id)


def refused(
    staff: Staff, who: Person, book: str, step: str | tuple[int, str], **given: Any
) -> set[tuple[str, str]] | str:
    """Return rule and item of every problem with a step, or the sentence of another refusal."""
    ask = (
        partial(staff.open, who, book) if step == "open" else partial(staff.step, who, book, *step)
    )
    with pytest.raises(Refusal) as refusal:
        ask(**given)
    if isinstance(refusal.value, Rejected):
        return {(problem.rule, problem.item) for problem in refusal.value.problems}
    return refusal.value.text


def right(checklist: str, **wrong: str) -> list[Mapping[str, str]]:
    """Return a checklist in which all is right, but ``item_1="what is wrong"``."""
    bad = {name.removeprefix("item_").replace("_", "-"): remark for name, remark in wrong.items()}
    return [
        {"item": item, "answer": "no", "remark": bad[item]}
        if item in bad
        else {"item": item, "answer": "yes"}
        for item in checklists()[checklist]
    ]


def hired(staff: Staff) -> int:
    """Register a contractor."""
    return staff.open(
        ADMIN,
        "contractor",
        company="八代計算センター",
        work="運用保守",
        from_on="2026-04-01",
        until_on="2027-03-31",
        workers=["保守太郎 主任"],
        organisation="主任の下に二名",
        clauses=right("contract"),
    )
