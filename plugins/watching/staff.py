"""What the staff are called: names are looked up when they are needed, and kept nowhere here."""

from appliance.plugin_api import Case
from plugins.watching.kin import StaffName


def staff_names(case: Case) -> dict[str, StaffName]:
    """Return the name of everybody of the staff whose name is recorded, by 照合ID."""
    return {
        each.person_id: StaffName(each.name, each.kana)
        for each in case.roster.persons()
        if each.name
    }
