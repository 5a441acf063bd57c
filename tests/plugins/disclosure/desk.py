"""The counter (窓口) of the tests: who asks for what, and what stands on the paper handed out."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2
import pytest

from appliance.errors import Rejected
from appliance.testing import Bench, Seat

REASON = {"purpose": "disclosure", "reason": "01"}
HANAKO = {
    "name": "熊本　花子",
    "birth_date": "1990-04-05",
    "sex": "2",
    "address": "熊本県八代市松江城町１番２５号",
}
OTHER, KNOWN = "葛\U000e0100城　花子", "葛\U000e0102城　花子"
"""A variation of a character that the font lacks, and one that it has."""
UNSEEN = "0" * 64
"""What is said to have been looked at by whoever has looked at nothing."""
MOTHER = {
    "standing": "minor",
    "name": "熊本　母子",
    "address": "熊本県八代市本町１番",
    "shown_by": "family-register",
}


@dataclass
class Desk:
    """A 本人確認情報利用担当者 at the terminal of the counter."""

    bench: Bench
    seat: Seat

    def ask(self, operation: str, **body: Any) -> dict[str, Any]:
        return dict(_plain(self.seat.ask(f"disclosure/{operation}", body, **REASON).data))

    def refused(self, operation: str, **body: Any) -> list[tuple[str, str]]:
        """Return rule and item of every problem of a refusal, which is in the ledger."""
        with pytest.raises(Rejected) as caught:
            self.ask(operation, **body)
        entry = self.bench.ledger()[-1]
        assert (entry.operation, entry.refusal) == (f"disclosure/{operation}", "rejected")
        return [(problem.rule, problem.item) for problem in caught.value.problems]

    def receive(self, subject: dict[str, str] | None = None, **more: Any) -> int:
        """Enter a request as it should be; return its 受付番号."""
        body = {
            "method": "counter",
            "subject": subject or HANAKO,
            "identity": ["passport"],
            "stamps_yen": 10,
            **more,
        }
        return int(self.ask("receive", **body)["number"])

    def matched(self, subject: dict[str, str] | None = None, **more: Any) -> int:
        """Enter a request and match it; return its 受付番号."""
        number = self.receive(subject, **more)
        self.ask("match", number=number)
        return number

    def issue(self, number: int, **more: Any) -> dict[str, Any]:
        """Look at what is to be issued, and issue it."""
        seen = self.ask("preview", number=number)["sha256"]
        return self.ask("issue", number=number, sha256=seen, **more)

    def disclosed(self, subject: dict[str, str] | None = None, **more: Any) -> int:
        """Go the whole way to the hand-over; return the 受付番号."""
        number = self.matched(subject)
        self.ask("deliver", sheet=self.issue(number, **more)["sheet"], method="counter")
        return number

    def correction(self, disclosure: int, **more: Any) -> int:
        """Enter a wish for a correction; return its 受付番号."""
        body = {
            "disclosure": disclosure,
            "method": "post",
            "identity": ["driving-licence"],
            "wish": "correct",
            "items": ["address"],
            "claim": "番地が違う",
            **more,
        }
        return int(self.ask("correct", **body)["number"])

    def wrong(self, disclosure: int) -> int:
        """Enter a wish that turns out to be right; return its 受付番号."""
        number = self.correction(disclosure)
        self.ask("investigate", number=number, finding="error", account="転記の誤り")
        return number

    def state(self, number: int) -> str:
        return str(self.ask("case", number=number)["state"])


def _plain(data: Any) -> Any:
    """Return data as CBOR gives it back: sequences are lists."""
    return cbor2.loads(cbor2.dumps(data))


def read(pdf: bytes, folder: Path) -> str:
    """Return what stands on a paper, page after page, without spaces."""
    (folder / "paper.pdf").write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-raw", folder / "paper.pdf", "-"], capture_output=True, check=True
    )
    return done.stdout.decode().replace(" ", "").replace("\u3000", "")
