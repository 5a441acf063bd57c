"""Jobs: operations the appliance asks of itself, down the same line as everybody (R34).

A job is an operation without arguments that does one *step*: a bounded piece of work, a second at
most, in one unit of work with its own ledger entry. It answers how far it is; while there is
``more`` it is asked again. What a job must remember between steps it keeps in papers, so that a
killed process goes on where the last commit was.
"""

from dataclasses import dataclass
from datetime import time, timedelta

from appliance.model import OperationName
from appliance.operation import Answer, Arguments


class Nothing(Arguments, frozen=True, kw_only=True):
    """What the step of a job is asked: nothing."""


class Step(Answer, frozen=True, kw_only=True):
    """How far a job is after a step."""

    done: int = 0
    total: int | None = None
    """None where it is not known."""
    more: bool = False
    """Ask again at once: there is work left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """When the appliance asks one of its operations of itself."""

    name: str
    """``function/what``, for ``juki job``."""
    summary: str
    operation: OperationName
    """Takes ``Nothing``, answers a ``Step``, changes data, needs no 事務."""
    every: timedelta | None = None
    """How long after the last end it is due again."""
    at: time | None = None
    """The time of day in Japan at which it is due; without both it runs only when told to."""
