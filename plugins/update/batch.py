"""One batch of notices, one after another: judged, then applied, held or refused.

::

    take      has this sequence number come before?                    order.py
    _decide   what is against it                                        judging.py
    apply     the new version, in a savepoint of its own; what the      inbox.py
              prefecture had reported about the person is answered
    _hold     it waits, within limits; the other municipality hears     held.py, inbox.py
    release   whoever waited for this person has another turn
"""

from datetime import date, datetime

from msgspec.structs import replace

from appliance.plugin_api import JST, Case, Problem, Rejected
from plugins.update import rules
from plugins.update.held import MOST_OF_PERSON, MOST_OF_SENDER, Held, Waiting
from plugins.update.inbox import Inbox
from plugins.update.judging import Judge, Standing
from plugins.update.notice import MUNICIPALITY_CODE, Notice, days_since, digest, record, told
from plugins.update.order import Receipts, Seen
from plugins.update.receptions import Counts
from plugins.update.sender import sender_in
from plugins.update.verdict import Outcome, Verdict, error

OTHER_CONTENT = "この連番は別の内容で受付済みです。新しい連番で送ってください。"
TOO_MANY_GAPS = "届いていない連番が多すぎます。欠けている通知を先に送ってください。"
AWAITED_NUMBER = "同じ更新順番号の通知を保留しています。先に欠けている通知を送ってください。"
MANY_WAIT_FOR_PERSON = (
    "この人について保留している通知が上限に達しています。"
    "欠けている更新順番号の通知を先に送り、その後に新しい連番で送ってください。"
)
MANY_WAIT = (
    "保留している通知が上限に達しています。update/heldで欠けている通知を確認して送り、"
    "その後に新しい連番で送ってください。"
)


