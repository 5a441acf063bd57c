"""``python -m scripts.demo``: what ``scripts/run`` starts."""

import sys

from scripts.demo.story import main

if __name__ == "__main__":
    sys.exit(main())
