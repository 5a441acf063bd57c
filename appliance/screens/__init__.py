"""What a terminal's browser is given: pages, and the line everybody goes down behind them.

A screen lies with its function (``plugins/<function>/screens.py``); here is what all have in
common, and the one screen of the appliance's own operations. A visit, file by file::

    app.py        which path means what; PRG: a POST is answered by 303 to a page on the shelf
    asked.py      what arrived: the cookie, where the request was made, the form that was filled in
    entry.py      log in, prove again, lock, log out; the token never reaches a script
    desk.py       what a screen works at: it asks down the line (``pipeline.py``) as anybody does
    refused.py    what a refusal becomes: the form again, a prompt to prove, whom to ask
    shelf.py      rendered pages, in memory, for the session that made them, ten minutes
    look.py       templates and what every page shows; static files under the name of their content
    wording.py    how dates, numbers and codes are written for the staff
    menu.py       業務メニュー
    approvals.py  承認: where the second person agrees, and the first goes on another day
    arguments.py  what is agreed to, line by line, in the staff's words

``README.md`` says how a screen is added. A browser holds nothing: no page is cached, no URL tells
of anybody, the session is a cookie that no script reads and that is worth nothing elsewhere.
"""
