"""Registers (簿): numbered entries, added and amended, and removed when their time is over.

One small mechanism for every book a function keeps: 開示請求の受付簿, 帳票管理簿, 媒体出力の記録.
Entries are plain data, sealed as papers; each amendment keeps what was there before it.
"""

from collections.abc import Iterator
from typing import Any

from appliance.errors import NotFound
from appliance.papers import Papers

Entry = dict[str, Any]


class Register:
    """One book of a plugin, in one request."""

    def __init__(self, papers: Papers, name: str) -> None:
        self._papers = papers
        self._name = name

    def add(self, entry: Entry) -> int:
        """Write a new entry; return its number, one above the last, from 1."""
        number = self.last + 1
        self._papers.put(self._name, _key(number), entry)
        self._papers.replace(self._counter, "last", {"number": number})
        return number

    def amend(self, number: int, **changed: Any) -> Entry:
        """Change fields of an entry; return it as it is now. The entry before is kept.

        Raises:
            NotFound: there is no such number.
        """
        entry = {**self.get(number), **changed}
        self._papers.put(self._name, _key(number), entry)
        return entry

    def remove(self, number: int) -> None:
        """Remove an entry with all its states, its time being over; its number stays used.

        Raises:
            NotFound: there is no such number.
        """
        self.get(number)
        self._papers.drop(self._name, _key(number))

    def get(self, number: int) -> Entry:
        """Return an entry as it is now.

        Raises:
            NotFound: there is no such number.
        """
        entry = self._papers.get(self._name, _key(number))
        if entry is None:
            raise NotFound("the register has no entry of this number")
        return entry

    def history(self, number: int) -> list[Entry]:
        """Return an entry in all its states, the first one first."""
        return list(self._papers.revisions(self._name, _key(number)))

    def every(self, after: int = 0) -> Iterator[tuple[int, Entry]]:
        """Yield every entry as it is now, by number, or every one above ``after``."""
        for key, entry in self._papers.every(self._name, after=_key(after)):
            yield int(key), entry

    @property
    def last(self) -> int:
        """The number of the last entry; 0 while there is none."""
        kept = self._papers.get(self._counter, "last")
        return 0 if kept is None else int(kept["number"])

    @property
    def _counter(self) -> str:
        return f"{self._name}-last"


def _key(number: int) -> str:
    return f"{number:012}"
