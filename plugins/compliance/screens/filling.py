"""A step's form, both ways: what was filled in as ``given``, and what was given as words."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.plugin_api import Form
from plugins.compliance.book import ANSWERS, Book, Field, Kind, Step
from plugins.compliance.books.incidents import COUNT
from plugins.compliance.forms import checklists

FLAGS = {"yes": "はい", "no": "いいえ"}
COUNTED = {"counted": "操作履歴による対象者数", "entries": "該当する操作履歴の件数"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One item of a checklist as it was answered."""

    item: str
    text: str
    answer: str
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One field as it was filled in, in words; of a checklist its items."""

    title: str
    text: str = ""
    date: str = ""
    checks: tuple[Answered, ...] = ()


def items(field: Field) -> Mapping[str, str]:
    """Return the items of the field's checklist, by number."""
    return checklists()[field.checklist]


def given(step: Step, form: Form) -> dict[str, Any]:
    """Return what was filled in for a step; what is missing is noted beside its field."""
    found = {field.name: _READERS[field.kind](field, form) for field in step.fields}
    noted = {problem.item for problem in form.problems}
    for field in step.fields:
        needed = field.required and not field.all_unless_given
        if needed and found[field.name] is None and field.name not in noted:
            form.wrong(field.name, f"{field.title}を記入してください。")
    return {name: value for name, value in found.items() if value is not None}


def shown(book: Book, fields: Mapping[str, Any]) -> list[Shown]:
    """Return what an entry or a step holds, in the order of the book."""
    known = {field.name: field for step in (*book.steps, COUNT) for field in step.fields}
    found = [_shown(field, fields[name]) for name, field in known.items() if name in fields]
    return found + list(_counted(fields))


def summed(checks: Iterable[Answered]) -> str:
    """Return how often each answer was given: 適 13、不適 1."""
    counts = Counter(check.answer for check in checks)
    return "、".join(f"{title} {counts[answer]}" for answer, title in ANSWERS.items())


def _text(field: Field, form: Form) -> str | None:
    return form.text(field.name)


def _flag(field: Field, form: Form) -> bool | None:
    return {"yes": True, "no": False}.get(form.raw(field.name))


def _ticked(field: Field, form: Form) -> list[str] | None:
    return [each for each in form.all(field.name) if each] or None


def _lines(field: Field, form: Form) -> list[str] | None:
    """Return the lines of every box of this name: a text of several, or several ticked."""
    lines = (line.strip() for each in form.all(field.name) for line in each.splitlines())
    return [line for line in lines if line] or None


def _checks(field: Field, form: Form) -> list[dict[str, str]] | None:
    found = []
    for item in items(field):
        name = f"{field.name}-{item}"
        answer, remark = form.raw(name), form.text(f"{name}-remark") or ""
        if answer not in ANSWERS:
            form.wrong(name, f"{item} に回答してください。")
        elif answer == "no" and not remark:
            text = f"{item} を「不適」とする内容と対応を備考に記入してください。"
            form.wrong(f"{name}-remark", text)
        found.append({"item": item, "answer": answer, **({"remark": remark} if remark else {})})
    return found


_READERS: Mapping[Kind, Callable[[Field, Form], Any]] = {
    Kind.TEXT: _text,
    Kind.DATE: lambda field, form: form.day(field.name),
    Kind.NUMBER: lambda field, form: form.number(field.name),
    Kind.FLAG: _flag,
    Kind.CHOICE: _text,
    Kind.CHOICES: _ticked,
    Kind.LINES: _lines,
    Kind.PERSON: _text,
    Kind.PERSONS: _lines,
    Kind.OFFICES: _lines,
    Kind.CHECKS: _checks,
}


def _shown(field: Field, value: Any) -> Shown:
    choices = field.choices or {}
    match field.kind:
        case Kind.DATE:
            return Shown(title=field.title, date=value)
        case Kind.CHECKS:
            return Shown(title=field.title, checks=tuple(_answered(field, value)))
        case Kind.FLAG:
            return Shown(title=field.title, text="はい" if value else "いいえ")
        case Kind.CHOICE:
            return Shown(title=field.title, text=choices.get(value, value))
        case Kind.CHOICES:
            return Shown(title=field.title, text="、".join(choices.get(v, v) for v in value))
        case Kind.LINES | Kind.PERSONS | Kind.OFFICES:
            return Shown(title=field.title, text="、".join(value))
        case Kind.NUMBER if field.name == "fiscal_year":
            return Shown(title=field.title, text=f"{value}年度")
    return Shown(title=field.title, text=str(value))


def _answered(field: Field, checks: Iterable[Mapping[str, str]]) -> Iterable[Answered]:
    texts = items(field)
    for check in checks:
        yield Answered(
            item=check["item"],
            text=texts.get(check["item"], ""),
            answer=check["answer"],
            remark=check.get("remark", ""),
        )


def _counted(fields: Mapping[str, Any]) -> Iterable[Shown]:
    """Yield what ``compliance/count-affected`` entered, which is in no form."""
    if "counted" in fields:
        counted = fields["counted_in"]
        yield Shown(title=COUNTED["counted"], text=f"{fields['counted']}人")
        yield Shown(title=COUNTED["entries"], text=f"{counted['entries']}件")
        yield Shown(title="集計した期間の始まり", date=counted["since"])
        yield Shown(title="集計した期間の終わり", date=counted["until"])
