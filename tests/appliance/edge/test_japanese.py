"""Whoever sits at a terminal reads why something was refused, and what to do next."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

import appliance
from appliance import wire
from appliance.edge.japanese import CODES, is_told, told_in_japanese
from appliance.errors import Malformed
from appliance.forms import titles
from appliance.loaded import put_together
from appliance.operation import AnyOperation
from appliance.testing import OURS, identified

PLUGIN = {name: import_module(f"plugins.{name}") for name in OURS}

HERE = Path(appliance.__file__).parent
ROOT = HERE.parent
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
MACHINERY = ("cli", "machine")
"""Where refusals are met by whoever sits at the machine itself, with the English console."""
MET_BY_STAFF = [
    *(path for path in sorted(HERE.rglob("*.py")) if path.parent.name not in MACHINERY),
    HERE / "machine/national.py",
    *PLUGINS,
]
REFUSALS = {
    "Unidentified",
    "NotPermitted",
    "Malformed",
    "Conflict",
    "NotFound",
    "AddConditions",
    "TooMany",
    "Rejected",
    "Unavailable",
    "Damaged",
    "UnknownOperation",
}
BY_PROGRAMS = {
    "this version is kept: its time of retention does not run",
    "nobody outside may act as the appliance itself",
    "a server's request carries no session",
    "there is no checkpoint now",
    "no witness has cosigned the ledger yet",
    # the body as a whole: what a terminal's program sends, never its user
    "NaN and Infinity are not numbers here",
    "send application/json or application/cbor",
    "the body must be one object",
    "something follows the end of the body",
    "a key is given twice",
    "a number is too large",
    "nested more than {} deep",
    "text holds a character that is not one",
    "nested too deeply",
    "the body is not UTF-8",
    "the body is not JSON",
    "the line is not JSON",
    "the body is not plain CBOR, has a tag, or gives a key twice",
    "a key is not text",
    "a value is of a kind that is not accepted",
}
"""Met by whoever writes a plugin or a client, or by the appliance itself; never by staff."""


def texts(path: Path) -> Iterator[str]:
    """Yield every sentence a file refuses with; what is filled in is ``name``, a number ``12``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in REFUSALS
            and node.args
        ):
            match node.args[0]:
                case ast.Constant(value=str(text)):
                    yield text
                case ast.JoinedStr(values=parts):
                    yield "".join(
                        part.value if isinstance(part, ast.Constant) else "{}" for part in parts
                    )


def is_known(text: str) -> bool:
    return any(is_told(text.replace("{}", filled)) for filled in ("name", "12", "name, sex"))


@pytest.mark.parametrize("path", MET_BY_STAFF, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_that_staff_is_refused_with_is_told_in_japanese(path: Path) -> None:
    untold = [text for text in texts(path) if text.isascii() and not is_known(text)]
    assert [text for text in untold if text not in BY_PROGRAMS] == []


@pytest.mark.parametrize(
    ("code", "detail", "told"),
    [
        (
            "not-permitted",
            "not within your rights: my_number, address",
            "次の項目は、この事務又は役割では利用できません: 個人番号、住所",
        ),
        (
            "malformed",
            "my_number: the check digit is wrong",
            "個人番号の検査数字が合いません。番号を確認してください。",
        ),
        (
            "malformed",
            "by.birth_date must be YYYY-MM-DD with 00 for unknown parts",
            "生年月日は、年月日(YYYY-MM-DD、不明な部分は00)で入力してください。",
        ),
        (
            "not-permitted",
            "your rights do not allow to ask by four",
            "この事務又は役割では、4情報による照会はできません。",
        ),
        (
            "unidentified",
            "log in first (session/open)",
            "ログインしてください。操作がない時間が続くと自動的にログアウトします。",
        ),
        ("not-permitted", "outside office hours", CODES["not-permitted"]),
        ("not-permitted", "執務時間外です", "執務時間外です"),
        (
            "malformed",
            "the body is not JSON",
            "入力内容を読み取れませんでした。内容と端末のソフトウェアを確認してください。",
        ),
    ],
)
def test_a_refusal_is_told_with_the_names_of_its_items(code: str, detail: str, told: str) -> None:
    assert told_in_japanese(code, detail) == told


def test_a_code_of_a_vendor_is_told_too() -> None:
    assert "システム管理者" in told_in_japanese("too-late", "the fee was paid twice")


def test_no_program_only_sentence_is_listed_that_nobody_says() -> None:
    said = {text for path in MET_BY_STAFF for text in texts(path)}
    assert said >= BY_PROGRAMS


ODD: tuple[Any, ...] = ({}, [], "", "?", -1, 1.5, True, [{}], [""], {"?": ""}, None)
OPERATIONS = [operation for _, operation in put_together(PLUGIN, identified()).operations.values()]
ENGLISH = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}|[\[\\^$`]")
RAW = re.compile(r"^[a-z0-9_]+[はがを]")


def malformed(operation: AnyOperation) -> Iterator[str]:
    """Yield what is said of every field of an operation that is left out, odd, or not its own."""
    fields = [field.encode_name for field in msgspec.structs.fields(operation.asks)]
    example = dict(operation.example or {})
    sent = [{}, {"nothing_of_ours": 1}]
    sent += [{n: v for n, v in example.items() if n != left} for left in fields]
    sent += [{**example, field: odd} for field in fields for odd in ODD]
    sent += [{field: odd} for field in fields for odd in ODD]
    for plain in sent:
        try:
            wire.parse(operation.asks, plain)
        except Malformed as refused:
            yield refused.text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation.name))
def test_whatever_is_wrong_in_a_form_is_told_in_japanese(operation: AnyOperation) -> None:
    for text in malformed(operation):
        assert is_told(text), text
        told = told_in_japanese("malformed", text, titles(operation.asks))
        assert not ENGLISH.search(told), told
        assert not RAW.search(told), told
        assert told.endswith("。") or ": " in told, told


@pytest.mark.parametrize(
    ("operation", "plain", "told"),
    [
        ("relay/close-case", {"number": 1, "reason": ""}, "理由は、1文字以上200文字以内で"),
        ("roster/suspend-operator", {"operator_id": "A", "reason": ""}, "理由は、"),
        ("provision/add-recipient", {"purpose": "a", "name": ""}, "提供先の名称は、"),
        ("disclosure/close", {"number": 0, "why": "completed"}, "受付番号は、"),
        ("provision/inquire", {"by": {}}, "項目が入力されていません。入力してください。"),
        ("statistics/population", {"by": []}, "集計の区分を1件以上3件以内で指定してください。"),
        (
            "statistics/population",
            {"by": ["?"]},
            "集計の区分は、次のいずれかを選んでください: 年齢(age)、市町村(municipality)",
        ),
        ("ledger/search", {"since": "9時"}, "期間の始まりは、日時(例 2026-11-26T09:00:00+09:00)"),
        (
            "provision/report",
            {"by": {"resident_code": "1" * 11}, "since": "?"},
            "期間の始まりは、日付(YYYY-MM-DD)",
        ),
    ],
)
def test_a_field_is_called_as_its_operation_calls_it(
    operation: str, plain: dict[str, Any], told: str
) -> None:
    asks = next(each.asks for each in OPERATIONS if each.name == operation)
    with pytest.raises(Malformed) as refused:
        wire.parse(asks, plain)
    text = told_in_japanese("malformed", refused.value.text, titles(asks))
    assert text.startswith(told)
