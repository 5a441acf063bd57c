"""``scripts/run``: a whole appliance, a town in it, and everybody who works with it.

Nothing is pretended: a real ``juki init`` with custodians, separate processes, mutual TLS, the
command line and the API as anybody would use them. Read it as the story it is::

    story.py      the acts in their order; begin here
    founding.py   1  the store is made, the policy signed, the appliance started and unsealed
    people.py     2  the first システム管理者 lets everybody in
    town.py       3  a municipality loads its residents and tells what happens
    cast.py          the few residents who are told of by name
    office.py     4  find, open, inquire, verify; and where the answer is no
    approving.py     what takes two persons: asked for by one, agreed to by another
    servers.py       what servers may not do, may repeat, and have heard
    auditing.py      who looked at whom, proofs, a ledger that outsiders verify
    recording.py     exports with proof, a resident's report, refusals counted, the boot journal
    watching.py   5  a flag is raised, and decided
    machine.py       status, lists, commands; every operation was driven
    leftovers.py     nothing of a resident lies anywhere in clear
    ending.py     6  sealed, stopped, checked, started again
    tryout.py        without --check: lines to paste

    stage.py      who is there; grounds.py where things lie; children.py the processes;
    steps.py      what was asked and answered
"""
