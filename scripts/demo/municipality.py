"""What else a municipality tells, and what it is told: numbers, what waits, its inbox, recovery."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from scripts.demo.cast import Cast
from scripts.demo.grounds import MUNICIPALITY
from scripts.demo.people import ADMINISTRATOR
from scripts.demo.servers import next_sequence
from scripts.demo.stage import OK, Stage
from scripts.demo.town import store
from tests.simulators.cs import MunicipalServer
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.link import Link
from tests.simulators.notices import Notice

FORBIDDEN = 403


def tell(stage: Stage, cast: Cast) -> None:
    """Do everything that a municipality does beside notifying movements."""
    link = stage.link(stage.grounds.municipality, f"cs-{MUNICIPALITY}")
    with link, MunicipalFile(store(stage.grounds.municipality)) as file:
        desk = _Desk(link, file, count(next_sequence(link)))
        _numbers(stage, cast, desk)
        late = _waits(stage, cast, desk)
        _inbox(stage, link, file)
        _receptions(stage)
        _recovery(stage, link, late)


class _Desk:
    """The municipality's office: sends notices one by one and keeps what was applied."""

    def __init__(self, link: Link, file: MunicipalFile, numbers: Iterator[int]) -> None:
        self._link = link
        self._file = file
        self._numbers = numbers

    def send(self, notice: Notice) -> dict[str, Any]:
        """Send a notice with the next sequence number; return what is answered to it."""
        numbered = replace(notice, sequence=next(self._numbers))
        data = ask(self._link, "notify", {"notifications": [to_builtins(numbered)]})
        (result,) = data["results"]
        if result["outcome"] == "applied":
            self._file.record([numbered], [])
        return dict(result)


def ask(link: Link, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for an operation of the function, once for what is asked; return the data."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Idempotency-Key": f"{operation}-{hash(raw) & (2**60 - 1):016x}"}
    return dict(link.ask(f"/v1/update/{operation}", raw, headers).body["data"])


def _numbers(stage: Stage, cast: Cast, desk: _Desk) -> None:
    person, other = cast.home[-1], cast.stranger
    version = person.update_number
    recoded = replace(
        person,
        reason="41",
        resident_code=other.resident_code,
        previous_resident_code=person.resident_code,
        update_number=version + 1,
    )
    with stage.steps.step("a new 住民票コード, and the old one stands for nobody") as step:
        step.asks("update/notify 住民票コードの記載の変更請求(41), then a 転居 under the old one")
        first = desk.send(recoded)
        second = desk.send(
            replace(person, reason="31", address=cast.sawako.address, update_number=version + 2)
        )
        step.saw(first["outcome"], first["outcome"] == "applied")
        rules = [problem["rule"] for problem in second["problems"]]
        step.saw(f"{second['outcome']} by {', '.join(rules)}", rules == ["G-10"])
    with stage.steps.step("a new 個人番号 is the person's") as step:
        step.asks("update/notify 個人番号の変更請求(51)")
        person = replace(recoded, previous_resident_code=None)
        result = desk.send(
            replace(person, reason="51", my_number=other.my_number, update_number=version + 2)
        )
        step.saw(result["outcome"], result["outcome"] == "applied")


def _waits(stage: Stage, cast: Cast, desk: _Desk) -> Notice:
    person = cast.home[-2]
    first = replace(
        person,
        reason="33",
        kana=(person.kana or "") + "こ",
        update_number=person.update_number + 1,
    )
    wrong = replace(
        first,
        reason="31",
        address=cast.sawako.address,
        sex="2" if person.sex == "1" else "1",
        update_number=person.update_number + 2,
    )
    with stage.steps.step(
        "a notice that overtakes another waits, and is judged at its turn"
    ) as step:
        step.asks("update/notify 転居 (with another sex), then the 職権修正等 before it")
        held, applied = desk.send(wrong), desk.send(first)
        step.saw(held["problems"][0]["text"], held["outcome"] == "held")
        step.saw(applied["outcome"], applied["outcome"] == "applied")
    return first


def _inbox(stage: Stage, link: Link, file: MunicipalFile) -> None:
    with stage.steps.step("the municipality reads in its inbox that it was refused") as step:
        step.asks("update/inbox, update/acknowledge-inbox")
        server = MunicipalServer(link, file)
        (message,) = server.read_inbox()
        note = message.note
        step.saw(f"{message.kind}: sequence {note['sequence']}, {note['rule']} {note['item']}")
        step.saw(note["text"], (message.kind, note["rule"]) == ("refused", "L-10"))
        step.saw("nothing more to read", not server.read_inbox())
    with stage.steps.step("and takes it back") as step:
        step.asks("update/withdraw")
        taken = ask(link, "withdraw", {"sequence": int(note["sequence"])})
        held = ask(link, "held", {})
        step.saw("nothing waits", bool(taken["withdrawn"]) and not held["count"])


def _receptions(stage: Stage) -> None:
    with stage.steps.step("staff see what came from each municipality, and of nobody") as step:
        step.asks(f"update/receptions by {ADMINISTRATOR.operator}")
        data = stage.people[ADMINISTRATOR.name].gets("update/receptions", {})
        rows = {each["municipality_code"]: each for each in data["municipalities"]}
        ours = rows[MUNICIPALITY]
        counts = {name: ours[name] for name in ("received", "applied", "rejected", "waiting")}
        step.saw(f"{MUNICIPALITY} {counts}", ours["rejected"] > 0 and not ours["waiting"])
        refusals = [each["rule"] for each in ours["refusals"]]
        step.saw(f"refused by {', '.join(refusals)}", "G-10" in refusals)


def _recovery(stage: Stage, link: Link, newest: Notice) -> None:
    record = {**to_builtins(newest), "removed": False}
    body = {"records": [record, {**record, "update_number": newest.update_number - 1}]}
    with stage.steps.step("a full set is taken only while the prefecture has opened it") as step:
        step.asks(f"update/recover; update/open-recovery by {ADMINISTRATOR.operator}")
        raw = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Idempotency-Key": "recovery-too-early"}
        early = link.ask("/v1/update/recover", raw, headers)
        stage.refusals.keep("cs", "update/recover", early)
        step.saw(f"{early.status} before", early.status == FORBIDDEN)
        opening = {"municipality_code": MUNICIPALITY, "days": 0}
        administrator = stage.people[ADMINISTRATOR.name]
        opened = administrator.asks("update/open-recovery", opening, key="recovery-is-open")
        step.saw(f"open until {opened.body['data']['until']}", opened.status == OK)
        counts = ask(link, "recover", body)["counts"]
        told = ", ".join(f"{name} {number}" for name, number in counts.items() if number)
        step.saw(f"{told}; newer data of ours stays", counts["same"] == counts["newer"] == 1)
