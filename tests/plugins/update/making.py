"""Notices for tests: one right one, and whatever a test wants otherwise."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import cbor2
import msgspec

from appliance.items import CELLS, open_form
from appliance.plugin_api import Values
from appliance.testing import Bench
from appliance.values.identifiers import my_number_from, resident_code_from
from plugins.update.notice import Notice, record, told
from plugins.update.rules import removed_after

TODAY = date(2026, 4, 1)
NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)

YATSUSHIRO, HITOYOSHI = "432024", "432032"
KUMAMOTO, CHUO_WARD, HIGASHI_WARD = "431001", "431010", "431028"
MINATO_IN_TOKYO = "131032"


def code(number: int) -> str:
    """Return a 住民票コード of the range for tests."""
    return resident_code_from(f"9{number:09d}")


def number(number: int) -> str:
    """Return a 個人番号 of the range for tests."""
    return my_number_from(f"9{number:010d}")


SATO: dict[str, Any] = {
    "sequence": 1,
    "resident_code": code(1),
    "previous_resident_code": None,
    "name": "佐藤　太郎",
    "name_gaiji_count": 0,
    "kana": "さとう　たろう",
    "birth_date": "1980-05-17",
    "birth_date_as_written": None,
    "sex": "1",
    "address": "熊本県八代市松江城町１番２５号",
    "address_gaiji_count": 0,
    "my_number": number(1),
    "reason": "11",
    "effective_date": "2026-03-20",
    "municipality_code": YATSUSHIRO,
    "town_code": "012000",
    "update_number": 1,
    "name_gaiji_serial": 0,
    "address_gaiji_serial": 0,
}
"""Somebody who moved to 八代市, as a notice on the wire."""


def wire(**changes: Any) -> dict[str, Any]:
    """Return a notice as on the wire."""
    return {**SATO, **changes}


def notice(**changes: Any) -> Notice:
    """Return a notice as the plugin gets it."""
    return msgspec.convert(wire(**changes), Notice)


def before(**changes: Any) -> Values:
    """Return the record that a notice became."""
    given = notice(**changes)
    return record(told(given), removed=removed_after(given.reason, None), received=TODAY, now=NOW)


class PaperStack:
    """The papers of one plugin, in memory."""

    def __init__(self) -> None:
        self.papers: dict[tuple[str, str], bytes] = {}

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        found = self.papers.get((kind, key))
        return None if found is None else cbor2.loads(found)

    def every(
        self, kind: str, prefix: str = "", *, after: str = ""
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for its_kind, key in sorted(self.papers):
            if its_kind == kind and key.startswith(prefix) and (not after or key > after):
                yield key, cbor2.loads(self.papers[kind, key])

    def put(self, kind: str, key: str, body: Mapping[str, Any]) -> None:
        self.papers[kind, key] = cbor2.dumps(body, canonical=True)

    def replace(self, kind: str, key: str, body: Mapping[str, Any]) -> None:
        self.put(kind, key, body)

    def drop(self, kind: str, key: str) -> None:
        self.papers.pop((kind, key), None)


def recorded(bench: Bench, resident_code: str) -> list[Values]:
    """Return every version of somebody as it is stored, the oldest first."""
    with bench.vault.view() as view:
        person = view.identified(bench.index.code(resident_code))
        if person is None:
            return []
        numbers = [item.number for item in CELLS]
        return [
            open_form(view.read(person, numbers, version).fields)
            for version in range(1, view.latest(person) + 1)
        ]


NEW_ADDRESS = "熊本県八代市本町２番３号"


def notify(seat, *notices, key=None):
    return seat.ask("update/notify", {"notifications": list(notices)}, key=key).data


def heard(seat, *notices):
    """Send one batch; return what is heard of each notice: sequence, outcome and rules."""
    return [
        (result["sequence"], result["outcome"], [p["rule"] for p in result["problems"]])
        for result in notify(seat, *notices)["results"]
    ]


def waits(seat):
    answer = seat.ask("update/held", {}).data
    return [(held["sequence"], [p["rule"] for p in held["problems"]]) for held in answer["held"]]


def told_nation(bench):
    with bench.vault.view() as view:
        return [parcel.version.number for parcel in view.parcels("national", 0, 1000)]


def moved(sequence, update_number, **changes):
    plain = {"reason": "31", "address": NEW_ADDRESS, "effective_date": "2026-03-25"}
    return wire(sequence=sequence, update_number=update_number, **{**plain, **changes})


def moving_out(sequence=2, update_number=2, day="2026-04-15"):
    return wire(sequence=sequence, update_number=update_number, reason="21", effective_date=day)


def kept(notice, *, removed=False):
    """Return a record of the municipality's full set."""
    return {**notice, "removed": removed}


def to_hitoyoshi(sequence, update_number, **changes):
    there = {"municipality_code": HITOYOSHI, "address": "熊本県人吉市１番", "town_code": None}
    return wire(sequence=sequence, update_number=update_number, **{**there, **changes})
