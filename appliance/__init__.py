"""From a terminal's bytes to an audited answer.

This package knows residents, rights and HTTP. It knows no SQL and no cell format (``storage``), and
it imports no business function (``plugins`` are found by their entry points).

A request, file by file::

    server.py      one port: sockets, TLS (tls.py), strict reading (strict.py), deadlines
    http.py        from a WSGI environment to an Envelope, from a Reply or Refusal to an answer
    gate.py        the Appliance that HTTP sees: sealed, it refuses; unsealed, it hands on to
    pipeline.py    Pipeline.answer, the only way in: read this first
      authn.py       which terminal, which operator
      authz.py       role x operation x 事務 x items (policy.py), then the plugins' vetoes
      wire.py        bytes to arguments, strictly
      case.py        what a handler gets: registry, papers, roster, ledger, outbox
      audit.py       what the ledger will say, in the transaction of the request

What a handler works with::

    items.py       the 24 items of 本人確認情報
    registry.py    residents: found (finding.py, index.py, normalise.py), read, saved
    papers.py      sealed papers of a plugin
    plugin_api.py  the one module a plugin imports; hookspecs.py has the questions it may answer

The operator's side::

    config.py      appliance.toml, every key in one table
    firmware.py    the signed policy
    init.py        a store is made, with its custodians
    store.py       what lies where in the data folder
    opening.py     what must hold before anything is answered
    keeper.py      unsealing and sealing, over the loopback port (sysport.py)
    running.py     what is alive while unsealed; courier.py delivers to the national server
    boot.py        the composition root: from settings to a serving process, and to its end
    checking.py    juki check
    cli/           juki
    dev.py         juki serve --dev: everything at once, to try things on
    logs.py        log lines that cannot hold personal data

The values that pass between the parts are in ``model.py``; what can be refused is in ``errors.py``.
``testing.py`` is a whole appliance in a folder, for tests of ours and of vendors.
"""
