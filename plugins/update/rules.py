"""The state machine of 異動事由: which notice may follow which record, and what it may change.

``_TABLE`` is the whole of it, one row a reason. The columns of ``before`` are the states in which
a person can be known here::

    S0  nobody of this 住民票コード is known
    S1  present (現存)
    P   moving out (転出予定): struck off with a day still to come, a resident until then
    S2  moved out (転出)        S3  struck off (職権消除)        S4  dead (死亡)
    S9  the code was replaced: the person has another one now

A change of the 住民票コード (41, 42) comes with the previous one, by which the person is known.

and its cells say what follows: ``ok``, a rule that refuses, or a rule in brackets that only warns.
``may_change`` are the items that may differ from the record before; for any other the rule
``otherwise`` is broken. ``then`` is the state afterwards. To change a rule, change its cell.

Of another municipality's record the table says nothing: such a notice is refused by L-11 alone,
whatever it holds, except in the states of ``from_elsewhere``. A municipality must not be able to
find out what stands in a record that is not its own by trying.

The rules L-01 and L-10 are those of the founding document (R30, R31). L-09, L-17, L-18, L-19,
L-33 and L-34 fill what it and the law's texts leave open; they are the project's own.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType

from appliance.plugin_api import ItemName, Problem, Values
from plugins.update.notice import (
    ADDRESS,
    BIRTH_DATE,
    DESCRIBING,
    EFFECTIVE_DATE,
    MUNICIPALITY_CODE,
    MY_NUMBER,
    NAME,
    REASON,
    REMOVED_FLAG,
    RESIDENT_CODE,
    SEX,
)
from plugins.update.sender import Sender
from plugins.update.verdict import Finding, Severity, error


class State(Enum):
    """How a person is known here, in the order of the table's columns."""

    UNKNOWN = "S0"
    PRESENT = "S1"
    MOVING_OUT = "P"
    MOVED_OUT = "S2"
    STRUCK_OFF = "S3"
    DEAD = "S4"
    REPLACED = "S9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One row of the table."""

    reason: str
    label: str
    before: Mapping[State, str]
    may_change: frozenset[ItemName]
    otherwise: str = ""
    """The rule that is broken if any other item differs."""
    unchanged: str = ""
    """The rule that is broken if nothing differs, or empty."""
    from_elsewhere: frozenset[State] = frozenset()
    """The states in which it may be told of another municipality's record."""
    then: State | None
    """The state afterwards; None: as before."""


def _row(
    reason: str,
    label: str,
    before: str,
    may_change: frozenset[ItemName],
    then: State | None,
    *,
    otherwise: str = "",
    unchanged: str = "",
    from_elsewhere: Collection[State] = (),
) -> Movement:
    return Movement(
        reason=reason,
        label=label,
        before=MappingProxyType(dict(zip(State, before.split(), strict=True))),
        may_change=may_change,
        otherwise=otherwise,
        unchanged=unchanged,
        from_elsewhere=frozenset(from_elsewhere),
        then=then,
    )


def _items(*names: str) -> frozenset[ItemName]:
    return frozenset(map(ItemName, names))


_EVERYTHING = frozenset(DESCRIBING)
_NOTHING = _items()
_CODE = _items("resident_code")
_NUMBER = _items("my_number")
_NAME = _items("name", "name_gaiji_count", "name_gaiji_serial")
_KANA = _items("kana")
_BIRTH = _items("birth_date", "birth_date_as_written")
_SEX = _items("sex")
_ADDRESS = _items(
    "address", "address_gaiji_count", "address_gaiji_serial", "town_code", "municipality_code"
)

