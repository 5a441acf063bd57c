"""The part of the check that is about persons: chains of versions, and what they are found by."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

import apsw

from storage import marks, records, retention, terms
from storage.cells import FIELD_CLASSES, NO_SEAL, SealedVersion, open_cells, verify_seal
from storage.connection import ask, each_row
from storage.engine import MOST_VERSIONS, Fields, Mark, PersonId, Token
from storage.errors import Tampered
from storage.findings import Findings
from storage.keys import StoreKeys
from storage.lthash import State

TokensOf = Callable[[Fields], Iterable[Token]]
"""Computes from all fields of a version what it is found by."""
MarkOf = Callable[[PersonId, Fields], Mark | None]
"""Computes from all fields of a latest version the mark of its person, if he has one."""

PersonRead = Callable[[int, Sequence[Fields]], None]
"""Is told the versions of a person, oldest first, with every field."""

_EVERY_FIELD = tuple(FIELD_CLASSES)
_PERSONS_REMEMBERED = 10_000
_ALL = "SELECT vid, hdr, wrap, rsc, seal, cells FROM ver ORDER BY vid"
_OF_PERSON = (
    "SELECT vid, hdr, wrap, rsc, seal, cells FROM ver WHERE vid BETWEEN ? AND ? ORDER BY vid"
)


class FoundBy(NamedTuple):
    """By what a person has to be found: identifiers of every version, postings of the latest."""

    identifiers: frozenset[Token]
    postings: frozenset[int]


class RecordCheck:
    """Checks every version and every token; ``digest`` is then over all versions."""

    def __init__(
        self,
        connection: apsw.Connection,
        keys: StoreKeys,
        tokens_of: TokensOf,
        mark_of: MarkOf,
        findings: Findings,
        person_read: PersonRead | None = None,
    ) -> None:
        self.persons = self.versions = self.cells = self.tokens = self.marks = 0
        self.digest = State()
        self._connection = connection
        self._keys = keys
        self._tokens_of = tokens_of
        self._mark_of = mark_of
        self._findings = findings
        self._person_read = person_read

    def run(self) -> None:
        """Read all versions, and look for each person's tokens; then for tokens of nobody."""
        last = records.last_person(self._connection)
        rows = each_row(self._connection, _ALL)
        for person, versions in groupby(rows, lambda row: records.version_at(row[0]).person):
            if person < 1:
                self._findings.add(f"person {person}", "lies where no person can")
                continue
            self.persons += 1
            self._findings.tell("versions", person, last)
            fields = list(self._checked(versions))
            whole = [each for each in fields if each is not None]
            if self._person_read is not None and len(whole) == len(fields):
                self._person_read(person, whole)
            found_by = self._found_by(fields)
            if found_by is not None:
                self._check_found(person, found_by)
            if fields and (latest := fields[-1]) is not None:
                self._check_mark(PersonId(person), latest)
        ((there,),) = ask(
            self._connection,
            "SELECT (SELECT count(*) FROM ident) + (SELECT count(*) FROM tok)",
        )
        for version, what in retention.misplaced(self._connection, self._keys):
            self._findings.add(f"person {version.person} version {version.number}", what)
        # Each token that has to be there was looked up; more rows than those are strays.
        if there != self.tokens:
            self._look_for_strays()
        ((marked,),) = ask(self._connection, "SELECT count(*) FROM mark")
        if marked != self.marks:
            self._findings.add("marks", f"there are {marked}; the records give {self.marks}")

    def _checked(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Fields | None]:
        """Check the versions of one person; yield the fields of each, None if they do not open.

        Of a version that was erased there is nothing to open; the digest knows that it was.
        """
        number, seal = 0, NO_SEAL
        for vid, *parts in rows:
            sealed, place = SealedVersion(*parts), records.place_of(self._keys.installation, vid)
            for missing in range(number + 1, place.version):
                self._findings.add(f"person {place.person} version {missing}", "is missing")
            name = f"person {place.person} version {place.version}"
            self.versions += 1
            if records.is_erased(sealed):
                self.digest = self.digest.add(records.counted_erased(vid, sealed.seal))
                number, seal = place.version, sealed.seal
                continue
            with self._findings.noting(name):
                verify_seal(place, sealed, self._keys.seal, seal)
            fields: Fields | None = None
            with self._findings.noting(name):
                fields = self._opened(vid, sealed)
                self.cells += len(fields)
            self.digest = self.digest.add(records.counted(vid, sealed.seal))
            number, seal = place.version, sealed.seal
            yield fields

    def _opened(self, vid: int, sealed: SealedVersion) -> Fields:
        place = records.place_of(self._keys.installation, vid)
        return open_cells(place, sealed, _EVERY_FIELD, self._keys.fields, self._keys.keks)

    def _found_by(self, versions: Sequence[Fields | None]) -> FoundBy | None:
        """Return by what a person has to be found, None if that cannot be known."""
        identifiers, postings = set[Token](), set[int]()
        for fields in versions:
            if fields is None:
                return None
            tokens = list(self._tokens_of(fields))
            identifiers.update(token for token in tokens if isinstance(token.value, bytes))
            postings = {
                terms.packed(token) for token in tokens if not isinstance(token.value, bytes)
            }
        return FoundBy(frozenset(identifiers), frozenset(postings))

    def _check_found(self, person: int, found_by: FoundBy) -> None:
        place = f"person {person}"
        for token in found_by.identifiers:
            if terms.holder(self._connection, token) == person:
                self.tokens += 1
            else:
                self._findings.add(place, f"an identifier of index {token.index} is missing")
        for posting in found_by.postings:
            if terms.is_posted(self._connection, posting, person):
                self.tokens += 1
            else:
                self._findings.add(
                    place, f"a posting of index {terms.index_of(posting)} is missing"
                )

    def _check_mark(self, person: PersonId, latest: Fields) -> None:
        mark = self._mark_of(person, latest)
        if mark is None:
            return
        if list(marks.each(self._connection, mark.group, mark.place, mark.place)) == [mark]:
            self.marks += 1
        else:
            self._findings.add(f"person {person}", "the mark is missing, or of another record")

    def _look_for_strays(self) -> None:
        """Name tokens under which persons are found whose fields do not give them."""

        @lru_cache(_PERSONS_REMEMBERED)
        def has_to_be(person: int) -> FoundBy | None:
            first, last = records.vid_of(person, 1), records.vid_of(person, MOST_VERSIONS)
            rows = ask(self._connection, _OF_PERSON, (first, last))
            try:
                return self._found_by(
                    [
                        self._opened(vid, sealed)
                        for vid, sealed in ((row[0], SealedVersion(*row[1:])) for row in rows)
                        if not records.is_erased(sealed)
                    ]
                )
            except Tampered:
                return None

        for index, value, person in each_row(
            self._connection, "SELECT idx, token, person FROM ident"
        ):
            found_by = has_to_be(person)
            if found_by and Token(index, value) not in found_by.identifiers:
                self._findings.add(f"person {person}", f"a stray identifier of index {index}")
        for posting, person in each_row(self._connection, "SELECT token, person FROM tok"):
            found_by = has_to_be(person)
            if found_by and posting not in found_by.postings:
                index = terms.index_of(posting)
                self._findings.add(f"person {person}", f"a stray posting of index {index}")
