"""A usage book as a CSV file, as offices keep it in a spreadsheet.

The first line names the columns, in any order::

    使用日       2026-04-01 or 2026/4/1                     required
    開始時刻     9:05 or 09:05; 時刻 is the same             required
    終了時刻     9:20; empty where the use took minutes
    操作者ID     whoever used the system                    required
    使用簿番号   what was given as X-Case
    事務         code, as in X-Purpose                      required
    利用事由     code, as in X-Reason                       required
    件数         how many residents were looked at          required
    備考         free text

UTF-8, with a byte order mark or without, or CP932 (Shift_JIS). Every line that is not right is
named by its number in the file, its column and the rule; what stands in it is not repeated.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any, NamedTuple
from unicodedata import normalize

import msgspec

from appliance.plugin_api import Problem
from plugins.usebook.book import Written

COLUMNS = {
    "使用日": "day",
    "開始時刻": "begins",
    "時刻": "begins",
    "終了時刻": "ends",
    "操作者ID": "operator",
    "使用簿番号": "case",
    "事務": "purpose",
    "利用事由": "reason",
    "件数": "count",
    "備考": "note",
}
NEEDED = ("使用日", "開始時刻", "操作者ID", "事務", "利用事由", "件数")
LABELS = {
    "day": "使用日",
    "begins": "開始時刻",
    "ends": "終了時刻",
    "operator": "操作者ID",
    "case": "使用簿番号",
    "purpose": "事務",
    "reason": "利用事由",
    "count": "件数",
    "note": "備考",
}
MOST_LINES = 5_000
_DAY = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::[0-9]{2})?")
_COUNT = re.compile(r"[0-9]{1,6}")
_LONGEST, _LONGEST_NOTE, _MOST = 64, 200, 100_000


class Sheet(NamedTuple):
    """What a file says, and what is wrong with it; lines are numbered as in the file."""

    lines: tuple[tuple[int, Written], ...]
    problems: tuple[Problem, ...]


def read_sheet(content: bytes) -> Sheet:
    """Read a file whole; what is wrong with one line does not hide what is wrong with others."""
    text = _decoded(content)
    if text is None:
        told = "文字コードはUTF-8又はShift_JIS(CP932)にしてください。保存し直してください。"
        return Sheet((), (Problem("U-01", "file", told),))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        # A heading, and one line more than may be: the rest of a hostile file is not taken apart.
        rows = list(islice(_numbered(reader), MOST_LINES + 2))
    except csv.Error:
        told = "引用符の対応など、CSVの形式が正しくありません。この行を確認してください。"
        return Sheet((), (Problem("U-03", f"line {reader.line_num}", told),))
    if not rows:
        return Sheet((), (Problem("U-02", "line 1", "1行目に列名を書いてください。"),))
    (at, heading), *body = rows
    names = [normalize("NFKC", cell).strip() for cell in heading]
    if wrong := tuple(_heading_problems(at, names)):
        return Sheet((), wrong)
    if not 1 <= len(body) <= MOST_LINES:
        told = f"明細は1行以上{MOST_LINES}行以下にしてください。多いときは月ごとに分けてください。"
        return Sheet((), (Problem("U-16", "file", told),))
    return _read_rows(names, body)


def _read_rows(names: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> Sheet:
    lines: list[tuple[int, Written]] = []
    problems: list[Problem] = []
    for number, cells in rows:
        if len(cells) != len(names):
            told = f"列の数が1行目と違います。{len(names)}列にしてください。"
            problems.append(Problem("U-03", f"line {number}", told))
            continue
        values = {COLUMNS[name]: cell.strip() for name, cell in zip(names, cells, strict=True)}
        found: dict[str, object] = {}
        wrong = list(_row_problems(number, values, found))
        problems += wrong
        if not wrong:
            lines.append((number, msgspec.convert(found, Written)))
    return Sheet(tuple(lines), tuple(problems))


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of the line in the file where it begins; not empty ones."""
    begins = 1
    for row in reader:
        if any(cell.strip() for cell in row):
            yield begins, row
        begins = reader.line_num + 1


def _heading_problems(at: int, names: Sequence[str]) -> Iterator[Problem]:
    if len(names) > len(COLUMNS):
        told = f"列が多すぎます。使える列名: {'、'.join(COLUMNS)}"
        yield Problem("U-02", f"line {at}", told)
        return
    there = [COLUMNS.get(name) for name in names]
    for place, field in enumerate(there, 1):
        if field is None:
            told = f"{place}列目の列名は使えません。使える列名: {'、'.join(COLUMNS)}"
            yield Problem("U-02", f"line {at}", told)
        elif there.index(field) != place - 1:
            told = f"「{LABELS[field]}」の列が二つあります。一つにしてください。"
            yield Problem("U-02", f"line {at}, {LABELS[field]}", told)
    for name in NEEDED:
        if COLUMNS[name] not in there:
            told = f"「{name}」の列がありません。追加してください。"
            yield Problem("U-02", f"line {at}, {name}", told)


def _row_problems(
    number: int, values: Mapping[str, str], found: dict[str, object]
) -> Iterator[Problem]:
    """Yield what is wrong with a row; what is right goes into ``found``."""
    for field, text in values.items():
        rule, told, value = _cell(field, text)
        if told:
            yield Problem(rule, f"line {number}, {LABELS[field]}", told)
        elif value is not None:
            found[field] = value


class Cell(NamedTuple):
    """What a cell says; or by which rule it says nothing, and what to write."""

    rule: str = ""
    told: str = ""
    value: object = None


def _cell(field: str, text: str) -> Cell:
    if field == "note":
        long = len(text) > _LONGEST_NOTE
        return (
            Cell("U-13", f"{_LONGEST_NOTE}文字以内で書いてください。") if long else Cell(value=text)
        )
    typed = normalize("NFKC", text).strip()
    if not typed:
        empty = field in ("ends", "case")
        return Cell() if empty else Cell("U-07", "空欄にできません。値を書いてください。")
    if field == "day":
        day = _day(typed)
        told = "「2026-04-01」又は「2026/4/1」の形で、実在する日を書いてください。"
        return Cell("U-04", told) if day is None else Cell(value=day)
    if field in ("begins", "ends"):
        clock = _clock(typed)
        told = "「9:05」の形で、0:00から23:59までの時刻を書いてください。"
        return Cell("U-06", told) if clock is None else Cell(value=clock)
    if field == "count":
        right = _COUNT.fullmatch(typed) and int(typed) <= _MOST
        told = f"0以上{_MOST}以下の整数を書いてください。"
        return Cell(value=int(typed)) if right else Cell("U-12", told)
    if len(typed) > _LONGEST:
        return Cell("U-08", f"{_LONGEST}文字以内で書いてください。")
    return Cell(value=typed)


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    try:
        return None if found is None else date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def _clock(text: str) -> str | None:
    found = _CLOCK.fullmatch(text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return f"{int(found[1]):02}:{found[2]}"
