"""An office whose record is watched: people at their terminals, residents, and the jobs."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from appliance.model import JST
from appliance.proofs import Proofs
from appliance.roster import Roster, proofs_in
from appliance.staff import PersonRecord, PinGrant
from appliance.testing import FOREVER, PIN, PREPARED, Bench, Seat
from storage.engine import Unit
from tests.plugins.people import admit, code

MONDAY = datetime(2026, 4, 6, 10, 0, tzinfo=JST)
FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}
ITEMS = ["name", "address"]


@dataclass
class Watched:
    """A bench, and what its people do."""

    bench: Bench

    def __post_init__(self) -> None:
        self.bench.now = MONDAY

    def clerk(self, number: int = 1, office: str = "県税事務所") -> Seat:
        """Return a clerk who is logged in at his own terminal."""
        return self.bench.clerk(
            f"OP-{number:04}",
            roles=("clerk",),
            purposes=("prefectural-tax",),
            office=office,
            terminal_id=f"TERM-{number:04}",
        )

    def auditor(self, operator_id: str = "AUDIT") -> Seat:
        """Return an auditor."""
        terminal = f"TERM-{operator_id}"
        roles = ("auditor",)
        return self.bench.clerk(
            operator_id, roles=roles, purposes=(), office="監査室", terminal_id=terminal
        )

    def officer(self, office: str = "県税事務所", operator_id: str = "OFFICER") -> Seat:
        """Return the セキュリティ責任者 of an office."""
        return self.bench.clerk(
            operator_id,
            roles=("security-officer",),
            purposes=(),
            office=office,
            terminal_id=f"TERM-{operator_id}",
        )

    def log_in(self, seat: Seat, person_id: str, pin: str = PIN, **named: str) -> Seat:
        """Log in anew: a session ends when it is not used."""
        opened = seat.ask("session/open", {"person": person_id, "pin": pin, **named})
        return replace(seat, bearer=opened.data["token"])

    def call(self, person_id: str, name: str, kana: str) -> None:
        """Write down what somebody of the staff is called, the clerk unless he is there."""
        self.clerk()

        def write(unit: Unit) -> None:
            roster = Roster(unit, unit)
            known = roster.person(person_id) or PersonRecord(
                person_id=person_id,
                office="県税事務所",
                expires_on=FOREVER,
                pin=PinGrant(reason="test", until=FOREVER),
            )
            roster.put_person(structs.replace(known, name=name, kana=kana))
            proofs_in(roster).put(person_id, Proofs(pin_hash=self.bench.pins.enrol(PIN)))
            unit.enter(PREPARED)

        self.bench.vault.write(write)

    def look(self, seat: Seat, case: str | None = None, **conditions: str) -> None:
        """Find somebody and open him."""
        found = seat.ask("search/find", conditions, **FOR_TAX, case_number=case).data
        (resident,) = found["residents"]
        body = {"ref": resident["ref"], "items": ITEMS}
        seat.ask("search/detail", body, **FOR_TAX, case_number=case)

    def days_later(self, days: int) -> None:
        """Let days go by."""
        self.bench.now += timedelta(days=days)

    def night(self) -> list[dict[str, Any]]:
        """Let both jobs run to their end; return all flags, as the book has them."""
        for job in ("watching/nightly", "watching/at-once"):
            while self.bench.step(job).more:
                pass
        return self.flags()

    def flags(self, **which: Any) -> list[dict[str, Any]]:
        """Return the flags that an auditor sees."""
        auditor = self.auditor()
        return list(auditor.ask("watching/flags", {"state": "all", **which}).data["flags"])

    def resident(self, which: int, name: str, kana: str) -> str:
        """Put somebody into the register; return his 住民票コード."""
        admit(self.bench, which, name=name, kana=kana)
        return code(which)
