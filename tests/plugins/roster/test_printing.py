import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from appliance.errors import NotPermitted
from appliance.testing import Bench
from plugins import roster
from tests.plugins.people import shipped_policy
from tests.plugins.roster.keeper import Keeper

PERSON = {
    "person_id": "P-0002",
    "name": "県税　花子",
    "office": "県税事務所",
    "expires_on": "2027-03-31",
    "form": "照合付-2026-12",
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path / "store", {"roster": roster}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def keeper(bench: Bench) -> Keeper:
    keeper = Keeper.of(bench)
    keeper.ask("roster/grant", PERSON)
    authority = {"operator_id": "OP-0002", "holders": ["P-0002"], "roles": ["clerk"]}
    authority |= {"purposes": ["prefectural-tax"], "office": "県税事務所", "form": "照合付-1"}
    keeper.ask("roster/add-operator", {**authority, "expires_on": "2027-03-31"})
    return keeper


def printed(keeper: Keeper, folder: Path, register: str, **more: object) -> tuple[str, int]:
    """Return what stands on the paper, without blanks, and how many lines it has."""
    answer = keeper.ask("roster/print", {"register": register, **more}).data
    (folder / "read.pdf").write_bytes(answer["pdf"])
    read = ["pdftotext", "-layout", str(folder / "read.pdf"), "-"]
    text = subprocess.run(read, capture_output=True, check=True, text=True).stdout
    return "".join(text.split()), answer["lines"]


@pytest.mark.requirement("R125")
def test_every_line_says_by_which_paper_and_by_whom(keeper: Keeper, tmp_path: Path) -> None:
    text, lines = printed(keeper, tmp_path, "people")
    assert lines == 3
    for part in ("P-0002", "県税花子", "県税事務所", "2027-03-31", "照合付", "ADMIN"):
        assert part in text
    text, _ = printed(keeper, tmp_path, "operators", office="県税事務所")
    assert "OP-0002" in text
    assert "OFFICER" not in text
    text, _ = printed(keeper, tmp_path, "terminals")
    assert "TERM-0001" in text
    assert "代表端末" in text


@pytest.mark.requirement("R125")
def test_with_history_nothing_that_was_is_left_out(keeper: Keeper, tmp_path: Path) -> None:
    moved = {"operator_id": "OP-0002", "office": "監査室", "form": "異動-9"}
    keeper.ask("roster/change-operator", moved)
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "廃止"})
    _, now = printed(keeper, tmp_path, "operators")
    text, all_of_it = printed(keeper, tmp_path, "operators", history=True)
    assert (now, all_of_it) == (3, 5)
    for part in ("監査室", "県税事務所", "異動-9", "廃止"):
        assert part in text


def test_the_ledger_has_the_digest_of_what_was_printed(bench: Bench, keeper: Keeper) -> None:
    answer = keeper.ask("roster/print", {"register": "people"}).data
    entry = bench.ledger()[-1]
    assert entry.file == answer["sha256"] == sha256(answer["pdf"]).hexdigest()
    assert entry.hits == 3


def test_only_the_keeper_of_the_roster_prints_it(bench: Bench) -> None:
    clerk = bench.clerk(roles=("clerk",))
    with pytest.raises(NotPermitted):
        clerk.ask("roster/print", {"register": "people"})
