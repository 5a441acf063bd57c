"""A witness of the ledger, for the prefecture's own premises (C2SP tlog-witness, cosignature/v1).

Whoever runs the appliance has its files and could write its ledger anew. The witness stands with
the prefecture, knows the last checkpoint it has cosigned, and cosigns a later one only if that one
is shown to begin with it. It refuses a fork or a rollback, keeps the signed checkpoints that
contradict each other, and says so. It knows no resident, no operator and no secret of the
appliance, and it imports nothing of ours but the public formats of ``storage``.

Read it in this order::

    desk.py      one submission: is it signed, does it follow, then it is cosigned
    shelf.py     what is kept: the last checkpoint of each ledger, and evidence
    setup.py     witness.toml and witness.key
    server.py    HTTP, over mutual TLS or on the loopback address
"""
