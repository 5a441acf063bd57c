"""Run it: ``python -m scripts.usebook_lib``."""

from scripts.usebook_lib.command import main

raise SystemExit(main())
