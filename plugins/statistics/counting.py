"""What is counted, and under which names (R171, R172).

::

    population/<市町村コード>/<YYYY-MM of birth>/<sex>[/until-YYYY-MM-DD]    residents
    update/<YYYY-MM>/<市町村コード>/<異動事由>                               versions saved
    provision/<YYYY-MM>/<事務>/<agency>/<method>/<result>                  kept by ``provision``

By the month of birth and not by age, so that a birthday moves nothing; unknown parts are 00.
Whoever moves out on a day to come (転出の予定年月日) is counted until that day: his count lapses
with it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from appliance.plugin_api import JST, Change, ItemName, Values

POPULATION, UPDATE, PROVISION = "population", "update", "provision"
MUNICIPALITY_CODE, BIRTH_DATE, SEX, REASON, RECORDED_AT = map(
    ItemName, ("municipality_code", "birth_date", "sex", "reason", "recorded_at")
)
UNKNOWN_BIRTH = "0000-00"
UNKNOWN_SEX = "0"


def tallies_of(change: Change, today: date) -> Mapping[str, int]:
    """Return which counts a change moves: of residents, and of updates."""
    was = change.before and _resident(change.before, change.until_before, today)
    is_now = _resident(change.after, change.until, today)
    moved = {_update(change.after): 1}
    if was != is_now:
        moved |= {name: by for name, by in ((was, -1), (is_now, 1)) if name}
    return moved


def _resident(values: Values, until: date | None, today: date) -> str | None:
    """Return under which name somebody is counted as a resident; None if he is none."""
    birth = str(values[BIRTH_DATE] or UNKNOWN_BIRTH)[:7]
    sex = values[SEX] or UNKNOWN_SEX
    name = f"{POPULATION}/{values[MUNICIPALITY_CODE]}/{birth}/{sex}"
    if until is None:
        return name
    return f"{name}/until-{until.isoformat()}" if until > today else None


def _update(values: Values) -> str:
    month = _month(str(values[RECORDED_AT]))
    return f"{UPDATE}/{month}/{values[MUNICIPALITY_CODE]}/{values[REASON]}"


@lru_cache(16)
def _month(written: str) -> str:
    # A batch has one timestamp for all.
    return datetime.fromisoformat(written).astimezone(JST).isoformat()[: len("YYYY-MM")]
