"""提供・移転: answer other offices, within their 事務 (R41 to R62).

============  ============================================================================
module        holds
============  ============================================================================
inquiry       即時提供: one person at once; and comparing without telling
who, match    whom an inquiry means; the rules of it, pure
bulk, rows    一括提供: a sealed file taken in; its rows and result codes, pure
work, kept    the job that answers it, step by step; what it keeps between steps
release       媒体出力: approved by a second person, taken out, entered in its register
recipients    提供先の鍵: to whom results are sealed
report        提供状況: every provision of one person's data
counts        件数: tallies, and the yearly report of them
screens       the same at a terminal, asking these operations
============  ============================================================================

The provision record is the ledger entry of a request: when, who, from where, for which 事務 and
利用事由, by which conditions, which items, about whom, and which version of the record answered,
so that the answer can be repeated (R50, R52). ``provision_id`` names it. 個人番号 is not kept in
it: the person found is.
"""

from appliance.plugin_api import Alarm, AnyOperation, Job, Screen, Watch, hookimpl
from plugins.provision import bulk, counts, inquiry, recipients, release, report, work
from plugins.provision.screens import SCREENS


@hookimpl
def screens() -> list[Screen]:
    return SCREENS


@hookimpl
def operations() -> list[AnyOperation]:
    return [
        *inquiry.OPERATIONS,
        *bulk.OPERATIONS,
        *work.OPERATIONS,
        *release.OPERATIONS,
        *recipients.OPERATIONS,
        report.REPORT,
        counts.YEARLY,
    ]


@hookimpl
def jobs() -> list[Job]:
    return [*work.JOBS]


@hookimpl
def alarms(watch: Watch) -> list[Alarm]:
    return work.failing(watch)
