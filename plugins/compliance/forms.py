"""Whether what is given with a step is as its fields say: pure, and every problem at once."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from appliance.plugin_api import Problem
from plugins.compliance.book import ANSWERS, LONGEST, Field, Given, Kind, Step
from plugins.compliance.rules import problem

LINE = LONGEST // 10
"""Characters of one of several texts, of an ID or of an office."""


@lru_cache(maxsize=1)
def checklists() -> Mapping[str, Mapping[str, str]]:
    """Return every checklist by its name: its items by number, in order (``checklists.tsv``)."""
    lists: dict[str, dict[str, str]] = {}
    text = files("plugins.compliance").joinpath("checklists.tsv").read_text("utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            name, number, item = line.split("\t")
            lists.setdefault(name, {})[number] = item
    return MappingProxyType(lists)


def problems(step: Step, given: Given, today: date) -> Iterator[Problem]:
    """Yield what is wrong with what is given with a step; no text repeats any of it."""
    names = {field.name for field in step.fields}
    if given.keys() - names:
        yield problem("C-01", "given")
    for field in step.fields:
        value = given.get(field.name)
        if value is None or value in ("", []):
            if field.required:
                yield problem("C-02", field.name, title=field.title)
        elif not _IS_OF[field.kind](field, value):
            yield problem("C-03", field.name, title=field.title, form=form_of(field))
        else:
            yield from _closer(field, value, today)


def form_of(field: Field) -> str:
    """Return how a field is to be filled in, in Japanese."""
    match field.kind:
        case Kind.TEXT:
            return f"{LONGEST}文字以内の文字"
        case Kind.DATE:
            return "日付(YYYY-MM-DD)"
        case Kind.NUMBER:
            return f"0から{field.most}までの整数"
        case Kind.FLAG:
            return "true(はい)又はfalse(いいえ)"
        case Kind.CHOICE | Kind.CHOICES:
            named = (f"{title}({value})" for value, title in (field.choices or {}).items())
            return "次のいずれか: " + "、".join(named)
        case Kind.PERSON:
            return "照合ID"
        case Kind.CHECKS:
            named = (f"{title}({value})" for value, title in ANSWERS.items())
            return "項目番号(item)、回答(answer: " + "、".join(named) + ")、備考(remark)の並び"
        case Kind.LINES | Kind.PERSONS | Kind.OFFICES:
            many = f"{field.least}件" if field.least == field.most else f"{field.least}件以上"
            what = {Kind.PERSONS: "照合ID", Kind.OFFICES: "所属"}.get(field.kind, "文字")
            return f"{what}({LINE}文字以内)の並び({many})"


def not_right(checks: Any) -> Iterator[Mapping[str, str]]:
    """Yield the answers of a checklist that say no."""
    return (check for check in checks if check["answer"] == "no")


def _closer(field: Field, value: Any, today: date) -> Iterator[Problem]:
    """Look at a value that is of the right form."""
    title = field.title
    if field.kind is Kind.DATE and field.past and value > today.isoformat():
        yield problem("C-04", field.name, title=title)
    if field.kind in (Kind.PERSONS, Kind.OFFICES, Kind.CHOICES) and len(set(value)) < len(value):
        yield problem("C-05", field.name, title=title)
    if field.kind is Kind.CHECKS:
        asked = checklists()[field.checklist]
        if sorted(check["item"] for check in value) != sorted(asked):
            yield problem("C-06", field.name, title=title)
        if any(not check.get("remark") for check in not_right(value)):
            yield problem("C-07", field.name, title=title)


def _is_text(field: Field, value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= LINE


def _is_date(field: Field, value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_number(field: Field, value: Any) -> bool:
    return type(value) is int and 0 <= value <= field.most


def _are_lines(field: Field, value: Any) -> bool:
    right = isinstance(value, list) and field.least <= len(value) <= field.most
    return right and all(map(_is_line, value))


def _are_checks(field: Field, value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_check, value))


def _is_check(check: Any) -> bool:
    if not isinstance(check, dict) or check.keys() - {"item", "answer", "remark"}:
        return False
    remark = check.get("remark", "")
    # A list cannot be looked up in ANSWERS: its type is looked at first.
    if not (_is_line(check.get("item")) and isinstance(check.get("answer"), str)):
        return False
    return check["answer"] in ANSWERS and (remark == "" or _is_text(_REMARK, remark))


def _is_choice(field: Field, value: Any) -> bool:
    return isinstance(value, str) and value in (field.choices or {})


def _are_choices(field: Field, value: Any) -> bool:
    return isinstance(value, list) and all(_is_choice(field, each) for each in value)


_REMARK = Field(name="remark", title="備考")
_IS_OF: Mapping[Kind, Callable[[Field, Any], bool]] = {
    Kind.TEXT: _is_text,
    Kind.DATE: _is_date,
    Kind.NUMBER: _is_number,
    Kind.FLAG: lambda _, value: isinstance(value, bool),
    Kind.CHOICE: _is_choice,
    Kind.CHOICES: _are_choices,
    Kind.LINES: _are_lines,
    Kind.PERSON: lambda _, value: _is_line(value),
    Kind.PERSONS: _are_lines,
    Kind.OFFICES: _are_lines,
    Kind.CHECKS: _are_checks,
}
