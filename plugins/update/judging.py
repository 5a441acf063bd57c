"""Everything that is against a notice, before anything is changed.

::

    checks.examine      what must hold of every notice                  checks.py
    standing            how the person is known, by the code before     rules.state_of
    rules.judge         the state machine, if its turn has come         rules.py
    not_unique          numbers that are another person's, last of all

All problems of one notice are told together. It is held only if nothing but the missing one is
against it.
"""

from dataclasses import dataclass

from appliance.plugin_api import (
    Case,
    ItemName,
    NotFound,
    NotPermitted,
    Problem,
    Resident,
    Values,
    is_my_number,
    is_resident_code,
)
from plugins.update import checks, rules
from plugins.update.clashes import Clashes
from plugins.update.held import Held
from plugins.update.notice import (
    EFFECTIVE_DATE,
    MUNICIPALITY_CODE,
    MY_NUMBER,
    READ,
    REASON,
    REMOVED_FLAG,
    RESIDENT_CODE,
    UPDATE_NUMBER,
    Notice,
    told,
)
from plugins.update.rules import State
from plugins.update.sender import Sender, sender_of
from plugins.update.verdict import Finding, Outcome, Severity, Verdict, error

USED_NUMBER = "更新順番号が記録済みの番号以下です。記録済みの番号の次の番号で送ってください。"
MISSING_NUMBER = "この人の前の更新順番号の通知が届いていません。届くまで保留します。"
ANOTHERS_NUMBER = "別の人に付番された個人番号です。確認して送ってください。"
MANY_CLASHES = (
    "他の記録と合わない通知が本日の上限に達しました。"
    "都道府県に連絡し、確認した通知を明日以降に送ってください。"
)
RESTORING = "13"
"""職権記載等, by which the municipality before restores who a cancelled 転入 had taken away."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a person before a notice."""

    state: State
    resident: Resident | None = None
    came_from: str | None = None
    """Whose resident the person was before, where that decides."""

    @property
    def before(self) -> Values | None:
        """The latest record."""
        return None if self.resident is None else self.resident.values

    @property
    def next_number(self) -> int:
        """The 更新順番号 that comes next."""
        return 1 if self.before is None else int(self.before[UPDATE_NUMBER] or 0) + 1


