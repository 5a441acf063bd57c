"""Residents as a handler sees them: found, read within the grant, saved as a whole change.

The registry remembers everybody it showed or changed, whether or not the handler says so; the
ledger entry is written from that. Comparing is telling: whoever may not see an item cannot search
by it either, nor ask whether it is as claimed.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import cbor2

from appliance.erasing import Erasing
from appliance.errors import (
    Conflict,
    Failed,
    Malformed,
    NotFound,
    NotPermitted,
    Rejected,
    TooMany,
)
from appliance.finding import Conditions, Hit, Why, worth
from appliance.index import Index
from appliance.items import (
    AS_WRITTEN,
    BY_NAME,
    CELLS,
    ITEM_NAMES,
    ITEMS,
    ItemName,
    Lazily,
    Value,
    Values,
    open_form,
    seal_form,
)
from appliance.marks import Marker
from appliance.model import Change, Grant, Message, Resident
from appliance.protection import Guard
from appliance.retention import erasable_from, received_on
from appliance.seeking import Seeker
from appliance.standing import (
    DECIDING,
    REASON,
    REMOVALS,
    REMOVED_FLAG,
    Standing,
    standing,
    until,
)
from appliance.traces import Touched
from appliance.values.identifiers import Municipalities
from storage.engine import MOST_VERSIONS, PersonId, Unit, VersionId, View
from storage.errors import RecordNotFound, StaleRevision

BIRTH_DATE, RETENTION_FLAG = ItemName("birth_date"), ItemName("retention_flag")
RUNNING = "1"
_EVERYTHING = tuple(item.name for item in CELLS)


@dataclass(frozen=True, slots=True)
class Tools:
    """What every registry of a running appliance shares."""

    index: Index
    municipalities: Municipalities
    marker: Marker


class Registry:
    """The residents within reach of one request."""

    def __init__(
        self,
        view: View,
        unit: Unit | None,
        tools: Tools,
        grant: Grant,
        withheld: Callable[[], frozenset[ItemName]],
        messages: Callable[[Change], Iterable[Message]],
        tallies: Callable[[Change], Iterable[tuple[str, int]]],
        guard: Guard,
    ) -> None:
        self._view = view
        self._unit = unit
        self._tools = tools
        self._grant = grant
        self._ask_withheld = withheld
        self._withheld: frozenset[ItemName] | None = None
        self._whole: tuple[VersionId, Values] | None = None
        self._messages = messages
        self._tallies = tallies
        self._guard = guard
        self.touched = Touched()

    @property
    def _seeker(self) -> Seeker:
        # Made anew each time: what refers back to the registry would keep it until the next
        # collection of garbage, and with it every request.
        return Seeker(
            view=self._view,
            index=self._tools.index,
            municipalities=self._tools.municipalities,
            guard=self._guard,
            touched=self.touched,
            looked_at=lambda person: Lazily(partial(self._item, person, 0)),
        )

    @property
    def municipalities(self) -> Municipalities:
        """The municipality master."""
        return self._tools.municipalities

    def narrow(self, grant: Grant) -> None:
        """Reach from now on no further than this grant does too; rights never grow.

        Whoever is protected is opened for nobody who is not there.
        """
        mine = self._grant
        self._guard.watch()
        self._grant = Grant(
            items=mine.items & grant.items,
            keys=mine.keys & grant.keys,
            removed=mine.removed and grant.removed,
            history=mine.history and grant.history,
            most_results=grant.most_results,
            blind=mine.blind or grant.blind,
        )

    def by_code(self, resident_code: str) -> PersonId | None:
        """Return who has this 住民票コード.

        Raises:
            NotPermitted: the rights do not allow to ask by it (R195).
        """
        self._may_ask_by("resident_code")
        return self._view.identified(self._tools.index.code(resident_code))

    def by_number(self, my_number: str) -> PersonId | None:
        """Return who has this 個人番号 or ever had it.

        Raises:
            NotPermitted: the rights do not allow to ask by it.
        """
        self._may_ask_by("my_number")
        return self._view.identified(self._tools.index.number(my_number))

    def alias(self, resident_code: str) -> str:
        """Return a keyed digest of a 住民票コード, in hex: a name for papers that tells nothing."""
        value = self._tools.index.code(resident_code).value
        return value.hex() if isinstance(value, bytes) else f"{value:x}"

    def find(self, sought: Conditions) -> list[Hit]:
        """Return everybody who fits all conditions, best first.

        Protected persons (要注意) are found by name, kana, birth date and sex, whatever is said of
        the place, and are ``guarded``; a search whose index goes by a place does not find them.

        Raises:
            NotPermitted: not by four informations or this item, or not struck-off residents, or
                an item is withheld.
            Malformed: a condition holds nothing that could be compared.
            AddConditions: too wide to be searched for.
            TooMany: more than may be shown; carries the count and nobody.
        """
        self._may_ask_by("four")
        if sought.include_removed and not self._grant.removed:
            raise NotPermitted("struck-off residents are not within your rights")
        return self._fitting(sought)

    def only(self, sought: Conditions) -> PersonId | None:
        """Return whoever alone fits, or alone is protected of those who fit; nobody is listed.

        Raises:
            NotPermitted, Malformed, AddConditions: as ``find``.
        """
        self._may_ask_by("four")
        hits = self._hits(sought)
        found = [hit.person for hit in hits if hit.guarded] or [hit.person for hit in hits]
        return found[0] if len(found) == 1 else None

    def placed(self, sought: Conditions) -> list[tuple[Hit, Standing]]:
        """Return everybody who fits, struck-off ones too, and how each stands today (R43).

        That somebody moved out may be told without the right to see struck-off residents.

        Raises:
            NotPermitted, AddConditions, TooMany: as ``find``.
            Protected: it may be a protected person, and no resident fits who is none.
        """
        self._may_ask_by("four")
        hits = self._fitting(replace(sought, include_removed=True))
        placed = [
            (hit, self._standing(hit.person, sought.today)) for hit in hits if not hit.guarded
        ]
        # Where he lives is not compared, so a namesake who fits wholly is the one who is meant.
        if not any(standing is Standing.HERE for _, standing in placed):
            for hit in hits:
                self._guard.admit(hit.person, self.touched)
        return placed

    def standing(self, person: PersonId, today: date) -> Standing:
        """Return how a person stands to the prefecture, and nothing else of him.

        Raises:
            NotPermitted: the rights reach nobody, by no key.
            NotFound: there is no such person.
        """
        if not self._grant.keys:
            raise NotPermitted("your rights do not allow to ask about anybody")
        self._compare(person, DECIDING)
        return self._standing(person, today)

    def _standing(self, person: PersonId, today: date) -> Standing:
        values = self._deciding(person, Lazily(partial(self._item, person, 0)), 0)
        return standing(values, today)

    def fits(self, person: PersonId, claimed: Conditions) -> Why | None:
        """Return how well what is claimed of a person holds, or None if it does not (R49).

        Raises:
            NotPermitted: something that is claimed is beyond the grant, or withheld.
            Malformed: it holds nothing that could be compared.
            NotFound: there is no such person.
        """
        self._may_compare(claimed.items)
        worth(claimed)
        self._compare(person, claimed.items)
        return self._seeker.fits(person, replace(claimed, include_removed=True))

    def holds(self, person: PersonId, item: ItemName, value: Value) -> bool:
        """Return whether the latest version says exactly this; who once had a number is no more.

        Raises:
            NotPermitted, NotFound: as ``fits``; a key by which may be asked is within the grant.
        """
        self._may_compare((item,), *self._grant.keys)
        self._compare(person, (item,))
        return self._open(person, (item,), 0)[item] == value

    def latest(self, person: PersonId) -> int:
        """Return the number of a person's latest version.

        Raises:
            NotFound: there is no such person.
        """
        try:
            return self._view.latest(person)
        except RecordNotFound:
            raise NotFound("there is no such record") from None

    def concerns(self, person: PersonId, *, opens: bool = True) -> None:
        """Enter this person in the ledger as a subject, though nothing of him is opened.

        ``opens`` is False only where the answer tells nothing of what he is: who asked about him.

        Raises:
            Protected: two persons must open him together.
        """
        self.touched.subjects[person] = None
        if opens:
            self._guard.admit(person, self.touched)
            self.touched.opened[person] = None

    def shown_again(self, persons: Iterable[PersonId], items: Collection[ItemName]) -> None:
        """Enter in the ledger what an answer that is told again shows, if it may be shown now.

        Raises:
            NotPermitted: an item is beyond the grant by now.
            Protected: two persons must open somebody of them together.
        """
        self.require(items)
        self.touched.items.update(items)
        for person in persons:
            self.concerns(person)

    def is_guarded(self, person: PersonId) -> bool:
        """Return whether he is protected and may not be opened here; he is a subject then."""
        if hidden := self._guard.hides(person, self.touched):
            self.touched.subjects[person] = None
        return hidden

    def require_open(self, by: Mapping[str, str], today: date) -> None:
        """Refuse to ask others about whom nobody may open alone here.

        ``by`` is a number, or four informations with a name; where he is does not count.

        Raises:
            Protected: it may be a protected person.
            Malformed, AddConditions: the name holds nothing, or too many have it.
        """
        index = self._tools.index
        numbers = {"resident_code": index.code, "my_number": index.number}
        for key, token in numbers.items():
            if key in by and (person := self._view.identified(token(by[key]))) is not None:
                self.concerns(person)
        if "name" in by:
            sought = Conditions(
                name=by["name"],
                birth_date=by.get("birth_date"),
                sex=by.get("sex"),
                include_removed=True,
                today=today,
            )
            worth(sought)
            for hit in self._seeker.found(sought):
                if hit.guarded:
                    self._guard.admit(hit.person, self.touched)

    def require(self, items: Collection[ItemName]) -> None:
        """Refuse a request that asks for more than it may, whether or not somebody is found.

        Raises:
            Malformed: something is not an item; it is not repeated.
            NotPermitted: an item is beyond the grant; names it.
        """
        if not set(items) <= ITEM_NAMES:
            there = ", ".join(item.name for item in ITEMS)
            raise Malformed(f"items: there are {there}; something else is asked for")
        if excess := sorted(set(items) - self._grant.items):
            raise NotPermitted(f"not within your rights: {', '.join(excess)}")

    def read(self, person: PersonId, items: Collection[ItemName], *, version: int = 0) -> Resident:
        """Open these items of one version (0: the latest); it is entered in the ledger.

        Raises:
            Malformed, NotPermitted: as ``require``; nothing is opened (least data).
            Protected: two persons must open him together.
            NotFound: there is no such person or version.
        """
        self.require(items)
        self.concerns(person)
        withheld = self.kept_back() & set(items)
        shown = [name for name in dict.fromkeys(items) if name not in withheld]
        values = self._open(person, shown, version)
        self.touched.items.update(shown)
        number = version or self._view.latest(person)
        return Resident(person, number, values, tuple(sorted(withheld)))

    def history(
        self, person: PersonId, items: Collection[ItemName], *, upto: int = 0
    ) -> list[Resident]:
        """Open these items of every version that is not erased, newest first.

        ``upto`` is the newest of them; 0: the latest.

        Raises:
            NotPermitted: history, or an item, is beyond the grant.
        """
        if not self._grant.history:
            raise NotPermitted("the history is not within your rights")
        read: list[Resident] = []
        for number in range(upto or self.latest(person), 0, -1):
            with suppress(NotFound):
                read.append(self.read(person, items, version=number))
        return read

    def save(self, person: PersonId | None, values: Values, *, seen: int = 0) -> VersionId:
        """Seal a new version, move index and mark with it, put what must be told in the outbox.

        ``person`` is None for somebody new; ``seen`` is the version the change is made against.

        Raises:
            Conflict: somebody saved in the meantime.
            Rejected: the record has as many versions as can be kept.
        """
        unit = self._writable()
        if seen >= MOST_VERSIONS:
            raise Rejected("this record has as many versions as can be kept")
        before = None if person is None else self._before(person, seen)
        old = self._tools.index.tokens_of(before) if before is not None else frozenset()
        new = self._tools.index.tokens_of(values)
        try:
            version = unit.save(
                unit.admit() if person is None else person,
                seal_form(values),
                seen=seen,
                gained=new - old,
                lost=old - new,
            )
        except StaleRevision:
            raise Conflict("the record was changed in the meantime; read it again") from None
        self._tools.marker.move(unit, version.person, before, values)
        received = received_on(values)
        erasable = erasable_from(received).toordinal()
        if before is not None:
            # A notice that was held came before the one that it follows on.
            latest = max(received, received_on(before))
            unit.retain(VersionId(version.person, seen), erasable_from(latest).toordinal())
        if values[REMOVED_FLAG]:
            unit.retain(version, erasable)
        self.touched.subjects[version.person] = None
        self.touched.saved.append(version)
        left = None
        if person is not None and before is not None:
            left = until(self._deciding(person, before, seen))
        self._tell(unit, Change(version, before, values, left, until(values, left)))
        return version

    @property
    def erasing(self) -> Erasing:
        """What may be erased, and how."""
        return Erasing(self._view, self._unit, self._tools.index, self.touched)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo all that is done inside the block if it raises, papers too: one item of a batch."""
        saved = len(self.touched.saved)
        try:
            with self._writable().savepoint():
                yield
        except BaseException:
            self.touched.undo(saved)
            raise

    def kept_back(self) -> frozenset[ItemName]:
        """Return the items that plugins withhold in this request."""
        if self._withheld is None:
            self._withheld = self._ask_withheld()
        return self._withheld

    def require_told(self, items: Collection[ItemName]) -> None:
        """Refuse to go on without an item that plugins withhold in this request.

        Raises:
            NotPermitted: an item is withheld; names it.
        """
        if kept := sorted(self.kept_back() & set(items)):
            raise NotPermitted(f"withheld here: {', '.join(kept)}")

    def _may_compare(self, items: Collection[ItemName], *granted: str) -> None:
        self.require(set(items).difference(granted))
        self.require_told(items)

    def _compare(self, person: PersonId, items: Collection[ItemName]) -> None:
        self.concerns(person)
        self.touched.compared.update(items)

    def _hits(self, sought: Conditions) -> list[Hit]:
        self._may_compare(sought.items)
        worth(sought)
        self.touched.compared.update(sought.items)
        return self._seeker.found(sought)

    def _fitting(self, sought: Conditions) -> list[Hit]:
        hits = self._hits(sought)
        if len(hits) > (most := self._grant.most_results):
            raise TooMany(f"more than {most} residents fit; add a condition", count=len(hits))
        return sorted(hits, key=lambda hit: (hit.why, hit.person))

    def _tell(self, unit: Unit, change: Change) -> None:
        for message in self._messages(change):
            unit.send(message.destination, message.kind, change.version, encoded(message.note))
        for name, by in self._tallies(change):
            unit.tally(name, by)

    def _deciding(self, person: PersonId, values: Values, number: int) -> Values:
        """Return the version that says how a person stands, up to ``number`` (0: the latest)."""
        # A struck-off record may be corrected; why it was struck off stands in an older version.
        if not values[REMOVED_FLAG]:
            return values
        number = number or self._view.latest(person)
        while values[REMOVED_FLAG] and values[REASON] not in REMOVALS and number > 1:
            number -= 1
            try:
                earlier = self._open(person, DECIDING, number)
            except NotFound:
                break  # erased: that he was struck off is all that is left to know
            if not earlier[REMOVED_FLAG]:
                break  # the version that struck off is missing: it came by a recovery
            values = earlier
        return values

    def _before(self, person: PersonId, seen: int) -> Values:
        # A handler that changes a record has just read it whole.
        if self._whole is not None and self._whole[0] == VersionId(person, seen):
            return self._whole[1]
        return self._open(person, _EVERYTHING, seen)

    def _open(self, person: PersonId, items: Collection[ItemName], version: int) -> Values:
        numbers = {BY_NAME[name].number for name in items}
        if BIRTH_DATE in items:
            numbers.add(AS_WRITTEN.number)
        try:
            record = self._view.read(person, numbers, version)
        except RecordNotFound:
            raise NotFound("there is no such record") from None
        values = open_form(record.fields)
        if RETENTION_FLAG in values and self._view.term(record.version) is not None:
            values = {**values, RETENTION_FLAG: RUNNING}
        if len(numbers) == len(CELLS):
            self._whole = (record.version, values)
        return values

    def _item(self, person: PersonId, version: int, name: ItemName) -> Value:
        return self._open(person, (name,), version)[name]

    def _may_ask_by(self, key: str) -> None:
        if key not in self._grant.keys:
            raise NotPermitted(f"your rights do not allow to ask by {key}")

    def _writable(self) -> Unit:
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        return self._unit


def encoded(note: Mapping[str, str]) -> bytes:
    """Return the note of a message as the store keeps it."""
    return cbor2.dumps(dict(note), canonical=True) if note else b""
