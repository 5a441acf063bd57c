"""Columns and words of what is exported and printed, in Japanese; and CSV that stays text.

CSV is RFC 4180: CRLF, quotes where needed, the header in the first line. A spreadsheet takes a cell
that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and what operators typed stands in
cells: such a cell, and one that begins with ``'``, gets a ``'`` in front. To read a cell back, take
one leading ``'`` away.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from appliance.plugin_api import ITEMS, JST, SYSTEM, ItemName, Policy, Reading
from plugins.ledger.entries import at, purpose, reason

BOM = b"\xef\xbb\xbf"
"""By which Excel knows UTF-8."""
RISKY = tuple("'=+-@\t\r＝＋－＠")
FUNCTIONS = {
    "update": "更新",
    "search": "検索",
    "provision": "提供",
    "disclosure": "開示・訂正",
    "relay": "機構への通知・照会",
    "reconcile": "整合",
    "retention": "保存期間",
    "statistics": "統計",
    "roster": "操作者名簿・端末",
    "ledger": "操作履歴の確認",
    "session": "操作者照合",
    "system": "システム",
    "job": "自動処理",
    "keys": "鍵",
    "approval": "承認",
    "compliance": "監査の支援",
    "protection": "要注意(DV等支援措置)",
    "usebook": "使用簿",
    "watching": "監視",
}
RESULTS = {"OK": "許可", "DENIED": "拒否", "ERROR": "異常終了"}
REFUSALS = {
    "malformed": "形式の誤り",
    "unidentified": "照合の不成立",
    "verify-again": "再照合の要求",
    "not-permitted": "権限なし",
    "needs-approval": "承認の要求",
    "protected": "要注意(二人で開く)",
    "unknown-operation": "存在しない操作",
    "not-found": "該当なし",
    "conflict": "競合",
    "rejected": "規則に不適合",
    "add-conditions": "条件不足",
    "too-many": "該当者過多",
    "bad-gateway": "全国サーバの異常",
    "unavailable": "利用不可",
}
LABELS = {item.name: item.label for item in ITEMS}

Column = Callable[[Reading, Policy], str]


def function(reading: Reading, policy: Policy) -> str:
    """Return the 機能 of an entry."""
    name = reading.operation.partition("/")[0]
    return FUNCTIONS.get(name, name)


def items(reading: Reading, policy: Policy) -> str:
    """Return the items that were opened."""
    return _named(reading.items)


def answered(reading: Reading, policy: Policy) -> str:
    """Return the items that were told; of what was refused, none left the appliance."""
    return items(reading, policy) if reading.result.name == "OK" else ""


def time(reading: Reading, policy: Policy) -> str:
    """Return when it was, in Japan, to the second."""
    return at(reading).astimezone(JST).strftime("%Y-%m-%d %H:%M:%S")


def result(reading: Reading, policy: Policy) -> str:
    """Return how it ended."""
    return RESULTS[reading.result.name]


def place(reading: Reading, policy: Policy) -> str:
    """Return the 所属 of who did it; of a machine, its own name."""
    if reading.terminal == SYSTEM:
        return "都道府県サーバ(自動処理)"
    return reading.office or reading.terminal or ""


def person(reading: Reading, policy: Policy) -> str:
    """Return the 照合ID."""
    return reading.person or ""


EVERYTHING: Mapping[str, Column] = {
    "番号": lambda reading, _: str(reading.index),
    "日時": time,
    "照合ID": person,
    "操作者ID": lambda reading, _: reading.operator or "",
    "所属": lambda reading, _: reading.office or "",
    "端末ID": lambda reading, _: reading.terminal or "",
    "機能": function,
    "操作": lambda reading, _: reading.operation,
    "事務コード": lambda reading, _: reading.purpose or "",
    "事務": purpose,
    "利用事由コード": lambda reading, _: reading.reason or "",
    "利用事由": reason,
    "使用簿番号": lambda reading, _: reading.case_number or "",
    "項目": items,
    "照合した項目": lambda reading, _: _named(reading.compared),
    "対象者数": lambda reading, _: str(len(reading.subjects)),
    "該当件数": lambda reading, _: "" if reading.hits is None else str(reading.hits),
    "結果": result,
    "拒否コード": lambda reading, _: reading.refusal or "",
    "拒否の理由": lambda reading, _: reading.why or "",
    "備考": lambda reading, _: reading.note,
    "要求番号": lambda reading, _: reading.request_id,
    "ファイルのSHA-256": lambda reading, _: reading.file or "",
}
"""Columns of a CSV."""
ASKED_BY: Mapping[str, Column] = {
    "検索条件": lambda reading, _: json.dumps(
        dict(reading.conditions), ensure_ascii=False, sort_keys=True
    ),
}
"""Only where it is asked for: what was searched by may name somebody."""
ON_PAPER: Mapping[str, float] = {
    "番号": 1.1,
    "日時": 2,
    "照合ID": 1.5,
    "操作者ID": 1.3,
    "所属": 1.7,
    "端末ID": 1.5,
    "操作": 2.2,
    "事務": 3,
    "利用事由": 2.4,
    "使用簿番号": 1.6,
    "項目": 3.4,
    "対象者数": 0.8,
    "結果": 0.8,
    "拒否コード": 1.6,
}
"""Columns of the printed list, and their shares of the width."""


FILTERS = {
    "operator": "操作者ID",
    "person": "照合ID",
    "terminal": "端末ID",
    "office": "所属",
    "function": "機能",
    "operation": "操作",
    "purpose": "事務コード",
    "reason": "利用事由コード",
    "case": "使用簿番号",
    "result": "結果",
    "refusal": "拒否コード",
    "request_id": "要求番号",
}
"""What entries are chosen by, as the columns call it."""


def period(since: datetime | None, until: datetime | None) -> str:
    """Return a period in Japan, to the minute."""
    if since is None and until is None:
        return "全期間"
    return f"{_minute(since)}から{_minute(until)}まで"


def rows(
    readings: Iterable[Reading], columns: Mapping[str, Column], policy: Policy
) -> list[list[str]]:
    """Return a text for each column of each entry."""
    return [[column(reading, policy) for column in columns.values()] for reading in readings]


def as_csv(header: Iterable[str], lines: Iterable[Sequence[str]], *, bom: bool) -> bytes:
    """Return a table as CSV in UTF-8; no cell of it is a formula to a spreadsheet."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows([_plain(cell) for cell in line] for line in lines)
    return (BOM if bom else b"") + written.getvalue().encode()


def _minute(moment: datetime | None) -> str:
    # What lies at the ends of the calendar may not be there in Japan.
    return "" if moment is None else moment.isoformat(" ", "minutes")


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(RISKY) else cell


def _named(names: Iterable[ItemName]) -> str:
    return "、".join(LABELS[name] for name in names)
