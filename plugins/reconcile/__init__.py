"""整合: a municipality's residents against ours (R91 to R95).

The municipality's server (市町村CS) asks, in this order; ``README.md`` has the whole exchange::

    reconcile/begin    opens a run; answers the items, and the keys of the caller's own marks
    reconcile/digest   digests of buckets of marks; answers where they differ (``tree.py``)
    reconcile/compare  records of those who differ; answers items, no value (``records.py``)
    reconcile/finish   closes the run; answers the result, likely pairs among the leftovers

Everything but the three short writes is a reading of marks, which lie beside the records: nobody
who agrees is opened. What staff read and plan is in ``staff.py``, and at a terminal
``screens.py``.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import time
from itertools import islice, pairwise

import msgspec

from appliance.plugin_api import (
    AGREED,
    ITEM_LIST,
    Alarm,
    AnyOperation,
    Case,
    Conflict,
    ItemName,
    Job,
    Malformed,
    Nothing,
    NotPermitted,
    Operation,
    OperationName,
    Screen,
    Step,
    Value,
    Watch,
    hookimpl,
)
from plugins.reconcile import staff, texts
from plugins.reconcile.pairing import FOUR, Pair, paired
from plugins.reconcile.records import LAST_PLACE, Outcome, compared, current
from plugins.reconcile.runs import MOST_SENT, Finding, Run, Runs
from plugins.reconcile.screens import SCREENS
from plugins.reconcile.tree import Sum, beneath, bounds, split, summed
from plugins.reconcile.wire import (
    Begin,
    Begun,
    Bucket,
    Compare,
    Compared,
    Differs,
    Digest,
    Digested,
    Finish,
    Finished,
    Found,
    Group,
    Leaf,
    Paired,
    Place,
)

MOST_IN_LEAF = 1024
MOST_PAIRED = 500
"""Leftovers of one side that are looked at for pairs; of more, none are."""
FORGOTTEN_AT_ONCE = 500
"""Findings dropped in one step."""


def count_all(case: Case, asked: Begin) -> dict[str, int]:
    """Count the marks of each of the caller's groups.

    Raises:
        NotPermitted: the certificate is no municipality's.
    """
    if not case.marks.groups:
        raise NotPermitted("only a municipality's server compares")
    return {group: each.count for group, each in _sums(case).items()}


def begin(case: Case, asked: Begin) -> Begun:
    """Open a run and tell what the caller needs to make the same marks as we do."""
    here = case.actor.terminal.municipality_code or ""
    run = Run(
        municipality=here,
        terminal=case.actor.terminal.terminal_id,
        mode=asked.mode,
        state="open",
        started_at=case.request.now,
    )
    number = Runs(case.papers).open(run, case.request.today)
    counts: Mapping[str, int] = case.prepared
    case.note.result = f"run {number}"
    return Begun(
        run=number,
        mode=asked.mode,
        item_list=ITEM_LIST,
        items=AGREED,
        groups=tuple(
            Group(municipality_code=group, key=case.marks.key(group).hex(), count=count)
            for group, count in counts.items()
        ),
    )


def digest(case: Case, asked: Digest) -> Digested:
    """Compare buckets; opens nothing of anybody."""
    Runs(case.papers).current(case, asked.run)
    _refuse_overlaps([*asked.buckets, *asked.leaves])
    differing = tuple(filter(None, (_bucket(case, bucket) for bucket in asked.buckets)))
    send: list[Place] = []
    absent: list[Place] = []
    for leaf in asked.leaves:
        _leaf(case, leaf, send, absent)
    case.note.hits = len(differing) + len(send) + len(absent)
    return Digested(differing=differing, send=tuple(send), absent=tuple(absent))


def judge(case: Case, asked: Compare) -> Outcome:
    """Compare the records that were sent; changes nothing."""
    runs = Runs(case.papers)
    return compared(case, asked, runs.current(case, asked.run), runs.progress(asked.run))


def compare(case: Case, asked: Compare) -> Compared:
    """Write down what differs, and tell it."""
    runs, outcome = Runs(case.papers), case.prepared
    runs.current(case, asked.run)
    progress = runs.progress(asked.run)
    if progress.batches != outcome.batches:
        raise Conflict("run: another request went on with it meanwhile; send this one again")
    kept, sent = [], progress.sent
    for finding in outcome.findings:
        alias = case.registry.alias(finding.resident_code)
        if runs.find(asked.run, alias, finding):
            kept.append(finding)
        if (four := outcome.sent.get(finding.resident_code)) and sent < MOST_SENT:
            runs.keep_sent(asked.run, alias, four)
            sent += 1
    whole, through = asked.whole, progress.through
    if whole is not None:
        through = {**through, whole.municipality_code: whole.through}
    proceeding = msgspec.structs.replace(
        progress,
        batches=progress.batches + 1,
        same=progress.same + outcome.same,
        found=progress.found + len(kept),
        sent=sent,
        through=through,
    )
    runs.proceed(asked.run, proceeding)
    case.note.hits = len(kept)
    case.note.result = f"run {asked.run}: {outcome.same} the same, {len(kept)} not"
    return Compared(same=outcome.same, findings=tuple(map(_found, kept)))


def settle(case: Case, asked: Finish) -> tuple[int, Run, list[Paired]]:
    """Count what was found, compare the whole once more, look for pairs; changes nothing.

    Raises:
        Malformed: not every group of the caller's is there, or a whole comparison is not through.
        Conflict: the files differ and nobody was found who does.
    """
    runs = Runs(case.papers)
    run, progress = runs.current(case, asked.run), runs.progress(asked.run)
    theirs = {root.municipality_code: Sum(root.count, root.digest) for root in asked.roots}
    if set(theirs) != set(case.marks.groups) or len(theirs) != len(asked.roots):
        raise Malformed("roots: name every group of reconcile/begin once")
    if run.mode == "whole" and any(
        progress.through.get(group) != LAST_PLACE for group in case.marks.groups
    ):
        raise Malformed("run: a whole comparison ends at the last place of every group")
    ours = _sums(case)
    kinds = {"differing": 0, "missing-here": 0, "missing-there": 0}
    leftovers: dict[str, Finding] = {}
    for alias, finding in runs.findings(asked.run):
        kinds[finding.kind] += 1
        if finding.kind != "differing" and len(leftovers) <= 2 * MOST_PAIRED:
            leftovers[alias] = finding
    if not any(kinds.values()) and ours != theirs:
        raise Conflict("the files differ, and nobody was found; go on with reconcile/digest")
    there, here = (sum(each.count for each in sums.values()) for sums in (theirs, ours))
    pairs = [_told_pair(pair) for pair in _pairs(case, leftovers, dict(runs.sent(asked.run)))]
    settled = msgspec.structs.replace(
        run,
        state="differs" if any(kinds.values()) else "agreed",
        finished_at=case.request.now,
        explained=there - here == kinds["missing-here"] - kinds["missing-there"],
        theirs=there,
        ours=here,
        same=progress.same,
        differing=kinds["differing"],
        missing_here=kinds["missing-here"],
        missing_there=kinds["missing-there"],
        paired=len(pairs),
    )
    return progress.batches, settled, pairs


def finish(case: Case, asked: Finish) -> Finished:
    """Close the run and tell the municipality the result (R93)."""
    runs = Runs(case.papers)
    before = runs.current(case, asked.run)
    batches, run, pairs = case.prepared
    if runs.progress(asked.run).batches != batches:
        raise Conflict("run: another request went on with it meanwhile; send this one again")
    runs.close(asked.run, run, msgspec.to_builtins(pairs), case.request.today)
    case.note.result = (
        f"run {asked.run} {run.state}: {run.differing} differing, "
        f"{run.missing_here} missing here, {run.missing_there} missing there"
    )
    return Finished(
        run=asked.run,
        result="agreed" if run.state == "agreed" else "differs",
        explained=run.explained,
        theirs=run.theirs,
        ours=run.ours,
        differing=run.differing,
        missing_here=run.missing_here,
        missing_there=run.missing_there,
        pairs=tuple(pairs),
        finished_at=case.request.now,
        next_due=runs.due(before.municipality).on.isoformat(),
        text=texts.result(run),
    )


def _sums(case: Case) -> dict[str, Sum]:
    return {group: summed(case.marks.packed(group)) for group in case.marks.groups}


def _bucket(case: Case, asked: Bucket) -> Differs | None:
    group, prefix = asked.municipality_code, asked.prefix
    ours = summed(case.marks.packed(group, *bounds(prefix)))
    following = beneath(ours, Sum(asked.count, asked.digest))
    return following and Differs(municipality_code=group, prefix=prefix, next=following)


def _leaf(case: Case, asked: Leaf, send: list[Place], absent: list[Place]) -> None:
    group, size = asked.municipality_code, len(asked.prefix)
    if any(mark[:size] != asked.prefix for mark in asked.marks):
        raise Malformed("leaves.marks: one does not begin with the prefix")
    marks = list(islice(case.marks.each(group, *bounds(asked.prefix)), MOST_IN_LEAF + 1))
    if len(marks) > MOST_IN_LEAF:
        raise Malformed("leaves: too many marks lie below this prefix; send digests")
    theirs = {bytes.fromhex(mark[:32]): bytes.fromhex(mark[32:]) for mark in asked.marks}
    differing = split({mark.place: mark.digest for mark in marks}, theirs)
    send += [Place(municipality_code=group, place=place.hex()) for place in differing.send]
    absent += [Place(municipality_code=group, place=place.hex()) for place in differing.absent]


def _refuse_overlaps(asked: list[Bucket | Leaf]) -> None:
    """See that no mark is read twice, or a request could take for ever."""
    places = sorted((each.municipality_code, each.prefix) for each in asked)
    for (group, prefix), (after, below) in pairwise(places):
        if group == after and below.startswith(prefix):
            raise Malformed("buckets, leaves: one lies within another")


def forget(case: Case, _: Nothing) -> Step:
    """Drop some of what runs that are over have found, when its time is over too."""
    dropped, more = Runs(case.papers).forget(case.request.today, FORGOTTEN_AT_ONCE)
    return Step(done=dropped, more=more)


def _pairs(
    case: Case, leftovers: dict[str, Finding], sent: dict[str, dict[str, Value]]
) -> list[Pair]:
    theirs = {
        each.resident_code: sent[alias]
        for alias, each in leftovers.items()
        if each.kind == "missing-here" and alias in sent
    }
    ours = [each.resident_code for each in leftovers.values() if each.kind == "missing-there"]
    if not theirs or not ours or max(len(theirs), len(ours)) > MOST_PAIRED:
        return []
    return paired(theirs, dict(_opened(case, ours)))


def _opened(case: Case, codes: list[str]) -> Iterator[tuple[str, dict[str, Value]]]:
    for code in codes:
        if (mark := current(case, code)) is not None:
            values = case.registry.read(mark.person, FOUR).values
            yield code, {str(name): values.get(ItemName(name)) for name in FOUR}


def _told_pair(pair: Pair) -> Paired:
    return Paired(sent=pair.theirs, kept=pair.ours, score=pair.score, same=pair.same)


def _found(finding: Finding) -> Found:
    return Found(
        resident_code=finding.resident_code,
        kind=finding.kind,
        items=finding.items,
        text=texts.TO_DO[finding.kind],
    )


BEGIN = Operation(
    name=OperationName("reconcile/begin"),
    summary="Open a comparison of a municipality's residents with ours; answers its keys.",
    asks=Begin,
    answers=Begun,
    handler=begin,
    prepare=count_all,
    changes=True,
    purposed=False,
    records=Begin.__struct_fields__,
)
DIGEST = Operation(
    name=OperationName("reconcile/digest"),
    summary="Compare digests of many residents at once, and say where they differ.",
    asks=Digest,
    answers=Digested,
    handler=digest,
    purposed=False,
    records=("run",),
    drops=("buckets", "leaves"),
)
COMPARE = Operation(
    name=OperationName("reconcile/compare"),
    summary="Compare records item by item, and say which items differ, without any value.",
    asks=Compare,
    answers=Compared,
    handler=compare,
    prepare=judge,
    changes=True,
    purposed=False,
    records=("run",),
    drops=("records", "absent", "whole"),
)
FINISH = Operation(
    name=OperationName("reconcile/finish"),
    summary="End a comparison, and tell the municipality its result.",
    asks=Finish,
    answers=Finished,
    handler=finish,
    prepare=settle,
    changes=True,
    purposed=False,
    records=("run",),
    drops=("roots",),
)


FORGET = Operation(
    name=OperationName("reconcile/forget"),
    summary="Drop whom runs that are over were about, when it need not be kept any more.",
    asks=Nothing,
    answers=Step,
    handler=forget,
    changes=True,
    purposed=False,
)
NIGHTLY = Job(
    name="reconcile/forget",
    summary="整合性確認の差異の消去",
    operation=FORGET.name,
    at=time(2, 30),
)


@hookimpl
def operations() -> list[AnyOperation]:
    return [BEGIN, DIGEST, COMPARE, FINISH, FORGET, *staff.OPERATIONS]


@hookimpl
def jobs() -> list[Job]:
    return [NIGHTLY]


@hookimpl
def alarms(watch: Watch) -> Iterable[Alarm]:
    late = [due for due in Runs(watch.papers).calendar() if due.on < watch.today]
    if late:
        first = min(late, key=lambda due: due.on)
        text = texts.overdue(first, (watch.today - first.on).days)
        yield Alarm(name="reconcile/overdue", text=text, count=len(late))


@hookimpl
def screens() -> list[Screen]:
    return SCREENS
