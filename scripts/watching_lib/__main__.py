"""Run it: ``python -m scripts.watching_lib``."""

from scripts.watching_lib.command import main

raise SystemExit(main())
