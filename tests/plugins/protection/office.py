"""An office with a protected resident, a namesake of hers, and everybody who may ask about them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.items import PROVIDED, ItemName
from appliance.testing import Bench, FakeNational, Seat
from storage.engine import PersonId
from tests.plugins.people import UTO, admit, code, number, person, shipped_policy

HERS = "熊本県八代市松江城町１番２５号"
NOT_HERS = "熊本県宇土市浦田町５１番地"
HANAKO = {"name": "熊本　花子", "birth_date": "1990-04-05", "sex": "2", "address": HERS}
ITEMS = ["name", "address"]
WORK = {"purpose": "register-administration", "reason": "01"}
DISCLOSING = {"purpose": "disclosure", "reason": "01"}
TAX = {"purpose": "prefectural-tax", "reason": "01"}
UNTIL = "2027-03-31"


@dataclass
class Office:
    """Who sits where; 2026-04-01, ten o'clock in Japan."""

    bench: Bench
    registrar: Seat
    clerk: Seat
    officer: Seat
    hanako: PersonId

    def find(self, seat: Seat | None = None, **sought: Any) -> list[dict[str, Any]]:
        """Search as a registrar, or as somebody else of the department."""
        return list((seat or self.registrar).ask("search/find", sought, **WORK).data["residents"])

    def request_mark(self, which: int = 1, until: str = UNTIL) -> int:
        """Let the registrar ask for a mark; return its number."""
        body = {
            "who": {"resident_code": code(which)},
            "form_number": "S-2026-12",
            "until": until,
            "reason": "domestic-violence",
        }
        return int(self.registrar.ask("protection/mark", body).data["number"])

    def agree(self, request: int, seat: Seat | None = None) -> dict[str, Any]:
        """Let the セキュリティ責任者, or another second person, agree."""
        return dict((seat or self.officer).ask("protection/agree", {"number": request}).data)

    def mark(self, which: int = 1, until: str = UNTIL) -> int:
        """Have somebody marked by two persons; return the number of the mark."""
        request = self.request_mark(which, until)
        self.agree(request)
        return request

    def request_opening(self, seat: Seat, purpose: dict[str, str], **who: str) -> int:
        """Let somebody ask to open her; return the number a second person agrees to."""
        body = {"who": who or {"my_number": number(1)}, "why": "本人来庁のため"}
        asked = seat.ask("protection/ask-opening", body, case_number="R8-77", **purpose)
        return int(asked.data["number"])

    def open(self, seat: Seat, purpose: dict[str, str]) -> int:
        """Let a seat open her, together with the セキュリティ責任者."""
        request = self.request_opening(seat, purpose)
        self.agree(request)
        return request


@contextmanager
def at_work(folder: Path) -> Iterator[Office]:
    """Yield an office with all functions under the shipped policy."""
    everybody = [{name: person(which)[name] for name in PROVIDED} for which in (1, 7)]
    people = [{ItemName(name): value for name, value in each.items()} for each in everybody]
    with Bench.open(folder, None, shipped_policy(), FakeNational(people)) as bench:
        hanako = admit(bench, 1)
        admit(bench, 2, birth_date="1971-11-30", address=NOT_HERS, municipality_code=UTO)
        admit(bench, 3, name="八代　太郎", kana="やつしろ　たろう", sex="1")
        purposes = ("register-administration", "disclosure", "prefectural-tax")
        yield Office(
            bench,
            bench.clerk("REG", roles=("registrar",), purposes=purposes, terminal_id="TERM-0001"),
            bench.clerk("TAX", roles=("clerk",), purposes=purposes, terminal_id="TERM-0002"),
            bench.clerk("SEC", roles=("security-officer",), purposes=(), terminal_id="TERM-0003"),
            hanako,
        )
