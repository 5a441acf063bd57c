"""The operator's side: made (``init.py``), opened, run, sealed and checked.

``boot.py`` puts everything together; ``config.py`` and ``firmware.py`` are what it is told.
"""