# fmt: off
_TABLE = (
    # 記載                    S0     S1     P      S2     S3     S4     S9
    _row("11", "転入等",     "ok     L-01   ok     ok     ok     L-02   L-03",
         may_change=_EVERYTHING, then=State.PRESENT, from_elsewhere=[*State]),
    _row("12", "出生",       "ok     L-04   L-04   L-04   L-04   L-04   G-10",
         may_change=_EVERYTHING, then=State.PRESENT),
    _row("13", "職権記載等", "ok     L-05   ok     ok     ok     (L-19) G-10",
         may_change=_EVERYTHING, then=State.PRESENT, from_elsewhere=[State.MOVED_OUT]),
    # 消除                    S0     S1     P      S2     S3     S4     S9
    _row("21", "転出",       "L-06   ok     L-06   L-06   L-06   L-06   G-10",
         may_change=_NOTHING, otherwise="L-06", then=State.MOVED_OUT),
    _row("22", "死亡",       "L-07   ok     ok     L-07   L-07   L-07   G-10",
         may_change=_NOTHING, otherwise="L-07", then=State.DEAD),
    _row("23", "職権消除等", "L-08   ok     ok     L-08   L-08   L-08   G-10",
         may_change=_NOTHING, otherwise="L-08", then=State.STRUCK_OFF),
    # 修正                    S0     S1     P      S2     S3     S4     S9
    _row("31", "転居",       "L-09   ok     L-09   L-09   L-09   L-09   G-10",
         may_change=_ADDRESS, otherwise="L-10", then=State.PRESENT),
    _row("32", "軽微な修正", "L-09   ok     L-09   L-09   L-09   L-09   G-10",
         may_change=_NAME | _ADDRESS, otherwise="L-13", unchanged="L-14", then=State.PRESENT),
    _row("33", "職権修正等", "L-09   ok     (L-09) (L-09) (L-09) (L-09) G-10",
         may_change=_NAME | _KANA | _BIRTH | _SEX | _ADDRESS, otherwise="L-15",
         unchanged="L-16", then=None),
    # 番号の修正              S0     S1     P      S2     S3     S4     S9
    _row("41", "住民票コードの記載の変更請求",
                             "L-21   ok     L-21   L-21   L-21   L-21   G-10",
         may_change=_CODE, otherwise="L-22", unchanged="L-20", then=State.PRESENT),
    _row("42", "住民票コードの職権記載等",
                             "L-21   ok     L-21   L-21   L-21   L-21   G-10",
         may_change=_CODE, otherwise="L-22", unchanged="L-20", then=State.PRESENT),
    _row("51", "個人番号の変更請求",
                             "L-09   ok     L-09   L-09   L-09   L-09   G-10",
         may_change=_NUMBER, otherwise="L-31", unchanged="L-34", then=State.PRESENT),
    _row("52", "個人番号の職権修正等",
                             "L-09   ok     L-09   L-09   L-09   L-09   G-10",
         may_change=_NUMBER, otherwise="L-31", unchanged="L-34", then=State.PRESENT),
    _row("53", "個人番号の職権記載等",
                             "L-09   ok     L-09   L-09   L-09   L-09   G-10",
         may_change=_NUMBER, otherwise="L-31", unchanged="L-34", then=State.PRESENT),
)
# fmt: on
MOVEMENTS: Mapping[str, Movement] = MappingProxyType({row.reason: row for row in _TABLE})

ELSEWHERE = "転入元の市区町村の住民として現存しています。転出等の通知が届くまで保留します。"

