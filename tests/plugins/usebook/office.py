"""An office that uses the system through the front door, and its book, for the tests."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.testing import Bench, Seat
from plugins import ledger, provision, search, usebook
from tests.plugins.people import admit, number, shipped_policy

TAX = {"purpose": "prefectural-tax", "reason": "01"}
OFFICE, OTHER_OFFICE = "県税事務所", "パスポートセンター"
MONTH = "2026-04"
HEADING = "使用日,開始時刻,終了時刻,操作者ID,使用簿番号,事務,利用事由,件数,備考"
PLUGINS = {"search": search, "provision": provision, "ledger": ledger, "usebook": usebook}


@dataclass(slots=True)
class TaxOffice:
    """Its people, on a day in April at ten."""

    bench: Bench
    clerk: Seat
    officer: Seat

    def at(self, hour: int, minute: int, *, day: int = 1) -> None:
        """Set the clock in Japan; everybody logs in again."""
        self.bench.now = datetime(2026, 4, day, hour, minute, tzinfo=UTC) - timedelta(hours=9)
        self.clerk, self.officer = clerk(self.bench), officer(self.bench)

    def inquires(self, which: int, case: str | None = None, seat: Seat | None = None) -> None:
        """Let the clerk ask for one of the residents."""
        (seat or self.clerk).ask(
            "provision/inquire",
            {"by": {"my_number": number(which)}, "items": ["name", "address"]},
            **TAX,
            case_number=case,
        )

    def writes(self, *lines: str) -> dict[str, Any]:
        """Let the clerk hand in a book."""
        return dict(self.clerk.ask("usebook/import", {"file": sheet(*lines)}).data)

    def matches(self, **more: Any) -> dict[str, Any]:
        """Let the officer match April."""
        return dict(self.officer.ask("usebook/match", {"month": MONTH, **more}).data)

    def leftovers(self) -> list[dict[str, Any]]:
        """Return what is left, as the officer sees it."""
        told = self.officer.ask("usebook/leftovers", {"month": MONTH}).data["leftovers"]
        return [each["finding"] for each in told]

    def next_month(self) -> Seat:
        """Let April be over, and the officer log in again."""
        self.bench.now = datetime(2026, 5, 7, 1, 0, tzinfo=UTC)
        self.clerk, self.officer = clerk(self.bench), officer(self.bench)
        return self.officer


def sheet(*lines: str, encoding: str = "utf-8", heading: str = HEADING) -> str:
    """Return a CSV file in base64."""
    return b64encode("\r\n".join([heading, *lines, ""]).encode(encoding)).decode()


def line(clock: str, case: str = "", count: int = 1, **more: Any) -> str:
    """Return a line of the clerk of the tax office on the first of April."""
    says = {
        "day": "2026-04-01",
        "ends": "",
        "operator": "OP-0001",
        "purpose": "prefectural-tax",
        "reason": "01",
        "note": "",
        **more,
    }
    return (
        f"{says['day']},{clock},{says['ends']},{says['operator']},{case},{says['purpose']},"
        f"{says['reason']},{count},{says['note']}"
    )


def clerk(bench: Bench, operator_id: str = "OP-0001", office: str = OFFICE) -> Seat:
    """Let a clerk in."""
    return bench.clerk(
        operator_id,
        roles=("clerk",),
        purposes=("prefectural-tax",),
        office=office,
        terminal_id=f"TERM-{operator_id}",
    )


def officer(bench: Bench, operator_id: str = "SEC-1", office: str = OFFICE) -> Seat:
    """Let a セキュリティ責任者 in."""
    return bench.clerk(
        operator_id,
        roles=("security-officer",),
        purposes=(),
        office=office,
        terminal_id=f"TERM-{operator_id}",
    )


def auditor(bench: Bench) -> Seat:
    """Let the auditor in."""
    return bench.clerk(
        "AUDIT", roles=("auditor",), purposes=(), office="監査室", terminal_id="TERM-AUDIT"
    )


@contextmanager
def open_office(folder: Path) -> Iterator[TaxOffice]:
    """Yield the office at work, with four residents in the file."""
    with Bench.open(folder, PLUGINS, shipped_policy(), in_step=True) as bench:
        for which in (1, 2, 3, 4):
            admit(bench, which)
        yield TaxOffice(bench, clerk(bench), officer(bench))