class Batch:
    """A batch in the hands of the appliance."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._sender = sender_in(case)
        self.receipts = Receipts(case.papers, self._sender.code)
        self.waiting = Waiting(case.papers, case.registry.alias)
        self.inbox = Inbox(case)
        self.judge = Judge(case)
        self.counts = Counts(case.papers, case.request.now)
        self._released = 0

    def take(self, notice: Notice) -> Verdict:
        """Return what has become of a notice, once and for all for its sequence number."""
        content, arrived = digest(notice), self.arrived(notice)
        match self.receipts.seen(notice.sequence, content):
            case Seen.SAME:
                verdict = Verdict(Outcome.DUPLICATE)
            case Seen.OTHER:
                verdict = Verdict.of([error("G-06", "sequence", OTHER_CONTENT)])
            case Seen.TOO_MANY_GAPS:
                verdict = Verdict.of([error("G-06", "sequence", TOO_MANY_GAPS)])
            case Seen.NEW:
                verdict = self._decide(arrived)
                self.receipts.enter(notice.sequence, content)
        self.counts.came(self._sender.code, verdict)
        self._case.note.outcomes.append((notice.sequence, verdict.outcome, verdict.rule))
        if verdict.outcome is Outcome.APPLIED:
            self.release(arrived)
        return verdict

    def arrived(self, notice: Notice) -> Held:
        """Return a notice of this sender as one that has come now."""
        now = self._case.request.now
        return Held(sender=self._sender.code, notice=notice, since=now, problems=())

    def close(self) -> None:
        """Write down which numbers have come, and what waits."""
        self.receipts.save()
        self.waiting.save()
        self.judge.clashes.save()
        self.counts.save()
        if self._released:
            # Not one by one: a batch may release more than a ledger entry can hold.
            self._case.note.result = f"released {self._released}"

    def apply(
        self, held: Held, standing: Standing, verdict: Verdict, *, removed: bool | None = None
    ) -> Verdict:
        """Save the new version; a refusal on the way undoes this notice and no other.

        ``removed`` is 削除フラグ where the reason does not say it.
        """
        now, notice, resident = self._case.request.now, held.notice, standing.resident
        if removed is None:
            removed = rules.removed_after(notice.reason, standing.before)
        values = record(told(notice), removed=removed, received=_day_of(held.since), now=now)
        try:
            with self._case.registry.savepoint():
                self._case.registry.save(
                    None if resident is None else resident.person,
                    values,
                    seen=0 if resident is None else resident.version,
                )
        except Rejected as refusal:
            return Verdict(Outcome.REJECTED, tuple(refusal.problems) or (_unnamed(refusal),))
        if removed and resident is not None:
            self.inbox.moved_out(resident.person)
        answers = self.inbox.answer(held.sender, notice)
        return Verdict(verdict.outcome, verdict.problems, answers)

    def release(self, applied: Held) -> None:
        """Give whoever waited for this person a turn, as long as their versions follow."""
        following: Held | None = applied
        while following is not None:
            following = self._next_after(following)

    def withdraw(self, sequence: int) -> bool:
        """Let a notice of this sender wait no longer; return whether it did."""
        held = self.waiting.find(self._sender.code, sequence)
        if held is None:
            return False
        self.waiting.drop(held)
        return True

    def _decide(self, arrived: Held) -> Verdict:
        verdict, standing = self.judge.judge(arrived)
        match verdict.outcome:
            case Outcome.APPLIED:
                return self._counted(arrived, self.apply(arrived, standing, verdict))
            case Outcome.HELD:
                return self._hold(arrived, standing, verdict)
            case _:
                return verdict

    def _counted(self, held: Held, verdict: Verdict) -> Verdict:
        """Note how many days after its 異動年月日 a notice was applied, if it was."""
        if verdict.outcome is not Outcome.APPLIED:
            return verdict
        days = days_since(held.notice.effective_date, _day_of(self._case.request.now))
        self.counts.applied(held.sender, days)
        if days is not None:
            lags = self._case.note.conditions.setdefault("lags", {}).setdefault(held.sender, {})
            lags[days] = lags.get(days, 0) + 1
        return verdict

    def _hold(self, held: Held, standing: Standing, verdict: Verdict) -> Verdict:
        turns = self.waiting.turns(held.notice.known_by)
        own = [turn for turn in turns if turn.sender == held.sender]
        if held.turn.update_number in (turn.update_number for turn in own):
            return Verdict.of([error("G-06", "update_number", AWAITED_NUMBER)])
        if len(own) >= MOST_OF_PERSON:
            return Verdict.of([error("G-06", "update_number", MANY_WAIT_FOR_PERSON)])
        if self.waiting.count(held.sender) >= MOST_OF_SENDER:
            return Verdict.of([error("G-06", "sequence", MANY_WAIT)])
        self.waiting.add(replace(held, problems=verdict.problems))
        if standing.resident is not None and self.judge.overtakes(held, standing):
            place = str(standing.resident.values[MUNICIPALITY_CODE])
            self.inbox.moving_out_awaited(place, standing.resident.person, held.sender)
        return verdict

    def _next_after(self, applied: Held) -> Held | None:
        """Apply the next who waited for somebody, and return it; None if nobody's turn has come."""
        last = applied.turn
        # Who had been waiting knew the person by the code before; who follows knows the new one.
        for code in dict.fromkeys((applied.notice.known_by, applied.notice.resident_code)):
            for turn in self.waiting.turns(code):
                if turn.update_number > last.update_number + 1:
                    break
                held = self.waiting.open(turn)
                if turn.sender == last.sender and turn.update_number <= last.update_number:
                    self.waiting.drop(held)
                elif self._second_turn(held):
                    return held
        return None

    def _second_turn(self, held: Held) -> bool:
        verdict, standing = self.judge.judge(held)
        if verdict.outcome is Outcome.APPLIED:
            verdict = self._counted(held, self.apply(held, standing, verdict))
        if verdict.outcome is Outcome.APPLIED:
            self.waiting.drop(held)
            self._released += 1
            return True
        if verdict.problems != held.problems:
            self.waiting.amend(replace(held, problems=verdict.problems))
            if verdict.outcome is Outcome.REJECTED and standing.resident is not None:
                self.inbox.refused(held, standing.resident.person, verdict)
        return False


def _unnamed(refusal: Rejected) -> Problem:
    return Problem("", "", refusal.text)


def _day_of(moment: datetime) -> date:
    return moment.astimezone(JST).date()
