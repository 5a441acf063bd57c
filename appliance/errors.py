"""What a caller can be told, and what stops the process.

Every ``Refusal`` has one stable word for the wire; HTTP numbers appear in ``http.py`` alone::

    Refusal               answered, with a code, and entered in the ledger
      Malformed           malformed           not understood; names the item, never the value
      Unidentified        unidentified        no session, wrong terminal, wrong PIN
      VerifyAgain         verify-again        logged in, and must prove himself anew for this
      NotPermitted        not-permitted       rights do not reach this; says which
        Protected         protected           要注意: two persons open this together
      NeedsApproval       needs-approval      takes two persons; says what the approval lacks
      UnknownOperation    unknown-operation
      NotFound            not-found           nobody, or nothing you may know of
      Conflict            conflict            changed meanwhile, or the key was used otherwise
      Rejected            rejected            understood, and against a rule: ``problems``
      AddConditions       add-conditions      a search too wide to be allowed
      TooMany             too-many            a search that found too many: ``count``
      BadGateway          bad-gateway         the national server did not answer as it must
      Unavailable         unavailable         sealed, full or stopping; try later
      Damaged             integrity           stored data does not open where it lies
      Failed              internal            a bug of ours; nothing changed
    StartupError          the process does not start; every problem at once
      StoreExists         there is something where the store would be made
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that was broken: its number, the item, and what to do, never the value."""

    rule: str
    item: str
    text: str


@dataclass(eq=False)
class Refusal(Exception):
    """A request that is answered with no, and why."""

    text: str
    problems: Sequence[Problem] = field(default=())
    code = "refused"

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Malformed(Refusal):
    """The request cannot be understood."""

    code = "malformed"


class Unidentified(Refusal):
    """Nobody known stands behind the request."""

    code = "unidentified"


class VerifyAgain(Unidentified):
    """Somebody known, who must prove anew who he is (RFC 9470: step-up authentication)."""

    code = "verify-again"


class Unregistered(Unidentified):
    """The certificate is not one of a registered machine; that is noted outside the ledger."""


class AtTheEdge(Refusal):
    """What HTTP itself refused, with the code it gave; raised to be entered in the ledger."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class NotPermitted(Refusal):
    """The caller's rights do not reach this."""

    code = "not-permitted"


class Protected(NotPermitted):
    """The person asked about is opened by two persons only (要注意)."""

    code = "protected"


class NeedsApproval(Refusal):
    """A second person must agree first, and there is no approval that is good for this."""

    code = "needs-approval"


class UnknownOperation(Refusal):
    """No plugin offers this."""

    code = "unknown-operation"


class NotFound(Refusal):
    """There is nobody, or nothing the caller may know of."""

    code = "not-found"


class Conflict(Refusal):
    """Something else happened in the meantime."""

    code = "conflict"


class Rejected(Refusal):
    """Understood, and against a rule."""

    code = "rejected"


class AddConditions(Refusal):
    """The search is too wide; says what to add."""

    code = "add-conditions"


@dataclass(eq=False)
class TooMany(Refusal):
    """The search found more than may be shown."""

    count: int = 0
    code = "too-many"


class BadGateway(Refusal):
    """The national server did not answer, or not as it must; the problem says who is at fault."""

    code = "bad-gateway"


class Unavailable(Refusal):
    """The appliance cannot take this now."""

    code = "unavailable"


class Damaged(Refusal):
    """What is stored does not open where it lies; a human must look."""

    code = "integrity"


class Failed(Refusal):
    """A fault of ours; nothing changed."""

    code = "internal"


class StartupError(Exception):
    """The process must not start."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StoreExists(StartupError):
    """There is something where the store would be made."""
