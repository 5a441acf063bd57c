"""Who may ask: the first システム管理者 registers his device, then lets everybody else in.

Everybody logs in with ``juki``, over mutual TLS, and proves himself by a device of his own (in
software, ``tests/simulators/device.py``); what is asked for over the API later goes under the
session that was opened so.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from scripts.demo.grounds import MUNICIPALITY
from scripts.demo.stage import Stage
from scripts.demo.steps import Step

PIN = "20261001"
"""Of whoever cannot use his device: this is a demonstration. In earnest each chooses his own."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with one authority: what for, where, under which 事務 and 利用事由 he asks."""

    name: str
    operator: str
    office: str
    role: str
    terminal: str
    purposes: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def person(self) -> str:
        """照合ID."""
        return self.operator.replace("OP", "P")

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
    is_server: bool = False
    """Two persons let it in."""


ADMINISTRATOR = Person("システム管理者", "OP-0001", "市町村課", "system-administrator", "TERM-0001")
OFFICER = Person("セキュリティ責任者", "OP-9001", "市町村課", "security-officer", "TERM-0001")
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
TAX_OFFICER = Person("security officer", "OP-0010", "県税事務所", "security-officer", "TERM-0002")
CENTER = Person(
    "passport clerk",
    "OP-0011",
    "パスポートセンター",
    "clerk",
    "TERM-0003",
    ("passport",),
    "01",
)
CENTER_OFFICER = Person(
    "passport security officer", "OP-0012", "パスポートセンター", "security-officer", "TERM-0003"
)
EVERYBODY = (
    CLERK,
    REGISTRAR,
    TAX,
    AUDITOR,
    LEAVER,
    MEDIA,
    APPROVER,
    STATISTICIAN,
    TAX_OFFICER,
    CENTER,
    CENTER_OFFICER,
)
"""Whom the システム管理者 appoints."""


def let_in(stage: Stage, codes: Mapping[Person, str], today: date) -> None:
    """Register terminals and servers, let everybody in, and let them log in.

    Args:
        stage: the run.
        codes: the one-use codes of the founders.
        today: for how long they are let in.

    Raises:
        Failed: somebody is not let in.
    """
    steps = stage.steps
    for founder, code in codes.items():
        with steps.step(
            f"the first {founder.name} registers his device with the one-use code", vital=True
        ) as step:
            step.asks(f"juki login {founder.person} --enrol --authenticator …")
            opened = log_in(stage, founder, code)
            step.saw(f"roles: {', '.join(opened['roles'])}, by {opened['method']}")
    with steps.step("he registers terminals and servers", vital=True) as step:
        _register(stage, step)
    with steps.step("he lets the others in: 照合ID, then 操作者ID", vital=True) as step:
        codes_given = {person: granted(stage, person, today) for person in EVERYBODY}
        step.asks("juki person grant, operator add " + ", ".join(p.person for p in EVERYBODY))
        step.saw(f"{len(codes_given)} one-use codes", all(codes_given.values()))
    with steps.step("they register their devices and log in", vital=True) as step:
        step.asks("juki login --enrol --authenticator …")
        for person in EVERYBODY:
            log_in(stage, person, codes_given[person])
        step.saw(", ".join(f"{person.name} at {person.terminal}" for person in EVERYBODY))


def log_in_again(stage: Stage) -> None:
    """Log everybody in anew: sealing and restarting end all sessions.

    Raises:
        Failed: somebody is not let in.
    """
    for person in (ADMINISTRATOR, OFFICER, CLERK, REGISTRAR, TAX, AUDITOR):
        log_in(stage, person)


def as_person(stage: Stage, person: Person) -> tuple[str, ...]:
    """Return the options that make ``juki`` speak as somebody who has logged in."""
    return ("--session", str(stage.grounds.session(person.operator)))


