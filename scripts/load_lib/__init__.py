"""``scripts/load``: the served appliance under requests that arrive by chance, as in real life.

mix.py        what is asked: 70 % search, 20 % provision, 10 % notices; and when (Poisson)
arrivals.py   the clients, in a process of their own: each request leaves when it is due, or as
              soon as a connection is free; its latency counts from when it was due
climbing.py   faster and faster until it breaks
soaking.py    one rate for long: memory, threads, descriptors; flat or not
command.py    the command line and the verdict
"""
