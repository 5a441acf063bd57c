"""Who may ask: the first システム管理者 sets a PIN, then lets everybody else in.

Everybody logs in with ``juki``, over mutual TLS; what is asked for over the API later goes under
the session that was opened so.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from scripts.demo.grounds import MUNICIPALITY
from scripts.demo.stage import Stage
from scripts.demo.steps import Step

PIN = "20261001"
"""Of everybody: this is a demonstration. In earnest each chooses his own."""


@dataclass(frozen=True, slots=True)
class Person:
    """An operator: what for, where, and under which 事務 and 利用事由 he asks."""

    name: str
    operator: str
    office: str
    role: str
    terminal: str
    purposes: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def purpose(self) -> str | None:
        """The 事務 he usually asks under."""
        return self.purposes[0] if self.purposes else None


class Machine(NamedTuple):
    """A terminal or a server that is to be registered."""

    terminal_id: str
    certificate: Path
    kind: str
    place: str
    more: tuple[str, ...] = ()


ADMINISTRATOR = Person("システム管理者", "OP-0001", "市町村課", "system-administrator", "TERM-0001")
CLERK = Person(
    "clerk", "OP-0002", "市町村課", "clerk", "TERM-0001", ("register-administration",), "01"
)
REGISTRAR = Person(
    "registrar",
    "OP-0003",
    "市町村課",
    "registrar",
    "TERM-0001",
    ("register-administration", "disclosure"),
    "01",
)
TAX = Person(
    "tax officer", "OP-0004", "県税事務所", "clerk", "TERM-0002", ("prefectural-tax",), "01"
)
AUDITOR = Person("auditor", "OP-0005", "監査室", "auditor", "TERM-0002")
LEAVER = Person("leaver", "OP-0006", "県税事務所", "clerk", "TERM-0003", ("prefectural-tax",), "01")
MEDIA = Person(
    "media operator",
    "OP-0007",
    "県税事務所",
    "media-operator",
    "TERM-0002",
    ("prefectural-tax",),
    "01",
)
APPROVER = Person(
    "media approver",
    "OP-0008",
    "県税事務所",
    "media-approver",
    "TERM-0002",
    ("prefectural-tax",),
    "01",
)
STATISTICIAN = Person("statistician", "OP-0009", "統計課", "statistician", "TERM-0002")
OFFICER = Person("security officer", "OP-0010", "県税事務所", "security-officer", "TERM-0002")
EVERYBODY = (CLERK, REGISTRAR, TAX, AUDITOR, LEAVER, MEDIA, APPROVER, STATISTICIAN, OFFICER)
"""Whom the システム管理者 appoints."""


def let_in(stage: Stage, code: str, today: date) -> None:
    """Register terminals and servers, appoint everybody, and let them log in.

    Args:
        stage: the run.
        code: the one-use code of the first システム管理者.
        today: for how long they are appointed.

    Raises:
        Failed: somebody is not let in.
    """
    steps = stage.steps
    with steps.step(
        "the first システム管理者 sets a PIN with the one-use code", vital=True
    ) as step:
        step.asks(f"juki login {ADMINISTRATOR.operator} --enrol")
        opened = log_in(stage, ADMINISTRATOR, code)
        step.saw(f"roles: {', '.join(opened['roles'])}")
    with steps.step("he registers terminals and servers", vital=True) as step:
        _register(stage, step)
    with steps.step("he appoints the others", vital=True) as step:
        codes = {person: _appointed(stage, person, today) for person in EVERYBODY}
        step.asks("juki operator add " + ", ".join(person.operator for person in EVERYBODY))
        step.saw(f"{len(codes)} one-use codes", all(codes.values()))
    with steps.step("they set their PINs and log in", vital=True) as step:
        step.asks("juki login --enrol")
        for person in EVERYBODY:
            log_in(stage, person, codes[person])
        step.saw(", ".join(f"{person.name} at {person.terminal}" for person in EVERYBODY))


def log_in_again(stage: Stage) -> None:
    """Log everybody in anew: sealing and restarting end all sessions.

    Raises:
        Failed: somebody is not let in.
    """
    for person in (ADMINISTRATOR, CLERK, REGISTRAR, TAX, AUDITOR):
        log_in(stage, person)


def as_person(stage: Stage, person: Person) -> tuple[str, ...]:
    """Return the options that make ``juki`` speak as somebody who has logged in."""
    return ("--session", str(stage.grounds.session(person.operator)))


def log_in(stage: Stage, person: Person, code: str | None = None) -> dict[str, Any]:
    """Log in with ``juki``, with a one-use code if the PIN is to be set; return its answer.

    What the API is asked for later goes under the same session.

    Raises:
        Failed: he is not let in.
    """
    grounds = stage.grounds
    certificate, key, ca = grounds.credentials(grounds.terminal, person.terminal)
    opened = stage.juki.needs(
        *("login", person.operator, *(["--enrol"] if code else [])),
        *("--url", grounds.url, "--certificate", str(certificate), "--key", str(key)),
        *("--ca", str(ca), *as_person(stage, person)),
        given=f"{code}\n{PIN}\n" if code else f"{PIN}\n",
    )
    seat = stage.seat(person.name, person.terminal, person.purpose, person.reason)
    seat.resumes(json.loads(grounds.session(person.operator).read_bytes())["token"])
    stage.people[person.name] = seat
    return opened


def _register(stage: Stage, step: Step) -> None:
    for machine in _machines(stage):
        step.asks(f"juki terminal enrol {machine.terminal_id}")
        options = ("--kind", machine.kind, "--place", machine.place, *machine.more)
        words = ("terminal", "enrol", machine.terminal_id, str(machine.certificate))
        state = stage.juki.needs(*words, *options, *as_person(stage, ADMINISTRATOR))
        step.saw(state["kind"], state["kind"] == machine.kind)


def _machines(stage: Stage) -> Iterator[Machine]:
    grounds = stage.grounds
    for person in (TAX, LEAVER):
        certificate = grounds.terminal / f"{person.terminal}.pem"
        yield Machine(person.terminal, certificate, "business", person.office)
    yield Machine(
        f"CS-{MUNICIPALITY}",
        grounds.municipality / f"cs-{MUNICIPALITY}.pem",
        "municipality",
        "八代市",
        ("--municipality", MUNICIPALITY),
    )
    yield Machine("NATIONAL", grounds.national / "national.pem", "national", "機構")


def _appointed(stage: Stage, person: Person, today: date) -> str:
    purposes = [word for purpose in person.purposes for word in ("--purpose", purpose)]
    answer = stage.juki.needs(
        *("operator", "add", person.operator, "--person", person.operator.replace("OP", "P")),
        *("--office", person.office, "--role", person.role, *purposes),
        *("--expires", str(today + timedelta(days=365)), *as_person(stage, ADMINISTRATOR)),
    )
    return str(answer["enrolment_code"])
