"""Terminals a human should see to: certificates that run out, terminals nobody logs in at."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from appliance.plugin_api import JST, Alarm, TerminalRecord, Watch

RUNS_OUT = timedelta(days=30)
UNUSED = timedelta(days=90)
MOST_NAMED = 10


def alarms(watch: Watch) -> list[Alarm]:
    """Return what there is to see to at the terminals that are in use.

    Terminals where people sit count as unused from their registration on; a certificate of a
    server runs out as any other.
    """
    current = [(record, used) for record, used in watch.terminals() if record.is_current]
    ending = {
        record.terminal_id: record.not_after
        for record, _ in current
        if record.not_after is not None and record.not_after - watch.now <= RUNS_OUT
    }
    unused = {
        record.terminal_id: since
        for record, used in current
        if (since := _since(record, used)) is not None and watch.now - since > UNUSED
    }
    return [*_ending(ending), *_unused(unused)]


def _since(record: TerminalRecord, used: datetime | None) -> datetime | None:
    if not record.kind.is_staffed:
        return None
    return max(filter(None, (record.registered_at, used)), default=None)


def _ending(found: dict[str, datetime]) -> Iterator[Alarm]:
    if found:
        text = "証明書の期限が30日以内又は過ぎた端末: {}。期限までに証明書を更新してください。"
        yield Alarm(
            name="roster/certificates-ending",
            text=text.format(_named(found, "{}({}まで)")),
            count=len(found),
        )


def _unused(found: dict[str, datetime]) -> Iterator[Alarm]:
    if found:
        text = "90日を超えて使われていない端末: {}。不要であれば失効させてください。"
        yield Alarm(
            name="roster/terminals-unused",
            text=text.format(_named(found, "{}({}以降)")),
            count=len(found),
            since=min(found.values()),
        )


def _named(found: dict[str, datetime], form: str) -> str:
    """Return the terminals, the most urgent first; how many more there are, if they are many."""
    first = sorted(found, key=lambda terminal: (found[terminal], terminal))
    named = [form.format(each, f"{found[each].astimezone(JST):%Y-%m-%d}") for each in first]
    more = [f"ほか{len(named) - MOST_NAMED}台"] if len(named) > MOST_NAMED else []
    return "、".join(named[:MOST_NAMED] + more)
