"""``python -I -m appliance`` is ``juki``; sealing starts the process again by this name."""

from appliance.cli import main

if __name__ == "__main__":
    main()
