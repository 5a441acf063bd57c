"""One batch of notices, one after another: judged, then applied, held or refused.

::

    take      has this sequence number come before?                    order.py
    _judge    general checks, state machine, order of the person's      checks.py, rules.py
              versions, numbers that are another person's
    _apply    the new version, in a savepoint of its own
    _release  whoever waited for this person has another turn           held.py

All problems of one notice are told together. A notice is held only if nothing but the missing one
is against it.
"""

from dataclasses import dataclass

from appliance.plugin_api import (
    JST,
    Case,
    NotPermitted,
    Problem,
    Rejected,
    Resident,
    Values,
    is_my_number,
    is_resident_code,
)
from plugins.update import checks, rules
from plugins.update.clashes import Clashes
from plugins.update.held import MOST_OF_PERSON, MOST_OF_SENDER, Held, Waiting
from plugins.update.notice import (
    EFFECTIVE_DATE,
    MY_NUMBER,
    READ,
    REASON,
    REMOVED_FLAG,
    RESIDENT_CODE,
    UPDATE_NUMBER,
    Notice,
    digest,
    record,
    told,
)
from plugins.update.order import Receipts, Seen
from plugins.update.rules import State
from plugins.update.sender import Sender, sender_of
from plugins.update.verdict import Finding, Outcome, Severity, Verdict, error

