"""Whoever sits at a terminal reads why something was refused, and what to do next."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import appliance
from appliance.edge.japanese import CODES, is_told, told_in_japanese

HERE = Path(appliance.__file__).parent
ROOT = HERE.parent
MET_BY_STAFF = [
    *(
        HERE / f"{name}.py"
        for name in ("authz", "login", "sessions", "refs", "finding", "registry", "vocabulary")
    ),
    ROOT / "plugins/search/__init__.py",
    ROOT / "plugins/roster/people.py",
    ROOT / "plugins/reconcile/staff.py",
    *(ROOT / f"plugins/provision/{name}.py" for name in ("bulk", "release", "recipients")),
]
REFUSALS = {
    "Unidentified",
    "NotPermitted",
    "Malformed",
    "Conflict",
    "NotFound",
    "AddConditions",
    "TooMany",
}
BY_PROGRAMS = {
    "there is no such record",
    "this version is kept: its time of retention does not run",
}
"""Met by whoever writes a plugin, or by the appliance itself; never by staff."""


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
    return any(is_told(text.replace("{}", filled)) for filled in ("name", "12"))


@pytest.mark.parametrize("path", MET_BY_STAFF, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_that_staff_is_refused_with_is_told_in_japanese(path: Path) -> None:
    untold = [text for text in texts(path) if not is_known(text)]
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
            "入力内容を読み取れませんでした。the body is not JSON",
        ),
    ],
)
def test_a_refusal_is_told_with_the_names_of_its_items(code: str, detail: str, told: str) -> None:
    assert told_in_japanese(code, detail) == told


def test_a_code_of_a_vendor_is_told_too() -> None:
    assert "システム管理者" in told_in_japanese("too-late", "the fee was paid twice")
