from datetime import date

import pytest

from appliance.items import ItemName
from appliance.standing import Standing, standing

TODAY = date(2026, 4, 10)


@pytest.mark.parametrize(
    ("removed", "reason", "effective", "expected"),
    [
        (False, "11", "2026-04-01", Standing.HERE),
        (True, "21", "2026-04-09", Standing.ELSEWHERE),
        (True, "21", "2026-04-10", Standing.ELSEWHERE),
        (True, "21", "2026-04-11", Standing.HERE),
        (True, "21", "2026-05-00", Standing.HERE),
        (True, "21", "2026-04-00", Standing.ELSEWHERE),
        (True, "21", "0000-00-00", Standing.ELSEWHERE),
        (True, "21", None, Standing.ELSEWHERE),
        (True, "22", "2026-04-11", Standing.DEAD),
        (True, "23", "2026-04-01", Standing.STRUCK_OFF),
        (True, "33", "2026-04-01", Standing.STRUCK_OFF),
    ],
)
def test_who_is_a_resident_today(
    removed: bool, reason: str, effective: str | None, expected: Standing
) -> None:
    values = {
        ItemName("removed_flag"): removed,
        ItemName("reason"): reason,
        ItemName("effective_date"): effective,
    }
    assert standing(values, TODAY) is expected
