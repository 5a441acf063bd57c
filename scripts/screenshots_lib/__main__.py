"""``python -m scripts.screenshots_lib``: what ``scripts/screenshots`` starts."""

import sys

from scripts.screenshots_lib.command import main

if __name__ == "__main__":
    sys.exit(main())
