"""What an operation is asked with and what it answers, line by line, in the staff's words.

For whoever agrees to it: every argument has its line, also one that nobody here has a word for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from appliance.certificates import BadCertificate, peer_from_pem
from appliance.edge.japanese import field_label
from appliance.model import JST, TerminalKind
from appliance.screens.wording import municipality, spaced, wareki

Line = tuple[str, str]
Words = Mapping[str, Mapping[str, str]]
"""What codes mean, by the name of the argument."""

NOTHING = "(なし)"
CHOICES: Words = {
    "kind": {
        TerminalKind.REPRESENTATIVE: "代表端末",
        TerminalKind.BUSINESS: "業務端末",
        TerminalKind.MUNICIPALITY: "市町村CS",
        TerminalKind.NATIONAL: "全国サーバ",
    },
    "format": {"csv": "CSV", "pdf": "PDF"},
    "result": {"ok": "成功", "denied": "拒否", "error": "異常"},
    "methods": {"device": "照合情報", "pin": "操作者照合暗証番号"},
}
CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})")


def lines(given: Mapping[str, Any], titles: Mapping[str, str], words: Words) -> list[Line]:
    """Return every value with what it is called.

    Args:
        given: plain data.
        titles: what the operation itself calls its fields, by wire name.
        words: what codes mean, beside those that are known here.
    """
    return [*_lines(given, titles, words)]


def labels(paths: Iterable[str], titles: Mapping[str, str]) -> list[str]:
    """Return what arguments are called, given their dotted paths."""
    return [" / ".join(field_label(step, titles) for step in path.split(".")) for path in paths]


def when(value: datetime | str) -> str:
    """Return a moment in Japan: 令和8年4月1日 (2026年4月1日) 10:00."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    at = at.astimezone(JST)
    return f"{wareki(at.date().isoformat())} {at:%H:%M}"


def _lines(given: Mapping[str, Any], titles: Mapping[str, str], words: Words) -> Iterator[Line]:
    for name, value in given.items():
        label = field_label(name, titles)
        if isinstance(value, Mapping):
            for inner, text in _lines(value, titles, words):
                yield f"{label} / {inner}", text
        elif isinstance(value, str) and value.startswith(CERTIFICATE):
            yield from _certificate(label, value)
        else:
            yield label, _text(name, value, titles, words)


def _text(name: str, value: Any, titles: Mapping[str, str], words: Words) -> str:
    match value:
        case None | "" | () | []:
            return NOTHING
        case bool():
            return "はい" if value else "いいえ"
        case list() | tuple():
            return "、".join(_text(name, each, titles, words) for each in value)
        case Mapping():
            told = _lines(value, titles, words)
            return " ".join(f"{label}: {text}" for label, text in told)
        case str():
            return _word(name, value, words)
        case _:
            return str(value)


def _word(name: str, value: str, words: Words) -> str:
    meaning = words.get(name, {}).get(value) or CHOICES.get(name, {}).get(value)
    if name == "municipality_code":
        meaning = municipality(value)
    if meaning is not None:
        return f"{meaning} ({value})"
    try:
        if _MOMENT.fullmatch(value):
            return when(value)
        return wareki(value) if _DAY.fullmatch(value) else value
    except ValueError:  # no day of the calendar: somebody's text
        return value


def _certificate(label: str, pem: str) -> Iterator[Line]:
    """Yield what is compared with the paper; a certificate that is none as it was written."""
    try:
        peer = peer_from_pem(pem)
    except BadCertificate:
        yield label, pem
        return
    yield f"{label}の拇印(SHA-256)", spaced(peer.fingerprint)
    yield f"{label}の有効期間", f"{when(peer.not_before)} から {when(peer.not_after)} まで"
