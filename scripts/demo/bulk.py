"""Bulk provision from file to file, and what a person is told of all that was provided of his data.

The office seals its file with ``juki media``, hands it in, and gets a sealed one back, which only
its own key opens. In between, a second person has to agree.
"""

import base64
import csv
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.model import JST
from scripts.demo import approving
from scripts.demo.cast import Cast
from scripts.demo.people import ADMINISTRATOR, APPROVER, MEDIA, REGISTRAR
from scripts.demo.stage import OK, Seat, Stage
from scripts.demo.steps import Step
from tests.simulators.notices import Notice

FORBIDDEN, UNPROCESSABLE = 403, 422
APRIL = 4
METHODS = {"即時提供", "照合", "一括提供"}
ITEMS = ["name", "address"]
HEADER = "juki-bulk/1,prefectural-tax"
MEDIUM = "USB-0002"
CODES = {"sawako": "00", "kenichi": "30", "nobody": "20", "minoru": "10"}
"""一致, 転出, 該当なし, 複数."""


def provide(stage: Stage, cast: Cast) -> None:
    """Drive a bulk inquiry from beginning to end."""
    recipient = _recipient(stage)
    job = _hand_in(stage, cast, recipient)
    _wait(stage, job)
    _approve(stage, job)
    _take_out(stage, cast, job)
    _tell(stage, cast)
    _cancel(stage, cast, recipient)


def _recipient(stage: Stage) -> dict[str, Any]:
    administrator = stage.people[ADMINISTRATOR.name]
    with stage.steps.step("the key of a recipient of bulk results takes two persons") as step:
        step.asks("juki media keygen, provision/add-recipient, approval/request")
        drawn = stage.juki.needs("media", "keygen", str(_file(stage, "tax.key")))
        body = {
            "purpose": "prefectural-tax",
            "name": MEDIA.office,
            "public_key": drawn["public_key"],
        }
        alone = administrator.asks("provision/add-recipient", body, key="tax-key-by-one-only")
        step.saw(f"one alone: {alone.status} {alone.body['code']}", alone.status == FORBIDDEN)
        number = approving.agreed(stage, step, "provision/add-recipient", body)
        entered = administrator.gets(
            "provision/add-recipient", body, key="tax-key-registered", approval=number
        )
        step.saw(f"recipient {entered['number']}: {entered['agency']}")
        again = administrator.asks(
            "provision/add-recipient", body, key="tax-key-second-time", approval=number
        )
        step.saw(f"a second time: {again.status} {again.body['code']}", again.status == FORBIDDEN)
    approving.not_agreed(stage, "provision/add-recipient", body)
    media_key = administrator.gets("provision/media-key", {})["public_key"]
    return {"recipient": entered["number"], "media_key": media_key}


def _hand_in(stage: Stage, cast: Cast, recipient: dict[str, Any]) -> int:
    seat = stage.people[MEDIA.name]
    body = {"media_id": "USB-0001", "recipient": recipient["recipient"], "items": ITEMS}
    with stage.steps.step("a bulk file with a wrong row is refused whole") as step:
        step.asks("provision/bulk-submit, a birth date that is none in row 2")
        wrong = [_by_number(cast.sawako, "a"), ["b", "", "", "誰か", "", "1990-13-05", "", ""]]
        body["file"] = _sealed(stage, wrong, recipient["media_key"], "R8-300")
        answer = seat.asks("provision/bulk-submit", body, key="bulk-wrong-000001")
        told = answer.body["problems"]
        step.saw(f"{answer.status} {told[0]['text']}", answer.status == UNPROCESSABLE)
        step.saw("nothing else", len(told) == 1)
    with stage.steps.step("an office hands in a sealed file of inquiries", vital=True) as step:
        step.asks("juki media seal, provision/bulk-submit")
        job = _submitted(stage, cast, recipient, "R8-300", "bulk-submitted-01")
        step.saw(f"job {job}, {len(CODES)} rows")
    return job


def _cancel(stage: Stage, cast: Cast, recipient: dict[str, Any]) -> None:
    seat = stage.people[MEDIA.name]
    with stage.steps.step("a bulk inquiry is cancelled, and nothing of it stays") as step:
        step.asks("provision/bulk-submit, provision/bulk-cancel")
        job = _submitted(stage, cast, recipient, "R8-301", "bulk-cancelled-01")
        state = seat.gets("provision/bulk-cancel", {"job": job}, key="bulk-cancelled-02")["state"]
        step.saw(state, state == "cancelled")
    administrator = stage.people[ADMINISTRATOR.name]
    with stage.steps.step("a recipient is retired, and gets nothing more") as step:
        step.asks("provision/retire-recipient, provision/recipients")
        body = {"number": recipient["recipient"]}
        administrator.gets("provision/retire-recipient", body, key="tax-key-retired-1")
        (left,) = administrator.gets("provision/recipients", {})["recipients"]
        step.saw(f"{left['name']}: retired", left["retired"])


def _submitted(stage: Stage, cast: Cast, recipient: dict[str, Any], number: str, key: str) -> int:
    body = {
        "file": _sealed(stage, _rows(cast), recipient["media_key"], number),
        "media_id": "USB-0001",
        "recipient": recipient["recipient"],
        "items": ITEMS,
    }
    answer = stage.people[MEDIA.name].gets("provision/bulk-submit", body, key=key)
    return int(answer["job"])


