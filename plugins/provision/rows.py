"""The rows of a bulk inquiry and of its result (一括提供の方式, R44): pure.

Both are framed files (``appliance/media.py``). Header and row of the inquiry::

    H,juki-bulk/1,<事務 code>,<依頼番号>
    D,<number>,<reference>,<住民票コード>,<個人番号>,<氏名>,<かな>,<生年月日>,<性別>,<住所>

A person is named by one of the two numbers, or by four informations; informations beside a number
must hold of whoever has it (R49). ``reference`` is the inquirer's own and is given back; the key is
not. Header and row of the result::

    H,juki-bulk-result/1,<事務 code>,<依頼番号>,<job>,<items, separated by spaces>
    D,<number>,<reference>,<code>,<match>,<item>,<item>,...

=====  =======================================================================================
code   meaning
=====  =======================================================================================
00     一致: one person; the items follow
10     複数: several fit
20     該当なし: nobody, or what is claimed beside the number does not hold
30     転出: moved to another prefecture
40     死亡: dead; told only to whom struck-off residents may be told of, others get 20
41     職権消除等: struck off otherwise; as 40
90     不許可: the rights do not reach this row
91     要注意: perhaps a protected person, whom two persons open together; ask the office
=====  =======================================================================================
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from appliance.plugin_api import (
    Malformed,
    Problem,
    Value,
    address_key,
    is_birth_date,
    is_my_number,
    is_resident_code,
)
from plugins.provision.match import By, Four, key_of

PROFILE, RESULT_PROFILE = "juki-bulk/1", "juki-bulk-result/1"
MOST_ROWS = 200_000
LONGEST_REFERENCE = 40
COLUMNS = ("resident_code", "my_number", "name", "kana", "birth_date", "sex", "address")
LABELS = {
    "resident_code": "住民票コード",
    "my_number": "個人番号",
    "name": "氏名",
    "kana": "かな",
    "birth_date": "生年月日",
    "sex": "性別",
    "address": "住所",
}
FORMS = {
    "resident_code": "数字11桁",
    "my_number": "数字12桁",
    "name": "200文字以内",
    "kana": "200文字以内",
    "birth_date": "YYYY-MM-DD(不明な部分は00)",
    "sex": "1(男)、2(女)、0(不明)",
    "address": "400文字以内",
}
NUMBERS = ("resident_code", "my_number")


class Code(StrEnum):
    """What a row comes to."""

    ONE = "00"
    SEVERAL = "10"
    NONE = "20"
    MOVED = "30"
    DEAD = "40"
    STRUCK_OFF = "41"
    NOT_PERMITTED = "90"
    PROTECTED = "91"


MEANINGS = {
    Code.ONE: "一致",
    Code.SEVERAL: "複数",
    Code.NONE: "該当なし",
    Code.MOVED: "転出",
    Code.DEAD: "死亡",
    Code.STRUCK_OFF: "職権消除等",
    Code.NOT_PERMITTED: "不許可",
    Code.PROTECTED: "要注意",
}


def header_problems(header: Sequence[str], purpose: str) -> list[Problem]:
    """Return what is wrong with the header of an inquiry under this 事務."""
    if len(header) != 3 or header[0] != PROFILE:
        text = f"見出しは「H,{PROFILE},事務コード,依頼番号」にしてください。"
        return [Problem("B-01", "header", text)]
    problems = []
    if header[1] != purpose:
        text = "見出しの事務コードが、選択した事務と違います。事務の選択を確認してください。"
        problems.append(Problem("B-02", "purpose", text))
    if not 1 <= len(header[2]) <= LONGEST_REFERENCE:
        text = f"依頼番号は1文字以上{LONGEST_REFERENCE}文字以内で書いてください。"
        problems.append(Problem("B-03", "request_no", text))
    return problems


def row_problems(rows: Sequence[Sequence[str]]) -> list[Problem]:
    """Return what is wrong with the rows of an inquiry, in their order; an empty row was told."""
    if not 1 <= len(rows) <= MOST_ROWS:
        text = f"件数は1件以上{MOST_ROWS}件以下にしてください。多いときは分けてください。"
        return [Problem("B-04", "count", text)]
    problems: list[Problem] = []
    for number, row in enumerate(rows, start=1):
        if row and (wrong := _wrong(row)):
            rule, item, text = wrong
            problems.append(Problem(rule, f"row {number}", f"{number}件目 {item}: {text}"))
    return problems


def _wrong(row: Sequence[str]) -> tuple[str, str, str] | None:
    if len(row) != 1 + len(COLUMNS):
        return "B-05", "項目数", f"番号の後に{1 + len(COLUMNS)}項目を書いてください。"
    if len(row[0]) > LONGEST_REFERENCE:
        return "B-06", "照会元番号", f"{LONGEST_REFERENCE}文字以内で書いてください。"
    try:
        by, claimed = meant_by(row)
        if wrong := _wrong_value(by, claimed):
            return wrong
        key_of(by, claimed)
        return _empty_address(claimed or by)
    except msgspec.ValidationError as problem:
        column = str(problem).rpartition("$.")[2].rstrip("`")
        return "B-07", LABELS[column], f"{FORMS[column]}で書いてください。"
    except Malformed:
        text = "住民票コード、個人番号、又は氏名若しくはかなと他の情報で指定してください。"
        return "B-08", "検索キー", text


def _empty_address(four: Four) -> tuple[str, str, str] | None:
    if four.address is None or address_key(four.address):
        return None
    return "B-11", LABELS["address"], "市区町村から書いてください(都道府県名や空白だけは不可)。"


def _wrong_value(by: By, claimed: Four | None) -> tuple[str, str, str] | None:
    if by.resident_code is not None and not is_resident_code(by.resident_code):
        return "B-09", LABELS["resident_code"], "検査数字が合いません。番号を確認してください。"
    if by.my_number is not None and not is_my_number(by.my_number):
        return "B-09", LABELS["my_number"], "検査数字が合いません。番号を確認してください。"
    born = (claimed or by).birth_date
    if born is not None and not is_birth_date(born):
        return "B-10", LABELS["birth_date"], "暦にない日付です。確認してください。"
    return None


def meant_by(row: Sequence[str]) -> tuple[By, Four | None]:
    """Return by what a row names its person, and what is claimed of him beside a number.

    Raises:
        ValidationError: of msgspec; a value has not the form of its column.
    """
    known = {name: value for name, value in zip(COLUMNS, row[1:], strict=True) if value}
    numbers = {name: known.pop(name) for name in NUMBERS if name in known}
    if not numbers:
        return msgspec.convert(known, By), None
    return msgspec.convert(numbers, By), msgspec.convert(known, Four) if known else None


def result_header(purpose: str, request_no: str, job: int, items: Sequence[str]) -> list[str]:
    """Return the header of a result."""
    return [RESULT_PROFILE, purpose, request_no, str(job), " ".join(items)]


def result_row(
    reference: str, code: Code, match: str | None = None, values: Sequence[Value] = ()
) -> list[str]:
    """Return one row of a result."""
    return [reference, code, match or "", *map(_written, values)]


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)
