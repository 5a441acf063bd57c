"""What the three rosters have in common at a terminal: list, entry, step, paper."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from appliance.plugin_api import (
    JST,
    Answered,
    Desk,
    Form,
    NotFound,
    Page,
    Paper,
    Refusal,
    Rejected,
)
from plugins.roster.screens.filling import narrow

GROUP = "名簿・端末"
PACKAGE = "plugins.roster"
MOST = 50
"""Lines of a list; the rest is on further pages."""
SOUGHT = ("name", "kana", "place", "holders")
"""Items of entries, whichever there are, in which words are looked for."""
PRINT = "roster/print"
Entry = Mapping[str, Any]
Listed = tuple[Sequence[Entry], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that is done with one entry, asked on a page of its own."""

    operation: str
    title: str
    text: str
    """What it comes to."""
    button: str
    done: str = ""
    """What is said afterwards; nothing where the answer is a code."""
    read: Callable[[Desk, Form], dict[str, Any]] = field(default=lambda desk, form: {})
    carries: tuple[str, ...] = ()
    """Fields that say which part of the entry is meant."""
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A roster: where it is listed, how an entry is found, and what can be done with it."""

    path: str
    name: str
    """Of the register for ``roster/print``, and of the templates."""
    key: str
    """The wire name of what an entry is called by."""
    title: str
    """Of the page of one entry."""
    entries: Callable[[Desk], Listed]
    """Everything, each with a ``state``; and what every page of it shows beside."""
    states: Mapping[str, str]
    chips: Mapping[str, str]
    steps: Mapping[str, Step]
    fits: Callable[[Desk, Entry], Iterable[str]]
    """The steps that can be taken with an entry as it stands."""
    words: Mapping[str, Any] = field(default_factory=dict)
    opened_with: Callable[[Desk, Entry], Mapping[str, Any]] = field(default=lambda desk, entry: {})
    """What the page of an entry shows beside."""

    def show(self, desk: Desk) -> Page:
        """List everything, the first page."""
        return self.pick(desk, Form())

    def pick(self, desk: Desk, form: Form) -> Page:
        """List what fits the conditions, a page at a time."""
        every, beside = self.entries(desk)
        fitting = [each for each in every if self._fits_conditions(each, form)]
        last = max(0, (len(fitting) - 1) // MOST)
        number = min(form.number("page") or 0, last)
        data = {
            "entries": fitting[number * MOST : (number + 1) * MOST],
            "count": len(fitting),
            "every": len(every),
            "first": number * MOST + 1,
            "page": number,
            "last": last,
            "offices": [(name, name) for name in sorted({each["office"] for each in every} - {""})],
            "conditions": {name: form.raw(name) for name in ("words", "office", "state")},
            **beside,
        }
        return self._page(desk, f"{self.name}.html", data)

    def open(self, desk: Desk, form: Form) -> Page:
        """Open one entry."""
        return self.opened(desk, form)

    def opened(self, desk: Desk, form: Form, notice: str = "") -> Page:
        """Show one entry, with the steps that can be taken.

        Raises:
            NotFound: there is no such entry.
        """
        entry, beside = self.entry(desk, form)
        possible = [*self.fits(desk, entry)]
        data = {
            "entry": entry,
            "possible": [name for name in possible if desk.may(self.steps[name].operation)],
            **beside,
            **self.opened_with(desk, entry),
        }
        return self._page(desk, f"{self.name}-entry.html", data, self.title, notice)

    def step(self, desk: Desk, form: Form) -> Page:
        """Show what a step comes to, and ask for what it needs.

        Raises:
            NotFound: there is no such entry.
            Rejected: there is no such step.
        """
        chosen = self._chosen(form)
        entry, beside = self.entry(desk, form)
        data = {
            "entry": entry,
            "step": chosen,
            "name": form.raw("step"),
            "carried": {name: form.raw(name) for name in (self.key, *chosen.carries)},
            "first_time": not form.ticked("filled"),
            **beside,
        }
        return self._page(desk, f"{self.name}-step.html", data, chosen.title)

    def take(self, desk: Desk, form: Form) -> Page:
        """Take a step; show the entry as it stands then, or the code that came of it.

        Raises:
            Refusal: no.
        """
        chosen = self._chosen(form)
        carried = {name: form.raw(name) for name in (self.key, *chosen.carries)}
        answer = desk.ask(chosen.operation, {**carried, **chosen.read(desk, form)})
        if "enrolment_code" in answer:
            return code_page(answer, self.path)
        return self.opened(desk, form, chosen.done)

    def print(self, desk: Desk, form: Form) -> Paper:
        """Print the register, whole or of one 所属, as it is or with every earlier line."""
        office = form.text("print_office")
        asked: dict[str, Any] = {"register": self.name, "history": form.ticked("history")}
        made = desk.ask(PRINT, asked | ({"office": office} if office else {}))
        return Paper(
            content=made["pdf"], media_type="application/pdf", name=f"roster-{self.name}.pdf"
        )

    def again(self, desk: Desk, form: Form) -> Page:
        """Return the page an act was pressed on."""
        shown = Form(form.fields)
        try:
            if form.raw("step"):
                return self.step(desk, shown)
            return self.opened(desk, shown) if form.raw(self.key) else self.show(desk)
        except Refusal:
            return self.show(desk)

    @property
    def acts(self) -> Mapping[str, Callable[[Desk, Form], Answered]]:
        """What can be pressed."""
        return {
            "list": self.pick,
            "open": self.open,
            "step": self.step,
            "take": self.take,
            "print": self.print,
        }

    def entry(self, desk: Desk, form: Form) -> tuple[Entry, Mapping[str, Any]]:
        """Return the entry that a form names, and what is shown beside.

        Raises:
            NotFound: there is none.
        """
        every, beside = self.entries(desk)
        found = next((each for each in every if each[self.key] == form.raw(self.key)), None)
        if found is None:
            raise NotFound("この登録はありません。一覧から選び直してください。")
        return found, beside

    def _page(
        self, desk: Desk, template: str, data: Mapping[str, Any], title: str = "", notice: str = ""
    ) -> Page:
        common = {
            "book": self,
            "today": today(desk).isoformat(),
            "may_print": desk.may(PRINT),
            **self.words,
        }
        return Page(template=template, title=title, notice=notice, data={**common, **data})

    def _chosen(self, form: Form) -> Step:
        chosen = self.steps.get(form.raw("step"))
        if chosen is None:
            raise Rejected("手続を一覧から選び直してください。")
        return chosen

    def _fits_conditions(self, entry: Entry, form: Form) -> bool:
        words = narrow(form.raw("words")).upper().split()
        stands = " ".join(str(entry.get(name) or "") for name in (self.key, *SOUGHT))
        known = narrow(stands).upper()
        return (
            form.raw("office") in ("", entry["office"])
            and form.raw("state") in ("", entry["state"])
            and all(word in known for word in words)
        )


def code_page(answer: Mapping[str, Any], back: str) -> Page:
    """Show a one-use code, the only time it is shown."""
    return Page(template="code.html", title="登録コード", data={"told": answer, "back": back})


def today(desk: Desk) -> date:
    """Return the day it is in Japan."""
    return desk.who.now.astimezone(JST).date()


def moment(text: str | None) -> datetime | None:
    """Return a moment of an answer."""
    return datetime.fromisoformat(text) if text else None
