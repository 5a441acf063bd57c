"""A store in which nobody is: what an operation gets that shows residents to no one (R140, R146).

An operation declared ``blind``, and whoever holds a blind role, such as the contractor, works on
this. It holds papers, queues and tallies; to reach for a resident, or for the ledger, in which
search conditions stand, is refused here, whatever the handler, the registry or the policy say.
"""

from typing import Any, TypeVar, cast

from appliance.errors import NotPermitted
from storage.engine import View

SEEN = frozenset(
    {
        "paused",
        "savepoint",
        "document",
        "documents",
        "document_keys",
        "has_documents",
        "revisions",
        "put_document",
        "drop_document",
        "parcels",
        "acknowledged",
        "tallies",
        "tally",
        "key_years",
        "rewrap",
    }
)
"""What there is of a view or a unit; none of it opens a resident, finds one or tells of one."""

V = TypeVar("V", bound=View)


def blindfolded(view: V) -> V:
    """Return a view or a unit in which nobody is; whatever else is asked of it: NotPermitted."""
    return cast(V, _Blindfold(view))


class _Blindfold:
    """Lets through what is ``SEEN``; what a later version of the store can do more is shut too."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __getattr__(self, name: str) -> Any:
        if name not in SEEN:
            raise NotPermitted("this is done without seeing residents")
        return getattr(self._view, name)
