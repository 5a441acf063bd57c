"""What a refusal becomes on a screen: in Japanese, beside its field, with what to do next.

``VerifyAgain``, ``NeedsApproval`` and ``Protected`` are not the end of an act: the act waits on the
shelf (``Waits``) until whoever pressed the button has proved himself, or another person has agreed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from appliance.edge.japanese import field_named, told_in_japanese
from appliance.errors import Problem, Refusal, TooMany
from appliance.filled import APPROVAL, Form
from appliance.screen import Screen
from appliance.screens.desk import Question

REQUEST, OPENING = "approval/request", "protection/ask-opening"
ASKING = "/screens/protection/opening"
"""Where an opening is asked for by showing whom."""
LEAST_WEIGHT = 4096
_WHO = ("ref", "resident_code", "my_number", "name", "birth_date", "sex")


@dataclass(frozen=True, slots=True)
class Waits:
    """An act that waits for something, with all that was filled in."""

    screen: Screen
    act: str
    form: Form
    question: Question | None

    @property
    def weight(self) -> int:
        """How much memory is held: what was typed, and every file."""
        typed = sum(len(value) for values in self.form.fields.values() for value in values)
        return (
            LEAST_WEIGHT + 4 * typed + sum(len(each.content) for each in self.form.files.values())
        )

    def with_approval(self, number: str) -> "Waits":
        """Return the same act with another person's agreement."""
        fields = {**self.form.fields, APPROVAL: (number,)}
        return replace(self, form=Form(fields, self.form.files))


@dataclass(frozen=True, slots=True)
class Told:
    """A refusal in the staff's words."""

    text: str
    problems: tuple[Problem, ...]
    count: int | None


def told(refusal: Refusal, titles: Mapping[str, str] | None = None) -> Told:
    """Return what the staff is told; what is wrong with one field is said beside it."""
    text = told_in_japanese(refusal.code, refusal.text, titles)
    problems: Sequence[Problem] = refusal.problems
    if not problems and (name := field_named(refusal.text)):
        problems = (Problem("", name, text),)
    return Told(text, tuple(problems), refusal.count if isinstance(refusal, TooMany) else None)


def wanted(question: Question, form: Form) -> dict[str, Any]:
    """Return what ``approval/request`` is asked: this operation, with these arguments."""
    return {
        "operation": question.operation,
        "arguments": dict(question.body),
        "form": form.text("form") or "",
        "reason": form.text("why") or "",
    }


def names_somebody(question: Question | None) -> bool:
    """Return whether a question says whom it is about, and not only which case."""
    return question is not None and bool(_known(question))


def to_be_opened(question: Question, form: Form) -> dict[str, Any]:
    """Return what ``protection/ask-opening`` is asked: whoever the question was about."""
    known = _known(question)
    who = next(({n: known[n]} for n in ("ref", "resident_code", "my_number") if n in known), known)
    return {"who": who, "why": form.text("why") or ""}


def _known(question: Question) -> dict[str, Any]:
    by = question.body.get("by")
    given = {**question.body, **(by if isinstance(by, Mapping) else {})}
    return {name: given[name] for name in _WHO if given.get(name)}
