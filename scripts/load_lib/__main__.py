"""Run it: ``python -m scripts.load_lib``."""

from scripts.load_lib.command import main

raise SystemExit(main())
