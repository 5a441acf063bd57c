"""What the machine's own commands say, in lines for people."""

from appliance.cli import report


def test_the_standing_of_an_appliance_is_one_flat_list_with_units() -> None:
    told = {
        "sealed": False,
        "t": 3,
        "n": 5,
        "progress": 0,
        "status": "ok",
        "disk_free": 0.427,
        "national": {"state": "idle", "acknowledged": 12, "last_error": None},
    }
    assert report.standing(told) == {
        "sealed": False,
        "shares needed": 3,
        "shares there are": 5,
        "shares given": 0,
        "state": "ok",
        "disk free": "43%",
        "national state": "idle",
        "national acknowledged": "12 messages",
        "national last error": None,
    }


def test_what_no_name_is_known_for_is_shown_under_its_own() -> None:
    assert report.standing({"new_word": 1, "national": None}) == {"new_word": 1, "national": None}