def log_in(stage: Stage, person: Person, code: str | None = None) -> dict[str, Any]:
    """Log in with ``juki`` by a device, registering it first with a code; return its answer.

    What the API is asked for later goes under the same session.

    Raises:
        Failed: he is not let in.
    """
    program = stage.grounds.device(person.person).program
    words = ["--authenticator", str(program), *(["--enrol"] if code else [])]
    label = ["--label", f"指紋認証装置 {person.person}"] if code else []
    return _logged_in(stage, person, [*words, *label], f"{code}\n" if code else "")


def log_in_by_pin(stage: Stage, person: Person, code: str) -> dict[str, Any]:
    """Log in with ``juki`` by a PIN that is set first with a code; return its answer.

    Raises:
        Failed: he is not let in.
    """
    return _logged_in(stage, person, ["--enrol"], f"{code}\n{PIN}\n")


def _logged_in(stage: Stage, person: Person, words: list[str], given: str) -> dict[str, Any]:
    grounds = stage.grounds
    certificate, key, ca = grounds.credentials(grounds.terminal, person.terminal)
    opened = stage.juki.needs(
        *("login", person.person, *words),
        *("--url", grounds.url, "--certificate", str(certificate), "--key", str(key)),
        *("--ca", str(ca), *as_person(stage, person)),
        given=given,
    )
    device = grounds.device(person.person).device
    seat = stage.seat(person.name, person.terminal, person.purpose, person.reason, device)
    seat.resumes(json.loads(grounds.session(person.operator).read_bytes())["token"])
    stage.people[person.name] = seat
    return opened


def agreed(
    stage: Stage,
    *words: str,
    form: str | None = None,
    asker: Person = ADMINISTRATOR,
    second: Person = OFFICER,
) -> dict[str, Any]:
    """Run a command that takes two: somebody asks, another agrees, the first carries it out.

    Args:
        stage: the run.
        words: the command.
        form: the paper, where the command itself does not name one.
        asker: who asks, and carries it out.
        second: who agrees.

    Raises:
        Failed: one of the two did not succeed.
    """
    number = asked_for(stage, *words, form=form, asker=asker, second=second)
    return stage.juki.needs(*words, "--approval", number, *as_person(stage, asker))


def asked_for(
    stage: Stage,
    *words: str,
    form: str | None = None,
    asker: Person = ADMINISTRATOR,
    second: Person = OFFICER,
) -> str:
    """Ask for what takes two, and let the other agree; return the number of the approval.

    Raises:
        Failed: one of the two did not succeed.
    """
    paper = ("--form", form) if form else ()
    asked = stage.juki.needs(
        *(*words, "--request", "--why", "申請のとおり", *paper, *as_person(stage, asker))
    )
    number = str(asked["number"])
    stage.juki.needs("approval", "give", number, *as_person(stage, second))
    return number


def granted(stage: Stage, person: Person, today: date) -> str:
    """Give somebody a 照合ID and an authority; return the code to register his device with.

    Raises:
        Failed: it was refused.
    """
    papers = ("--form", f"照合付-{person.person}", "--expires", str(today + timedelta(days=365)))
    given = agreed(
        stage,
        *("person", "grant", person.person, "--name", f"{person.office}　{person.person}"),
        *("--office", person.office, *papers),
    )
    purposes = [word for purpose in person.purposes for word in ("--purpose", purpose)]
    agreed(
        stage,
        *("operator", "add", person.operator, "--holder", person.person, "--role", person.role),
        *("--office", person.office, *purposes, *papers),
    )
    return str(given["enrolment_code"])


def _register(stage: Stage, step: Step) -> None:
    for machine in _machines(stage):
        step.asks(f"juki terminal enrol {machine.terminal_id}")
        options = ("--kind", machine.kind, "--place", machine.place, *machine.more)
        words = ("terminal", "enrol", machine.terminal_id, str(machine.certificate))
        if machine.is_server:
            state = agreed(stage, *words, *options, form=f"接続-{machine.terminal_id}")
        else:
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
        is_server=True,
    )
    national = grounds.national / "national.pem"
    yield Machine("NATIONAL", national, "national", "機構", is_server=True)
