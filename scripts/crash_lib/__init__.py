"""Kill the appliance again and again, and look each time whether it kept its word.

What is promised: what was acknowledged is there, and nothing is half there. A notice is applied
with its version, its ledger entry, its index entries and its message in the outbox, or not at all;
sent again it is done exactly once.

Read it in this order::

    stream.py    what a municipality sends, and what must become of it
    callers.py   municipalities that send and a clerk who looks, until the process is gone
    account.py   what went wrong, counted
    readback.py  after each restart: everything acknowledged, read back through the front door
    lives.py     one process life after another, each ended by SIGKILL
    command.py   the command line
"""
