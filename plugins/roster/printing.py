"""The registers on paper: 操作者名簿, 照合情報認証管理簿, 端末管理簿, with their history if asked.

What is printed says by which paper and by whom each line came about (R125). The SHA-256 of the
file stands in the ledger entry of the request; the file holds the number of the request, which
nobody can guess (``ledger/proof``, ``juki ledger verify-export``).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeVar

from appliance.plugin_api import (
    JST,
    Answer,
    Arguments,
    Case,
    OperatorRecord,
    PersonRecord,
    Revised,
    Role,
    ShortText,
    TerminalRecord,
    printed_table,
)

R = TypeVar("R", bound=Revised)
KINDS = {
    "representative": "代表端末",
    "business": "業務端末",
    "municipality": "市町村CS",
    "national": "全国サーバ",
}


class Print(Arguments, frozen=True, kw_only=True):
    """Which register; of one 所属, or whole; as it is, or with every earlier line."""

    register: Literal["people", "operators", "terminals"]
    office: ShortText | None = None
    history: bool = False


class PrintedRegister(Answer, frozen=True, kw_only=True):
    """The register as PDF/A-2u."""

    pdf: bytes
    pages: int
    lines: int
    sha256: str


class _Form(NamedTuple):
    """How a register is printed: its columns with their shares of the width, and its lines."""

    title: str
    columns: Mapping[str, float]
    lines: Callable[[Case, Print], Iterator[tuple[str, ...]]]


def on_paper(case: Case, asked: Print) -> PrintedRegister:
    """Print a register.

    Raises:
        Unavailable, Rejected: as ``printed_table``: no font, a character it lacks, or more than
            1,000 lines; then print it by 所属.
    """
    form = _FORMS[asked.register]
    lines = list(form.lines(case, asked))
    made = printed_table(
        form.title,
        form.columns,
        lines,
        [
            f"所属: {asked.office or 'すべて'}　{'履歴を含む' if asked.history else '現在の内容'}"
            f"　{len(lines)}行",
        ],
        case.request.today,
        issuer=case.policy.office.issuer,
        footer=f"出力番号 {case.request.id}",
    )
    case.note.hits = len(lines)
    case.note.file = made.sha256
    case.note.result = f"{asked.register}, {len(lines)} lines, sha256 {made.sha256}"
    return PrintedRegister(pdf=made.pdf, pages=made.pages, lines=len(lines), sha256=made.sha256)


def _people(case: Case, asked: Print) -> Iterator[tuple[str, ...]]:
    for person in case.roster.persons():
        if asked.office in (None, person.office):
            for each in _states(person, case.roster.person_history(person.person_id), asked):
                yield _person(each)


def _person(person: PersonRecord) -> tuple[str, ...]:
    devices = [d for d in person.devices if not d.retired]
    return (
        person.person_id,
        person.name,
        person.office,
        "委託先" if person.contractor else "職員",
        _day(person.expires_on),
        _day(person.trained_on),
        "、".join(d.label or d.device_id for d in devices) or "なし",
        f"{_day(person.pin.until)}まで({person.pin.reason})" if person.pin else "なし",
        person.suspended or "有効",
        *_revised(person),
    )


def _operators(case: Case, asked: Print) -> Iterator[tuple[str, ...]]:
    for record in case.roster.operators():
        if asked.office in (None, record.office):
            for each in _states(record, case.roster.operator_history(record.operator_id), asked):
                yield _operator(case, each)


def _operator(case: Case, record: OperatorRecord) -> tuple[str, ...]:
    roles, purposes = case.policy.roles, case.policy.purposes
    return (
        record.operator_id,
        record.office,
        "、".join(roles[Role(name)].label if name in roles else name for name in record.roles),
        "、".join(rule.label for code, rule in purposes.items() if str(code) in record.purposes),
        "、".join(record.holders),
        _day(record.expires_on),
        record.suspended or "有効",
        *_revised(record),
    )


def _terminals(case: Case, asked: Print) -> Iterator[tuple[str, ...]]:
    names = sorted({record.terminal_id for record in case.roster.terminals()})
    for name in names:
        history = list(case.roster.terminal_history(name))
        for each in history if asked.history else history[-1:]:
            if asked.office in (None, each.office):
                yield _terminal(each)


def _terminal(record: TerminalRecord) -> tuple[str, ...]:
    return (
        record.terminal_id,
        KINDS.get(record.kind.value, record.kind.value),
        record.place,
        record.office + ("(この所属のみ)" if record.own_office_only else ""),
        "、".join(record.operations) or "制限なし",
        "、".join(record.hours) or "制限なし",
        _moment(record.not_after),
        record.revoked or "有効",
        _moment(record.changed_at or record.registered_at),
        record.changed_by,
        record.request_number or record.why,
    )


def _states(now: R, history: Iterator[R], asked: Print) -> Iterator[R]:
    yield from history if asked.history else (now,)


def _revised(record: Revised) -> tuple[str, str, str]:
    return _moment(record.revised_at), record.revised_by, record.form


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M}" if moment else ""


_REVISED = {"変更日時": 2.0, "変更者": 1.2, "申請書等": 2.0}
_FORMS: Mapping[str, _Form] = {
    "people": _Form(
        "操作者名簿(照合ID)・照合情報認証管理簿",
        {
            "照合ID": 1.4,
            "氏名": 2.0,
            "所属": 2.0,
            "区分": 1.0,
            "任期": 1.8,
            "研修": 1.8,
            "照合情報": 2.2,
            "暗証番号": 2.4,
            "状態": 1.4,
            **_REVISED,
        },
        _people,
    ),
    "operators": _Form(
        "操作者名簿(操作者ID)",
        {
            "操作者ID": 1.4,
            "所属": 2.0,
            "役割": 2.4,
            "事務": 3.6,
            "照合ID": 2.0,
            "任期": 1.8,
            "状態": 1.4,
            **_REVISED,
        },
        _operators,
    ),
    "terminals": _Form(
        "端末管理簿",
        {
            "操作端末ID": 1.6,
            "種別": 1.4,
            "設置場所": 2.4,
            "所属": 2.0,
            "機能": 2.0,
            "利用時間": 2.0,
            "証明書期限": 2.0,
            "状態": 1.4,
            **_REVISED,
        },
        _terminals,
    ),
}
