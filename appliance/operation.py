"""What a plugin offers: an operation, declared whole so that it can be permitted and documented."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args

import msgspec

from appliance.model import OperationName

if TYPE_CHECKING:
    from appliance.case import Case


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what an operation asks for; an unknown field is refused."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what an operation answers."""


A = TypeVar("A", bound=Arguments)

Power = Literal["sessions", "roster", "ledger", "outgoing", "protections"]
"""What ``case`` holds beside residents, papers and refs."""
POWERS: frozenset[Power] = frozenset(get_args(Power))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[A]):
    """One thing that can be asked.

    Write it as a module constant, so that mypy sees ``asks`` and ``handler`` agree.
    """

    name: OperationName
    summary: str
    """One English sentence for the OpenAPI document."""
    asks: type[A]
    answers: type[Answer]
    handler: "Callable[[Case, A], Answer]"
    prepare: "Callable[[Case, A], Any] | None" = None
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
    purposed: bool = True
    """Needs 事務 and 利用事由 (R90)."""
    example: Mapping[str, Any] | None = None
    """A request that can be sent as it is, for the OpenAPI document; None: made from the types."""
    records: tuple[str, ...] = ()
    """Argument fields the ledger keeps (sealed), by dotted path."""
    drops: tuple[str, ...] = ()
    """Argument fields the ledger must not keep. Every field is in one of the two."""


AnyOperation = Operation[Any]


def recorded(operation: AnyOperation, arguments: Arguments) -> dict[str, Any]:
    """Return the arguments that the operation declares for the ledger, as plain data."""
    plain = msgspec.to_builtins(arguments)
    kept: dict[str, Any] = {}
    for path in operation.records:
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
