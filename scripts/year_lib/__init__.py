"""A year of a whole prefecture against a real appliance, a national server, 45 municipal servers.

::

    story.py      what happens, from the first share to the verdict
    command.py    the command line and the summary

Whether all files say the same at the end is decided by ``scripts/demo/agreement.py``, which reads
each where it lies and trusts none.
"""
