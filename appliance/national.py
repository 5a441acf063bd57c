"""Asking the national server (全国サーバ) about somebody, most often of another prefecture.

機構 answers by 住民基本台帳法30条の11 (R86), asked by 住民票コード, 個人番号 or four informations
(R84). What it answers is kept nowhere (R85): the ledger entry of the request says that it was
asked, by which conditions, and which items it told.

::

    Abroad      what a handler asks: rights, maintenance, the trace in the ledger
    National    the line to the other side; the real one is machine/national.py

While the answer is waited for, nothing of the store is held open, and no unit of work may wait.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from appliance.errors import BadGateway, Failed, Malformed, NotPermitted, Problem, Unavailable
from appliance.items import PROVIDED, ItemName, Values
from appliance.model import JST, Grant, Request
from appliance.registry import Registry
from storage.engine import Unit, View

BASIS = "住民基本台帳法第30条の11"
"""On what ground the national server tells (R86)."""
NUMBERS = ("resident_code", "my_number")
FOUR = ("name", "birth_date", "sex", "address")
COLLECTION, KEY = "core.national", b"maintenance"

Result = Literal["one", "none", "several"]
Fault = Literal["unreachable", "timed-out", "nonsense", "refused"]

FAULTS: Mapping[Fault, tuple[str, str]] = {
    "unreachable": (
        "the national server is not reached",
        "全国サーバに接続できません。時間をおいて照会してください。"
        "続くときはシステム管理者に連絡してください。",
    ),
    "timed-out": (
        "the national server did not answer in time",
        "全国サーバから制限時間内に回答がありません。時間をおいて照会してください。",
    ),
    "nonsense": (
        "the national server's answer is not an answer to this inquiry",
        "全国サーバの回答が照会と対応しないため使用していません。"
        "システム管理者に連絡してください。",
    ),
    "refused": (
        "the national server refused the inquiry",
        "全国サーバが照会を拒否しました。照会の条件を確認し、"
        "正しいときはシステム管理者に連絡してください。",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One inquiry as it leaves: by whom the person is named, and which of the eight items."""

    request_id: str
    by: Mapping[str, str]
    items: tuple[ItemName, ...]
    purpose: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What the national server answered: all items asked for if it is one person, else none."""

    result: Result
    values: Values


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a handler may know of it; ``withheld`` was asked for and is not told."""

    result: Result
    values: Values
    withheld: tuple[ItemName, ...]


class National(Protocol):
    """The line to the national server; any thread may ask."""

    def inquire(self, question: Question) -> Found:
        """Return what it answers, within a deadline.

        Raises:
            BadGateway: no answer, or not one to this question (``bad_gateway``).
            Unavailable: too many wait already.
        """
        ...


class Maintenance(msgspec.Struct, frozen=True, kw_only=True):
    """The line is out of use on purpose, until a moment that is sure to come."""

    since: datetime
    until: datetime
    reason: str


def bad_gateway(fault: Fault) -> BadGateway:
    """Return the refusal that says who is at fault, to developers and to staff."""
    text, advice = FAULTS[fault]
    return BadGateway(text, (Problem(fault, "national", advice),))


def maintenance(view: View, now: datetime) -> Maintenance | None:
    """Return the maintenance that is on at this moment."""
    document = view.document(COLLECTION, KEY)
    if document is None:
        return None
    known = msgspec.json.decode(document.body, type=Maintenance)
    return known if known.until > now else None


class Abroad:
    """The national server as one request may ask it."""

    def __init__(
        self,
        line: National,
        view: View,
        unit: Unit | None,
        registry: Registry,
        grant: Grant,
        request: Request,
    ) -> None:
        self._line = line
        self._view = view
        self._unit = unit
        self._registry = registry
        self._grant = grant
        self._request = request

    def inquire(self, by: Mapping[str, str], items: Collection[ItemName]) -> Elsewhere:
        """Ask about one person; what was read of the store before may have changed afterwards.

        Args:
            by: ``resident_code``, or ``my_number``, or ``name`` and one more of the four (R84).
            items: what the caller wants to see; the national server keeps the eight of them.

        Raises:
            Malformed: ``by`` names nobody, or in two ways.
            NotPermitted: the key or an item is beyond the grant, or none of them can be told.
            Protected: it may be somebody whom two persons open together here.
            Unavailable: maintenance is on, or too many wait already.
            BadGateway: the national server did not answer as it must.
        """
        if self._unit is not None:
            raise Failed("a unit of work does not wait for the national server")
        self._permit(_key(by), by, items)
        wanted = dict.fromkeys(items)
        kept_back = self._registry.kept_back()
        told = tuple(item for item in wanted if item in PROVIDED and item not in kept_back)
        if not told:
            raise NotPermitted("nothing of what is asked for can be told by the national server")
        self._registry.require_open(by, self._request.today)
        found = self._asked(by, told)
        values = {item: found.values[item] for item in told} if found.result == "one" else {}
        self._registry.touched.items.update(values)
        return Elsewhere(found.result, values, tuple(sorted(wanted.keys() - set(told))))

    @property
    def paused(self) -> Maintenance | None:
        """The maintenance that is on; while it is, nobody is asked and nothing is delivered."""
        return maintenance(self._view, self._request.now)

    def pause(self, until: datetime, reason: str) -> None:
        """Switch maintenance on until a moment; once more: until another one."""
        since = known.since if (known := self.paused) else self._request.now
        self._put(Maintenance(since=since, until=until, reason=reason))

    def resume(self) -> None:
        """Switch maintenance off, if it is on."""
        if (known := self.paused) is not None:
            self._put(msgspec.structs.replace(known, until=self._request.now))

    def _permit(self, key: str, by: Mapping[str, str], items: Collection[ItemName]) -> None:
        if key not in self._grant.keys:
            raise NotPermitted(f"your rights do not allow to ask by {key}")
        # Comparing is telling: nobody asks by what he may not see.
        self._registry.require([*items, *(map(ItemName, by) if key == "four" else ())])

    def _asked(self, by: Mapping[str, str], items: tuple[ItemName, ...]) -> Found:
        if (known := self.paused) is not None:
            raise _under_maintenance(known)
        question = Question(
            request_id=self._request.id,
            by=by,
            items=items,
            purpose=self._request.purpose,
            reason=self._request.reason,
        )
        asked = self._registry.touched.national
        try:
            with self._view.paused():
                found = self._line.inquire(question)
        except BadGateway:
            asked["no answer"] += 1
            raise
        asked[found.result] += 1
        return found

    def _put(self, known: Maintenance) -> None:
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        self._unit.put_document(COLLECTION, KEY, msgspec.json.encode(known))


def _key(by: Mapping[str, str]) -> str:
    """Return by what the person is named.

    Raises:
        Malformed: by nothing, by more than one, by too little or by what it does not know.
    """
    if set(by) <= set(FOUR):
        if "name" not in by or len(by) < 2:
            raise Malformed("by: give name, and birth_date, sex or address")
        return "four"
    if len(by) != 1 or (key := next(iter(by))) not in NUMBERS:
        raise Malformed("by: give resident_code, or my_number, or four informations without kana")
    return key


def _under_maintenance(known: Maintenance) -> Unavailable:
    until = known.until.astimezone(JST)
    return Unavailable(
        f"the national server is under maintenance until {until:%Y-%m-%dT%H:%M%z}",
        (
            Problem(
                "maintenance",
                "national",
                f"全国サーバとの通信は保守のため停止中です({until:%Y年%m月%d日 %H時%M分}まで)。"
                "その後に照会してください。",
            ),
        ),
    )
