"""``python -m scripts.bench_lib``."""

import sys

from scripts.bench_lib.command import main

if __name__ == "__main__":
    sys.exit(main())
