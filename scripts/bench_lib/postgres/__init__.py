"""The rival: PostgreSQL 15 with pgcrypto, given the same work on the same residents.

::

    server.py    a PostgreSQL of our own: made, started, and stopped whatever happens
    sealing.py   how it keeps the items: sealed by its client, or by pgcrypto in the server
    rival.py     its tables and statements: load, find, update with history and audit
    ours.py      the same work over our store
    inquiry.py   a provision as a small bottle application over a pool of connections

It is given what favours it: a Unix socket, one statement and so one round trip where several would
do, indexes made after the rows, keyed digests made by the client, prepared statements, binary
results. Its audit is a plain row, where ours is a sealed, signed, hash-chained entry; and it has
neither sessions nor rights. pgcrypto's password mode gets a random key and no stretching to speak
of (``s2k-mode`` 0 and 1), and is never run as it comes; raw ``encrypt()`` authenticates nothing
and is not measured.
"""
