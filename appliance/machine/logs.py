"""What the process says of itself: one JSON object a line on stderr, for the journal of the host.

No personal data can get in, because nothing can get in that is not on a list. Of a log call the
*template* is kept, which is a sentence of ours in the source; of its arguments only numbers and
places in our code (``problems.origin``); of ``extra`` only ``FIELDS``, and of those only plain
printable ASCII. An exception is its type and the places it went through, never its text.

Who looked at whom stands in the ledger, not here.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any, TextIO

FIELDS = (
    "request_id",
    "operation",
    "code",
    "status",
    "seconds",
    "count",
    "port",
    "path",
    "plugin",
    "serial",
    "size",
    "destination",
    "number",
)
"""The fields of ``extra`` that may be written."""

_PLAIN = re.compile(r"[\x20-\x7e]{0,200}")
_PLACEHOLDER = re.compile(r"%[-#0 +]*[0-9]*(?:\.[0-9]+)?[a-zA-Z]")
_PLACE = re.compile(r"[A-Za-z_][A-Za-z0-9_]* at [A-Za-z0-9_./-]+\.py:[0-9]+")
_WITHHELD = "(withheld)"


class JsonLines(logging.Formatter):
    """Formats a record as one line; see the module for what is kept."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": _event(record),
        }
        for name in FIELDS:
            if (value := getattr(record, name, None)) is not None:
                line[name] = _safe(value)
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["where"] = _places(record.exc_info[2])
        return json.dumps(line)


def set_up(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send everything that is logged, by us and by libraries, through ``JsonLines``."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # An error while logging would print the record, arguments and all.
    logging.raiseExceptions = False
    logging.captureWarnings(True)


def _event(record: logging.LogRecord) -> str:
    # Warnings come as an argument to a template of "%s"; they are about code, not about people.
    template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    arguments = record.args if isinstance(record.args, tuple) else ()
    given = iter(arguments)
    return _PLACEHOLDER.sub(lambda _: _argument(next(given, None)), template)


def _argument(value: object) -> str:
    harmless = isinstance(value, (int, float)) or (
        isinstance(value, str) and _PLACE.fullmatch(value) is not None
    )
    return str(value) if harmless else _WITHHELD


def _safe(value: object) -> object:
    if isinstance(value, (bool, int, float)):
        return value
    text = str(value) if isinstance(value, (str, Path)) else ""
    return text if text and _PLAIN.fullmatch(text) else _WITHHELD


def _places(traceback: TracebackType | None) -> list[str]:
    return [
        f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(traceback)
    ]


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-2:])
