"""What stands in a table, as staff reads it: 35〜39歳、令和8年4月、熊本県八代市."""

from collections.abc import Mapping
from functools import cache

from appliance.plugin_api import REASONS, Eras, PartialDate
from plugins.statistics.ages import UNKNOWN

HEADINGS = {
    "municipality": "市区町村",
    "age": "年齢(5歳階級)",
    "sex": "性別",
    "month": "年月",
    "reason": "異動事由",
    "purpose": "事務",
    "agency": "提供先",
    "method": "方法",
    "result": "結果",
}


def period(told: str) -> str:
    """Return a year, month or day in 和暦 with the 西暦 behind."""
    year, _, rest = told.partition("-")
    month, _, day = rest.partition("-")
    western = f"{year}年" + (f"{int(month)}月" if month else "") + (f"{int(day)}日" if day else "")
    whole = f"{year}-{month or '12'}-{day or '01'}"
    spelled = next(iter(_eras().spellings(PartialDate.parse(whole))), western)
    if not day:
        spelled = spelled[: spelled.index("月" if month else "年") + 1]
    return f"{spelled} ({western})"


def age(told: str) -> str:
    """Return a class of age: 000-004 is 0〜4歳."""
    if told == UNKNOWN:
        return told
    first, _, last = told.partition("-")
    return f"{int(first)}〜{int(last)}歳" if last else f"{int(first)}歳以上"


def value(dimension: str, told: str, names: Mapping[str, str]) -> str:
    """Return a value of a dimension as it is read; a code that nobody knows as it is."""
    if dimension == "age":
        return age(told)
    if dimension == "month":
        return period(told)
    if dimension == "reason" and told in REASONS:
        return REASONS[told][1]
    return names.get(told) or told or "(なし)"


@cache
def _eras() -> Eras:
    return Eras.load()
