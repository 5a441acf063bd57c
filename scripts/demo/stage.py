"""What is on the stage: the processes, the people at the terminals, and how to speak to them."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.cli.frame import Stop
from appliance.cli.link import VERIFY_AGAIN, ask_machine
from scripts.demo.children import Child, Children, Failed, Juki, appliance, simulator
from scripts.demo.grounds import ADDRESS, Grounds
from scripts.demo.steps import Steps
from tests.simulators.device import Device
from tests.simulators.link import Answer, Link
from tests.simulators.terminal import Terminal

START_SECONDS = 30.0
OK = 200


class Refusals:
    """Keeps every answer that was a no, so that it can be searched for what it must not hold."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, who: str, operation: str, answer: Answer) -> None:
        """Write down an answer."""
        line = {"who": who, "operation": operation, **answer._asdict()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


class Seat:
    """Somebody at a terminal: asks, under one 事務 if he has one."""

    def __init__(
        self,
        terminal: Terminal,
        who: str,
        refusals: Refusals,
        purpose: str | None = None,
        reason: str | None = None,
        device: Device | None = None,
    ) -> None:
        self._terminal = terminal
        self._device = device
        self.who = who
        self._refusals = refusals
        self._purpose = purpose
        self._reason = reason
        self.token = ""

    def resumes(self, token: str) -> None:
        """Carry on in a session that was opened before."""
        self.token = token
        self._terminal.resume(token)

    def logs_in(self, person: str, operator: str, device: Device) -> Answer:
        """Log in by a device, if he is let in; return the answer, a no as well."""
        self._device = device
        drawn = self.asks("session/challenge", {"person": person})
        if drawn.status != OK:
            return drawn
        data = drawn.body["data"]
        proof = device.get(data["public_key"], data["origin"])
        asked = {"person": person, "operator": operator, "device": proof}
        opened = self.asks("session/open", asked)
        if opened.status == OK:
            self.resumes(opened.body["data"]["token"])
        return opened

    def hangs_up(self) -> None:
        """Close the connection; the session stays, and the next request opens another."""
        self._terminal.close()

    def reads(self, path: str) -> Answer:
        """GET a path."""
        return self._terminal.read(path)

    def asks(
        self,
        operation: str,
        body: Mapping[str, Any],
        *,
        purpose: str | None = None,
        case: str | None = None,
        key: str | None = None,
        approval: int | None = None,
    ) -> Answer:
        """Ask for an operation and return the answer, a no as well; prove oneself again for it.

        Raises:
            Lost: none came.
        """
        given: dict[str, Any] = {
            "purpose": purpose or self._purpose,
            "reason": self._reason,
            "case": case,
            "idempotency_key": key,
            "approval": approval,
        }
        answer = self._terminal.call(operation, body, **given)
        if answer.status != OK and answer.body.get("code") == VERIFY_AGAIN and self._device:
            self._terminal.verify(device=self._device)
            answer = self._terminal.call(operation, body, **given)
        if answer.status != OK:
            self._refusals.keep(self.who, operation, answer)
        return answer

    def gets(self, operation: str, body: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Ask for an operation that must be answered; return the data.

        Raises:
            Failed: it was refused.
        """
        answer = self.asks(operation, body, **more)
        if answer.status != OK:
            raise Failed(f"{self.who}: {operation} was refused: {answer.status} {answer.body}")
        data: dict[str, Any] = answer.body["data"]
        return data


@dataclass(slots=True)
class Stage:
    """A run: where everything lies and who is there."""

    grounds: Grounds
    steps: Steps
    children: Children
    juki: Juki
    refusals: Refusals
    people: dict[str, Seat] = field(default_factory=dict)
    peak_memory: int = 0
    """The most memory the appliance has held so far, in MiB."""
    appliance: Child | None = None
    _national: Child | None = None
    national: str = ""
    """Host and port of the national server."""

    def logs(self) -> list[Path]:
        """Return every log of the run."""
        return [*self.children.logs, self.juki.log]

    def identity(self) -> dict[str, Any]:
        """Return what the appliance publishes of itself."""
        return dict(json.loads((self.grounds.data / "identity.json").read_bytes()))

    def start_national(self, *options: str) -> None:
        """Start the national server, with these options beside those it must have.

        Raises:
            Failed: it does not start.
        """
        folder = self.grounds.national
        certificate, key, ca = self.grounds.credentials(folder, "server")
        # Whoever starts again comes back where it was.
        command = simulator(
            "national",
            *("--listen", self.national or f"{ADDRESS}:0"),
            *("--store", str(folder / "national.db")),
            *("--certificate", str(certificate), "--key", str(key), "--ca", str(ca)),
            *options,
        )
        child = self.children.start("national", command, folder / "national.log", told=True)
        self.national = json.loads(child.first_line())["listening"]
        self._national = child

    def stop_national(self, *, killed: bool = False) -> None:
        """Stop the national server, or kill it; ``start_national`` brings it back.

        Raises:
            Failed: it is not running.
        """
        if self._national is None:
            raise Failed("the national server is not running")
        if killed:
            self._national.kill()
        else:
            self._national.stop()
        self._national = None

    def start_appliance(self) -> None:
        """Start the appliance; it is sealed.

        Raises:
            Failed: it does not start.
        """
        command = appliance("serve", "--config", str(self.grounds.config))
        log = self.grounds.appliance / "appliance.log"
        self.appliance = child = self.children.start("appliance", command, log)
        self.wait(lambda: not child.is_running or self.seal_status() is not None, "to start")
        if not child.is_running:
            raise Failed(f"the appliance did not start; its log is {log}")

    def stop_appliance(self) -> int:
        """Stop the appliance in order; return its exit status."""
        if self.appliance is None:
            raise Failed("the appliance is not running")
        self.measure()
        return self.appliance.stop()

    def measure(self) -> int:
        """Look how much memory the appliance has held; return the most so far, in MiB."""
        if self.appliance is not None and self.appliance.is_running:
            self.peak_memory = max(self.peak_memory, self.appliance.peak_memory())
        return self.peak_memory

    def seal_status(self) -> dict[str, Any] | None:
        """Return how far unsealing is, or None while nobody answers."""
        try:
            status, plain = ask_machine(self.grounds.management_port, "GET", "/v1/sys/seal-status")
        except Stop:
            return None
        return plain if status == OK else None

    def unseal(self, *numbers: int) -> None:
        """Let these custodians give their shares.

        Raises:
            Failed: it is sealed still.
        """
        self.juki.needs_machine("unseal", given="".join(self._line(n) for n in numbers))

    def link(self, folder: Path, stem: str) -> Link:
        """Return a connection to the appliance under a certificate."""
        return Link(self.grounds.url, self.grounds.credentials(folder, stem))

    def seat(
        self,
        who: str,
        terminal_id: str,
        purpose: str | None = None,
        reason: str | None = None,
        device: Device | None = None,
    ) -> Seat:
        """Return somebody at one of the terminals, not logged in."""
        credentials = self.grounds.credentials(self.grounds.terminal, terminal_id)
        terminal = Terminal(self.grounds.url, *credentials)
        return Seat(terminal, who, self.refusals, purpose, reason, device)

    def wait(
        self, until: Callable[[], bool], for_what: str, seconds: float = START_SECONDS
    ) -> None:
        """Wait until something is so.

        Raises:
            Failed: it took too long.
        """
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise Failed(f"waited {seconds:.0f} seconds for it {for_what}")
            time.sleep(0.1)

    def _line(self, number: int) -> str:
        return self.grounds.share(number) + "\n"
