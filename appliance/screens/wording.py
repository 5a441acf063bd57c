"""How values of the register are written for the staff: filters of the templates."""

from datetime import datetime
from functools import cache

from appliance.items import BY_NAME, ItemName
from appliance.model import JST
from appliance.reasons import REASONS
from appliance.values.dates import Eras, PartialDate, western
from appliance.values.identifiers import Municipalities

SEXES = {"1": "男", "2": "女", "0": "不明"}
MASKED = "●●●● ●●●● ●●●●"


def wareki(text: str | None) -> str:
    """Return a date in 和暦 with the 西暦 behind: 平成2年4月5日 (1990年4月5日)."""
    if not text:
        return ""
    day = PartialDate.parse(str(text)[:10])
    return f"{short(text)} ({western(day)})" if day.year else short(text)


def short(text: str | None) -> str:
    """Return a date in 和暦 alone."""
    if not text:
        return ""
    day = PartialDate.parse(str(text)[:10])
    return next(iter(_eras().spellings(day)), western(day))


def moment(value: "datetime | str | None") -> str:
    """Return a moment in Japan: 2026-12-01 09:05."""
    if not value:
        return ""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at.astimezone(JST).strftime("%Y-%m-%d %H:%M")


def spaced(number: str | None) -> str:
    """Return 個人番号 or 住民票コード in groups of four."""
    text = number or ""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def sex(code: str | None) -> str:
    """Return 男, 女 or 不明."""
    return SEXES.get(code or "", "")


def reason(code: str | None) -> str:
    """Return an 異動事由: 転入等."""
    return REASONS[code][1] if code and code in REASONS else code or ""


def municipality(code: str | None) -> str:
    """Return the name of a municipality; its code if there is none."""
    found = Municipalities.load().lookup(code or "")
    return found.full_name if found else code or ""


def label(item: str) -> str:
    """Return what an item is called by law."""
    known = BY_NAME.get(ItemName(item))
    return known.label if known else item


FILTERS = {
    "wareki": wareki,
    "short": short,
    "moment": moment,
    "spaced": spaced,
    "sex": sex,
    "reason": reason,
    "municipality": municipality,
    "label": label,
}


@cache
def _eras() -> Eras:
    return Eras.load()
