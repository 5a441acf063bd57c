"""``juki backup make``, which says which large file is copied and waits to be told on."""

import sys
from collections.abc import Callable
from pathlib import Path

from appliance.cli import juki
from appliance.machine import backing
from storage.copying import Copied, copy_file


def slowly(source: Path, target: Path, size: int, on: Callable[[int], None]) -> Copied:
    copied = copy_file(source, target, size, on)
    print(target.name, flush=True)
    sys.stdin.readline()
    return copied


if __name__ == "__main__":
    backing.copy_file = slowly  # type: ignore[attr-defined]
    juki(["backup", "make", *sys.argv[1:]])
