"""A municipality's file beside ours: the same people, until a test says otherwise."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from appliance.marks import AGREED
from appliance.testing import Bench, Seat
from tests.plugins.people import YATSUSHIRO, admit, person
from tests.simulators.notices import Notice
from tests.simulators.reconcile import Outcome, Reconciler

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
