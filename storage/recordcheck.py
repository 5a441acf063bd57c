"""The part of the check that is about persons: chains of versions, and what they are found by.

Persons are checked in pieces, each by itself, so that several processes can share them out
(``checkworkers.py``); what the pieces come to is joined, and then tokens of nobody are looked for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

import apsw

from storage import marks, records, retention, terms
from storage.cells import FIELD_CLASSES, NO_SEAL, SealedVersion, open_cells, verify_seal
from storage.connection import ask, each_row
from storage.engine import MOST_VERSIONS, Fields, Mark, PersonId, Token
from storage.errors import Tampered
from storage.findings import Finding, Findings
from storage.keys import StoreKeys
from storage.lthash import State

TokensOf = Callable[[Fields], Iterable[Token]]
"""Computes from all fields of a version what it is found by."""
MarkOf = Callable[[PersonId, Fields], Mark | None]
"""Computes from all fields of a latest version the mark of its person, if he has one."""
CountsOf = Callable[[PersonId, Sequence[Fields]], Iterable[tuple[str, int]]]
"""Computes from the versions of a person, oldest first, what is counted of him, by name."""

PIECE = 20_000
"""Persons of a piece: as many as are looked up together, in the order of the index."""

_EVERY_FIELD = tuple(FIELD_CLASSES)
_PERSONS_REMEMBERED = 10_000
_BETWEEN = "SELECT vid, hdr, wrap, rsc, seal, cells FROM ver WHERE vid BETWEEN ? AND ? ORDER BY vid"
_LEAST, _MOST = -(2**63), 2**63 - 1


def no_counts(person: PersonId, versions: Sequence[Fields]) -> Iterable[tuple[str, int]]:
    """Count nothing (``CountsOf``)."""
    return ()


class Computed(NamedTuple):
    """What the owner of the fields computes from them."""

    tokens_of: TokensOf
    mark_of: MarkOf
    counts_of: CountsOf = no_counts


class FoundBy(NamedTuple):
    """By what a person has to be found: identifiers of every version, postings of the latest."""

    identifiers: frozenset[Token]
    postings: frozenset[int]


@dataclass(slots=True)
class Piece:
    """What persons that were checked come to."""

    persons: int = 0
    versions: int = 0
    cells: int = 0
    tokens: int = 0
    marks: int = 0
    digest: State = field(default_factory=State)
    counted: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def join(self, other: "Piece") -> None:
        """Take in what other persons come to."""
        for name in ("persons", "versions", "cells", "tokens", "marks"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.digest = self.digest.joined(other.digest)
        self.counted.update(other.counted)


def pieces(last: int, size: int) -> list[tuple[int, int]]:
    """Return which versions, by row number, each piece is of; no row lies outside all of them."""
    starts = [_LEAST, *(records.vid_of(person, 0) for person in range(size + 1, last + 1, size))]
    return list(zip(starts, [*(start - 1 for start in starts[1:]), _MOST], strict=True))


class RecordCheck:
    """Checks every version and every token of persons, and what is there of nobody."""

    def __init__(self, connection: apsw.Connection, keys: StoreKeys, computed: Computed) -> None:
        self._connection = connection
        self._keys = keys
        self._computed = computed
        self._piece = Piece()
        self._findings = Findings()
        self._postings: list[tuple[int, int]] = []

    def piece(self, first: int, last: int) -> Piece:
        """Check the persons whose versions lie between two row numbers."""
        self._piece, self._findings, self._postings = Piece(), Findings(), []
        with self._findings.noting("versions"):
            self._read(first, last)
        self._piece.findings = self._findings.all
        return self._piece

    def _read(self, first: int, last: int) -> None:
        rows = each_row(self._connection, _BETWEEN, (first, last))
        for person, versions in groupby(rows, lambda row: records.version_at(row[0]).person):
            if person < 1:
                self._findings.add(f"person {person}", "lies where no person can")
                continue
            self._piece.persons += 1
            fields = list(self._checked(versions))
            whole = [each for each in fields if each is not None]
            if len(whole) == len(fields):
                for name, by in self._computed.counts_of(person, whole):
                    self._piece.counted[name] += by
            found_by = self._found_by(fields)
            if found_by is not None:
                self._check_identifiers(person, found_by.identifiers)
                self._postings += ((posting, person) for posting in found_by.postings)
            if fields and (latest := fields[-1]) is not None:
                self._check_mark(PersonId(person), latest)
        self._check_postings()

    def look_for_strays(self, all_pieces: Piece, findings: Findings) -> None:
        """Compare what is there with what all pieces together gave; more than that is of nobody."""
        self._findings = findings
        ((there,),) = ask(
            self._connection,
            "SELECT (SELECT count(*) FROM ident) + (SELECT count(*) FROM tok)",
        )
        for version, what in retention.misplaced(self._connection, self._keys):
            findings.add(f"person {version.person} version {version.number}", what)
        # Each token that has to be there was looked up; more rows than those are strays.
        if there != all_pieces.tokens:
            self._name_strays()
        ((marked,),) = ask(self._connection, "SELECT count(*) FROM mark")
        if marked != all_pieces.marks:
            findings.add("marks", f"there are {marked}; the records give {all_pieces.marks}")

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
            self._piece.versions += 1
            if records.is_erased(sealed):
                self._piece.digest = self._piece.digest.add(
                    records.counted_erased(vid, sealed.seal)
                )
                number, seal = place.version, sealed.seal
                continue
            with self._findings.noting(name):
                verify_seal(place, sealed, self._keys.seal, seal)
            fields: Fields | None = None
            with self._findings.noting(name):
                fields = self._opened(vid, sealed)
                self._piece.cells += len(fields)
            self._piece.digest = self._piece.digest.add(records.counted(vid, sealed.seal))
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
            tokens = list(self._computed.tokens_of(fields))
            identifiers.update(token for token in tokens if isinstance(token.value, bytes))
            postings = {
                terms.packed(token) for token in tokens if not isinstance(token.value, bytes)
            }
        return FoundBy(frozenset(identifiers), frozenset(postings))

    def _check_identifiers(self, person: int, identifiers: Iterable[Token]) -> None:
        for token in identifiers:
            if terms.holder(self._connection, token) == person:
                self._piece.tokens += 1
            else:
                self._findings.add(
                    f"person {person}", f"an identifier of index {token.index} is missing"
                )

    def _check_postings(self) -> None:
        # In the order of the index: many lie on one page, which is then decrypted once.
        for posting, person in sorted(self._postings):
            if terms.is_posted(self._connection, posting, person):
                self._piece.tokens += 1
            else:
                self._findings.add(
                    f"person {person}", f"a posting of index {terms.index_of(posting)} is missing"
                )

    def _check_mark(self, person: PersonId, latest: Fields) -> None:
        mark = self._computed.mark_of(person, latest)
        if mark is None:
            return
        if list(marks.each(self._connection, mark.group, mark.place, mark.place)) == [mark]:
            self._piece.marks += 1
        else:
            self._findings.add(f"person {person}", "the mark is missing, or of another record")

    def _name_strays(self) -> None:
        """Name tokens under which persons are found whose fields do not give them."""

        @lru_cache(_PERSONS_REMEMBERED)
        def has_to_be(person: int) -> FoundBy | None:
            first, last = records.vid_of(person, 1), records.vid_of(person, MOST_VERSIONS)
            rows = ask(self._connection, _BETWEEN, (first, last))
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
