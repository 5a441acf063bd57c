"""Residents put into a bench without a notice, for the tests of everything but ``update``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.items import ITEM_NAMES, ItemName, Values
from appliance.model import JST, Grant
from appliance.policy import Policy, read_policy
from appliance.protection import Guard, Protections
from appliance.recount import moved
from appliance.registry import Registry
from appliance.testing import PREPARED, Bench
from appliance.values.identifiers import my_number_from, resident_code_from
from appliance.values.kana import seion
from storage.engine import PersonId, Unit, View

KUMAMOTO, YATSUSHIRO, UTO = "431001", "432024", "432113"

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "policy"


def shipped_policy() -> Policy:
    """Return the policy that is shipped."""
    return read_policy(SHIPPED)


def code(number: int) -> str:
    """Return a 住民票コード of the visibly fake range."""
    return resident_code_from(f"9{number:09}")


def number(which: int) -> str:
    """Return a 個人番号 of the visibly fake range."""
    return my_number_from(f"9{which:010}")


def person(which: int = 1, **items: Any) -> dict[ItemName, Any]:
    """Return all items of a resident, of whom only some matter."""
    kana = items.get("kana", "くまもと　はなこ")
    values: dict[str, Any] = {
        "resident_code": code(which),
        "name": "熊本　花子",
        "name_gaiji_count": 0,
        "kana": kana,
        "birth_date": "1990-04-05",
        "birth_date_as_written": None,
        "sex": "2",
        "address": "熊本県八代市松江城町１番２５号",
        "address_gaiji_count": 0,
        "my_number": number(which),
        "reason": "11",
        "effective_date": "2020-04-01",
        "retention_flag": "0",
        "search_kana": seion(kana) if kana else None,
        "municipality_code": YATSUSHIRO,
        "town_code": "001001",
        "operator_id": "SYSTEM",
        "terminal_id": "SYSTEM",
        "recorded_at": "2026-03-31T00:00:00.000000Z",
        "notified_on": "2026-03-31",
        "gaiji_flag": False,
        "removed_flag": False,
        "update_number": 1,
        "name_gaiji_serial": 0,
        "address_gaiji_serial": 0,
        **items,
    }
    return {ItemName(name): value for name, value in values.items()}


def admit(bench: Bench, which: int = 1, **items: Any) -> PersonId:
    """Put a new resident in; return who it is."""
    return _save(bench, None, person(which, **items), 0)


def change(bench: Bench, who: PersonId, which: int = 1, *, seen: int = 1, **items: Any) -> None:
    """Write a new version of a resident."""
    _save(bench, who, person(which, update_number=seen + 1, **items), seen)


def unguarded(view: View) -> Guard:
    """Return the guard of a machine: it lets through to everybody."""
    return Guard(Protections(view, None), datetime.now(UTC), "", watches=False)


def _save(bench: Bench, who: PersonId | None, values: Values, seen: int) -> PersonId:
    parts = bench.parts

    def work(unit: Unit) -> PersonId:
        registry = Registry(
            unit,
            unit,
            parts.tools,
            Grant(items=ITEM_NAMES, keys=frozenset()),
            frozenset,
            lambda change: [m for told in parts.hook.messages(change=change) for m in told],
            lambda change: moved(parts.hook, change, bench.now.astimezone(JST).date()),
            unguarded(unit),
        )
        version = registry.save(who, values, seen=seen)
        unit.enter(PREPARED)
        return version.person

    return bench.vault.write(work)
