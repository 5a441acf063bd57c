"""``python -m scripts.crash_lib``."""

import sys

from scripts.crash_lib.command import main

if __name__ == "__main__":
    sys.exit(main())