TEXTS: Mapping[str, str] = {
    "L-01": "現存する住民に転入等は通知できません。異動事由を確認してください。",
    "L-02": "死亡により消除された人です。死亡の取消しは職権記載等(13)で通知してください。",
    "L-03": "変更前の住民票コードです。現在の住民票コードで送ってください。",
    "L-04": "既に記録のある住民票コードで出生は通知できません。コードを確認してください。",
    "L-05": "現存する住民に職権記載等は通知できません。修正は職権修正等(33)で送ってください。",
    "L-06": "転出は現存する自市区町村の住民について、他の項目を変えずに通知してください。",
    "L-07": "死亡は現存する自市区町村の住民について、他の項目を変えずに通知してください。",
    "L-08": "職権消除等は現存する自市区町村の住民について、他の項目を変えずに通知してください。",
    "L-09": "現存する住民ではありません。先に記載の通知を送ってください。",
    "(L-09)": "消除された人の修正です。対象の人を確認してください。",
    "L-10": "転居では住所以外を変更できません。この項目は職権修正等(33)で送ってください。",
    "L-11": (
        "他の市区町村の住民の記録です。住民票コードを確認し、"
        "住民になった人であれば転入等(11)で通知してください。"
    ),
    "(L-12)": "転居の前後で住所が同じです。住所を確認してください。",
    "L-13": "軽微な修正では氏名と住所の表記以外を変更できません。職権修正等(33)で送ってください。",
    "L-14": "軽微な修正の前後で変わった項目がありません。通知の内容を確認してください。",
    "L-15": "職権修正等では個人番号を変更できません。個人番号の異動事由で送ってください。",
    "L-16": "職権修正等の前後で変わった項目がありません。通知の内容を確認してください。",
    "L-17": "以前の記録と同じ人ではありません。住民票コードを確認して送ってください。",
    "(L-17)": "以前の記録と異なります。同じ人の住民票コードであることを確認してください。",
    "(L-18)": "出生の異動年月日が生年月日と異なります。日付を確認してください。",
    "(L-19)": "死亡の記録がある人の記載です。死亡の取消しであることを確認してください。",
    "L-20": "既に使われている住民票コードです。新しいコードを確認して送ってください。",
    "L-21": "変更前の住民票コードの人は現存する住民ではありません。コードを確認してください。",
    "L-22": "住民票コードの変更では他の項目を変更できません。その項目は別に通知してください。",
    "L-31": "個人番号の変更では他の項目を変更できません。その項目は別に通知してください。",
    "L-33": (
        "記録に個人番号があるときは変更請求(51)か職権修正等(52)、"
        "ないときは職権記載等(53)で送ってください。"
    ),
    "L-34": "変更の前後で個人番号が同じです。番号を確認して送ってください。",
    "G-10": "別の住民票コードに変更された人のコードです。現在の住民票コードで送ってください。",
}


def state_of(before: Values | None, code: str, today: date) -> State:
    """Return how a person is known by a 住民票コード.

    ``before`` is the latest record; of somebody struck off, with the reason and the day of that.
    """
    if before is None:
        return State.UNKNOWN
    if before[RESIDENT_CODE] != code:
        return State.REPLACED
    if not before[REMOVED_FLAG]:
        return State.PRESENT
    if before[REASON] == "21" and str(before[EFFECTIVE_DATE]) > today.isoformat():
        return State.MOVING_OUT
    # Of a record that came by a recovery, the version that struck off may be missing.
    return _STRUCK_OFF_BY.get(str(before[REASON]), State.STRUCK_OFF)


def judge(told: Values, before: Values | None, state: State, sender: Sender) -> list[Finding]:
    """Return every rule that a notice breaks, coming after ``before``.

    An unknown reason breaks none of these; the general checks see it.
    """
    movement = MOVEMENTS.get(str(told[REASON]))
    if movement is None:
        return []
    if closed := beyond_reach(told, before, state, sender):
        return closed
    findings = [*_state_findings(movement, before, state, sender)]
    if state is State.REPLACED or (findings and before is not None and is_anothers(before, sender)):
        return findings
    if before is not None and not is_anothers(before, sender):
        findings += _change_findings(movement, told, before)
    return [*findings, *_comparisons(movement, told, before, state, sender)]


def beyond_reach(
    told: Values, before: Values | None, state: State, sender: Sender
) -> list[Finding]:
    """Return the one finding against a notice about another municipality's record, or nothing.

    It is the same whatever the notice and the record hold (R35).
    """
    movement = MOVEMENTS.get(str(told[REASON]))
    if movement is None or before is None or not is_anothers(before, sender):
        return []
    return [] if state in movement.from_elsewhere else [_finding("L-11", MUNICIPALITY_CODE)]


def decided_by_anothers(told: Values, before: Values | None, state: State, sender: Sender) -> bool:
    """Whether what stands in another municipality's record decides about the notice (L-17)."""
    return (
        before is not None
        and is_anothers(before, sender)
        and state in _ALIKE_IN
        and not judge_state(told, before, state, sender)
        and not beyond_reach(told, before, state, sender)
    )


def judge_state(told: Values, before: Values | None, state: State, sender: Sender) -> list[Finding]:
    """Return what the state alone has against the notice, whatever it changes.

    For a notice that was not made against the record before, so that comparing them means nothing.
    """
    movement = MOVEMENTS.get(str(told[REASON]))
    return [] if movement is None else [*_state_findings(movement, before, state, sender)]


