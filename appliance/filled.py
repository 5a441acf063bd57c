"""A form as it was filled in: text, dates, numbers and readings in any of the ways people write.

What cannot be read is noted beside its field (``problems``) and the rest goes on, so that whoever
typed it is told everything at once. Nothing is asked while there is a problem (``Desk.ask``).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypedDict
from unicodedata import normalize

from appliance.errors import Problem
from appliance.values.dates import Eras
from appliance.values.identifiers import is_my_number, is_resident_code
from appliance.values.kana import hiragana

GROUND, CASE, KEY, APPROVAL = "ground", "case", "_key", "_approval"
"""Fields of the frame: 事務/利用事由, 使用簿番号, the form's key, a second person's agreement."""
GROUND_CHOICE = re.compile(r"([A-Za-z0-9._-]{1,32})/([A-Za-z0-9._-]{1,32})")
CASE_NUMBER = re.compile(r"[A-Za-z0-9._/-]{1,64}")
FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16,48}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was chosen; what it was called stays where it came from."""

    content: bytes


class Stated(TypedDict):
    """What a request is made for, as ``Desk.ask`` takes it."""

    purpose: str | None
    reason: str | None
    case: str | None


@dataclass(slots=True)
class Form:
    """What was filled in, by field; asking for a field that is not there gives nothing."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    """What could not be read, in the staff's words."""

    def raw(self, name: str) -> str:
        """Return what was typed, as it was."""
        return next(iter(self.fields.get(name, ())), "")

    def text(self, name: str) -> str | None:
        """Return what was typed without the spaces around it, or None if that is nothing."""
        return self.raw(name).strip() or None

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that may have several."""
        return tuple(self.fields.get(name, ()))

    def ticked(self, name: str) -> bool:
        """Return whether a box is ticked."""
        return bool(self.raw(name))

    def file(self, name: str) -> Upload | None:
        """Return the file that was chosen, or None."""
        return self.files.get(name)

    def number(self, name: str) -> int | None:
        """Return a whole number, in digits of any width."""
        text = self._narrow(name)
        if not text:
            return None
        if re.fullmatch("[0-9]{1,9}", text):
            return int(text)
        self.wrong(name, "数字で入力してください。")
        return None

    def digits(self, name: str, length: int) -> str | None:
        """Return a number of so many digits, written with or without hyphens and spaces."""
        text = re.sub("[ -]", "", self._narrow(name))
        if not text or re.fullmatch(f"[0-9]{{{length}}}", text):
            return text or None
        self.wrong(name, f"{length}桁の数字で入力してください。")
        return None

    def my_number(self, name: str) -> str | None:
        """Return a 個人番号 whose check digit is right."""
        return self._checked(name, self.digits(name, 12), is_my_number)

    def resident_code(self, name: str) -> str | None:
        """Return a 住民票コード whose check digit is right."""
        return self._checked(name, self.digits(name, 11), is_resident_code)

    def date(self, name: str) -> str | None:
        """Return a date of the register, YYYY-MM-DD with 00, typed in 和暦 or 西暦."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return str(_eras().typed(text))
        except ValueError:
            self.wrong(
                name,
                "日付を読み取れません。令和8年4月1日、R8.4.1、20260401のように入力してください。",
            )
            return None

    def day(self, name: str) -> str | None:
        """Return a day of the calendar, typed as ``date`` reads it."""
        text = self.date(name)
        if text is None or self._is_day(text):
            return text
        self.wrong(name, "年月日をすべて入力してください。暦にある日に限ります。")
        return None

    def kana(self, name: str) -> str | None:
        """Return a reading in hiragana, typed in hiragana, katakana or half-width kana."""
        text = self.text(name)
        return None if text is None else hiragana(text)

    def stated(self) -> Stated:
        """Return the 事務, 利用事由 and 使用簿番号 chosen, for ``Desk.ask``; each must be given."""
        self.need(**{GROUND: "利用する事務と利用事由", CASE: "使用簿番号"})
        chosen = GROUND_CHOICE.fullmatch(self.raw(GROUND))
        if chosen is None and self.raw(GROUND):
            self.wrong(GROUND, "利用する事務と利用事由を一覧から選んでください。")
        purpose, reason = chosen.groups() if chosen else (None, None)
        case = self._narrow(CASE) or None
        if case and not CASE_NUMBER.fullmatch(case):
            self.wrong(CASE, "英数字と . _ / - で、64字以内で入力してください。")
        return Stated(purpose=purpose, reason=reason, case=case)

    def need(self, **labels: str) -> None:
        """Note every field of these that is empty; the labels say what it is called."""
        for name, label in labels.items():
            if self.text(name) is None and name not in self.files:
                self.wrong(name, f"{label}を入力してください。")

    def wrong(self, name: str, text: str) -> None:
        """Note what is wrong with a field; a Japanese sentence that says what to do."""
        self.problems.append(Problem("", name, text))

    @property
    def key(self) -> str | None:
        """What makes a second press of the same button the same request."""
        key = self.raw(KEY)
        return key if FORM_KEY.fullmatch(key) else None

    @property
    def approval(self) -> int | None:
        """The number of another person's agreement."""
        text = self._narrow(APPROVAL)
        return int(text) if re.fullmatch("[1-9][0-9]{0,8}", text) else None

    def _narrow(self, name: str) -> str:
        return normalize("NFKC", self.raw(name)).replace("ー", "-").replace("‐", "-").strip()

    def _checked(self, name: str, text: str | None, is_right: Callable[[str], bool]) -> str | None:
        if text is None or is_right(text):
            return text
        self.wrong(name, "検査数字が合いません。番号を確認してください。")
        return None

    @staticmethod
    def _is_day(text: str) -> bool:
        day = _eras().typed(text)
        return day.is_complete and day.in_calendar


@cache
def _eras() -> Eras:
    return Eras.load()
