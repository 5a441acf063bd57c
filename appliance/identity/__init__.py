"""Who is in front of a terminal: devices and PINs, registered with a code, proved to log in.

::

    enrolling.py   session/enrol…       a one-use code becomes a device or a PIN
    login.py       session/open…        a device's answer or a PIN becomes a session
    webauthn.py    the devices          pins.py  the PINs          attempts.py  few at once

What is kept of it: ``../staff.py`` (what may be told), ``../proofs.py`` (what may not),
``../sessions.py`` (who is logged in).
"""
