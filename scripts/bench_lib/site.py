"""Stores full of residents, made once a size in a run and shared by its measures.

::

    site = filled(setting, 20_000)              made now, or by the measure before
    with opened(site) as bench:                 an ``appliance.testing.Bench`` over it
        bench.clerk().ask("search/find", {"name": site.sample[0]["name"], ...}, ...)
    vault = open_vault(site.folder, site.ring, origin=site.origin, clock_ms=...)   or bare

The store is shared: a measure that changes residents works on a ``copied`` one.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance.machine.loaddesk import REJECTED, Remark, Site
from appliance.machine.loader import load
from appliance.parts import utc_now
from appliance.testing import ORIGIN, OURS, Bench, ours
from scripts.bench_lib.population import Sample, shares, written
from scripts.bench_lib.rows import Setting
from storage.keyring import KeyRing
from storage.vault import open_vault

SAMPLED = 2_000
POLICY = bytes(32)


@dataclass(frozen=True, slots=True)
class Filled:
    """A closed store in a folder."""

    folder: Path
    ring: KeyRing
    origin: str
    persons: int
    sample: list[dict[str, Any]]
    """Random residents as they stand in the store, to ask for."""


_made: dict[tuple[Path, int, int], Filled] = {}


def filled(setting: Setting, residents: int) -> Filled:
    """Return a store of so many residents; the same one to whoever asks again in this run."""
    key = (setting.folder, residents, setting.seed)
    if key not in _made:
        _made[key] = _fill(setting.folder / "sites" / str(residents), residents, setting.seed)
    return _made[key]


def copied(site: Filled, folder: Path) -> Filled:
    """Return a copy of a store in another folder, to change as one likes."""
    shutil.copytree(site.folder, folder)
    return replace(site, folder=folder)


@contextmanager
def opened(site: Filled) -> Iterator[Bench]:
    """Yield a whole appliance over the store, closed again after the block."""
    vault = open_vault(
        site.folder, site.ring, origin=site.origin, clock_ms=lambda: int(time.time() * 1000)
    )
    try:
        yield Bench(vault, ours(), None, site.ring, None)
    finally:
        vault.close()


def _fill(folder: Path, residents: int, seed: int) -> Filled:
    files = folder.parent / f"{residents}.files"
    files.mkdir(parents=True, exist_ok=True)
    sample = Sample(SAMPLED, seed)
    paths = written(files, residents, seed, sample)
    with Bench.open(folder) as bench:
        for code in shares(residents):
            bench.municipality(code)
        ring, loaded = bench.ring, bench.loaded
    load(Site(folder, ring, ORIGIN, loaded, OURS, POLICY), paths, _nobody_refused, utc_now)
    shutil.rmtree(files)
    return Filled(folder, ring, ORIGIN, residents, sample.residents)


def _nobody_refused(remarks: Sequence[Remark]) -> None:
    if refused := [remark for remark in remarks if remark.outcome == REJECTED]:
        raise ValueError(f"{len(refused)} made-up residents were refused")
