"""A year of a whole prefecture against a real appliance, a national server, 45 municipal servers.

::

    story.py      what happens, from the first share to the verdict
    agreement.py  do all files say the same? Each is read where it lies, and none is trusted
    command.py    the command line and the summary
"""
