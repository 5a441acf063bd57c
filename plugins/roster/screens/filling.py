"""How the forms of the rosters are read."""

import re
from datetime import date
from typing import Any
from unicodedata import normalize

from appliance.plugin_api import Desk, Form

MOST_PEM = 16384


def code(form: Form, name: str, most: int) -> str:
    """Return a 照合ID, 操作者ID or 操作端末ID, typed in letters of any width and size."""
    text = narrow(form.raw(name)).upper()
    if text and not re.fullmatch(f"[A-Z0-9-]{{1,{most}}}", text):
        form.wrong(name, f"英大文字、数字及びハイフンで、{most}字以内で入力してください。")
    return text


def codes(form: Form, name: str) -> list[str]:
    """Return as many as were typed, one a line or apart."""
    return [narrow(each).upper() for each in form.raw(name).replace("、", " ").split()]


def coming(form: Form, name: str, today: date) -> str | None:
    """Return a day that is not past, or stood there: said before anybody must agree to it."""
    text = form.day(name)
    if text and text != form.raw(f"was_{name}") and text < today.isoformat():
        form.wrong(name, "本日以降の日を入力してください。")
    return text


def lines(form: Form, name: str) -> list[str]:
    """Return what stands in the lines that are not empty."""
    return [narrow(line) for line in form.raw(name).splitlines() if line.strip()]


def certificate(form: Form) -> str | None:
    """Return the one certificate of the file that was chosen, as PEM."""
    file = form.file("certificate")
    if file is None:
        form.need(certificate="証明書のファイル")
        return None
    text = file.content.decode("ascii", "replace")
    if text.count("-----BEGIN CERTIFICATE-----") != 1 or len(text) > MOST_PEM:
        form.wrong("certificate", "証明書が1枚だけ入ったPEM形式のファイルを選んでください。")
    return text


def narrow(text: str) -> str:
    """Return text with letters and digits of one width, without spaces around."""
    return normalize("NFKC", text).strip()


def changed(form: Form, **given: Any) -> dict[str, Any]:
    """Return of these what is not what it was when the form was opened (``was_…``)."""
    return {name: value for name, value in given.items() if not _stood(form, name, value)}


def _stood(form: Form, name: str, value: Any) -> bool:
    former = [each for each in form.all(f"was_{name}") if each]
    if isinstance(value, bool):
        return bool(former) is value
    if isinstance(value, list):
        return sorted(former) == sorted(value)
    return former == ([value] if value else [])


def reason(desk: Desk, form: Form) -> dict[str, Any]:
    """Return the reason, which must be given."""
    form.need(reason="理由")
    return {"reason": form.text("reason")}
