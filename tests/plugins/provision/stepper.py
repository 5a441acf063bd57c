"""Answers the rows of bulk inquiries, step by step, and says so, until it is done or killed."""

import sys
import time
from pathlib import Path

from appliance.testing import ORIGIN, Bench
from plugins import provision
from storage.keyring import KeyRing
from storage.vault import open_vault
from tests.plugins.people import shipped_policy
from tests.plugins.provision.desks import step

ROOT = bytes(range(32))


def reopened(folder: Path, ring_file: Path) -> Bench:
    """Return a bench over a store that is there."""
    ring = KeyRing.open(ring_file, ROOT)
    vault = open_vault(folder, ring, origin=ORIGIN, clock_ms=lambda: time.time_ns() // 1_000_000)
    return Bench(vault, {"provision": provision}, shipped_policy(), ring, None)


def main() -> None:
    folder, ring_file = map(Path, sys.argv[1:])
    bench = reopened(folder, ring_file)
    print("opened", flush=True)
    while step(bench, "bulk-step", f"job-{time.time_ns()}")["more"]:
        print("step", flush=True)
    bench.vault.close()
    print("done", flush=True)


if __name__ == "__main__":
    main()
