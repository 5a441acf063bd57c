"""Sealed papers of a plugin: small documents by kind and key, changed in the unit of the request.

Every kind is a collection of its own in the store. Bodies are plain data (CBOR). A paper that is
put again keeps its older revisions; a paper that is dropped is gone.
"""

from collections.abc import Iterator
from typing import Any

import cbor2

from appliance.errors import Failed
from storage.engine import Unit, View


class Papers:
    """The papers of one plugin in one request."""

    def __init__(self, view: View, unit: Unit | None, owner: str) -> None:
        self._view = view
        self._unit = unit
        self._owner = owner

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return the latest revision, or None."""
        found = self._view.document(self._collection(kind), key.encode())
        return None if found is None else cbor2.loads(found.body)

    def every(
        self, kind: str, prefix: str = "", *, after: str = ""
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield key and latest revision of each paper whose key begins so, in key order.

        Those up to the key ``after`` are left out, and not opened.
        """
        kept = self._view.documents(self._collection(kind), prefix.encode(), after.encode())
        for document in kept:
            yield document.key.decode(), cbor2.loads(document.body)

    def revisions(self, kind: str, key: str) -> Iterator[dict[str, Any]]:
        """Yield every revision of a paper, the oldest first."""
        for document in self._view.revisions(self._collection(kind), key.encode()):
            yield cbor2.loads(document.body)

    def put(self, kind: str, key: str, body: dict[str, Any]) -> None:
        """Write a new revision."""
        self._writable().put_document(
            self._collection(kind), key.encode(), cbor2.dumps(body, canonical=True)
        )

    def replace(self, kind: str, key: str, body: dict[str, Any]) -> None:
        """Write a paper whose older revisions would tell nothing: they go."""
        self.drop(kind, key)
        self.put(kind, key, body)

    def drop(self, kind: str, key: str) -> None:
        """Remove the paper with all its revisions."""
        self._writable().drop_document(self._collection(kind), key.encode())

    def within(self, unit: Unit) -> "Papers":
        """Return the same papers as a unit of work sees and changes them."""
        return Papers(unit, unit, self._owner)

    def _collection(self, kind: str) -> str:
        return f"{self._owner}.{kind}"

    def _writable(self) -> Unit:
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        return self._unit
