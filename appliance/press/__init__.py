"""Paper: from a form and its data to a PDF/A-2u, the same bytes for the same data.

The forms are typst templates. A plugin has a folder of its own; what all papers share is the typst
package ``@juki/paper`` below ``packages/``, and ``forms/register.typ`` prints any register (簿).
What is printed reaches a form as JSON, never as markup, and a form sees no file but those of its
own folder. Nothing leaves that the font cannot draw, nor another shape of a character than was
written, unless whoever prints has looked at it (``plainly``). One compiler serves everybody in
turn: it holds the font (46 MB) and its layouts, and is not safe for threads.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

import typst

from appliance.errors import Problem, Rejected, Unavailable
from appliance.items import ITEMS
from appliance.model import JST
from appliance.press.glyphs import Coverage, Missing, coverage
from appliance.values.characters import gaiji

FONT = Path("/usr/share/fonts/truetype/ipamj/ipamjm.ttf")
"""IPAmj明朝, from the Debian package fonts-ipamj-mincho; there is no other that would do."""
STANDARD: Final = "a-2u"
MOST_ROWS = 1000
"""Rows of a table on one paper: a second and 250 MB while it is made."""
_REMEMBERED: Final = 10
"""Papers back to which typst keeps its layouts: for a table 100 KB a row."""

_HERE = Path(__file__).parent
_LABELS = {str(item.name): f"{item.label}の" for item in ITEMS}
_OURS = "は使えない文字です。入力し直してください。"
_THEIRS = (
    "の字形が書体 IPAmj明朝 にないため、出力できません。"
    "市町村に字形を照会し、システム管理者に連絡してください。"
)

_PAGE = re.compile(rb"/Type\s*/Page\b")
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True, slots=True)
class Printed:
    """A paper, ready to be put out."""

    pdf: bytes
    pages: int
    sha256: str
    """In hex, over ``pdf``."""


def printed_form(
    forms: Path,
    form: str,
    data: Mapping[str, Any],
    on: date,
    *,
    own_words: Collection[str] = (),
    plainly: bool = False,
) -> Printed:
    """Print a form; the same form, data and day give the same bytes.

    Args:
        forms: the folder of the plugin's forms.
        form: the name of a file there, without ``.typ``.
        data: what the form shows; ``office`` is who issues it (``policy.office``).
        on: the day that stands in the file.
        own_words: names in ``data`` of what the clerk writes himself and can write otherwise.
        plainly: the plain character may stand for the variations in ``shapes_missing``.

    Raises:
        Unavailable: F-02, the font is not on this machine.
        Rejected: F-01, the font lacks a character; names the character and its item, and nobody.
    """
    if problems := list(_undrawable(data, own_words, plainly=plainly)):
        raise Rejected("the font lacks a character", problems=problems)
    with _ONE_AT_A_TIME:
        pdf = _compiled(forms, form, data, on)
    return Printed(pdf, len(_PAGE.findall(pdf)), sha256(pdf).hexdigest())


def _compiled(forms: Path, form: str, data: Mapping[str, Any], on: date) -> bytes:
    made = _compiler(FONT).compile(
        input=str(forms / f"{form}.typ"),
        root=str(forms),
        format="pdf",
        sys_inputs={"data": json.dumps({**data, "on": on.isoformat()}, ensure_ascii=False)},
        pdf_standards=[STANDARD],
        timestamp=datetime.combine(on, time(), JST),
    )
    return cast(bytes, made)


def printed_table(
    title: str,
    columns: Mapping[str, float],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str],
    on: date,
    *,
    issuer: str = "",
    footer: str = "",
) -> Printed:
    """Print a register (簿): A4 landscape, the header on every page, pages numbered.

    Args:
        title: above it, and of the file.
        columns: the label of each column, and its share of the width.
        rows: one text for each column; at most ``MOST_ROWS``.
        notes: sentences between title and table: what it is, of which period, how many rows.
        on: the day that stands on it and in the file.
        issuer: whose register it is, such as ``policy.office.issuer``.
        footer: at the foot of every page, such as the proof of what is printed.

    Raises:
        ValueError: a row has too few texts, or too many.
        Unavailable: as ``printed_form``.
        Rejected: as ``printed_form``; or F-03, there are too many rows for one paper.
    """
    if len(rows) > MOST_ROWS:
        text = f"{len(rows)}行あります。1回に印刷できるのは{MOST_ROWS}行までです。分けてください。"
        raise Rejected("too many rows for one paper", problems=[Problem("F-03", "rows", text)])
    if any(len(row) != len(columns) for row in rows):
        raise ValueError(f"a row of the table {title} has not one text for each column")
    data = {
        "office": {"issuer": issuer},
        "title": title,
        "columns": list(columns.items()),
        "rows": rows,
        "notes": notes,
        "footer": footer,
        "issued": f"{on.year}年{on.month}月{on.day}日",
    }
    made = printed_form(_HERE / "forms", "register", data, on)
    with _ONE_AT_A_TIME:
        _forget()
    return made


def _forget() -> None:
    """Make typst give up the layouts of what was printed: it counts papers, so give it some."""
    for _ in range(_REMEMBERED + 1):
        _compiler(FONT).compile(input=b"", format="pdf")


@cache
def _compiler(font: Path) -> typst.Compiler:
    ours = str(_HERE / "packages")
    return typst.Compiler(
        font_paths=[str(font.parent)],
        ignore_system_fonts=True,
        package_path=ours,
        package_cache_path=ours,
    )


def missing(text: str) -> tuple[Missing, ...]:
    """Return the characters of a text that the font cannot draw as they are written, each once.

    Raises:
        Unavailable: F-02, the font is not on this machine.
    """
    return tuple(dict.fromkeys(_font().missing(text)))


def is_drawn(text: str) -> bool:
    """Return whether all of a text has a shape here: no image of a character, nothing missing.

    Where the font is not on this machine, only the images are known.
    """
    return not gaiji(text) and not (FONT.is_file() and missing(text))


def shapes_missing(
    data: Mapping[str, Any], own_words: Collection[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Return the variations in the data of a form that only have their plain character here.

    Each once, as its item and its code points; ``own_words`` are as in ``printed_form``.

    Raises:
        Unavailable: F-02, the font is not on this machine.
    """
    lacking = _lacking(data)
    return tuple(
        (i, each.character) for i, each in lacking if each.has_plain and i not in own_words
    )


