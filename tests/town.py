"""A small town behind a served appliance, for whoever looks at it through a browser.

``town()`` makes and runs the appliance; ``at_the_terminal()`` sits somebody down at a browser who
is logged in. ``no_violations`` is asked after every page.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser import Browser, browser
from tests.machine import PIN, Machine, accepted, running
from tests.plugins.people import YATSUSHIRO, code, number
from tests.plugins.update.making import wire

CS, TERMINAL = f"CS-{YATSUSHIRO}", "TERM-0002"
HANAKO = "試験　花子"
ADDRESS = "熊本県八代市松江城町９番９号"
RESIDENTS = 6
PEOPLE: Mapping[str, Sequence[str]] = {"OP-0100": ["clerk"], "OP-0003": ["auditor"]}


@dataclass
class Town:
    """The appliance, and who may come: 操作者ID and roles."""

    machine: Machine
    people: Mapping[str, Sequence[str]] = field(default_factory=lambda: PEOPLE)

    @property
    def origin(self) -> str:
        """Where a browser goes."""
        return f"https://localhost:{self.machine.port}"


@contextmanager
def town(folder: Path, people: Mapping[str, Sequence[str]] = PEOPLE) -> Iterator[Town]:
    """Yield a running appliance with a terminal, people by PIN, and some residents."""
    machine = Machine.make(folder)
    with running(machine):
        administrator = machine.administrator()
        machine.register(administrator, TERMINAL, "representative")
        machine.register(administrator, CS, "municipality", YATSUSHIRO)
        for operator, roles in people.items():
            machine.appoint(administrator, operator, roles)
        administrator.close()
        settle(machine)
        yield Town(machine, people)


def settle(machine: Machine) -> None:
    """Let the municipality tell of its residents: one 試験　花子, and five called 試験　太郎."""
    notices = [
        wire(
            sequence=at,
            resident_code=code(at),
            my_number=number(at),
            name=HANAKO if at == 1 else "試験　太郎",
            kana="しけん　はなこ" if at == 1 else "しけん　たろう",
            birth_date="1990-04-05" if at == 1 else f"1980-01-{at:02}",
            address=ADDRESS,
        )
        for at in range(1, RESIDENTS + 1)
    ]
    told = machine.terminal(CS).call(
        "update/notify", {"notifications": notices}, idempotency_key="the-whole-small-town"
    )
    outcomes = {each["outcome"] for each in accepted(told)["results"]}
    assert outcomes == {"applied"}, accepted(told)["results"]


@contextmanager
def at_the_terminal(town: Town, folder: Path, operator: str = "OP-0100") -> Iterator[Browser]:
    """Yield a browser with a device at the terminal, with somebody logged in, at 業務メニュー."""
    with browser(folder, town.origin, town.machine.credentials(TERMINAL)) as page:
        page.gets_device()
        page.logs_in(operator.replace("OP", "P"), PIN)
        yield page


def no_violations(page: Browser) -> None:
    """Hold that no page did what its policy forbids, or asked for anything of another origin.

    Raises:
        AssertionError: one did.
    """
    complaints = [line for line in page.complaints() if "Content Security Policy" in line]
    assert complaints == []
    away = [url for url in page.requests() if not url.startswith((page.origin, "data:", "blob:"))]
    assert [url for url in away if not url.startswith(("chrome", "about:"))] == []