class Judge:
    """Judges the notices of one request."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.clashes = Clashes(case.papers, case.request.today)

    def judge(self, held: Held) -> tuple[Verdict, Standing]:
        """Return everything that is against a notice, and what it was compared with."""
        notice, sender = held.notice, sender_of(held.sender, self._case.registry.municipalities)
        findings = checks.examine(notice, sender, self._case.request.today)
        if not is_resident_code(notice.known_by):
            return Verdict.of(findings), Standing(State.UNKNOWN)
        standing = self.standing(notice)
        findings += self._by_state(held, standing, sender)
        if Verdict.of(findings).outcome is Outcome.APPLIED:
            # Last, so that whoever wants to know a number must become its holder.
            findings += self.not_unique(notice, standing, sender)
        return Verdict.of(findings), standing

    def standing(self, notice: Notice) -> Standing:
        """Return how the person of a notice is known.

        Raises:
            NotPermitted: a plugin withholds what must be compared.
        """
        registry, code = self._case.registry, notice.known_by
        person = registry.by_code(code)
        if person is None:
            return Standing(State.UNKNOWN)
        resident = registry.read(person, READ)
        if resident.withheld:
            raise NotPermitted("items are withheld without which no notice can be judged")
        values = self._with_removal(resident)
        state = rules.state_of(values, code, self._case.request.today)
        restoring = notice.reason == RESTORING and state is State.STRUCK_OFF
        return Standing(state, resident, self._came_from(resident) if restoring else None)

    def not_unique(self, notice: Notice, standing: Standing, sender: Sender) -> list[Finding]:
        """Return which number of a notice is, or ever was, somebody else's (L-20, L-30)."""
        own = None if standing.resident is None else standing.resident.person
        findings = []
        if notice.reason in rules.CODE_CHANGES:
            holder = self._case.registry.by_code(notice.resident_code)
            # A change that was an error may be taken back ex officio, and only by its person.
            if holder is not None and not (holder == own and notice.reason == "42"):
                findings.append(rules.taken_code())
        number, before = notice.my_number, standing.before
        if number is None or not is_my_number(number):
            return findings
        if before is not None and before[MY_NUMBER] == number:
            return findings
        if self.clashes.too_many(sender.code):
            return [*findings, error("G-13", "my_number", MANY_CLASHES)]
        holder = self._case.registry.by_number(number)
        if holder is not None and holder != own:
            self.clashes.enter(sender.code)
            findings.append(error("L-30", "my_number", ANOTHERS_NUMBER))
        return findings

    def overtakes(self, held: Held, standing: Standing) -> bool:
        """Whether a notice is a 転入 before the 転出 of the municipality on record."""
        sender = sender_of(held.sender, self._case.registry.municipalities)
        return rules.overtakes(told(held.notice), standing.before, standing.state, sender)

    def _by_state(self, held: Held, standing: Standing, sender: Sender) -> list[Finding]:
        notice, before = held.notice, standing.before
        if before is not None and standing.came_from in sender.covers:
            sender = sender.reaching(str(before[MUNICIPALITY_CODE]))
        known = (told(notice), before, standing.state, sender)
        findings = found(notice.update_number - standing.next_number, *known)
        if before is not None and not rules.is_anothers(before, sender):
            return findings
        refused = Verdict.of(findings).outcome is Outcome.REJECTED
        # A notice that waits already has its turn when others send, which nobody can try out.
        waits = Verdict.of(findings).outcome is Outcome.HELD and not held.problems
        telling = refused or waits or rules.decided_by_anothers(*known)
        if telling and self.clashes.too_many(sender.code):
            # Nobody known or another's resident: past the limit no answer tells which.
            return [error("G-13", RESIDENT_CODE, MANY_CLASHES)]
        if refused and before is not None:
            self.clashes.enter(sender.code)
        return findings

    def _with_removal(self, resident: Resident) -> Values:
        """Return the record, of somebody struck off with the reason and the day of that."""
        values, version = resident.values, resident.version
        # A correction may have come after it (職権修正等 leaves the state as it is).
        while values[REMOVED_FLAG] and values[REASON] == "33" and version > 1:
            version -= 1
            deciding = (REASON, EFFECTIVE_DATE, REMOVED_FLAG)
            earlier = self._earlier(resident, version, deciding)
            if not earlier.get(REMOVED_FLAG, True):
                break  # the version that struck off is missing: it came by a recovery
            values = {**values, **earlier}
        return values

    def _came_from(self, resident: Resident) -> str | None:
        """Return whose resident somebody was before the municipality on record."""
        here, version = resident.values[MUNICIPALITY_CODE], resident.version
        while version > 1:
            version -= 1
            earlier = self._earlier(resident, version, (MUNICIPALITY_CODE,))
            if (place := earlier.get(MUNICIPALITY_CODE, here)) != here:
                return str(place)
        return None

    def _earlier(self, resident: Resident, version: int, items: tuple[ItemName, ...]) -> Values:
        """Return these items of an older version; nothing of one whose retention has ended."""
        try:
            return self._case.registry.read(resident.person, items, version=version).values
        except NotFound:
            return {}


def found(
    ahead: int, values: Values, before: Values | None, state: State, sender: Sender
) -> list[Finding]:
    """Return what the rules say of a notice whose 更新順番号 is so much above the next one."""
    known = (values, before, state, sender)
    # What is refused now may be right once the missing one has come. Of another's record the 転出
    # is missing too, whatever the number; that it is, tells where somebody lives.
    if ahead > 0 or (ahead == 0 and rules.overtakes(*known)):
        return [Finding(Severity.WAIT, Problem("G-06", "update_number", MISSING_NUMBER))]
    if ahead == 0:
        return rules.judge(*known)
    if closed := rules.beyond_reach(*known):
        return closed
    used = error("G-06", "update_number", USED_NUMBER)
    if before is not None and rules.is_anothers(before, sender):
        return [used]
    # Made against another record than the latest: comparing them would mean nothing.
    return [used, *rules.judge_state(*known)]
