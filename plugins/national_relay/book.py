"""The register of cases: a record about which the national server has something to say.

Two kinds: *reported*, 機構 tells that an item is wrong (住民基本台帳法30条の8, R190); *refused*, it
refuses the message about the record by a rule of its own. Each is passed on at once to the
municipality that keeps the person (the case is the prefecture's, the 住民票 is the municipality's),
and is *answered* once the national server has taken a newer version. Staff may close it with a
reason. Entries say where, which items, why and when; who it is, is the number of a sealed record.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from appliance.plugin_api import ITEMS, Case, Conflict, Entry, PersonId, Register, VersionId

DESTINATION, KIND = "national", "update"
"""Of the feed: what is told to the national server."""
REGISTER, OPEN = "cases", "open"
REPORT = "report"
LABELS = {str(item.name): item.label for item in ITEMS}
FINDINGS = {
    "differs": "他の記録と一致しません",
    "impossible": "あり得ない値です",
    "duplicate": "同一人が重複しています",
    "other": "誤りがあります",
}

Kind = Literal["reported", "refused"]
State = Literal["open", "answered", "closed"]


class Open(NamedTuple):
    """What must be known of an open case to see that it is answered."""

    number: int
    kind: Kind
    person: PersonId
    after: int
    """Of *reported*: the version; of *refused*: the message."""


class Book:
    """The register, in one request."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._register = Register(case.papers, REGISTER)

    @property
    def has_open(self) -> bool:
        """Whether any case is open."""
        return next(self.open(), None) is not None

    @property
    def refused(self) -> int:
        """How many cases of refused messages are open."""
        return sum(each.kind == "refused" for each in self.open())

    @property
    def last(self) -> int:
        """The number of the newest case."""
        return self._register.last

    def open(self) -> Iterator[Open]:
        """Yield every open case, by number."""
        for key, paper in self._case.papers.every(OPEN):
            yield Open(int(key), paper["kind"], PersonId(paper["person"]), paper["after"])

    def get(self, number: int) -> Entry:
        """Return a case as it is now.

        Raises:
            NotFound: there is no such case.
        """
        return self._register.get(number)

    def history(self, number: int) -> list[Entry]:
        """Return a case in all its states, the first one first."""
        return self._register.history(number)

    def report(self, person: PersonId, items: Sequence[str], finding: str, notice: str) -> int:
        """Open a case that 機構 reported; return its number."""
        version = VersionId(person, self._case.registry.latest(person))
        labels = "、".join(LABELS[item] for item in items)
        text = (
            f"機構から、本人確認情報の次の項目について通報がありました({labels}:"
            f"{FINDINGS[finding]})。住民票の記載を確認し、誤りがあれば修正を通知してください。"
        )
        told = {"from": "national-30-8", "items": ",".join(items), "finding": finding, "text": text}
        return self._begin("reported", version, version.number, told, notice)

    def refuse(self, message: int, version: VersionId, rule: str) -> int:
        """Open a case of a message that was refused; return its number."""
        text = (
            f"機構が本人確認情報の通知を受け付けませんでした(機構の規則 {rule})。"
            "住民票の記載を確認し、必要な修正を通知してください。"
        )
        told = {"from": "national-30-7", "items": "", "finding": rule, "text": text}
        return self._begin("refused", version, message, told, "")

    def answer(self, told: Mapping[int, VersionId]) -> tuple[int, ...]:
        """Close what these messages, taken by the national server, make good; return which."""
        # Messages and versions of one person both rise: the last message says of both.
        newest = {version.person: (number, version.number) for number, version in told.items()}
        answered = tuple(each.number for each in self.open() if _is_answered(each, newest))
        for number in answered:
            self._end(number, state="answered")
        return answered

    def close(self, number: int, reason: str) -> Entry:
        """Close an open case by hand; return it.

        Raises:
            NotFound: there is no such case.
            Conflict: it is not open.
        """
        self.must_be_open(number)
        operator = self._case.actor.operator
        by = operator.operator_id if operator else self._case.actor.terminal.terminal_id
        return self._end(number, state="closed", reason=reason, closed_by=by)

    def send_again(self, number: int) -> int:
        """Put the person's latest version into the feed again; return the number of the message.

        Raises:
            NotFound: there is no such case.
            Conflict: it is not open, or no message was refused.
        """
        entry = self.must_be_open(number)
        if entry["kind"] != "refused":
            raise Conflict("no message of this case was refused")
        message = self._case.outgoing.send(
            DESTINATION, KIND, PersonId(entry["person"]), {"at": self._now}
        )
        self._register.amend(number, again=message)
        return message

    def must_be_open(self, number: int) -> Entry:
        """Return an open case.

        Raises:
            NotFound: there is no such case.
            Conflict: it is not open.
        """
        entry = self.get(number)
        if entry["state"] != "open":
            raise Conflict("the case is no longer open")
        return entry

    def _begin(
        self, kind: Kind, version: VersionId, after: int, told: Mapping[str, str], notice: str
    ) -> int:
        case, person = self._case, version.person
        office = case.outgoing.home(person)
        number = self._register.last + 1
        note = {"at": self._now, "case": str(number), **told}
        entry = {
            "kind": kind,
            "at": self._now,
            "person": person,
            "version": version.number,
            "municipality_code": office,
            "items": [item for item in told["items"].split(",") if item],
            "finding": told["finding"],
            "notice": notice,
            "message": after if kind == "refused" else None,
            "forwarded": case.outgoing.send(f"cs/{office}", REPORT, person, note),
            "state": "open",
        }
        self._register.add(entry)
        case.papers.put(OPEN, _key(number), {"kind": kind, "person": person, "after": after})
        return number

    def _end(self, number: int, **changed: Any) -> Entry:
        self._case.papers.drop(OPEN, _key(number))
        entry = self._register.amend(number, ended_at=self._now, **changed)
        # That a case ends tells nothing of whom it is about; it needs no second person (要注意).
        self._case.registry.concerns(PersonId(entry["person"]), opens=False)
        return entry

    @property
    def _now(self) -> str:
        return self._case.request.now.isoformat()


def age(entry: Entry, now: datetime) -> int:
    """Return for how many seconds a case is, or was, open."""
    ended = datetime.fromisoformat(entry["ended_at"]) if "ended_at" in entry else now
    return max(0, int((ended - datetime.fromisoformat(entry["at"])).total_seconds()))


def _is_answered(case: Open, newest: Mapping[PersonId, tuple[int, int]]) -> bool:
    message, version = newest.get(case.person, (0, 0))
    return (version if case.kind == "reported" else message) > case.after


def _key(number: int) -> str:
    return f"{number:012}"
