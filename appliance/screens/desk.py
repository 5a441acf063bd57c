"""The desk of one visit: what a screen asks goes down the line, as whoever sits there."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance import wire
from appliance.edge.door import Ask, Seat
from appliance.errors import NotPermitted, Rejected
from appliance.filled import Form
from appliance.model import Envelope, OperationName, RequestId
from appliance.operation import AnyOperation
from appliance.screen import Ground, Who
from appliance.screens.asked import Asked

WRONG_FORM = "入力内容を確認してください。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a screen asked last: what a second person must know to agree to it."""

    operation: str
    body: Mapping[str, Any]
    purpose: str | None
    reason: str | None
    case: str | None


@dataclass(slots=True, kw_only=True)
class OpenDesk:
    """``screen.Desk``, for one visit."""

    seat: Seat
    asked: Asked
    ask_line: Ask
    operations: Mapping[str, AnyOperation]
    form: Form = field(default_factory=Form)
    attended: bool = True
    last: Question | None = None
    count: int = 0

    @property
    def who(self) -> Who:
        """Who sits there."""
        return self.seat.who

    def may(self, operation: str) -> bool:
        """Return whether a role reaches this here and now, under some 事務 if it needs one."""
        return self.seat.may(operation)

    def grounds(self, operation: str) -> tuple[Ground, ...]:
        """Return under which 事務 it may be asked; nothing for what needs none."""
        return self.seat.grounds(operation)

    def ask(
        self,
        operation: str,
        body: Mapping[str, Any],
        *,
        purpose: str | None = None,
        reason: str | None = None,
        case: str | None = None,
        approval: int | None = None,
    ) -> Mapping[str, Any]:
        """Return the data of the answer (``screen.Desk.ask``)."""
        if self.form.problems:
            raise Rejected(WRONG_FORM, problems=tuple(self.form.problems))
        if self.asked.peer is None:
            raise NotPermitted("a client certificate is needed")
        self.count += 1
        self.last = Question(
            operation=operation, body=body, purpose=purpose, reason=reason, case=case
        )
        known = self.operations.get(operation)
        changes, seconded = (
            known is not None and known.changes,
            known is not None and known.seconded,
        )
        envelope = Envelope(
            request_id=RequestId(f"{self.asked.request_id}-{self.count}"),
            peer=self.asked.peer,
            operation=OperationName(operation),
            media_type=wire.JSON,
            body=wire.encode(wire.JSON, dict(body)),
            bearer=self.asked.token,
            idempotency_key=self._key() if changes else None,
            purpose=purpose,
            reason=reason,
            case_number=case,
            approval=approval or (self.form.approval if seconded else None),
            attended=self.attended,
        )
        return self.ask_line(envelope).data

    def _key(self) -> str:
        return f"{self.form.key or secrets.token_urlsafe(24)}-{self.count}"
