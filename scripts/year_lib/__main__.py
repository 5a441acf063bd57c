"""Run it: ``python -m scripts.year_lib``."""

from scripts.year_lib.command import main

raise SystemExit(main())
