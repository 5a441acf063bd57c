"""Every function of a running appliance, used over the wire by whoever may: for its memory."""

import base64
import itertools
from collections.abc import Callable, Iterator
from itertools import islice
from secrets import token_hex
from typing import Any

import msgspec
from msgspec.structs import replace

from appliance.model import JST
from appliance.parts import utc_now
from scripts.bench_lib.keeping import Keeping, Kept
from scripts.bench_lib.machines import Grown
from tests.machine import PIN, accepted
from tests.simulators.notices import Notice
from tests.simulators.population import Population
from tests.simulators.reconcile import Outcome, over
from tests.simulators.terminal import Terminal

FOUR = ("name", "birth_date", "sex", "address")
ITEMS = ("name", "kana", "birth_date", "sex", "address", "my_number", "reason", "effective_date")
PEOPLE = {"OP-0003": "registrar", "OP-0005": "auditor", "OP-0008": "statistician"}
COUNTER = {"method": "counter", "identity": ["passport"], "stamps_yen": 10}
BATCH = 1_000
FROM_MEMORY = {"purpose": "register-administration", "reason": "01"}
DESK = {"purpose": "disclosure", "reason": "01"}

Function = tuple[str, Callable[[], object]]


class Drive:
    """Whoever is let in to ask, and what of."""

    def __init__(self, grown: Grown, municipality: str, file: Kept) -> None:
        self._grown = grown
        self._municipality = municipality
        self._file = file
        self._keys = itertools.count(1)
        self._run = token_hex(6)
        self._seats: dict[str, Terminal] = {}
        self._people = iter(grown.sample.residents)

    def functions(self) -> Iterator[Function]:
        """Yield each function and how to use it, in the order in which it can be used."""
        yield "enrolling, with PINs", self._let_in
        yield "search", self._search
        yield "provision", self._provide
        yield "disclosure with a PDF", self._disclose
        yield "the roster as a PDF", self._print_roster
        yield "reconcile", self._reconcile
        # After the comparison: the file it is of was read before.
        yield f"{BATCH:,} notices", self._notify
        yield "statistics", self._count
        yield "ledger", self._audit

    def _let_in(self) -> None:
        machine = self._grown.machine
        administrator = machine.administrator()
        self._seats["administrator"] = administrator
        if self._grown.enrolled:
            return self._log_in()
        server = f"CS-{self._municipality}"
        machine.register(administrator, server, "municipality", self._municipality)
        for operator, role in PEOPLE.items():
            machine.appoint(administrator, operator, [role])
        self._grown.enrolled.update(PEOPLE)
        return self._log_in()

    def _log_in(self) -> None:
        for operator, role in PEOPLE.items():
            self._seats[role] = self._grown.machine.terminal()
            self._seats[role].login(operator, PIN)

    def _search(self) -> None:
        for person in islice(self._people, 20):
            known = {name: person[name] for name in FOUR}
            found = self._asks("registrar", "search/find", known, **FROM_MEMORY)
            (hit, *_) = found["residents"]
            detail = {"ref": hit["ref"], "items": ITEMS, "history": True}
            self._asks("registrar", "search/detail", detail, **FROM_MEMORY)

    def _provide(self) -> None:
        for person in islice(self._people, 20):
            by = {"resident_code": person["resident_code"]}
            asked = {"by": by, "items": ITEMS}
            self._asks("registrar", "provision/inquire", asked, **FROM_MEMORY)
            claimed = {"by": by, "claims": {"name": person["name"]}}
            self._asks("registrar", "provision/verify", claimed, **FROM_MEMORY)

    def _disclose(self) -> None:
        for person in islice(self._people, 5):
            subject = {name: person[name] for name in FOUR}
            case = self._desk("receive", {**COUNTER, "subject": subject})
            number = {"number": case["number"]}
            self._desk("match", number)
            seen = {"sha256": self._desk("preview", number)["sha256"]}
            issued = self._desk("issue", number | seen)
            if not base64.b64decode(issued["pdf"]).startswith(b"%PDF-"):
                raise ValueError("disclosure/issue answered no PDF")

    def _print_roster(self) -> None:
        self._asks("administrator", "roster/print", {"register": "operators"})

    def _notify(self) -> None:
        body = {"notifications": list(self.moves(BATCH))}
        with self._grown.machine.link(f"CS-{self._municipality}") as link:
            key = {"Idempotency-Key": self._key()}
            answer = link.insist("/v1/update/notify", msgspec.json.encode(body), key)
        refused = [each for each in accepted(answer)["results"] if each["outcome"] != "applied"]
        if refused:
            raise ValueError(f"{len(refused)} made-up notices were refused: {refused[0]}")

    def moves(self, count: int) -> Iterator[Notice]:
        """Yield the next notices of the municipality: its residents move, one after another."""
        today = utc_now().astimezone(JST).date().isoformat()
        known = self._grown.counts[self._municipality]
        told = Population(self._grown.seed, self._municipality, known).notices()
        for number, person in enumerate(islice(told, count), start=1):
            yield replace(
                person,
                sequence=known + number,
                address=f"{person.address}２号室",
                reason="31",
                effective_date=today,
                update_number=person.update_number + 1,
            )

    def _reconcile(self) -> None:
        with self._grown.machine.link(f"CS-{self._municipality}", timeout=300) as link:
            outcome: Outcome = Keeping(over(link), self._file).run()
        if outcome.result != "differs":
            raise ValueError("the files differ, and the comparison did not find it")

    def _count(self) -> None:
        for by in (["municipality", "age", "sex"], ["age"]):
            self._asks("statistician", "statistics/population", {"by": by})

    def _audit(self) -> None:
        self._asks("auditor", "ledger/search", {"limit": 200})
        by = {"resident_code": next(self._people)["resident_code"]}
        self._asks("auditor", "ledger/person", {"by": by})

    def _desk(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._asks("registrar", f"disclosure/{operation}", body, **DESK)

    def _asks(self, who: str, operation: str, body: Any, **more: Any) -> dict[str, Any]:
        answer = self._seats[who].call(operation, body, idempotency_key=self._key(), **more)
        return accepted(answer)

    def _key(self) -> str:
        return f"bench-{self._run}-{next(self._keys):08}"
