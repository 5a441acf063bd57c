"""A municipality's server that keeps its marks: 32 bytes a resident, and a record where asked.

It walks as ``tests/simulators/reconcile.py`` does. Its file is ours but for some residents, whose
address is another there; so a bench needs no second file of a million people.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any

import msgspec

from appliance.items import BY_NAME, open_form
from appliance.marks import AGREED
from storage.engine import PersonId, View
from tests.simulators.notices import Notice
from tests.simulators.reconcile import Ask, Group, Marked, Reconciler, mark

_PLACE, _MARK = 16, 32
_CELLS = [BY_NAME[name].number for name in AGREED]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the server has: the marks of each group in order, and whom it has otherwise."""

    marks: Mapping[str, bytes]
    differing: Mapping[str, Sequence[Notice]]

    @property
    def residents(self) -> int:
        """How many there are."""
        return sum(map(len, self.marks.values())) // _MARK


def kept(view: View, groups: Sequence[str], share: float, seed: int) -> Kept:
    """Return a file that differs from ours in a share of the residents, whoever they are."""
    chance, marks, differing = Random(seed), {}, {}
    for group in groups:
        ours = list(view.marks(group))
        marks[group] = b"".join(each.place + each.digest for each in ours)
        chosen = chance.sample(ours, round(len(ours) * share))
        differing[group] = [_otherwise(view, each.person) for each in chosen]
    return Kept(marks, differing)


class Keeping(Reconciler):
    """The asking side of one run, over marks that are kept."""

    def __init__(self, ask: Ask, file: Kept) -> None:
        super().__init__(ask, [])
        self._file = file

    def marked(self, code: str, key: bytes, items: Sequence[str]) -> Group:
        """Return the marks as they are kept."""
        return _KeptGroup(key, items, self._file.marks[code], self._file.differing[code])


class _KeptGroup(Group):
    """The marks of one 市町村コード as they are kept."""

    def __init__(
        self, key: bytes, items: Sequence[str], marks: bytes, differing: Sequence[Notice]
    ) -> None:
        changed, self._notices = bytearray(marks), {}
        self._kept: bytes | bytearray = changed
        for notice in differing:
            place, digest = mark(key, items, notice)
            at = self._at(place)
            changed[at * _MARK : (at + 1) * _MARK] = bytes.fromhex(place + digest)
            self._notices[place] = notice

    def below(self, prefix: str) -> list[Marked]:
        first, last = self._range(prefix)
        return [self._marked(at) for at in range(first, last)]

    def at(self, place: str) -> Notice:
        return self._notices[place]

    def total(self, prefix: str = "") -> dict[str, Any]:
        first, last = self._range(prefix)
        lying = memoryview(self._kept)[first * _MARK : last * _MARK]
        hasher = blake2b(lying, digest_size=16, person=b"jk1.mark.bucket")
        return {"count": last - first, "digest": hasher.hexdigest()}

    def _marked(self, at: int) -> Marked:
        text = self._kept[at * _MARK : (at + 1) * _MARK].hex()
        # Who agrees is never asked for.
        return Marked(text[: 2 * _PLACE], text[2 * _PLACE :], None)  # type: ignore[arg-type]

    def _range(self, prefix: str) -> tuple[int, int]:
        return self._at(prefix), self._at(prefix + "g")

    def _at(self, prefix: str) -> int:
        return bisect_left(range(len(self._kept) // _MARK), prefix, key=self._place)

    def _place(self, at: int) -> str:
        return self._kept[at * _MARK : at * _MARK + _PLACE].hex()


def _otherwise(view: View, person: PersonId) -> Notice:
    opened = open_form(view.read(person, _CELLS).fields)
    values: dict[str, Any] = {str(name): value for name, value in opened.items()}
    told = {"sequence": 1, **values, "address": f"{values['address']}１号室"}
    return msgspec.convert(told, Notice)