OTHER_CONTENT = "この連番は別の内容で受付済みです。新しい連番で送ってください。"
TOO_MANY_GAPS = "届いていない連番が多すぎます。欠けている通知を先に送ってください。"
USED_NUMBER = "更新順番号が記録済みの番号以下です。記録済みの番号の次の番号で送ってください。"
AWAITED_NUMBER = "同じ更新順番号の通知を保留しています。先に欠けている通知を送ってください。"
MISSING_NUMBER = "この人の前の更新順番号の通知が届いていません。届くまで保留します。"
ANOTHERS_NUMBER = "別の人に付番された個人番号です。確認して送ってください。"
MANY_CLASHES = (
    "他の記録と合わない通知が本日の上限に達しました。"
    "都道府県に連絡し、確認した通知を明日以降に送ってください。"
)
MANY_WAIT_FOR_PERSON = (
    "この人について保留している通知が上限に達しています。"
    "欠けている更新順番号の通知を先に送り、その後に新しい連番で送ってください。"
)
MANY_WAIT = (
    "保留している通知が上限に達しています。update/heldで欠けている通知を確認して送り、"
    "その後に新しい連番で送ってください。"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a person before a notice."""

    state: State
    resident: Resident | None = None

    @property
    def before(self) -> Values | None:
        """The latest record."""
        return None if self.resident is None else self.resident.values

    @property
    def next_number(self) -> int:
        """The 更新順番号 that comes next."""
        return 1 if self.before is None else int(self.before[UPDATE_NUMBER] or 0) + 1


class Batch:
    """A batch in the hands of the appliance."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._sender = sender_in(case)
        self._receipts = Receipts(case.papers, self._sender.code)
        self._waiting = Waiting(case.papers, case.registry.alias)
        self._clashes = Clashes(case.papers, case.request.today)
        self._released = 0

    def take(self, notice: Notice) -> Verdict:
        """Return what has become of a notice, once and for all for its sequence number."""
        content = digest(notice)
        arrived = Held(
            sender=self._sender.code, notice=notice, since=self._case.request.now, problems=()
        )
        match self._receipts.seen(notice.sequence, content):
            case Seen.SAME:
                verdict = Verdict(Outcome.DUPLICATE)
            case Seen.OTHER:
                verdict = Verdict.of([error("G-06", "sequence", OTHER_CONTENT)])
            case Seen.TOO_MANY_GAPS:
                verdict = Verdict.of([error("G-06", "sequence", TOO_MANY_GAPS)])
            case Seen.NEW:
                verdict = self._decide(arrived)
                self._receipts.enter(notice.sequence, content)
        self._case.note.outcomes.append((notice.sequence, verdict.outcome, verdict.rule))
        if verdict.outcome is Outcome.APPLIED:
            self._release(arrived)
        return verdict

    def close(self, most_missing: int) -> list[int]:
        """Write down which numbers have come; return the lowest that have not."""
        self._receipts.save()
        self._waiting.save()
        self._clashes.save()
        if self._released:
            # Not one by one: a batch may release more than a ledger entry can hold.
            self._case.note.result = f"released {self._released}"
        return self._receipts.missing(most_missing)

    def _decide(self, arrived: Held) -> Verdict:
        verdict, standing = self._judge(arrived)
        match verdict.outcome:
            case Outcome.APPLIED:
                return self._apply(arrived, standing, verdict)
            case Outcome.HELD:
                return self._hold(arrived, verdict)
            case _:
                return verdict

    def _judge(self, held: Held) -> tuple[Verdict, Standing]:
        notice, sender = held.notice, sender_of(held.sender, self._case.registry.municipalities)
        findings = checks.examine(notice, sender, self._case.request.today)
        if not is_resident_code(notice.resident_code):
            return Verdict.of(findings), Standing(State.UNKNOWN)
        standing, values = self._standing(notice.resident_code), told(notice)
        known = (values, standing.before, standing.state, sender)
        if notice.update_number == standing.next_number:
            findings += self._in_order(*known)
        elif notice.update_number > standing.next_number:
            # What is refused now may be right once the missing one has come.
            missing = Problem("G-06", "update_number", MISSING_NUMBER)
            against = [each for each in rules.judge_state(*known) if each.severity is Severity.WAIT]
            findings += [Finding(Severity.WAIT, missing), *against]
        elif closed := rules.beyond_reach(*known):
            findings += closed
        else:
            # Made against another record than the latest: comparing them would mean nothing.
            used = error("G-06", "update_number", USED_NUMBER)
            findings += [used, *rules.judge_state(*known)]
        if Verdict.of(findings).outcome is Outcome.APPLIED:
            # Last, so that whoever wants to know a number must become its holder.
            findings += self._anothers_number(held, standing)
        return Verdict.of(findings), standing

    def _in_order(
        self, values: Values, before: Values | None, state: State, sender: Sender
    ) -> list[Finding]:
        clashing = rules.decided_by_anothers(values, before, state, sender)
        if clashing and self._clashes.too_many(sender.code):
            return [error("G-13", RESIDENT_CODE, MANY_CLASHES)]
        findings = rules.judge(values, before, state, sender)
        if clashing and any(finding.severity is Severity.ERROR for finding in findings):
            self._clashes.enter(sender.code)
        return findings

    def _standing(self, resident_code: str) -> Standing:
        registry = self._case.registry
        person = registry.by_code(resident_code)
        if person is None:
            return Standing(State.UNKNOWN)
        resident = registry.read(person, READ)
        if resident.withheld:
            raise NotPermitted("items are withheld without which no notice can be judged")
        values = self._with_removal(resident)
        return Standing(rules.state_of(values, resident_code, self._case.request.today), resident)

    def _with_removal(self, resident: Resident) -> Values:
        """Return the record, of somebody struck off with the reason and the day of that."""
        values, version = resident.values, resident.version
        # A correction may have come after it (職権修正等 leaves the state as it is).
        while values[REMOVED_FLAG] and values[REASON] == "33" and version > 1:
            version -= 1
            earlier = self._case.registry.read(
                resident.person, (REASON, EFFECTIVE_DATE, REMOVED_FLAG), version=version
            )
            values = {**resident.values, **earlier.values}
        return values

    def _anothers_number(self, held: Held, standing: Standing) -> list[Finding]:
        number, before = held.notice.my_number, standing.before
        if number is None or not is_my_number(number):
            return []
        if before is not None and before[MY_NUMBER] == number:
            return []
        if self._clashes.too_many(held.sender):
            return [error("G-13", "my_number", MANY_CLASHES)]
        holder = self._case.registry.by_number(number)
        own = None if standing.resident is None else standing.resident.person
        if holder is None or holder == own:
            return []
        self._clashes.enter(held.sender)
        return [error("L-30", "my_number", ANOTHERS_NUMBER)]

    def _apply(self, held: Held, standing: Standing, verdict: Verdict) -> Verdict:
        """Save the new version; a refusal on the way undoes this notice and no other."""
        now, notice, resident = self._case.request.now, held.notice, standing.resident
        values = record(
            told(notice),
            removed=rules.removed_after(notice.reason, standing.before),
            received=held.since.astimezone(JST).date(),
            now=now,
        )
        try:
            with self._case.registry.savepoint():
                self._case.registry.save(
                    None if resident is None else resident.person,
                    values,
                    seen=0 if resident is None else resident.version,
                )
        except Rejected as refusal:
            return Verdict(Outcome.REJECTED, tuple(refusal.problems) or (_unnamed(refusal),))
        return verdict

    def _hold(self, held: Held, verdict: Verdict) -> Verdict:
        turns = self._waiting.turns(held.notice.resident_code)
        own = [turn for turn in turns if turn.sender == held.sender]
        if held.turn.update_number in (turn.update_number for turn in own):
            return Verdict.of([error("G-06", "update_number", AWAITED_NUMBER)])
        if len(own) >= MOST_OF_PERSON:
            return Verdict.of([error("G-06", "update_number", MANY_WAIT_FOR_PERSON)])
        if self._waiting.count(held.sender) >= MOST_OF_SENDER:
            return Verdict.of([error("G-06", "sequence", MANY_WAIT)])
        self._waiting.add(_with(held, verdict))
        return verdict

    def _release(self, applied: Held) -> None:
        """Give whoever waited for this person a turn, as long as their versions follow."""
        last = applied.turn
        for turn in self._waiting.turns(applied.notice.resident_code):
            if turn.update_number > last.update_number + 1:
                break
            held = self._waiting.open(turn)
            if turn.sender == last.sender and turn.update_number <= last.update_number:
                self._waiting.drop(held)
            elif self._second_turn(held):
                last = turn

    def _second_turn(self, held: Held) -> bool:
        verdict, standing = self._judge(held)
        if verdict.outcome is Outcome.APPLIED:
            verdict = self._apply(held, standing, verdict)
        if verdict.outcome is Outcome.APPLIED:
            self._waiting.drop(held)
            self._released += 1
            return True
        if verdict.problems != held.problems:
            self._waiting.amend(_with(held, verdict))
        return False


def sender_in(case: Case) -> Sender:
    """Return the municipality that the certificate of a request is bound to (R18, R33).

    Raises:
        NotPermitted: the terminal is no municipality's.
    """
    code = case.actor.terminal.municipality_code
    if code is None:
        raise NotPermitted("this terminal is not the CS of a municipality")
    return sender_of(code, case.registry.municipalities)


def _with(held: Held, verdict: Verdict) -> Held:
    return Held(
        sender=held.sender,
        notice=held.notice,
        since=held.since,
        problems=verdict.problems,
        refused=verdict.outcome is Outcome.REJECTED,
    )


def _unnamed(refusal: Rejected) -> Problem:
    return Problem("", "", refusal.text)
