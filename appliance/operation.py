"""What a plugin offers: an operation, declared whole so that it can be permitted and documented."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Generic, TypeVar, get_args

import msgspec

from appliance.case import Case, Power
from appliance.model import OperationName
from appliance.roster import Roster


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what an operation asks for; an unknown field is refused."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what an operation answers."""


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom something is about that takes two persons, besides the one who asks for it."""

    persons: frozenset[str] = frozenset()
    """照合ID; none of them may agree to it."""
    offices: frozenset[str] = frozenset()
    """所属 whose セキュリティ責任者 may agree to it, beside that of whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[A]):
    """One thing that can be asked.

    Write it as a module constant, so that mypy sees ``asks`` and ``handler`` agree.
    """

    name: OperationName
    summary: str
    """One English sentence for the OpenAPI document."""
    title: str = ""
    """Of one that is seconded: what it does, in a noun of the staff's, for whoever agrees."""
    asks: type[A]
    answers: type[Answer]
    handler: Callable[[Case, A], Answer]
    prepare: Callable[[Case, A], Any] | None = None
    """Of an operation that changes: what takes long and changes nothing, done in a view before the
    unit of work begins; the handler finds what it returns in ``case.prepared``."""
    changes: bool = False
    """Runs in a unit of work on the writer thread, and needs an Idempotency-Key."""
    uses: frozenset[Power] = frozenset()
    """Parts of the case that only an operation gets whose plugin the signed policy gives them
    (``plugins.toml``); to reach for another is a fault."""
    once: bool = False
    """Of an operation that changes: its answer holds what may be told only once, such as a code.
    It is not kept for repeats; the same request again is a conflict."""
    seconded: bool = False
    """Carried out only with another person's agreement (``approvals.py``): X-Approval."""
    alone: "Callable[[Roster, A], bool] | None" = None
    """Of one that is seconded: for which requests one person is enough; None: for none."""
    about: "Callable[[Roster, A], About] | None" = None
    """Of one that is seconded: whom it is about. Asked again at each step."""
    shows: tuple[str, ...] = ()
    """Of one that is seconded: dropped arguments that whoever agrees is shown all the same."""
    purposed: bool = True
    """Needs 事務 and 利用事由 (R90)."""
    blind: bool = False
    """Shows residents to no one: whoever asks, its case holds a store without residents and without
    the ledger. A blind role, such as the contractor's, reaches only operations that say so."""
    example: Mapping[str, Any] | None = None
    """A request that can be sent as it is, for the OpenAPI document; None: made from the types."""
    records: tuple[str, ...] = ()
    """Argument fields the ledger keeps (sealed), by dotted path."""
    drops: tuple[str, ...] = ()
    """Argument fields the ledger must not keep. Every field is in one of the two."""


AnyOperation = Operation[Any]


def recorded(operation: AnyOperation, arguments: Arguments) -> dict[str, Any]:
    """Return the arguments that the operation declares for the ledger, as plain data."""
    return _part(operation.records, arguments)


def shown(operation: AnyOperation, arguments: Arguments) -> dict[str, Any]:
    """Return the arguments that whoever agrees is shown, as plain data."""
    return _part((*operation.records, *operation.shows), arguments)


def not_shown(operation: AnyOperation) -> tuple[str, ...]:
    """Return the paths of the arguments that whoever agrees is not shown."""
    open_to_him = (*operation.records, *operation.shows)
    paths = argument_paths(operation.asks)
    return tuple(path for path in paths if not any(covers(each, path) for each in open_to_him))


def covers(declared: str, path: str) -> bool:
    """Return whether what is declared of one argument holds for another, which may be inside it."""
    return path == declared or path.startswith(f"{declared}.")


def _part(paths: Iterable[str], arguments: Arguments) -> dict[str, Any]:
    plain = msgspec.to_builtins(arguments)
    kept: dict[str, Any] = {}
    for path in paths:
        *above, name = path.split(".")
        here, there = plain, kept
        for step in above:
            here = here.get(step) or {}
            there = there.setdefault(step, {})
        if here.get(name) is not None:
            there[name] = here[name]
    return {name: value for name, value in kept.items() if value != {}}


def argument_paths(asks: type[msgspec.Struct], above: str = "") -> Iterator[str]:
    """Yield the dotted path of every argument, those of arguments inside arguments too."""
    for field in msgspec.structs.fields(asks):
        inner = _struct_of(field.type)
        if inner is None:
            yield above + field.name
        else:
            yield from argument_paths(inner, f"{above}{field.name}.")


def _struct_of(kind: Any) -> type[msgspec.Struct] | None:
    """Return the struct that an argument is, or may be left out to be."""
    choices = [choice for choice in get_args(kind) or (kind,) if choice is not NoneType]
    only = choices[0] if len(choices) == 1 else None
    return only if isinstance(only, type) and issubclass(only, msgspec.Struct) else None
