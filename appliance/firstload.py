"""How very many residents are brought in at once: what a plugin says of the file it comes in.

``juki load`` reads files line by line, seals and writes; which lines there are, by which rules they
are judged and in which order they count is the business of a plugin (``hookspecs.first_loads``).
``judge`` is asked in processes of its own, beside the store; ``order`` in the one that writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from appliance.errors import Problem
from appliance.items import Values
from appliance.papers import Papers
from appliance.values.identifiers import Municipalities


@dataclass(frozen=True, slots=True)
class Occasion:
    """Whose file it is, and when it is read."""

    sender: str
    municipalities: Municipalities
    now: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """What a line comes to, as far as the line alone can tell."""

    sequence: int | None
    """The sender's number; None of a line that is nothing at all."""
    content: bytes
    """A digest, by which it is known when it comes again."""
    values: Values | None
    """The whole record of somebody new, or None if something is against it."""
    problems: tuple[Problem, ...] = ()
    """The worst first; not all of them refuse."""


class Turn(Enum):
    """Whether a line counts."""

    NEW = "new"
    KNOWN = "known"
    """It has come before, with the same content."""


class Order(Protocol):
    """The sequence of one sender, as far as the papers of the plugin know it."""

    def turn(self, sequence: int, content: bytes, alias: str | None) -> Turn | Problem:
        """Return whether a line counts, or what is against it; one that counts is noted.

        ``alias`` is the registry's for the 住民票コード, None of a line that is refused.
        """
        ...

    def save(self) -> None:
        """Write down what was noted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLoad:
    """What a plugin does for a first load; each part may be called in another process."""

    sender: Callable[[bytes, Municipalities], str | None]
    """Whose file a line is of, by 市町村コード of the municipality whose server it is; None if the
    line does not tell."""
    judge: Callable[[bytes, Occasion], Judged]
    order: Callable[[Papers, str], Order]
    """The papers of the plugin, and the sender."""
    taken: tuple[Problem, Problem]
    """What is against whose 住民票コード, or 個人番号, is somebody's already."""
