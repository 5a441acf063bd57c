"""The keeper of the roster at a terminal, and whoever must agree, elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.testing import Bench, Seat
from tests.screens import Seen, Visitor


@dataclass
class Desk:
    """Presses buttons as the システム管理者; ``officer`` agrees where it takes two."""

    bench: Bench
    visitor: Visitor
    officer: Seat

    @classmethod
    def of(cls, bench: Bench) -> "Desk":
        """Put both in the roster and log them in."""
        officer = bench.clerk(
            "OFFICER", roles=("security-officer",), purposes=(), terminal_id="TERM-9001"
        )
        visitor = Visitor.at(bench).logs_in(
            bench, "ADMIN", roles=("system-administrator",), purposes=(), name="管理　太郎"
        )
        return cls(bench, visitor, officer)

    def presses(self, path: str, **typed: Any) -> Seen:
        """Press a button."""
        return self.visitor.presses(path, **typed)

    def sends(self, path: str, certificate: str, **typed: Any) -> Seen:
        """Press a button of a form on which the file of a certificate was chosen."""
        parts = [
            (f'name="{name}"', value)
            for name, given in typed.items()
            for value in ([given] if isinstance(given, str) else given)
        ]
        parts.append(('name="certificate"; filename="TERM-0002.pem"', certificate))
        body = "".join(
            f"--xYz\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n"
            for name, value in parts
        )
        kind = "multipart/form-data; boundary=xYz"
        sent = self.visitor.asks("POST", path, f"{body}--xYz--\r\n".encode(), kind)
        return self.visitor.follows(sent)

    def agreed(self, waits: Seen, form: str = "協議-2026-1") -> Seen:
        """Ask for agreement to an act that waits, have it given, and go on."""
        assert "別の職員の承認が必要です" in waits.text, waits.text
        asked = self.presses(waits.action("/go-on/"), how="request", form=form, why="異動")
        number = asked.text.split("受付番号は")[1].split("です")[0]
        self.officer.ask("approval/give", {"number": int(number)})
        return self.presses(asked.action("/go-on/"), how="again", approval=number)

    def answer(self, operation: str, body: Mapping[str, Any] = {}) -> Mapping[str, Any]:
        """Return what an operation answers the same person, asked at no screen."""
        seat = Seat(self.bench, self.bench.seat("TERM-0001").peer, self.visitor.cookie)
        return seat.ask(operation, body).data
