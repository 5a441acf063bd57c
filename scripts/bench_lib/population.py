"""Whom the stores of a bench are filled with: made-up residents of all of Kumamoto, from a seed."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from tests.simulators.notices import Notice
from tests.simulators.places import SIZES
from tests.simulators.population import Population

ASKED = (
    "name",
    "kana",
    "birth_date",
    "sex",
    "address",
    "resident_code",
    "my_number",
    "municipality_code",
)
"""What is kept of a sampled resident, to ask for."""


def shares(residents: int) -> Mapping[str, int]:
    """Share out a number of residents over the municipalities by their size, to the last one."""
    whole, left, given = sum(SIZES.values()), residents, {}
    for code, size in SIZES.items():
        given[code] = left * size // whole
        left, whole = left - given[code], whole - size
    return {code: count for code, count in given.items() if count}


def written(folder: Path, residents: int, seed: int, sample: "Sample | None" = None) -> list[Path]:
    """Write everybody as files for ``juki load``, one a municipality; return the files."""
    paths = []
    encoder = msgspec.json.Encoder()
    for code, count in shares(residents).items():
        path = folder / f"{code}.jsonl"
        with path.open("wb") as file:
            for notice in Population(seed, code, count).notices():
                file.write(encoder.encode(notice) + b"\n")
                if sample is not None:
                    sample.pass_by(notice)
        paths.append(path)
    return paths


class Sample:
    """This many random residents of all that go by, each as likely (reservoir sampling)."""

    def __init__(self, size: int, seed: int) -> None:
        self._size, self._random, self._seen = size, Random(seed), 0
        self.residents: list[dict[str, Any]] = []

    def pass_by(self, notice: Notice) -> None:
        """Take a resident, perhaps in the place of another."""
        self._seen += 1
        place = self._random.randrange(self._seen)
        if len(self.residents) < self._size:
            self.residents.append({name: getattr(notice, name) for name in ASKED})
        elif place < self._size:
            self.residents[place] = {name: getattr(notice, name) for name in ASKED}
