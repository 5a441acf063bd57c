"""Where every command of a terminal's asks, and as whom.

Every command here is one HTTP call as the operator who is logged in, down the same line as any
request: permitted by role, entered in the ledger.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.cli.link import SESSION, read_seat

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = (
    ("url", "The main port, https://HOST:PORT."),
    ("certificate", "The terminal's certificate, PEM."),
    ("key", "Its private key, PEM, mode 0600."),
    ("ca", "Whose server certificates are believed, PEM."),
)


def at_a_terminal(command: F) -> Callable[..., Any]:
    """Add what says where to ask and as whom; the command gets ``seat`` and ``session``."""

    @wraps(command)
    def run(session: Path, **options: Any) -> Any:
        given = {name: options.pop(name) for name, _ in _OPTIONS}
        if (url := given["url"]) is not None:
            given["url"] = url.rstrip("/")
        for name in ("certificate", "key", "ca"):
            if given[name] is not None:
                given[name] = str(Path(given[name]).resolve())
        return command(seat=read_seat(session, given), session=session, **options)

    decorated: Callable[..., Any] = run
    for name, meaning in reversed(_OPTIONS):
        decorated = click.option(f"--{name}", envvar=f"JUKI_{name.upper()}", help=meaning)(
            decorated
        )
    return click.option(
        "--session",
        type=click.Path(path_type=Path, dir_okay=False),
        default=SESSION,
        show_default=True,
        envvar="JUKI_SESSION",
        help="Where the session is kept between commands.",
    )(decorated)
