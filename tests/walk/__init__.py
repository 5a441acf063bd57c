"""A random walk: anybody asks for anything, and no item may leave that the policy does not give.

::

    people.py    residents whose every item is a canary: a value that says whose, and which item
    actors.py    operators, machines and terminals, as the roster and their fate allow
    bodies.py    plausible arguments for every operation
    judge.py     what an answer told, against ``tests/rights.py``
    walking.py   one request after another, and the figures

``python -m tests.walk --help`` walks as far as is wanted.
"""
