"""Through the front door: what people do, what the jobs tell, and who decides it."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from appliance.errors import Conflict, Malformed, NotFound, NotPermitted, Unidentified
from appliance.testing import Seat
from plugins.watching import reading
from tests.plugins.people import code
from tests.plugins.watching.office import FOR_TAX, MONDAY, Watched

BORN = {"birth_date": "1990-04-05"}


def add_canary(watched: Watched, which: int = 7) -> Seat:
    officer = watched.officer()
    resident_code = watched.resident(which, "架空　住民", "かくう　じゅうみん")
    officer.ask("watching/add-canary", {"resident_code": resident_code})
    return officer


def around(watched: Watched) -> dict[str, str]:
    """Return an hour before now until an hour after it, with a reason."""
    since, until = (watched.bench.now + timedelta(hours=each) for each in (-1, 1))
    return {"since": since.isoformat(), "until": until.isoformat(), "why": "訓練"}


def names(flags: list[dict[str, Any]]) -> list[str]:
    return [flag["detector"] for flag in flags]


def decide(seat: Seat, number: int, decision: str = "misuse") -> dict[str, Any]:
    body = {"number": number, "decision": decision, "reason": "本人に確認した。"}
    return dict(seat.ask("watching/decide", body).data)


@pytest.mark.requirement("R138")
def test_whoever_opens_a_canary_is_flagged_at_once(watched: Watched) -> None:
    add_canary(watched)
    watched.look(watched.clerk(), "R8-1", name="架空　住民", **BORN)
    watched.bench.work()
    (flag,) = watched.flags()
    assert (flag["detector"], flag["persons"]) == ("canary", ("P-OP-0001",))
    assert flag["terminals"] == ("TERM-0001",)
    assert "架空" not in str(flag)
    watched.bench.now += timedelta(minutes=2)
    watched.bench.work()
    alarms = {alarm["name"] for alarm in watched.bench.jobs.alarms()}
    assert "watching/canary-opened" in alarms


@pytest.mark.parametrize(("who", "told"), [("P-OP-0001", []), ("P-OP-0002", ["canary"])])
def test_a_drill_is_no_flag_for_whoever_drills(watched: Watched, who: str, told: list[str]) -> None:
    officer, clerk = add_canary(watched), watched.clerk()
    watched.clerk(2)
    officer.ask("watching/drill", {"person_id": who, **around(watched)})
    watched.look(clerk, "R8-1", name="架空　住民", **BORN)
    assert names(watched.night()) == told
    (drill,) = officer.ask("watching/known", {}).data["drills"]
    assert (drill["who"], drill["by"]) == (who, "P-OFFICER")


@pytest.mark.parametrize("who", ["P-OFFICER", "P-OP-0002", "P-NOBODY"])
@pytest.mark.parametrize(("operation", "name"), [("drill", "person_id"), ("approve-hours", "who")])
def test_nobody_excuses_himself_or_another_office_beforehand(
    watched: Watched, who: str, operation: str, name: str
) -> None:
    officer = watched.officer()
    watched.clerk(2, office="パスポートセンター")
    until = (MONDAY + timedelta(hours=9)).isoformat()
    period = {"since": MONDAY.isoformat(), "until": until, "why": "繁忙期"}
    with pytest.raises(NotPermitted):
        officer.ask(f"watching/{operation}", {name: who, **period})
    with pytest.raises(NotPermitted):
        officer.ask("watching/approve-hours", {"who": "パスポートセンター", **period})


def test_a_canary_that_is_retired_is_a_resident_like_others(watched: Watched) -> None:
    officer = add_canary(watched)
    officer.ask("watching/retire-canary", {"number": 1, "why": "交換"})
    watched.look(watched.clerk(), "R8-1", name="架空　住民", **BORN)
    assert watched.night() == []
    with pytest.raises(Conflict):
        officer.ask("watching/retire-canary", {"number": 1, "why": "交換"})
    (canary,) = officer.ask("watching/known", {}).data["canaries"]
    assert (canary["number"], canary["retired"]) == (1, "交換")


def test_a_canary_is_a_resident_and_marked_once(watched: Watched) -> None:
    officer = add_canary(watched)
    with pytest.raises(Conflict):
        officer.ask("watching/add-canary", {"resident_code": code(7)})
    with pytest.raises(NotFound):
        officer.ask("watching/add-canary", {"resident_code": code(8)})
    with pytest.raises(Malformed):
        officer.ask("watching/add-canary", {"resident_code": "12345678901"})


def test_the_ledger_does_not_tell_which_residents_are_canaries(watched: Watched) -> None:
    add_canary(watched)
    marked = [e for e in watched.bench.ledger() if e.operation == "watching/add-canary"]
    assert [(entry.subjects, dict(entry.conditions)) for entry in marked] == [((), {})]


@pytest.mark.requirement("R137")
def test_relatives_are_told_by_the_name_of_whoever_looked(watched: Watched) -> None:
    watched.call("P-OP-0001", "渡辺　太郎", "わたなべ　たろう")
    watched.resident(1, "渡邉　花子", "わたなべ　はなこ")
    watched.look(watched.clerk(), None, kana="わたなべ　はなこ", **BORN)
    watched.night()
    flags = _after_days(watched, 5)
    (flag,) = [flag for flag in flags if flag["detector"] == "own-name"]
    assert flag["figures"] == {"looked_only": 1.0, "without_case": 1.0}
    assert "渡" not in str(flag)
    shown = watched.auditor().ask("watching/flag", {"number": flag["number"]}).data
    assert shown["names"] == {"P-OP-0001": "渡辺　太郎"}
    assert [_operation(watched, index) for index in shown["evidence"]] == ["search/find"]


def test_relatives_under_a_case_that_something_followed_from_are_work(watched: Watched) -> None:
    watched.call("P-OP-0001", "渡辺　太郎", "わたなべ　たろう")
    watched.resident(1, "渡邉　花子", "わたなべ　はなこ")
    clerk = watched.clerk()
    watched.look(clerk, "R8-2", name="渡邉　花子", **BORN)
    who = {"by": {"name": "渡邉　花子", **BORN}, "items": ["address"]}
    clerk.ask("provision/inquire", who, **FOR_TAX, case_number="R8-2")
    watched.night()
    assert names(_after_days(watched, 5)) == []


def test_his_own_name_is_told_whatever_the_case(watched: Watched) -> None:
    watched.call("P-OP-0001", "渡辺　太郎", "わたなべ　たろう")
    watched.clerk().ask("search/find", {"name": "渡辺太郎", **BORN}, **FOR_TAX, case_number="R8-3")
    (flag,) = watched.night()
    assert (flag["detector"], flag["figures"]) == ("own-name", {"whole_name": 1.0})


def test_wrong_pins_are_told_within_minutes(watched: Watched) -> None:
    clerk = watched.clerk()
    for number in range(4):
        with suppress(Unidentified):
            watched.log_in(clerk, "P-OP-0001", "11112222", operator=f"OP-{number}")
        clerk.ask("session/challenge", {"person": "P-OP-0001"})
    watched.bench.work()
    flags = watched.flags(detector="failed-logins")
    assert [flag["persons"] for flag in flags] == [("P-OP-0001",)]


@pytest.mark.requirement("R137")
def test_offices_that_look_at_one_resident_without_a_case_are_told(watched: Watched) -> None:
    watched.resident(1, "熊本　花子", "くまもと　はなこ")
    for number, office in ((1, "県税事務所"), (2, "福祉事務所")):
        watched.look(watched.clerk(number, office), None, name="熊本　花子", **BORN)
    watched.night()
    flags = _after_days(watched, 5)
    (flag,) = [flag for flag in flags if flag["detector"] == "seen-by-many"]
    assert flag["offices"] == ("県税事務所", "福祉事務所")
    assert flag["persons"] == ("P-OP-0001", "P-OP-0002")


def test_the_same_fact_makes_no_new_flag_every_night(watched: Watched) -> None:
    watched.call("P-OP-0001", "渡辺　太郎", "わたなべ　たろう")
    for _ in range(3):
        own = {"name": "渡辺太郎", **BORN}
        watched.clerk().ask("search/find", own, **FOR_TAX, case_number="R8-3")
        assert len(watched.night()) == 1


@pytest.mark.parametrize("entries", [1, 2, 7])
def test_a_job_that_reads_little_at_a_time_tells_the_same(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, entries: int
) -> None:
    monkeypatch.setattr(reading, "ENTRIES", entries)
    watched.call("P-OP-0001", "渡辺　太郎", "わたなべ　たろう")
    clerk = watched.clerk()
    for given in "一二三四五":
        clerk.ask("search/find", {"name": f"熊木　{given}"}, **FOR_TAX, case_number="R8-4")
    clerk.ask("search/find", {"name": "渡辺太郎", **BORN}, **FOR_TAX, case_number="R8-3")
    # Every step is an entry itself, so that one by one it never comes to an end.
    for _ in range(40):
        watched.bench.step("watching/nightly")
    flags = watched.flags()
    assert sorted(names(flags)) == ["name-fishing", "own-name"]
    for flag in flags:
        shown = watched.auditor().ask("watching/flag", {"number": flag["number"]}).data
        operations = {_operation(watched, index) for index in shown["evidence"]}
        assert operations == {"search/find"}


def test_the_sex_beside_a_name_does_not_hide_the_fishing(watched: Watched) -> None:
    clerk = watched.clerk()
    for given in "一二三四五":
        asked = {"name": f"熊木　{given}", "sex": "2"}
        clerk.ask("search/find", asked, **FOR_TAX, case_number="R8-4")
    assert names(watched.night()) == ["name-fishing"]


def test_no_name_that_was_sought_is_kept(watched: Watched) -> None:
    clerk = watched.clerk()
    for given in "一二三四五":
        clerk.ask("search/find", {"name": f"熊木　{given}"}, **FOR_TAX, case_number="R8-4")
    watched.night()
    with watched.bench.vault.view() as view:
        for kind in ("state", "flags", "open"):
            for document in view.documents(f"watching.{kind}", b"", b""):
                assert "熊木".encode() not in document.body


def test_nobody_sees_or_decides_a_flag_about_himself(watched: Watched) -> None:
    add_canary(watched)
    both = watched.bench.clerk(
        "OP-0001",
        roles=("clerk", "auditor"),
        purposes=("prefectural-tax",),
        office="県税事務所",
    )
    watched.look(both, "R8-1", name="架空　住民", **BORN)
    (flag,) = watched.night()
    with pytest.raises(NotPermitted, match="himself"):
        decide(both, flag["number"], "justified")
    with pytest.raises(NotPermitted, match="himself"):
        both.ask("watching/flag", {"number": flag["number"]})
    assert both.ask("watching/flags", {}).data["flags"] == ()
    assert both.ask("watching/figures", {}).data["open"] == 0
    refused = [e for e in watched.bench.ledger() if e.operation == "watching/decide"]
    assert [entry.refusal for entry in refused] == ["not-permitted"]


def test_an_officer_decides_flags_of_his_own_office_alone(watched: Watched) -> None:
    own = add_canary(watched)
    watched.look(watched.clerk(), "R8-1", name="架空　住民", **BORN)
    (flag,) = watched.night()
    other = watched.officer("福祉事務所", "OFFICER-2")
    with pytest.raises(NotPermitted, match="your office alone"):
        decide(other, flag["number"])
    assert other.ask("watching/flags", {}).data["flags"] == ()
    assert decide(own, flag["number"])["flag"]["decision"] == "misuse"


def test_every_decision_is_kept_with_its_reason(watched: Watched) -> None:
    add_canary(watched)
    watched.look(watched.clerk(), "R8-1", name="架空　住民", **BORN)
    (flag,) = watched.night()
    auditor = watched.auditor()
    decide(auditor, flag["number"], "unclear")
    shown = decide(auditor, flag["number"], "misuse")
    told = [(each["decision"], each["by"], each["reason"]) for each in shown["decisions"]]
    assert told == [
        ("unclear", "P-AUDIT", "本人に確認した。"),
        ("misuse", "P-AUDIT", "本人に確認した。"),
    ]
    assert shown["thresholds"] == watched.bench.parts.policy.watching.version
    assert auditor.ask("watching/flags", {}).data["flags"] == ()
    told = auditor.ask("watching/figures", {}).data
    assert (told["decisions"], told["open"]) == ({"misuse": 1}, 0)
    entries = [e for e in watched.bench.ledger() if e.operation == "watching/decide"]
    assert all("reason" not in entry.conditions for entry in entries)


def test_a_flag_that_waits_too_long_is_an_alarm(watched: Watched) -> None:
    add_canary(watched)
    watched.look(watched.clerk(), "R8-1", name="架空　住民", **BORN)
    watched.night()

    def alarms() -> set[str]:
        watched.bench.work()
        return {alarm["name"] for alarm in watched.bench.jobs.alarms()}

    watched.days_later(7)
    assert "watching/flags-open" not in alarms()
    watched.days_later(1)
    assert "watching/flags-open" in alarms()
    decide(watched.auditor(), 1, "justified")
    watched.bench.now += timedelta(minutes=2)
    assert not {"watching/flags-open", "watching/canary-opened"} & alarms()


def test_a_calendar_without_holidays_to_come_is_an_alarm(watched: Watched) -> None:
    watched.night()
    watched.days_later(2 * 365)
    watched.bench.work()
    assert "watching/holidays-missing" in {a["name"] for a in watched.bench.jobs.alarms()}


def test_an_idle_appliance_is_not_watched_again_and_again(watched: Watched) -> None:
    watched.bench.work()
    watched.bench.now += timedelta(minutes=6)
    watched.bench.work()
    length = len(watched.bench.ledger())
    for _ in range(3):
        watched.bench.now += timedelta(minutes=6)
        watched.bench.work()
    assert len(watched.bench.ledger()) == length


def test_a_list_of_flags_goes_on_where_it_ended(watched: Watched) -> None:
    add_canary(watched)
    for number in (1, 2, 3):
        watched.look(watched.clerk(number), "R8-1", name="架空　住民", **BORN)
    watched.night()
    auditor = watched.auditor()
    first = auditor.ask("watching/flags", {"limit": 2}).data
    rest = auditor.ask("watching/flags", {"after": first["next"]}).data
    assert [flag["number"] for flag in (*first["flags"], *rest["flags"])] == [1, 2, 3]
    assert rest["next"] is None


def test_approved_hours_end_after_they_begin(watched: Watched) -> None:
    period = {"since": MONDAY.isoformat(), "until": MONDAY.isoformat(), "why": "繁忙期"}
    with pytest.raises(Malformed, match="until"):
        watched.officer().ask("watching/approve-hours", {"who": "県税事務所", **period})


def test_a_drill_that_is_entered_afterwards_covers_nothing(watched: Watched) -> None:
    officer, clerk = add_canary(watched), watched.clerk()
    watched.look(clerk, "R8-1", name="架空　住民", **BORN)
    watched.bench.now += timedelta(minutes=1)
    officer.ask("watching/drill", {"person_id": "P-OP-0001", **around(watched)})
    assert names(watched.night()) == ["canary"]


@pytest.mark.parametrize("operation", ["drill", "approve-hours"])
def test_an_officer_covers_neither_himself_nor_another_office(
    watched: Watched, operation: str
) -> None:
    officer = watched.officer()
    watched.clerk(2, "福祉事務所")
    field = {"drill": "person_id", "approve-hours": "who"}[operation]
    for who in ("P-OFFICER", "P-OP-0002", "福祉事務所", "P-NOBODY"):
        with pytest.raises(NotPermitted):
            officer.ask(f"watching/{operation}", {field: who, **around(watched)})


def test_hours_approved_for_an_office_are_not_for_whoever_approved_them(watched: Watched) -> None:
    watched.bench.now = MONDAY.replace(hour=23)
    both = watched.bench.clerk(
        "OP-0001",
        roles=("clerk", "security-officer"),
        purposes=("prefectural-tax",),
        office="県税事務所",
    )
    both.ask("watching/approve-hours", {"who": "県税事務所", **around(watched)})
    watched.resident(7, "架空　住民", "かくう　じゅうみん")
    for seat in (both, watched.clerk(2)):
        watched.look(seat, "R8-1", name="架空　住民", **BORN)
    flags = [f for f in _after_days(watched, 1) if f["detector"] == "out-of-hours"]
    assert [flag["persons"] for flag in flags] == [("P-OP-0001",)]


def test_nobody_decides_what_was_tried_as_him_under_another_authority(watched: Watched) -> None:
    clerk = watched.clerk()
    for _ in range(4):
        with suppress(Unidentified):
            watched.log_in(clerk, "P-OP-0001", "11112222")
    watched.bench.work()
    (flag,) = watched.flags(detector="failed-logins")
    own = watched.bench.clerk(
        "AUDIT-2", roles=("auditor",), purposes=(), office="監査室", person_id="P-OP-0001"
    )
    with pytest.raises(NotPermitted, match="himself"):
        decide(own, flag["number"], "justified")


def _after_days(watched: Watched, days: int) -> list[dict[str, Any]]:
    watched.days_later(days)
    return watched.night()


def _operation(watched: Watched, index: int) -> str:
    return watched.bench.ledger()[index].operation
