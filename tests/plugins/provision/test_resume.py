"""A process that answers a bulk inquiry is killed at any moment, and what comes out is the same."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plugins.people import admit, shipped_policy
from tests.plugins.provision.desks import Desks, by_four, by_number, inquiry
from tests.plugins.provision.stepper import reopened

RESIDENTS, ROWS, CHUNK = 20, 400, 10


@pytest.mark.requirement("R44")
def test_who_is_killed_goes_on_where_the_last_row_was_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.provision.kept.CHUNK", CHUNK)
    rows = [by_number(n % (2 * RESIDENTS)) for n in range(1, ROWS)]
    rows.append(by_four("last", name="熊本花子", birth_date="1990-04-05"))
    ring = tmp_path / "ring"
    with Desks.open(tmp_path / "store", shipped_policy()) as desks:
        for which in range(1, RESIDENTS + 1):
            admit(desks.bench, which)
        calm = desks.result(rows)
        job = desks.submit(inquiry(rows, number="R8-2"))["job"]
        desks.bench.ring.save(ring)
    kills = 0
    while not lived_through(tmp_path / "store", ring):
        kills += 1
    assert kills > 0
    bench = reopened(tmp_path / "store", ring)
    try:
        again = Desks.at(bench, key=desks.key, recipient=desks.recipient)
        again.approve(job)
        assert list(again.opened(again.fetch(job)).rows) == calm
        answered = [e.note for e in bench.ledger() if e.note.startswith(f"bulk {job}: rows")]
        assert answered == [
            f"bulk {job}: rows {first} to {first + CHUNK - 1}" for first in range(1, ROWS, CHUNK)
        ]
    finally:
        bench.vault.close()


def lived_through(store: Path, ring: Path) -> bool:
    """Run a process until it is done, or kill it somewhere; return whether it was done."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.plugins.provision.stepper", str(store), str(ring)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "opened\n"
        for _ in range(random.randrange(1, 15)):
            if child.stdout.readline() == "done\n":
                return True
        time.sleep(random.random() / 50)
        return False
    finally:
        child.kill()
        child.communicate()
