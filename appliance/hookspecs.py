"""The questions the appliance asks its plugins (pluggy).

Hooks may deny and withhold, never grant. Nothing crosses a hook that could not cross a pipe.
Each docstring says when it is asked, what several answers mean together, and what raising does.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import pluggy

from appliance.firstload import FirstLoad
from appliance.items import ItemName
from appliance.jobs import Job
from appliance.model import Actor, Change, Deny, Message, Request
from appliance.operation import AnyOperation
from appliance.screen import Screen
from appliance.watch import Alarm, Watch

PROJECT = "appliance"
hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def operations() -> Iterable[AnyOperation]:
    """Return the operations the plugin offers.

    Asked: once, at start. Together: the union; the same name twice is a StartupError.
    Raising: the appliance does not start.
    """
    raise NotImplementedError


@hookspec
def veto(actor: Actor, request: Request) -> Deny | None:
    """Return why this request must not go on, or None for no objection.

    Asked: for every request, after the policy allowed it, before any record is read.
    Together: one Deny is enough. Raising: counts as Deny.
    """
    raise NotImplementedError


@hookspec
def withhold(actor: Actor, request: Request) -> frozenset[ItemName]:
    """Return items that must not leave in this request; the answer lists them as withheld.

    Nor is anything compared with them: comparing tells. A request that needs that is refused.

    Asked: once in a request, before the first record is opened.
    Together: the union; only ever fewer items. Raising: everything is withheld.
    """
    raise NotImplementedError


@hookspec
def messages(change: Change) -> Iterable[Message]:
    """Return what must be told to others about this change.

    Asked: inside the unit of work, after each save. Together: all go to the outbox.
    Raising: undoes the save; of a batch, a Rejected undoes that item and the rest goes on.
    """
    raise NotImplementedError


@hookspec
def tallies(change: Change, today: date) -> Mapping[str, int]:
    """Return which counts this change moves, and by how much; names tell of nobody.

    What is answered for all changes of a person, under one ``today``, must add up to what he
    counts for on that day: ``juki check`` asks again for every version, and compares. A name may
    end with ``/until-YYYY-MM-DD``: from that day on it counts for nothing.

    Asked: inside the unit of work, after each save. Together: all are added.
    Raising: as ``messages``.
    """
    raise NotImplementedError


@hookspec
def jobs() -> Iterable[Job]:
    """Return what the appliance shall ask of itself from time to time, step by step.

    Asked: once, at start. Together: the union; the same name twice, or a job whose operation is
    not a step of the same plugin, is a StartupError. Raising: the appliance does not start.
    """
    raise NotImplementedError


@hookspec
def alarms(watch: Watch) -> Iterable[Alarm]:
    """Return what a human should see to now; nothing in it tells of anybody.

    Asked: every minute, in a view, without an entry in the ledger; answer in milliseconds.
    Together: all are shown, in ``juki status`` and in the metrics.
    Raising: is shown as an alarm of its own; the other plugins are asked all the same.
    """
    raise NotImplementedError


@hookspec
def screens() -> Iterable[Screen]:
    """Return what the plugin offers to a browser at a terminal; rights are asked for as ever.

    Asked: once, at start. Together: the union; the same path twice, or a screen that needs an
    operation nobody offers, is a StartupError. Raising: the appliance does not start.
    """
    raise NotImplementedError


@hookspec
def first_loads() -> Iterable[FirstLoad]:
    """Return how residents are brought in at once (``juki load``), if the plugin does that.

    Asked: by ``juki load`` alone, in each of its processes, once.
    Together: exactly one; none or two, and nothing is loaded. Raising: nothing is loaded.
    """
    raise NotImplementedError
