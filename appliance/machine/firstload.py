"""``juki load``: very many residents brought in, while no server has the store.

The store is closed, so it takes the custodians' shares. Whatever must hold before a server answers
must hold before anything is loaded (``opening.py``). What is refused goes into a report beside the
store, a line each, on disk before the unit it belongs to.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from appliance.errors import StartupError
from appliance.machine.config import Settings
from appliance.machine.keeper import Shares
from appliance.machine.loaddesk import Remark, Site
from appliance.machine.loader import Standing, load
from appliance.machine.opening import open_store
from appliance.machine.store import Layout, sealed_store
from appliance.parts import utc_now
from storage.lock import FolderLock


def load_files(
    settings: Settings,
    shares: Iterable[str],
    files: Sequence[Path],
    report: Path,
    progress: Callable[[Standing], None],
    sender: str | None = None,
) -> Standing:
    """Load files into the store of a configuration; return what came of it.

    Args:
        settings: whose store it is.
        shares: asked for one by one, until there are enough.
        files: a municipality's residents each, a notice a line.
        report: is added to: what is against a line, as JSON.
        progress: is told how far the load is.
        sender: whose files these are; None: each says so by its first line.

    Raises:
        StoreInUse: a server has the store.
        SharesRefused: a share is no good, or there are too few.
        StartupError, WrongKey, Tampered, LedgerBroken: as ``open_store``.
        NotAFile, WorkerDied, StorageError: as ``loader.load``.
    """
    layout = Layout(settings.data)
    _, header = sealed_store(settings)
    if header.share_set is None:
        raise StartupError(f"{settings.data}: the key ring knows no shares")
    lock = FolderLock.take(settings.data)
    try:
        root = Shares(header.share_set).root(shares)
        opened = open_store(settings, root, utc_now, unfinished=True)
        opened.vault.close()
        site = Site(
            store=layout.store,
            ring=opened.ring,
            origin=settings.origin,
            loaded=opened.loaded,
            plugins=opened.firmware.plugins,
            policy=opened.firmware.policy.digest,
        )
        return load(site, files, _Report(report).keep, utc_now, progress, sender=sender)
    finally:
        lock.release()


class _Report:
    """A file to which remarks are added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()

    def keep(self, remarks: Sequence[Remark]) -> None:
        """Write remarks; they are on disk when this returns."""
        if not remarks:
            return
        lines = [self._encoder.encode(remark._asdict()) + b"\n" for remark in remarks]
        file = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.writelines(lines)
            stream.flush()
            os.fsync(stream.fileno())
