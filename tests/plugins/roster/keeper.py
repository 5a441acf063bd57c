"""The keeper of the roster and whoever must agree to what he does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.model import Reply
from appliance.testing import Bench, Seat
from plugins import roster

SECONDED = frozenset(each.name for each in roster.operations() if each.seconded)


@dataclass(frozen=True)
class Keeper:
    """Asks as the システム管理者; where it takes two, the セキュリティ責任者 has agreed."""

    seat: Seat
    officer: Seat

    @classmethod
    def of(cls, bench: Bench) -> "Keeper":
        """Put both in the roster and log them in."""
        officer = bench.clerk(
            "OFFICER", roles=("security-officer",), purposes=(), terminal_id="TERM-9001"
        )
        return cls(bench.clerk("ADMIN", roles=("system-administrator",), purposes=()), officer)

    def ask(self, operation: str, body: Mapping[str, Any]) -> Reply:
        """Ask for an operation."""
        if operation in SECONDED and not operation.endswith("-terminal"):
            return self.seat.ask_with(self.officer, operation, body)
        return self.seat.ask(operation, body)

    def again(self, bench: Bench) -> "Keeper":
        """Return both, logged in anew."""
        officer = bench.log_in("P-OFFICER", "OFFICER", "TERM-9001")
        return Keeper(bench.log_in("P-ADMIN", "ADMIN"), officer)
