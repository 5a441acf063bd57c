"""Paper: from a form and its data to a PDF/A-2u, the same bytes for the same data.

The forms are typst templates beside this module; what is printed reaches them as JSON, never as
markup. Nothing leaves that the font cannot draw. One compiler serves everybody in turn: it holds
the font (46 MB) and its layouts, and is not safe for threads.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

import typst

from appliance.plugin_api import JST, Problem, Rejected, Unavailable
from plugins.disclosure.glyphs import coverage

FORMS = Path(__file__).parent / "forms"
FONT = Path("/usr/share/fonts/truetype/ipamj/ipamjm.ttf")
"""IPAmj明朝, from the Debian package fonts-ipamj-mincho; there is no other that would do."""
STANDARD: Final = "a-2u"

OWN_WORDS = ("explanation", "why")
"""Items that the clerk writes himself."""
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


def printed(form: str, data: Mapping[str, Any], on: date) -> Printed:
    """Print a form; the same form, data and day give the same bytes.

    Raises:
        Unavailable: the font is not on this machine.
        Rejected: D-90, the font lacks a character; names the character, and nobody.
    """
    if not FONT.is_file():
        raise Unavailable(
            "the font IPAmjMincho is missing; install the Debian package fonts-ipamj-mincho",
            problems=[
                Problem(
                    "D-91",
                    "font",
                    "書体 IPAmj明朝 がこの機器にないため、出力できません。"
                    "運用担当者に fonts-ipamj-mincho の導入を依頼してください。",
                )
            ],
        )
    if problems := list(_undrawable(data)):
        raise Rejected("the font lacks a character", problems=problems)
    given = {"data": json.dumps({**data, "on": on.isoformat()}, ensure_ascii=False)}
    with _ONE_AT_A_TIME:
        made = _compiler(FONT).compile(
            input=str(FORMS / f"{form}.typ"),
            format="pdf",
            sys_inputs=given,
            pdf_standards=[STANDARD],
            timestamp=datetime.combine(on, time(), JST),
        )
    pdf = cast(bytes, made)
    return Printed(pdf, len(_PAGE.findall(pdf)), sha256(pdf).hexdigest())


@cache
def _compiler(font: Path) -> typst.Compiler:
    return typst.Compiler(root=str(FORMS), font_paths=[str(font.parent)], ignore_system_fonts=True)


def _undrawable(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each character of the data that the font lacks, under its item."""
    font = coverage(FONT)
    lacking = {(item, name): None for item, text in _texts("", data) for name in font.lacking(text)}
    for item, name in lacking:
        yield Problem("D-90", item, f"文字 {name} {_OURS if item in OWN_WORDS else _THEIRS}")


def _texts(item: str, data: Any) -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield item, data.replace("\n", "")
    elif isinstance(data, Mapping):
        for name, value in data.items():
            yield from _texts(str(name), value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _texts(item, value)