def _wait(stage: Stage, job: int) -> None:
    seat = stage.people[MEDIA.name]
    with stage.steps.step("the appliance answers it by itself") as step:
        step.asks("provision/bulk-status")
        stage.wait(lambda: _status(seat, job)["state"] == "done", "to answer the bulk inquiry")
        status = _status(seat, job)
        step.saw(f"{status['done']} of {status['rows']} rows, no result told", not status["counts"])


def _status(seat: Seat, job: int) -> dict[str, Any]:
    return dict(seat.gets("provision/bulk-status", {"job": job})["jobs"][0])


def _approve(stage: Stage, job: int) -> None:
    body = {"job": job, "media_id": MEDIUM}
    with stage.steps.step("nothing leaves before a second person agrees") as step:
        step.asks("provision/bulk-fetch, provision/bulk-approve")
        early = stage.people[MEDIA.name].asks("provision/bulk-fetch", body)
        step.saw(f"{early.status} {early.body['problems'][0]['text']}", early.status != OK)
        approver = stage.people[APPROVER.name]
        state = approver.gets("provision/bulk-approve", body, key="bulk-approved-0001")
        counts = ", ".join(f"{code}: {count}" for code, count in state["counts"].items())
        seen = f"{state['state']} by {state['approved_by']} ({counts})"
        step.saw(seen, state["state"] == "approved")
        own = approver.asks("provision/bulk-fetch", body)
        step.saw(f"who approved cannot fetch: {own.status}", own.status == FORBIDDEN)


def _take_out(stage: Stage, cast: Cast, job: int) -> None:
    body = {"job": job, "media_id": MEDIUM}
    with stage.steps.step("the result leaves sealed, and its recipient opens it") as step:
        step.asks("provision/bulk-fetch, juki media open")
        fetched = stage.people[MEDIA.name].gets("provision/bulk-fetch", body)
        sealed, opened = _file(stage, "result.sealed"), _file(stage, "result.csv")
        sealed.write_bytes(base64.b64decode(fetched["file"]))
        words = ("media", "open", str(sealed), str(opened), "--key")
        told = stage.juki.needs(*words, str(_file(stage, "tax.key")))
        step.saw(f"{told['rows']} rows, sha256 {told['sha256'][:16]}…", told["rows"] == len(CODES))
        with opened.open(encoding="utf-8", newline="") as file:
            rows = [row[2:] for row in csv.reader(file) if row[0] == "D"]
        step.saw(" ".join(row[1] for row in rows), {row[0]: row[1] for row in rows} == CODES)
        step.saw(rows[0][4], rows[0][3:] == [cast.sawako.name, cast.sawako.address])
    with stage.steps.step("each media output is in its register") as step:
        step.asks("provision/outputs")
        (output,) = stage.people[APPROVER.name].gets("provision/outputs", {})["outputs"]
        said = (output["by"]["operator"], output["approved"]["operator"], output["media_id"])
        step.saw(", ".join(said), said == (MEDIA.operator, APPROVER.operator, MEDIUM))


def _tell(stage: Stage, cast: Cast) -> None:
    registrar = stage.people[REGISTRAR.name]
    with stage.steps.step("a person is told what was provided of her data, and to whom") as step:
        step.asks(f"provision/report {cast.sawako.name}")
        by = {"resident_code": cast.sawako.resident_code}
        told = registrar.gets("provision/report", {"by": by})["provisions"]
        methods = {each["method"] for each in told}
        newest = told[0]
        step.saw(f"{len(told)} provisions: {'、'.join(sorted(methods))}")
        step.saw(f"{newest['agency']} {newest['basis']}", methods >= METHODS)
    with stage.steps.step("the public is told how much was provided") as step:
        step.asks("provision/yearly")
        _yearly(step, registrar)


def _yearly(step: Step, registrar: Seat) -> None:
    today = datetime.now(JST).date()
    year = today.year - (today.month < APRIL)
    lines = registrar.gets("provision/yearly", {"fiscal_year": year})["lines"]
    step.saw(f"{year}年度: {len(lines)} lines", bool(lines))
    for line in lines[:3]:
        step.saw(f"{line['agency']} {line['method']} {line['asked']}件")


def _rows(cast: Cast) -> list[list[str]]:
    return [
        _by_number(cast.sawako, "sawako"),
        _by_number(cast.kenichi, "kenichi"),
        ["nobody", "", "", "存在　せぬ男", "", "1970-01-01", "", ""],
        ["minoru", "", "", cast.minoru[0].name, "", "", cast.minoru[0].sex, ""],
    ]


def _by_number(person: Notice, reference: str) -> list[str]:
    return [reference, "", str(person.my_number), "", "", "", "", ""]


def _sealed(stage: Stage, rows: list[list[str]], media_key: str, number: str) -> str:
    """Seal rows as the office does; return the file in base64."""
    plain, sealed = _file(stage, "rows.csv"), _file(stage, "rows.sealed")
    with plain.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    words = ("media", "seal", str(plain), str(sealed), "--to", media_key)
    stage.juki.needs(*words, "--header", f"{HEADER},{number}")
    return base64.b64encode(sealed.read_bytes()).decode()


def _file(stage: Stage, name: str) -> Path:
    return stage.grounds.terminal / name
