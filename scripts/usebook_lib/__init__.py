"""A year of an office, its usage book with planted discrepancies, and what the matching finds.

::

    occasions.py   what people do at the terminals, from a seed
    writing.py     the book they keep of it, and what is planted in it
    acting.py      both played to a real appliance, through the pipeline
    command.py     the command line and the verdict

The appliance is whole but for sockets (``appliance.testing.Bench``): every use is real requests
down the one line, logins among them; the book goes in as CSV files, month by month.
"""
