"""What an answer told, held against the second reading of the policy."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from tests import rights
from tests.rights import ITEMS, STAFFED, Asking
from tests.walk.actors import Caller
from tests.walk.people import HERE, OLD, Person, canaries

RESIDENTS = ("resident", "residents", "messages")
"""Fields that hold residents as items by name, or lists of such, wherever they stand."""


class Violation(NamedTuple):
    """Something that the policy does not give, and that left all the same; no value of it."""

    what: str
    operation: str
    item: str
    caller: str


class Told(NamedTuple):
    """An item that left, of whom if its value says so, and whether of a former version."""

    item: str
    who: int | None
    former: bool = False


def written(answer: Any) -> str:
    """Return an answer as text, bytes too."""
    plain = msgspec.to_builtins(answer, builtin_types=(bytes,))
    return json.dumps(plain, ensure_ascii=False, default=lambda raw: raw.decode("utf-8", "replace"))


def told_in(answer: Any) -> set[Told]:
    """Return every item of anybody that an answer holds, wherever in it."""
    by_value = {
        Told(canary.item, canary.who % OLD, canary.who > OLD)
        for canary in canaries(written(answer))
    }
    return by_value | {Told(item, None) for item in _named(answer)}


def of_residents(operation: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what of an answer must hold no item: without what is of the record, or of the work.

    An auditor reads the conditions that operators typed; how long the oldest message waits is the
    time of a change.
    """
    if operation.startswith("ledger/"):
        entries = [dict(entry) for entry in answer.get("entries", ())]
        return {"entries": [{**entry, "conditions": None} for entry in entries]}
    left_out = {"relay/outbox": "oldest_at"}.get(operation)
    return {name: value for name, value in answer.items() if name != left_out}


def typed_numbers(operation: str, answer: Mapping[str, Any]) -> bool:
    """Return whether the ledger tells a 個人番号 that an operator typed: it never keeps one."""
    if not operation.startswith("ledger/"):
        return False
    return any(canary.item == "my_number" for canary in canaries(written(answer)))


def judged(
    caller: Caller, asking: Asking, answer: Any, people: Mapping[int, Person]
) -> Iterator[Violation]:
    """Yield everything in an answer that the policy does not give to whoever asked."""
    name = f"{'+'.join(sorted(caller.roles)) or 'nobody'} at {caller.kind}"

    def wrong(what: str, item: str = "") -> Violation:
        return Violation(what, asking.operation, item, name)

    leaving = caller.fate == "out" and asking.operation.startswith("session/")
    if caller.fate and not leaving:
        yield wrong(f"answered though {caller.fate}")
    if rights.refusal(asking) is not None:
        yield wrong("answered though not granted")
    for told in told_in(answer):
        if not rights.shows(asking, told.item):
            yield wrong("item not granted", told.item)
        if told.who is None or told.who not in HERE:
            continue
        person, staffed = people[told.who], caller.kind in STAFFED  # servers are told of changes
        if told.former and staffed and not rights.has(asking, "history"):
            yield wrong("former version not granted", told.item)
        if person.removed and staffed and not rights.has(asking, "removed"):
            yield wrong("struck-off resident not granted", told.item)
        if caller.municipality not in (None, person.municipality):
            yield wrong("resident of another municipality", told.item)


def refused_tells(caller: Caller, asking: Asking, text: str) -> Iterator[Violation]:
    """Yield what a refusal tells of anybody: it must tell nothing, whoever asks."""
    name = "+".join(sorted(caller.roles)) or "nobody"
    for canary in canaries(text):
        yield Violation("told in a refusal", asking.operation, canary.item, name)


def overasked(asking: Asking, body: Mapping[str, Any]) -> bool:
    """Return whether a request asks for an item, or by a key, that the policy does not give."""
    items = {*body.get("items", ()), *body.get("claims", ())} & {*ITEMS}
    by = body.get("by")
    by = by if isinstance(by, Mapping) else {}
    key = next((name for name in ("resident_code", "my_number") if name in by), "four")
    return any(not rights.shows(asking, item) for item in items) or (
        bool(by) and not rights.asks_by(asking, key)
    )


def _named(plain: Any) -> Iterator[str]:
    """Yield the items that stand in fields of residents, with a value."""
    if isinstance(plain, Mapping):
        for field, inner in plain.items():
            if field in RESIDENTS:
                yield from _items(inner)
            yield from _named(inner)
    elif isinstance(plain, (list, tuple)):
        for inner in plain:
            yield from _named(inner)


def _items(plain: Any) -> Iterator[str]:
    for each in plain if isinstance(plain, (list, tuple)) else (plain,):
        if isinstance(each, Mapping):
            yield from (name for name in each if name in ITEMS and each[name] is not None)
