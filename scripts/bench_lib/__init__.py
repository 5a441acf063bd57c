"""``scripts/bench``: the appliance and its rivals on the same work, in one run on one machine.

    timing.py    both sides in turns, round after round: medians and spreads
    rows.py      a row of the table: what was compared, and whether the bar is met
    table.py     the rows printed, and as JSON
    plot.py      what was measured at several sizes, drawn (SVG)
    capacity.py  what a prefecture needs, computed from what was measured
    command.py   the command line: which rows, at which sizes
    served.py    the real appliance in a process of its own, filled, and rivals behind its edge
    edge.py      another application behind the same edge server, such as an empty handler
    hammer.py    clients in a process of their own; wire.py one lean connection of theirs
    measures/    one module for each bar, with ``measure(setting) -> Iterator[Row]``

A rival does the same work with the same wheel, cipher and pragmas, without what makes an appliance
of it. Absolute figures are of one machine; what is kept is the ratio.
"""
