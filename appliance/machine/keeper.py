"""Unsealing and sealing, for whoever is on the machine (the loopback port).

Shares are taken one by one, each judged at once; a bad one is refused with the reason and the
others stay. The root key exists in this process from the third good share until the key ring is
open. Whatever happens is in the boot journal, before it is answered. Sealing asks only for a file
that the service user and root can read, so that it works in an emergency.
"""

import hmac
import logging
import secrets
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from appliance.edge.problems import origin
from appliance.errors import Conflict, Damaged, Malformed, NotPermitted, StartupError, Unavailable
from appliance.files import replace_file
from appliance.machine.backupdesk import BackupStep
from storage.errors import LedgerBroken, SharesRefused, StorageError, Tampered, WrongKey
from storage.unseal import Gathering, ShareSet

log = logging.getLogger(__name__)


class Remarks(Protocol):
    """Where it is noted, before it is answered (``storage.journal.Journal``)."""

    def note(self, event: str, **details: str | int | bool) -> None:
        """Note what happened."""

    def refused(self, why: str, **details: str | int | bool) -> None:
        """Note a refusal, up to a number of times a minute."""


class Unsealable(Protocol):
    """What the keeper opens and seals."""

    @property
    def is_open(self) -> bool:
        """True from the last share on."""

    def open(self, root: bytes) -> None:
        """Open the store and begin to answer.

        Raises:
            StartupError, StorageError: it stays sealed.
        """

    def end_sealed(self) -> None:
        """Seal: stop answering, forget everything."""

    def backup(self, step: str, asked: BackupStep) -> dict[str, Any]:
        """Do a step of a backup.

        Raises:
            Refusal: it cannot be done; says why.
        """

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return how it is."""

    def details(self) -> dict[str, Any]:
        """Return what only those on the machine are told."""

    def seal_status(self) -> dict[str, Any]:
        """Return how far unsealing is."""


class Shares:
    """The shares given so far, to one set."""

    def __init__(self, share_set: ShareSet) -> None:
        self.share_set = share_set
        self._gathering = Gathering(share_set)

    @property
    def progress(self) -> int:
        """How many good shares were given."""
        return len(self._gathering.progress.given)

    def add(self, words: str) -> tuple[int, bytes | None]:
        """Take a share; return its number, and the root key with the last one that is needed.

        Raises:
            SharesRefused: it is no good; the others stay.
            Tampered: all are good, and do not fit what the key ring says of them.
        """
        before = set(self._gathering.progress.given)
        progress = self._gathering.add(words)
        (number,) = set(progress.given) - before
        if not progress.complete:
            return number, None
        try:
            return number, self._gathering.key()
        finally:
            self._gathering.forget()

    def root(self, shares: Iterable[str]) -> bytes:
        """Take shares one by one until there are enough; return the root key.

        Raises:
            SharesRefused: one is no good, or there are too few.
            Tampered: all are good, and do not fit what the key ring says of them.
        """
        for words in shares:
            _, root = self.add(words)
            if root is not None:
                return root
        raise SharesRefused(f"{self.share_set.threshold} shares are needed")


class Keeper:
    """What can be done to the appliance from its own machine (``sysport.Keeper``)."""

    def __init__(
        self, appliance: Unsealable, shares: Shares, token_file: Path, journal: Remarks
    ) -> None:
        self._appliance = appliance
        self._shares = shares
        self._token = secrets.token_hex(32)
        self._journal = journal
        self._lock = threading.Lock()
        replace_file(token_file, self._token.encode(), 0o600)

    def unseal(self, share: str) -> dict[str, Any]:
        """Take a share; return the seal status after it.

        Raises:
            Malformed: the share is no good; says why, keeps the others.
            Conflict: the appliance is not sealed.
            Unavailable, Damaged: the shares are good and the store is not; it stays sealed.
        """
        with self._lock:
            if self._appliance.is_open:
                raise Conflict("the appliance is not sealed")
            root = self._take(share)
            if root is not None:
                self._open(root)
        return self._appliance.seal_status()

    def seal(self, token: str) -> None:
        """Seal, soon after this returns.

        Raises:
            NotPermitted: the token is not the one in the file.
        """
        self._check("seal", token)
        # A full disk must not keep anybody from sealing.
        try:
            self._journal.note("seal-asked", how="seal token")
        except OSError as problem:
            log.error("who asked to seal could not be noted: %s", origin(problem))
        self._appliance.end_sealed()

    def backup(self, step: str, token: str, asked: BackupStep) -> dict[str, Any]:
        """Do a step of a backup; return what the copier must know.

        Raises:
            NotPermitted: the token is not the one in the file.
            Refusal: it cannot be done; says why.
        """
        self._check("backup", token)
        return self._appliance.backup(step, asked)

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return how it is, with what only those on the machine are told."""
        status, plain = self._appliance.health()
        return status, {**plain, **self._appliance.details()}

    def seal_status(self) -> dict[str, Any]:
        """Return how far unsealing is."""
        return self._appliance.seal_status()

    def _check(self, what: str, token: str) -> None:
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            self._journal.refused(f"{what}: this is not the seal token")
            raise NotPermitted("this is not the seal token")

    def _take(self, share: str) -> bytes | None:
        try:
            number, root = self._shares.add(share)
        except SharesRefused as refused:
            self._journal.refused(f"share: {refused}")
            raise Malformed(str(refused)) from None
        except Tampered as damage:
            self._journal.note("unseal-failed", why=str(damage))
            raise Damaged(str(damage)) from damage
        complete = root is not None
        needed = self._shares.share_set.threshold
        given = needed if complete else self._shares.progress
        self._journal.note(
            "share-taken", number=number, given=given, needed=needed, complete=complete
        )
        return root

    def _open(self, root: bytes) -> None:
        try:
            self._appliance.open(root)
        except StartupError as problem:
            self._journal.note("unseal-failed", why="; ".join(problem.problems))
            raise Unavailable("; ".join(problem.problems)) from problem
        except (Tampered, LedgerBroken, WrongKey) as damage:
            self._journal.note("unseal-failed", why=str(damage))
            log.critical("the store does not open", exc_info=damage)
            raise Damaged(str(damage)) from damage
        except StorageError as problem:
            self._journal.note("unseal-failed", why=str(problem))
            raise Unavailable(str(problem)) from problem
        self._journal.note("unsealed")
