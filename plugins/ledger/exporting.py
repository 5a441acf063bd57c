"""A period of the ledger as a file, with proof that this appliance handed out these very bytes.

The SHA-256 of the file stands in the ledger entry of the export itself, in clear. The receipt of
the answer names that entry; ``ledger/proof`` of it, the file and the public key of the ledger are
all that anybody needs to check it, offline (``juki ledger verify-export``).
"""

from hashlib import sha256
from typing import Literal

from appliance.plugin_api import (
    MOST_ROWS,
    Answer,
    Case,
    Operation,
    OperationName,
    printed_table,
)
from plugins.ledger import wording
from plugins.ledger.filters import Filter, Found, find

TITLE = "操作履歴"
MOST_LINES = 20_000
"""Entries in one CSV: about 8 MB."""


class Export(Filter, frozen=True, kw_only=True):
    """Which entries, and in which form."""

    format: Literal["csv", "pdf"] = "csv"
    conditions: bool = False
    """With what was searched by; of a CSV alone. It may name somebody."""
    bom: bool = True
    """Of a CSV: begins with a byte order mark, without which Excel does not know UTF-8."""


class Exported(Answer, frozen=True, kw_only=True):
    """The file, the newest entry first; ``next`` is the ``before`` of what follows, or null."""

    format: str
    count: int
    sha256: str
    file: bytes
    """CSV or PDF/A-2u; base64 in JSON, a byte string in CBOR."""
    next: int | None


def export(case: Case, asked: Export) -> Exported:
    """Hand out entries as a file.

    Raises:
        Unavailable, Rejected: as ``printed_table``.
    """
    if asked.format == "csv":
        found = find(case, asked, MOST_LINES)
        file = _as_csv(case, asked, found)
    else:
        found = find(case, asked, MOST_ROWS)
        file = _on_paper(case, asked, found)
    digest, count = sha256(file).hexdigest(), len(found.readings)
    case.note.hits = count
    case.note.file = digest
    case.note.result = f"{asked.format}, {count} entries, sha256 {digest}"
    return Exported(format=asked.format, count=count, sha256=digest, file=file, next=found.after)


def _as_csv(case: Case, asked: Export, found: Found) -> bytes:
    columns = {**wording.EVERYTHING, **(wording.ASKED_BY if asked.conditions else {})}
    lines = wording.rows(found.readings, columns, case.policy)
    return wording.as_csv(columns, lines, bom=asked.bom)


def _on_paper(case: Case, asked: Export, found: Found) -> bytes:
    columns = {label: wording.EVERYTHING[label] for label in wording.ON_PAPER}
    made = printed_table(
        TITLE,
        wording.ON_PAPER,
        wording.rows(found.readings, columns, case.policy),
        [
            f"期間: {wording.period(asked.since, asked.until)}　件数: {len(found.readings)}件"
            f"{'' if found.after is None else f'(番号{found.after}より前は別葉)'}",
            f"条件: {_conditions(asked)}",
        ],
        case.request.today,
        issuer=case.policy.office.issuer,
        footer=f"出力番号 {case.request.id}",
    )
    return made.pdf


def _conditions(asked: Export) -> str:
    """Return what an entry had to be, by the names of the columns."""
    given = {label: getattr(asked, name) for name, label in wording.FILTERS.items()}
    told = [f"{label} {value}" for label, value in given.items() if value is not None]
    told += ["委託先の者の操作"] if asked.contractor else []
    return "、".join(told) or "なし"


EXPORT = Operation(
    name=OperationName("ledger/export"),
    title="操作履歴の出力",
    summary="Hand out entries as CSV or PDF; the digest of the file stands in the ledger.",
    asks=Export,
    answers=Exported,
    handler=export,
    purposed=False,
    uses=frozenset({"ledger", "roster"}),
    records=Export.__struct_fields__,
    seconded=True,
)
OPERATIONS = (EXPORT,)
