"""A municipality's file beside ours: the same people, until a test says otherwise."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from appliance.audit import Reading
from appliance.marks import AGREED
from appliance.testing import Bench, Seat
from tests.plugins.people import YATSUSHIRO, admit, person
from tests.simulators.notices import Notice
from tests.simulators.reconcile import Group, Outcome, Reconciler, record

REPORTING = {"purpose": "register-administration", "reason": "03"}


def notice(which: int = 1, **items: Any) -> Notice:
    """Return what a municipality has of a resident."""
    values = person(which, **items)
    agreed = {str(name): values[name] for name in AGREED}
    return msgspec.convert({"sequence": which, **agreed}, Notice)


def both(bench: Bench, numbers: Iterable[int], **items: Any) -> dict[int, Notice]:
    """Put residents into our file; return the municipality's."""
    for which in numbers:
        admit(bench, which, **different(which), **items)
    return {which: notice(which, **different(which), **items) for which in numbers}


def different(which: int) -> dict[str, Any]:
    """Return items by which residents are told apart."""
    return {
        "name": f"熊本　花子{which}",
        "kana": "くまもと　はな"
        + "".join("あいうえおかきくけこ"[int(digit)] for digit in str(which)),
        "birth_date": f"{1950 + which % 70}-{1 + which % 12:02}-{1 + which % 28:02}",
        "address": f"熊本県八代市松江城町{which}番",
    }


def asking(seat: Seat) -> Any:
    """Return how the simulator asks at a bench."""

    def ask(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return dict(seat.ask(operation, msgspec.to_builtins(body)).data)

    return ask


def reconcile(
    bench: Bench, residents: Iterable[Notice], code: str = YATSUSHIRO, *, whole: bool = False
) -> Outcome:
    """Let a municipality compare its residents with ours."""
    return Reconciler(asking(bench.municipality(code)), residents).run(whole=whole)


def found(outcome: Outcome) -> set[tuple[str, str, tuple[str, ...]]]:
    """Return who differs, how, and in which items."""
    return {(f["resident_code"], f["kind"], tuple(f["items"])) for f in outcome.findings}


def logged_in(bench: Bench) -> Seat:
    """Let somebody log in who reads what was found."""
    return bench.clerk("REGISTRAR", roles=("registrar",), purposes=("register-administration",))


def entries(bench: Bench, operation: str) -> list[Reading]:
    """Return the ledger entries of an operation."""
    return [entry for entry in bench.ledger() if entry.operation == operation]


def begun(seat: Seat, mode: str = "differences") -> dict[str, Any]:
    """Begin a run by hand."""
    return dict(seat.ask("reconcile/begin", {"mode": mode}).data)


def bucket(group: str = YATSUSHIRO, prefix: str = "") -> dict[str, Any]:
    """Return a bucket of nobody's."""
    return {"municipality_code": group, "prefix": prefix, "count": 0, "digest": "0" * 32}


def root(group: str = YATSUSHIRO, total: Iterable[Notice] = ()) -> dict[str, Any]:
    """Return what these residents come to, under a key that is not the group's."""
    return {"municipality_code": group, **Group(bytes(32), ["resident_code"], total).total()}


def sent(theirs: Notice) -> dict[str, Any]:
    """Return a record as it is sent."""
    return dict(msgspec.to_builtins(record(theirs)))
