"""Whatever is sent as a form is refused with a rule, or is as the form says; it never breaks."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, strategies

from plugins.compliance.book import Step
from plugins.compliance.forms import checklists, form_of, problems
from plugins.compliance.rules import RULES
from plugins.compliance.shelf import BOOKS

TODAY = date(2026, 4, 1)
STEPS = [step for book in BOOKS.values() for step in book.steps if step.fields]
NAMES = sorted({field.name for step in STEPS for field in step.fields})
CHECK = strategies.fixed_dictionaries(
    {},
    optional={
        "item": strategies.sampled_from(["1", "1-1", "", 1]),
        "answer": strategies.sampled_from(["yes", "no", "none", "maybe", [], {}]),
        "remark": strategies.sampled_from(["", "備考", None, 3]),
        "more": strategies.just(1),
    },
)
VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-(2**53), 2**53)
    | strategies.floats(allow_nan=False)
    | strategies.text(max_size=5)
    | strategies.sampled_from(["2026-04-01", "2026-02-30", "20260401", "2026-W14-3", "あ" * 2001]),
    lambda inner: (
        strategies.lists(inner | CHECK, max_size=4)
        | strategies.dictionaries(strategies.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
FORMS = strategies.dictionaries(strategies.sampled_from([*NAMES, "unknown"]), VALUES, max_size=6)


@given(step=strategies.sampled_from(STEPS), sent=FORMS)
def test_any_form_is_right_or_told_what_is_wrong(step: Step, sent: dict[str, Any]) -> None:
    told = list(problems(step, sent, TODAY))
    fields = {field.name: field for field in step.fields}
    assert {problem.rule for problem in told} <= set(RULES)
    assert {problem.item for problem in told} <= {*fields, "given"}
    missing = {
        name
        for name, field in fields.items()
        if field.required and sent.get(name) in (None, "", [])
    }
    assert missing == {problem.item for problem in told if problem.rule == "C-02"}
    assert bool(set(sent) - set(fields)) == any(problem.rule == "C-01" for problem in told)


@given(
    step=strategies.sampled_from(STEPS), word=strategies.text("熊本花子", min_size=4, max_size=9)
)
def test_no_problem_repeats_what_was_sent(step: Step, word: str) -> None:
    sent = {field.name: word for field in step.fields} | {word: word}
    told = [f"{p.item} {p.text}" for p in problems(step, sent, TODAY)]
    assert not any(word in text for text in told)


def test_every_checklist_has_items_in_order_and_each_once() -> None:
    assert {name: len(items) for name, items in checklists().items()} == {
        "self-check": 14,
        "audit": 4,
        "contract": 11,
    }


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_form_says_in_japanese_how_to_fill_it_in(step: Step) -> None:
    for field in step.fields:
        assert form_of(field)
        assert not field.title.isascii()
