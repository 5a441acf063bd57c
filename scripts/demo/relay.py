"""機構: somebody of another prefecture is asked for, things go wrong, an error is reported."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from appliance.values.identifiers import my_number_from, resident_code_from
from scripts.demo.cast import Cast
from scripts.demo.grounds import MUNICIPALITY
from scripts.demo.people import ADMINISTRATOR, AUDITOR, REGISTRAR
from scripts.demo.servers import next_sequence, notify
from scripts.demo.stage import OK, Stage
from scripts.demo.town import store
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.notices import Eight, write_lines

HANAKO = Eight(
    resident_code=resident_code_from("9999999990"),
    name="博多　花子",
    birth_date="1977-07-15",
    sex="2",
    address="福岡県福岡市博多区博多駅前二丁目９番",
    my_number=my_number_from("99999999990"),
    reason="11",
    effective_date="2015-10-05",
)
"""Lives in another prefecture; nobody here knows of her."""
PEOPLE, SWITCH = "people.jsonl", "faults"
BAD_GATEWAY, UNAVAILABLE = 502, 503
FAULTS = {"down": "unreachable", "wrong": "nonsense", "refuse": "refused"}


def prepare(folder: Path) -> tuple[str, ...]:
    """Write what the national server knows beside what it is told; return its options."""
    write_lines(folder / PEOPLE, [HANAKO])
    return ("--people", str(folder / PEOPLE), "--switch", str(folder / SWITCH))


def look(stage: Stage, cast: Cast) -> None:
    """Ask the national server, and hear from it."""
    _inquire(stage)
    _go_wrong(stage)
    _maintain(stage)
    _report(stage, cast)
    _refuse(stage, cast)


def _inquire(stage: Stage) -> None:
    registrar, items = stage.people[REGISTRAR.name], ["name", "address"]
    with stage.steps.step("somebody of another prefecture is asked for at 機構") as step:
        step.asks("relay/inquire by 個人番号, 住民票コード and 4情報")
        four = {key: getattr(HANAKO, key) for key in ("name", "birth_date", "sex", "address")}
        for by in (
            {"my_number": HANAKO.my_number},
            {"resident_code": HANAKO.resident_code},
            four,
        ):
            told = registrar.gets("relay/inquire", {"by": by, "items": items})
            step.saw(told["result"], told["resident"] == {key: four[key] for key in items})
        step.saw(told["basis"])
        asked = {"request_id": told["provision_id"]}
        (entry,) = stage.people[AUDITOR.name].gets("ledger/search", asked)["entries"]
        step.saw(f"in the ledger: {entry['note']}", entry["note"].endswith("national server: one"))


def _go_wrong(stage: Stage) -> None:
    registrar, switch = stage.people[REGISTRAR.name], stage.grounds.national / SWITCH
    asked = {"by": {"my_number": HANAKO.my_number}, "items": ["name"]}
    with stage.steps.step("an answer that fails says who is at fault") as step:
        step.asks("relay/inquire while 機構 is down, answers nonsense, refuses")
        for fault, rule in FAULTS.items():
            switch.write_text(fault)
            answer = registrar.asks("relay/inquire", asked)
            (problem,) = answer.body.get("problems") or [{}]
            right = (answer.status, problem.get("rule")) == (BAD_GATEWAY, rule)
            step.saw(f"{answer.status} {problem.get('rule')}", right)
        switch.write_text("")
        step.saw("then answered", registrar.asks("relay/inquire", asked).status == OK)


def _maintain(stage: Stage) -> None:
    administrator, registrar = stage.people[ADMINISTRATOR.name], stage.people[REGISTRAR.name]
    with stage.steps.step(
        "during maintenance 機構 is left alone, and it is said until when"
    ) as step:
        step.asks("relay/maintenance on and off")
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        on = {"on": True, "reason": "回線工事", "until": until}
        administrator.gets("relay/maintenance", on, key="maintenance-goes-on")
        asked = {"by": {"my_number": HANAKO.my_number}, "items": ["name"]}
        answer = registrar.asks("relay/inquire", asked)
        step.saw(f"{answer.status} {answer.body['detail']}", answer.status == UNAVAILABLE)
        state = administrator.gets("relay/outbox", {})
        step.saw("delivery is paused", state["paused_until"] is not None)
        administrator.gets("relay/maintenance", {"on": False}, key="maintenance-is-over")
        step.saw("then answered", registrar.asks("relay/inquire", asked).status == OK)


def _report(stage: Stage, cast: Cast) -> None:
    registrar, folder = stage.people[REGISTRAR.name], stage.grounds.national
    with stage.steps.step("機構 reports an error: a case, passed on to the municipality") as step:
        step.asks("relay/report-error by the national server, relay/case, relay/close-case")
        notice = {
            "notice": "N-2026-0001",
            "resident_code": cast.sawako.resident_code,
            "items": ["birth_date"],
            "finding": "differs",
        }
        with stage.link(folder, "national") as link:
            headers = {"Idempotency-Key": "notice-n-2026-0001"}
            reported = link.ask("/v1/relay/report-error", json.dumps(notice).encode(), headers)
        step.must(f"case {reported.body['data']['case']}", reported.status == OK)
        number = reported.body["data"]["case"]
        shown = registrar.gets("relay/case", {"number": number, "items": ["name"]})
        case = shown["states"][-1]
        step.saw(f"{case['municipality_code']}: {case['state']}", case["state"] == "open")
        step.saw(shown["resident"]["name"], shown["resident"]["name"] == cast.sawako.name)
        why = {"number": number, "reason": "住民票のとおりで誤りなし"}
        closed = registrar.gets("relay/close-case", why, key="case-closed-by-hand")
        step.saw(f"{closed['state']} by {closed['closed_by']}", closed["state"] == "closed")


def _refuse(stage: Stage, cast: Cast) -> None:
    administrator, switch = stage.people[ADMINISTRATOR.name], stage.grounds.national / SWITCH

    def refused() -> int:
        return int(administrator.gets("relay/outbox", {})["refused"])

    with stage.steps.step("a message that 機構 refuses is set aside, and sent again") as step:
        step.asks("update/notify 転居, relay/cases, relay/send-again")
        switch.write_text("refuse")
        _move(stage, cast)
        stage.wait(lambda: refused() == 1, "to be refused")
        switch.write_text("")
        state = administrator.gets("relay/outbox", {})
        step.saw(f"{state['depth']} wait, {refused()} set aside", state["depth"] == 0)
        (case,) = administrator.gets("relay/cases", {})["cases"]
        step.saw(f"case {case['number']}: {case['kind']} by rule {case['finding']}")
        again = administrator.gets(
            "relay/send-again", {"number": case["number"]}, key="message-sent-again"
        )
        stage.wait(lambda: refused() == 0, "to be taken")
        step.saw(f"taken as message {again['message']:,}")


def _move(stage: Stage, cast: Cast) -> None:
    """Tell that somebody of the care home moved, as the municipality."""
    folder, known = stage.grounds.municipality, cast.home[0]
    with stage.link(folder, f"cs-{MUNICIPALITY}") as link:
        moved = replace(
            known,
            reason="31",
            address=cast.sawako.address,
            town_code=cast.sawako.town_code,
            update_number=known.update_number + 1,
            sequence=next_sequence(link),
        )
        notify(link, moved, "moved-and-refused")
    with MunicipalFile(store(folder)) as file:
        file.record([moved], [])