def overtakes(told: Values, before: Values | None, state: State, sender: Sender) -> bool:
    """Whether a 転入 comes before the 転出 of the municipality that the person comes from."""
    findings = judge_state(told, before, state, sender)
    return any(finding.severity is Severity.WAIT for finding in findings)


def taken_code() -> Finding:
    """Return that the new 住民票コード of a change is, or was, somebody's."""
    return _finding("L-20", RESIDENT_CODE)


def removed_after(reason: str, before: Values | None) -> bool:
    """Return 削除フラグ after a movement."""
    then = MOVEMENTS[reason].then
    if then is None:
        return before is not None and bool(before[REMOVED_FLAG])
    return then is not State.PRESENT


def _state_findings(
    movement: Movement, before: Values | None, state: State, sender: Sender
) -> Iterator[Finding]:
    cell = movement.before[state]
    if cell == "ok":
        return
    if cell == "L-01" and before is not None and is_anothers(before, sender):
        # The 転入 has overtaken the 転出 of the municipality the person comes from.
        yield Finding(Severity.WAIT, Problem("L-01", REASON, ELSEWHERE))
        return
    yield _finding(cell, REASON)


def is_anothers(before: Values, sender: Sender) -> bool:
    """Whether a record is of a resident of another municipality."""
    return before[MUNICIPALITY_CODE] not in sender.covers


def _change_findings(movement: Movement, told: Values, before: Values) -> Iterator[Finding]:
    changed = [item for item in DESCRIBING if told[item] != before[item]]
    for item in changed:
        if item not in movement.may_change:
            yield _finding(movement.otherwise, item)
    if movement.unchanged and not changed:
        yield _finding(movement.unchanged, REASON)


CODE_CHANGES = frozenset(row.reason for row in _TABLE if row.may_change == _CODE)
NUMBER_CHANGES = frozenset(row.reason for row in _TABLE if row.may_change == _NUMBER)


def _comparisons(
    movement: Movement, told: Values, before: Values | None, state: State, sender: Sender
) -> Iterator[Finding]:
    """Yield what is strange, though the table allows it."""
    if movement.reason == "12" and told[EFFECTIVE_DATE] != told[BIRTH_DATE]:
        yield _finding("(L-18)", EFFECTIVE_DATE)
    if before is None:
        return
    if movement.reason == "31" and told[ADDRESS] == before[ADDRESS]:
        # Another building on the same lot is legal (標準仕様書 4.1.2.1), so this only warns.
        yield _finding("(L-12)", ADDRESS)
    if movement.may_change == _NUMBER and (movement.reason == "53") == bool(before[MY_NUMBER]):
        yield _finding("L-33", REASON)
    if movement.reason in ("11", "13"):
        yield from _unlike(told, before, state, sender)


_ALIKE_IN = frozenset({State.MOVING_OUT, State.DEAD})
"""In which whoever is entered again must have the birth date and sex of the record."""


def _unlike(told: Values, before: Values, state: State, sender: Sender) -> Iterator[Finding]:
    """Yield that somebody comes back as another person; of whose record one may not know, no more.

    A name may have changed elsewhere. Who died, or has not gone yet, was born on the same day and
    is of the same sex, or is somebody else.
    """
    differing = [item for item in (NAME, BIRTH_DATE, SEX) if told[item] != before[item]]
    grave = {BIRTH_DATE, SEX} if state in _ALIKE_IN else set()
    if not is_anothers(before, sender):
        for item in differing:
            yield _finding("L-17" if item in grave else "(L-17)", item)
    elif differing:
        yield _finding("(L-17)" if grave.isdisjoint(differing) else "L-17", RESIDENT_CODE)


def _finding(cell: str, item: str) -> Finding:
    text = TEXTS[cell]
    if cell.startswith("("):
        return Finding(Severity.ALERT, Problem(cell.strip("()"), item, text))
    return error(cell, item, text)


_STRUCK_OFF_BY: Mapping[str, State] = {
    row.reason: row.then for row in MOVEMENTS.values() if row.then not in (None, State.PRESENT)
}
