"""What a plugin offers: an operation, declared whole so that it can be permitted and documented."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from appliance.model import OperationName

if TYPE_CHECKING:
    from appliance.case import Case


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what an operation asks for; an unknown field is refused."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what an operation answers."""


A = TypeVar("A", bound=Arguments)


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
    changes: bool = False
    """Runs in a unit of work on the writer thread, and needs an Idempotency-Key."""
    purposed: bool = True
    """Needs 事務 and 利用事由 (R90)."""
    records: tuple[str, ...] = ()
    """Argument fields the ledger keeps (sealed), by dotted path."""
    drops: tuple[str, ...] = ()
    """Argument fields the ledger must not keep. Every field is in one of the two."""


AnyOperation = Operation[Any]