def _font() -> Coverage:
    if FONT.is_file():
        return coverage(FONT)
    raise Unavailable(
        "the font IPAmjMincho is missing; install the Debian package fonts-ipamj-mincho",
        problems=[
            Problem(
                "F-02",
                "font",
                "書体 IPAmj明朝 がこの機器にないため、出力できません。"
                "運用担当者に fonts-ipamj-mincho の導入を依頼してください。",
            )
        ],
    )


def _undrawable(
    data: Mapping[str, Any], own_words: Collection[str], *, plainly: bool
) -> Iterator[Problem]:
    """Yield a problem for each character of the data that the font lacks, under its item."""
    for item, each in _lacking(data):
        is_ours = item in own_words
        if plainly and each.has_plain and not is_ours:
            continue
        label, rest = _LABELS.get(item, ""), _OURS if is_ours else _THEIRS
        yield Problem("F-01", item, f"{label}文字 {each.character} {rest}")


def _lacking(data: Mapping[str, Any]) -> Iterable[tuple[str, Missing]]:
    font = _font()
    return dict.fromkeys(
        (item, each) for item, text in _texts("", data) for each in font.missing(text)
    )


def _texts(item: str, data: Any) -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield item, data.replace("\n", "")
    elif isinstance(data, Mapping):
        for name, value in data.items():
            yield from _texts(str(name), value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _texts(item, value)
