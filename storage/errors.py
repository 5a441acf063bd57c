"""What can go wrong below the residents.

Drawn as a tree; the appliance translates it once, in ``registry.py`` and ``pipeline.py``::

    StorageError
      RecordNotFound      no such person or version
      StaleRevision       saved over a version that is no longer the latest
      DeadlineExceeded    the unit of work took longer than it was given; nothing of it is kept
      DiskFull            no room for the unit; nothing of it is kept, reading goes on
      StoreInUse          another process has this data folder
      WrongKey            the key does not open this store
      LoadUnfinished      a load was stopped in the middle: load again, the same files
      SharesRefused       shares that cannot give this store's key; says which and why
      Tampered            bytes that do not open where they lie: stop, call a human
      LedgerBroken        the ledger does not recompute: stop, call a human
      OutcomeUnknown      the disk failed during the commit itself: stop, reopen, look
"""


class StorageError(Exception):
    """Anything below the residents; the text never holds personal data."""


class RecordNotFound(StorageError):
    """No such person, version or document."""


class StaleRevision(StorageError):
    """Somebody saved a newer version in the meantime."""


class DeadlineExceeded(StorageError):
    """The unit of work ran past its deadline and was undone."""


class DiskFull(StorageError):
    """The disk has no room for this unit; it was undone."""


class StoreInUse(StorageError):
    """Another process holds the lock of this data folder."""


class LoadUnfinished(StorageError):
    """A load was stopped in the middle; not everybody in the file would be found."""


class WrongKey(StorageError):
    """The key given does not open this file."""


class SharesRefused(StorageError):
    """The shares given cannot give this store's root key."""


class Tampered(StorageError):
    """Bytes that do not open, or do not follow, where they lie."""


class LedgerBroken(StorageError):
    """An entry, a tile or the checkpoint does not recompute."""


class OutcomeUnknown(StorageError):
    """The commit failed on its way to disk; only reopening the file tells whether it is there."""
