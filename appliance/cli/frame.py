"""What all commands have in common: exit codes, two forms of output, errors as both.

Every command loads this first, so what takes long to load is loaded by the function that needs it.
"""

import inspect
import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from appliance.errors import StartupError, StoreExists
from appliance.files import is_open_to_others
from appliance.machine.config import DEFAULT_PATH
from storage.errors import (
    LedgerBroken,
    LoadUnfinished,
    OutcomeUnknown,
    SharesRefused,
    StorageError,
    StoreInUse,
    Tampered,
    WrongKey,
)

if TYPE_CHECKING:
    from rich.console import Console

UNLIMITED = 10_000
"""Columns where nothing is wrapped: lines are for another program."""
UNDERLINED = "    \n    \n -  \n    \n    \n    \n    \n    \n"
"""The lines of a table, as ``rich.box`` has them."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
"""A time as the appliance answers it."""
JSON = "juki.json"
"""Key of what all contexts of one command share."""
F = TypeVar("F", bound=Callable[..., Any])


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    WRONG = 1
    NOT_UNDERSTOOD = 2
    REFUSED = 3
    HUMAN = 4


class Stop(Exception):
    """A command that ends early: its exit code, a stable word, and a line for each problem."""

    def __init__(self, exit_code: Exit, code: str, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.exit_code = exit_code
        self.code = code
        self.lines = lines


class Command(click.Command):
    """A command whose examples are shown as they are written, line by line."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        attributes["help"] = _with_examples(attributes.get("help") or "")
        super().__init__(*args, **attributes)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **attributes: Any) -> None:
        attributes["help"] = _with_examples(attributes.get("help") or "")
        super().__init__(*args, **attributes)


class Juki(Group):
    """The group of all; translates our errors into exit codes, in one place."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise  # the last: whoever read the output has read enough, as head does
        except Exception as problem:
            _tell(stopped_by(problem))


def stopped_by(problem: Exception) -> Stop:
    """Return how an error ends a command."""
    match problem:
        case Stop():
            return problem
        case StoreExists():
            return Stop(Exit.REFUSED, "store-exists", *problem.problems)
        case StartupError():
            return Stop(Exit.NOT_UNDERSTOOD, "startup", *problem.problems)
        case SharesRefused():
            return Stop(Exit.REFUSED, "shares-refused", str(problem))
        case LoadUnfinished():
            return Stop(Exit.REFUSED, "load-unfinished", str(problem))
        case StoreInUse():
            return Stop(Exit.REFUSED, "store-in-use", str(problem))
        case Tampered() | LedgerBroken() | WrongKey() | OutcomeUnknown():
            return Stop(Exit.HUMAN, "integrity", str(problem))
        case StorageError():
            return Stop(Exit.WRONG, "storage", str(problem))
        case OSError():
            where = problem.filename or "the connection"
            return Stop(Exit.WRONG, "system", f"{where}: {problem.strerror or 'failed'}")
        case _:
            from appliance.edge.problems import origin

            return Stop(Exit.HUMAN, "internal", f"a fault of this command ({origin(problem)})")


def as_json(command: F) -> F:
    """Add ``--json``; every command has it."""

    def remember(context: click.Context, _option: click.Parameter, given: bool) -> None:
        context.meta[JSON] = given

    return click.option(
        "--json",
        is_flag=True,
        # First, so that whatever is wrong with the others is told in this form too.
        is_eager=True,
        expose_value=False,
        callback=remember,
        help="One JSON object on standard output.",
    )(command)


def with_config(command: F) -> F:
    """Add ``--config``."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, dir_okay=False),
        default=DEFAULT_PATH,
        show_default=True,
        help="The appliance's configuration.",
    )(command)


def wants_json() -> bool:
    """Return whether the command that runs was given ``--json``."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(JSON))


def show(plain: Mapping[str, Any], text: Callable[[], str] | None = None) -> None:
    """Print a result: as JSON if asked for, otherwise as ``text`` or one ``key: value`` a line."""
    if wants_json():
        click.echo(json.dumps(plain, ensure_ascii=False, default=str))
    elif text is not None:
        click.echo(text())
    else:
        width = max(map(len, plain), default=0) + 1
        for key, value in plain.items():
            click.echo(f"{key + ':':<{width}} {shown(value)}")


def shown(value: object) -> str:
    """Return a value as people read it: what is not there is none, a time is this machine's."""
    if value is None or value == "":
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(part)}" for name, part in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        between = "; " if any(isinstance(each, Mapping) for each in value) else ", "
        return between.join(map(shown, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and MOMENT.fullmatch(value):
        moment = datetime.fromisoformat(value).astimezone()
        return moment.isoformat(sep=" ", timespec="seconds")
    return str(value)


def table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], width: int | None = None
) -> str:
    """Return rows as a table; full-width characters count as two.

    Args:
        rows: what it shows.
        columns: which parts of a row, in this order.
        width: cells are wrapped to stay within it; None: the terminal's, if it is one.
    """
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        box=Box(UNDERLINED, ascii=True), show_edge=False, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in columns:
        drawn.add_column(Text(name), overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(shown(row.get(name))) for name in columns))
    text = StringIO()
    Console(file=text, width=width or _screen_width(), color_system=None).print(drawn)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def finish(exit_code: int) -> NoReturn:
    """End the command with this code."""
    raise click.exceptions.Exit(exit_code)


def secret(prompt: str, *, confirm: bool = False) -> str:
    """Return a secret: typed unseen at a terminal, or the next line of standard input."""
    if sys.stdin.isatty():
        typed: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
        return typed.strip()
    line = sys.stdin.readline()
    if not line:
        raise Stop(Exit.NOT_UNDERSTOOD, "no-input", f"{prompt}: nothing more on standard input")
    return line.strip()


def must_be_private(path: Path, code: str) -> None:
    """Refuse a file with a secret in it that others may read.

    Raises:
        Stop: it is open to others.
        OSError: there is no such file.
    """
    if is_open_to_others(path):
        raise Stop(Exit.REFUSED, code, f"{path} is open to others (mode 0600)")


def progress_console() -> "Console":
    """Return where progress is drawn: standard error, if somebody looks at it."""
    from rich.console import Console

    console = Console(stderr=True)
    return Console(stderr=True, quiet=wants_json() or not console.is_terminal)


def _with_examples(text: str) -> str:
    """Mark every paragraph that has indented lines, so that click does not fill it."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        f"\b\n{paragraph}" if "\n  " in paragraph else paragraph for paragraph in paragraphs
    )


def _tell(stop: Stop) -> NoReturn:
    if wants_json():
        click.echo(
            json.dumps({"error": {"code": stop.code, "problems": stop.lines}}, ensure_ascii=False)
        )
    for line in stop.lines:
        click.echo(f"juki: {line}", err=True)
    finish(stop.exit_code)


def _screen_width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED


def rows(answer: Mapping[str, Any], name: str, columns: Sequence[str]) -> None:
    """Show a list that an answer holds under a name, as a table."""
    found = answer[name]
    show(answer, lambda: table(found, columns) if found else "none")
