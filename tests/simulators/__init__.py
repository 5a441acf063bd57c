"""The other side, for real: a municipality's server, the national server, a terminal.

Each speaks the appliance's wire over mutual TLS from a process of its own and keeps its own file,
so that a test can compare what the three know. Nothing here is imported by the product.

Read it in this order::

    notices.py      what a municipality tells: one Notice, one JSON line, and the agreement digest
    fake_numbers.py 住民票コード and 個人番号 nobody has: visibly fake, right check digits
    names.py        names with their real frequencies, 外字, variants, foreigners
    places.py       real town names of the prefecture, made-up house numbers
    households.py   who lives together, and how old they are
    births.py       birth dates, some of them odd
    population.py   the residents of one municipality, from a seed, any household alone
    register.py     who is where, while things happen
    happenings.py   what happens
    faults.py       notices with one thing wrong each, and what must be answered
    movements.py    all of it in the order in which it is told
    year.py         a year of a whole prefecture; people move from one municipality to another
    make.py         the two together, as files
    prefecture.py   the rules read a second time, to hold the stream against
    network.py      an authority and its certificates, for tests
    link.py         one mutual TLS connection that may lose an answer
    tls_server.py   the other end of one
    cs.py           the municipality's server (市町村CS); cs_file.py what it keeps
    municipalities.py  all of them in one process, each under its own certificate
    national.py     the national server (全国サーバ), with faults; national_file.py what it keeps
    terminal.py     a terminal with a clerk
"""
