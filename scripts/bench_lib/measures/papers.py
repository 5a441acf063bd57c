"""開示: the 確認書 of one resident, beside typst alone on the same source, data and font.

Every paper is another resident's, so that no layout is remembered from the round before.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, cast

import typst
from msgspec import to_builtins

from appliance import press
from appliance.items import ItemName
from appliance.model import JST, Resident
from appliance.testing import OFFICE, Bench
from plugins.disclosure.form import FORMS, blocks, printed, written
from plugins.disclosure.letters import CONFIRMATION
from scripts.bench_lib.rows import Row, Setting, at_most, left_out, told
from scripts.bench_lib.timing import in_turns
from storage.engine import PersonId
from tests.simulators.notices import EIGHT, Notice
from tests.simulators.population import Population

PAPERS, ROUNDS, ISSUED = 60, 5, 20
MOST = 2.0
ON = date(2026, 4, 1)
MUNICIPALITY = "432024"
FOUR = ("name", "birth_date", "sex", "address")
DESK: Mapping[str, Any] = {"purpose": "all", "reason": "01"}
REQUEST: Mapping[str, Any] = {"method": "counter", "identity": ["passport"], "stamps_yen": 10}


def measure(setting: Setting) -> Iterator[Row]:
    """Print 確認書 from opened records, and compile the same with typst alone."""
    if not press.FONT.is_file():
        yield left_out("papers/confirmation", "the Debian package fonts-ipamj-mincho is missing")
        return
    people = list(Population(setting.seed, MUNICIPALITY, PAPERS).notices())
    residents = [_resident(number, each) for number, each in enumerate(people, start=1)]
    sources = [_data(each) for each in residents]
    bare = typst.Compiler(
        font_paths=[str(press.FONT.parent)],
        ignore_system_fonts=True,
        package_path=str(_PACKAGES),
        package_cache_path=str(_PACKAGES),
    )

    def ours() -> None:
        for each in residents:
            printed(CONFIRMATION, _data(each), ON)

    def alone() -> None:
        for each in sources:
            _compiled(bare, each)

    is_same = printed(CONFIRMATION, sources[0], ON).pdf == _compiled(bare, sources[0])
    words = "the" if is_same else "NOT the"
    taken = in_turns({"ours": ours, "typst": alone}, ROUNDS)
    yield at_most(
        "papers/confirmation",
        taken["ours"].median / PAPERS * 1e3,
        taken["typst"].median / PAPERS * 1e3,
        "ms",
        MOST,
        spread=taken["ours"].spread,
        note=f"{PAPERS} residents, {ROUNDS} rounds, warm; {words} same bytes",
    )
    yield _issued(setting.folder / "papers", people[:ISSUED])


def _issued(folder: Path, people: list[Notice]) -> Row:
    """Go the whole way: case, record, history, paper, 帳票管理簿, ledger on disk."""
    with Bench.open(folder) as bench:
        notices = [to_builtins(each) for each in people]
        bench.municipality(MUNICIPALITY).ask("update/notify", {"notifications": notices})
        clerk, matched = bench.clerk(), []
        for each in people:
            subject = {name: getattr(each, name) for name in FOUR}
            case = clerk.ask("disclosure/receive", {**REQUEST, "subject": subject}, **DESK)
            number = {"number": case.data["number"]}
            clerk.ask("disclosure/match", number, **DESK)
            seen = clerk.ask("disclosure/preview", number, **DESK)
            matched.append({**number, "sha256": seen.data["sha256"]})
        numbers = itertools.cycle(matched)
        clerk.ask("disclosure/issue", next(numbers), **DESK)
        left = iter(matched[1:])

        def issue() -> None:
            clerk.ask("disclosure/issue", next(left), **DESK)

        taken = in_turns({"issue": issue}, len(matched) - 1)["issue"]
    return told(
        "papers/issue",
        taken.median * 1e3,
        "ms",
        spread=taken.spread,
        note="the operation disclosure/issue from the line on: record opened, ledger on disk",
    )


_PACKAGES = Path(press.__file__).parent / "packages"


def _resident(number: int, notice: Notice) -> Resident:
    values = {ItemName(name): getattr(notice, name) for name in EIGHT}
    values[ItemName("birth_date_as_written")] = notice.birth_date_as_written
    return Resident(PersonId(number), 1, values)


def _data(resident: Resident) -> dict[str, Any]:
    return {
        "office": to_builtins(OFFICE),
        "issued": written(ON.isoformat()),
        "reference": f"受付番号 第{resident.person}号",
        "document": f"開示第{resident.person}号",
        **blocks([resident]),
    }


def _compiled(compiler: typst.Compiler, data: Mapping[str, Any]) -> bytes:
    made = compiler.compile(
        input=str(FORMS / f"{CONFIRMATION}.typ"),
        root=str(FORMS),
        format="pdf",
        sys_inputs={"data": json.dumps({**data, "on": ON.isoformat()}, ensure_ascii=False)},
        pdf_standards=[press.STANDARD],
        timestamp=datetime.combine(ON, time(), JST),
    )
    return cast(bytes, made)
