"""What takes two persons: asked for by one, agreed to by another with ``juki approval``."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from scripts.demo.people import ADMINISTRATOR, APPROVER, Person, as_person
from scripts.demo.stage import OK, Stage
from scripts.demo.steps import Step

REFUSED = 3
"""Exit code of juki."""


def agreed(
    stage: Stage,
    step: Step,
    operation: str,
    body: Mapping[str, Any],
    *,
    asker: Person = ADMINISTRATOR,
    second: Person = APPROVER,
) -> int:
    """Ask for an approval, try to give it oneself, let another give it; return its number."""
    number = _asked_for(stage, operation, body, asker)
    words = ("approval", "give", str(number))
    own = stage.juki.run(*words, *as_person(stage, asker))
    step.saw(f"juki approval give by the asker: exit {own.code}", own.code == REFUSED)
    shown = stage.juki.needs("approval", "show", str(number), *as_person(stage, second))
    step.must("the other one sees what it is about", shown["arguments"] == dict(body))
    given = stage.juki.needs(*words, *as_person(stage, second))
    step.saw(f"{given['state']} by {given['decided']['person']}", given["state"] == "given")
    return number


def not_agreed(stage: Stage, operation: str, body: Mapping[str, Any]) -> None:
    """See that what a second person refuses, or the first takes back, is not done."""
    with stage.steps.step("what a second person refuses, or the first takes back, stays") as step:
        step.asks("juki approval list, refuse, withdraw")
        asker, second = as_person(stage, ADMINISTRATOR), as_person(stage, APPROVER)
        refused, withdrawn = (_asked_for(stage, operation, body, ADMINISTRATOR) for _ in range(2))
        listed = stage.juki.needs("approval", "list", *second)["to_decide"]
        step.saw(f"{len(listed)} to decide", {refused, withdrawn} == {e["number"] for e in listed})
        why = ("--reason", "登録済み")
        stage.juki.needs("approval", "refuse", str(refused), *why, *second)
        stage.juki.needs("approval", "withdraw", str(withdrawn), *asker)
        for number in (refused, withdrawn):
            seat = stage.people[ADMINISTRATOR.name]
            key = f"not-agreed-{number:06}"
            answer = seat.asks(operation, body, key=key, approval=number)
            step.saw(f"{answer.status} {answer.body['code']}", answer.status != OK)


def _asked_for(stage: Stage, operation: str, body: Mapping[str, Any], asker: Person) -> int:
    wanted = {"operation": operation, "arguments": dict(body), "form": "申請-1", "reason": "新規"}
    seat = stage.people[asker.name]
    return int(seat.gets("approval/request", wanted, key=uuid4().hex)["number"])
