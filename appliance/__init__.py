"""From a terminal's bytes to an audited answer.

This package knows residents, rights and HTTP. It knows no SQL and no cell format (``storage``), and
it imports no business function (``plugins`` are found by their entry points).

A request, file by file::

    edge/server.py one port: sockets, TLS (tls.py), strict reading (strict.py), deadlines
    http.py        from a WSGI environment to an Envelope, from a Reply or Refusal to an answer
    machine/gate.py  the Appliance that HTTP sees: sealed, it refuses; unsealed, it hands on to
    pipeline.py    Pipeline.answer, the only way in: read this first (put together from parts.py)
      authn.py       which terminal, which person under which authority (sessions.py)
      authz.py       role x operation x 事務 x items (policy.py), then the plugins' vetoes
                     what no policy may join: duties.py; who sees no resident: blindfold.py
      wire.py        bytes to arguments, strictly
      approvals.py   what takes two persons: whether another one agreed, and to exactly this
      casework.py    what a handler gets: its case (case.py), with registry, papers, roster, ledger
      audit.py       what the ledger will say, in the transaction of the request

Who may ask::

    identity/      session/…: a device or a PIN proves who somebody is; webauthn.py checks it
    staff.py       照合ID, the person, and 操作者ID, the authority: two things, many to many
    roster.py      both in the store with every revision, and terminals (terminals.py, hours.py)
    proofs.py      what a proof is compared with; no plugin gets at it

At a terminal's browser::

    screen.py      what a plugin declares: a screen, its acts, and the desk it works at
    filled.py      a form as it was filled in: dates, readings, numbers however people write them
    seating.py     who sits there and what he may ask: for the header and the menu, not a right
    screens/       the frame all screens have in common: sessions, pages, refusals, the look

What a handler works with::

    items.py       the 24 items of 本人確認情報
    values/        how an item is written and compared: numbers, dates, characters, kana, addresses
    protection.py  whom nobody opens alone
    registry.py    residents: found (seeking.py, finding.py, index.py), read, saved
    marks.py       what a municipality's file and ours are compared by
    national.py    the national server, asked about somebody of another prefecture
    papers.py      sealed papers of a plugin
    press/         from a form, or the rows of a register, to a PDF
    statedesk/     how the appliance is, for its staff
    plugin_api.py  the one module a plugin imports; hookspecs.py has the questions it may answer

The operator's side::

    machine/       made, opened, unsealed, run, sealed, checked; boot.py puts it together
    cli/           juki
    witness/       another program, for the prefecture's own premises: it cosigns the ledger

Imports go one way: ``cli/``, ``machine/``, ``http.py``, ``edge/``, the files of this folder,
``values/``; ``witness/`` imports nothing of all that.

The values that pass between the parts are in ``model.py``; what can be refused is in ``errors.py``.
``testing.py`` is a whole appliance in a folder, for tests of ours and of vendors.
"""
