import random
import subprocess
import sys
import time
from pathlib import Path

from storage.engine import PersonId
from tests.storage.stores import SATO, Store, fields_of

CYCLES = 24
ROOT_FOLDER = Path(__file__).parents[2]


def killed_after(folder: Path, seconds: float) -> int:
    """Let a child write until it is killed; return the number of the last unit it said is done."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.child", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT_FOLDER,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "opened\n"
    time.sleep(seconds)
    child.kill()
    said = child.stdout.read().split("\n")
    child.wait()
    child.stdout.close()
    # The last line may have been cut by the kill.
    return int(said[-2]) if len(said) > 1 else 0


def test_what_a_killed_process_has_acknowledged_is_there_and_nothing_is_half_done(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "store").create()
    store.ring.save(store.folder / "keyring.cbor")
    with store.opened() as vault:
        store.new_person(vault, fields_of(SATO))
    moments, total = random.Random(7), 1
    for cycle in range(CYCLES):
        said = killed_after(store.folder, moments.uniform(0.0, 0.12))
        with store.opened() as vault, vault.view() as view:
            latest = view.latest(PersonId(1))
            papers = sum(1 for _ in view.documents("papers"))
            parcels = len(view.parcels("national", 0, 100_000))
            entries = view.ledger_size()
        assert latest >= said, f"cycle {cycle}: unit {said} was acknowledged and is not there"
        assert {papers + 1, parcels + 1, entries} == {latest}, f"cycle {cycle}: half done"
        total = latest
    assert total > CYCLES
    assert store.check().clean
