"""監視: the record of uses is watched, and what stands out is a flag for a person to decide.

Nothing is stopped, nobody is accused: a flag says which entries of the ledger should be asked about
(R137, R138). It names staff by 照合ID and 操作者ID, and no resident. Who decided what, and why, is
kept; nobody sees or decides a flag about himself.

====================  ====================================================================
uses, kin, hours      what the detectors see of an entry; own names; office hours
looks                 looks at somebody, and whether anything followed from them
findings              what a detector is, and what it tells
detectors/            one module each: the same person seen by many, looks that nothing
                      follows from, out of hours, volume, own name, name fishing, overlapping
                      sessions, failed logins, residents who do not exist
watcher               some detectors over a stream, and what they remember
reading               the two jobs: by night, and within minutes for what cannot wait
flags                 the book of flags: list, show, decide, figures
known                 the books of canaries, drills and approved hours
staff                 what the staff are called
days, usage           what the nights count of every day, and what of it is told of a period
closeup               a few days entry by entry: sessions, residents seen by several
screens, drawing      利用状況・監査: what of it is asked for, and the twelve plots of it
screens_flags         検知: the book of flags at a terminal
====================  ====================================================================

From when on something is told stands in ``firmware_config/policy/watching.toml``; how good that is
is measured by ``scripts/watching``, and written down in ``plugins/watching/README.md``.
"""

from appliance.plugin_api import Alarm, AnyOperation, Job, Screen, Watch, hookimpl
from plugins.watching import closeup, flags, known, reading, screens_flags, usage
from plugins.watching.screens import SCREENS


@hookimpl
def operations() -> list[AnyOperation]:
    ours = (flags, known, reading, usage, closeup)
    return [operation for module in ours for operation in module.OPERATIONS]


@hookimpl
def screens() -> list[Screen]:
    return [*SCREENS, *screens_flags.SCREENS]


@hookimpl
def jobs() -> list[Job]:
    return [*reading.JOBS]


@hookimpl
def alarms(watch: Watch) -> list[Alarm]:
    return [*flags.alarms(watch), *reading.alarms(watch)]
