"""What was asked, what was answered, and whether that was right: one step after another."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


class Off(Exception):
    """A step cannot go on: something it needs was answered otherwise. The text says what."""


@dataclass(slots=True)
class Step:
    """One thing that was tried."""

    name: str
    asked: str = ""
    answers: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True while nothing was answered otherwise than it must be."""
        return not self.wrong

    @property
    def answered(self) -> str:
        """What was answered; whatever is wrong comes first."""
        return "; ".join([*(f"WRONG: {text}" for text in self.wrong), *self.answers])

    def asks(self, text: str) -> None:
        """Say what is asked; several times for a step that asks several things."""
        self.asked = f"{self.asked}, {text}" if self.asked else text

    def saw(self, text: str, right: bool = True) -> None:
        """Write down what was answered; ``right`` tells whether it had to be so."""
        (self.answers if right else self.wrong).append(text)

    def must(self, text: str, right: bool) -> None:
        """Write down what was answered, and stop here if it is not right.

        Raises:
            Off: it is not.
        """
        if not right:
            raise Off(text)
        self.answers.append(text)


class Steps:
    """All steps of a run; tells each on the console as it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._steps: list[Step] = []
        self._to_come: list[str] = []

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def failed(self) -> list[Step]:
        """The steps that did not go as they must."""
        return [step for step in self._steps if not step.ok]

    @property
    def verdict(self) -> str:
        """How it went, in one line."""
        wrong = f"{len(self.failed)} of them not as they must be" if self.failed else "all right"
        never = f"; never tried: {', '.join(self._to_come)}" if self._to_come else ""
        return f"{len(self)} steps, {wrong}{never}"

    def plan(self, *titles: str) -> None:
        """Say which acts there will be, so that one that is never reached is missed."""
        self._to_come += titles

    def act(self, title: str) -> None:
        """Begin another part of the story."""
        if title in self._to_come:
            self._to_come.remove(title)
        self.console.print(f"\n[bold]{escape(title)}[/bold]")

    @contextmanager
    def step(self, name: str, *, vital: bool = False) -> Iterator[Step]:
        """Yield a step; whatever goes wrong in it is written down and the run goes on.

        Raises:
            Exception: whatever it was, if the step is ``vital`` to all that follow.
        """
        step = Step(name)
        try:
            yield step
        except Exception as problem:
            word = "" if isinstance(problem, Off) else f"{type(problem).__name__}: "
            step.saw(f"{word}{problem}", right=False)
            if vital:
                raise
        finally:
            self._steps.append(step)
            self._tell(step)

    def table(self) -> Table:
        """Return all steps as a table."""
        table = Table(title="What was asked, and what was answered", show_lines=True)
        table.add_column("", justify="center")
        table.add_column("step", ratio=2)
        table.add_column("asked", ratio=3, overflow="fold")
        table.add_column("answered", ratio=4, overflow="fold")
        for step in self._steps:
            table.add_row(_mark(step), *map(escape, (step.name, step.asked, step.answered)))
        return table

    def write(self, path: Path) -> None:
        """Write all steps as a JSON list of ``{step, ok, detail}``; an act never begun is one."""
        rows = [{"step": step.name, "ok": step.ok, "detail": _detail(step)} for step in self._steps]
        rows += [{"step": act, "ok": False, "detail": "never tried"} for act in self._to_come]
        path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def _tell(self, step: Step) -> None:
        self.console.print(f"{_mark(step)} {escape(step.name)}")
        self.console.print(Padding(Text(_detail(step), style="dim"), (0, 0, 0, 4), expand=False))


def _mark(step: Step) -> str:
    return "[green]✓[/green]" if step.ok else "[red]✗[/red]"


def _detail(step: Step) -> str:
    return f"{step.asked} → {step.answered}" if step.asked else step.answered
