"""Who has to do with bulk provision, in a bench: each with his own session, and the recipient."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.jobs import Nothing
from appliance.media import Frame, data_lines, framed, new_key, open_sealed, seal_for, unframed
from appliance.model import OperationName
from appliance.policy import Policy
from appliance.testing import Bench, Seat
from plugins import provision
from tests.plugins.people import number, shipped_policy

TAX = {"purpose": "prefectural-tax", "reason": "01"}
ITEMS = ("name", "address")
OFFICE = "税務課"
MEDIUM_IN, MEDIUM_OUT = "USB-0001", "USB-0002"

Row = Sequence[str]


def by_number(which: int, **claimed: str) -> list[str]:
    """Return a row that asks by 個人番号."""
    columns = ("name", "kana", "birth_date", "sex", "address")
    return [f"R{which}", "", number(which), *(claimed.get(name, "") for name in columns)]


def by_four(reference: str, **four: str) -> list[str]:
    """Return a row that asks by four informations."""
    columns = ("name", "kana", "birth_date", "sex", "address")
    return [reference, "", "", *(four.get(name, "") for name in columns)]


def inquiry(rows: Sequence[Row], purpose: str = "prefectural-tax", number: str = "R8-1") -> bytes:
    """Return an inquiry file, not sealed."""
    header = ["juki-bulk/1", purpose, number]
    return framed(header, data_lines(1, rows), len(rows)).encode()


def step(bench: Bench, name: str, request_id: str) -> dict[str, Any]:
    """Let the appliance do one step of a job; return what it says of it."""
    operation = OperationName(f"provision/{name}")
    return dict(bench.pipeline.serve(operation, Nothing(), request_id).data)


@dataclass
class Desks:
    """A bench, and everybody who has to do with a bulk inquiry."""

    bench: Bench
    operator: Seat
    approver: Seat
    administrator: Seat
    recipient: int
    key: bytes
    media_key: str

    @classmethod
    @contextmanager
    def open(cls, folder: Path, policy: Policy | None = None, **more: Any) -> Iterator["Desks"]:
        """Yield a new bench with its desks."""
        plugins = {"provision": provision, **more.pop("plugins", {})}
        with Bench.open(folder, plugins, policy or shipped_policy(), **more) as bench:
            yield cls.at(bench)

    @classmethod
    def at(cls, bench: Bench, key: bytes | None = None, recipient: int = 0) -> "Desks":
        """Let everybody sit down; enter a recipient unless there is one."""
        purposes = ("prefectural-tax", "designated-disease")
        operator, approver, administrator = (
            bench.clerk(
                f"OP-100{n}", roles=(role,), purposes=purposes, office=OFFICE, terminal_id=f"T-{n}"
            )
            for n, role in enumerate(("media-operator", "media-approver", "system-administrator"))
        )
        if key is None:
            key, public = new_key()
            body = {"purpose": "prefectural-tax", "name": "県税事務所", "public_key": public}
            recipient = administrator.ask_with(approver, "provision/add-recipient", body).data[
                "number"
            ]
        media_key = administrator.ask("provision/media-key", {}).data["public_key"]
        return cls(bench, operator, approver, administrator, recipient, key, media_key)

    def submit(self, content: bytes, seat: Seat | None = None, **changed: Any) -> dict[str, Any]:
        """Seal an inquiry file and hand it in; return the answer."""
        sealed = seal_for(self.media_key, content)
        asking = {**TAX, "case_number": "R8-77", **changed.pop("asking", {})}
        body = {
            "file": base64.b64encode(sealed).decode(),
            "media_id": MEDIUM_IN,
            "recipient": self.recipient,
            "items": list(ITEMS),
            **changed,
        }
        return dict((seat or self.operator).ask("provision/bulk-submit", body, **asking).data)

    def step(self, name: str = "bulk-step") -> dict[str, Any]:
        """Let the appliance do one step of its part."""
        return step(self.bench, name, f"job-{next(self.bench.counter)}")

    def work(self) -> int:
        """Let the appliance do all it has to; return in how many steps."""
        steps = 1
        while self.step()["more"]:
            steps += 1
        return steps

    def status(self, job: int, seat: Seat | None = None) -> dict[str, Any]:
        """Return how far a job is."""
        answer = (seat or self.operator).ask("provision/bulk-status", {"job": job}, **TAX)
        return dict(answer.data["jobs"][0])

    def approve(self, job: int, seat: Seat | None = None, **more: str) -> dict[str, Any]:
        """Let a result leave."""
        body = {"job": job, "media_id": MEDIUM_OUT, **more}
        return dict((seat or self.approver).ask("provision/bulk-approve", body, **TAX).data)

    def fetch(self, job: int, seat: Seat | None = None, medium: str = MEDIUM_OUT) -> dict[str, Any]:
        """Take a result out."""
        body = {"job": job, "media_id": medium}
        return dict((seat or self.operator).ask("provision/bulk-fetch", body, **TAX).data)

    def cancel(self, job: int, seat: Seat | None = None) -> dict[str, Any]:
        """End a job."""
        return dict((seat or self.operator).ask("provision/bulk-cancel", {"job": job}, **TAX).data)

    def opened(self, fetched: dict[str, Any]) -> Frame:
        """Return the result as its recipient reads it."""
        frame = unframed(open_sealed(self.key, fetched["file"]))
        assert frame.problems == ()
        return frame

    def result(self, rows: Sequence[Row], **changed: Any) -> list[tuple[str, ...]]:
        """Drive an inquiry from beginning to end; return the rows of its result."""
        job = self.submit(inquiry(rows), **changed)["job"]
        self.work()
        self.approve(job)
        return list(self.opened(self.fetch(job)).rows)
