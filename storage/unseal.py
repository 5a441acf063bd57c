"""The root key in the hands of custodians: SLIP-39 shares, any 3 of 5 of which give it back.

Each share is 33 words with a checksum of their own (SLIP-39, RS1024).  The key ring's header keeps,
in the clear, what is needed to judge a share *alone*, before the others are there: the identifier
of the set, a check value of each share, and the identifiers of sets that were replaced.  A check
value is a hash of 256 random bits and tells nothing of them.

    check of a share   BLAKE2b-128(words joined by single spaces, person="jk1.share")

The header is not yet authenticated when shares are judged by it; that is done once the root is
there (``keyring``).  Who alters it can make a good share be refused, and nothing else.
"""

import hmac
import os
from dataclasses import dataclass
from hashlib import blake2b

import shamir_mnemonic
from shamir_mnemonic.wordlist import WORD_INDEX_MAP

from storage.derive import KEY_SIZE, check_value
from storage.errors import SharesRefused, Tampered

WORDS = 33
"""Words of a share of a 32-byte key."""


@dataclass(frozen=True, slots=True)
class RetiredSet:
    """A set of shares that was replaced: known only so that its shares can be told by name."""

    number: int
    identifier: int


@dataclass(frozen=True, slots=True)
class ShareSet:
    """What may be known of a set of shares without knowing any of them.

    ``number`` counts the sets of a store from 1; ``checks`` holds the check value (16 bytes) of
    each share in order; ``root_check`` is the check value (32 bytes) of the root key.
    """

    number: int
    identifier: int
    threshold: int
    checks: tuple[bytes, ...]
    root_check: bytes
    retired: tuple[RetiredSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the gathering is; ``given`` are the numbers of the shares, from 1."""

    given: tuple[int, ...]
    needed: int

    @property
    def complete(self) -> bool:
        """Whether the key can be had."""
        return len(self.given) >= self.needed


def new_root() -> bytes:
    """Return a fresh root key, 32 bytes."""
    return os.urandom(KEY_SIZE)


def split(
    root: bytes, *, threshold: int = 3, count: int = 5, previous: ShareSet | None = None
) -> tuple[list[str], ShareSet]:
    """Return shares of a root key, and what is known of them in the clear.

    Args:
        root: 32 bytes.
        threshold: how many give the key back, 2 or more.
        count: how many there are, 16 at most.
        previous: the set that this one replaces.

    Raises:
        ValueError: these numbers make no set of shares.
    """
    if len(root) != KEY_SIZE or not 2 <= threshold <= count <= 16:
        raise ValueError(f"no {threshold} of {count} shares of a root key of {len(root)} bytes")
    replaced = _retired(previous)
    taken = {old.identifier for old in replaced}
    while True:
        # No passphrase is used: a wrong one would give a wrong key without a word.
        [shares] = shamir_mnemonic.generate_mnemonics(
            1, [(threshold, count)], root, iteration_exponent=0
        )
        identifier = shamir_mnemonic.Share.from_mnemonic(shares[0]).identifier
        if identifier not in taken:
            break
    checks = tuple(_check(share) for share in shares)
    number = previous.number + 1 if previous else 1
    return shares, ShareSet(number, identifier, threshold, checks, check_value(root), replaced)


class Gathering:
    """Takes shares one by one until the root key can be had.  One thread at a time uses it."""

    def __init__(self, share_set: ShareSet) -> None:
        self._set = share_set
        self._shares: dict[int, str] = {}

    @property
    def progress(self) -> Progress:
        """Which shares were taken so far."""
        return Progress(tuple(sorted(self._shares)), self._set.threshold)

    def add(self, words: str) -> Progress:
        """Take a share, judged at once; what was gathered before stays when it is refused.

        Raises:
            SharesRefused: it is mistyped, of another store, of a replaced set, or was already
                given.  The text says which, and holds no word of it.
        """
        number, share = judged(words, self._set)
        if number in self._shares:
            raise SharesRefused(f"share {number} was already given")
        self._shares[number] = share
        return self.progress

    def forget(self) -> None:
        """Drop the shares taken so far."""
        self._shares.clear()

    def key(self) -> bytes:
        """Return the root key, 32 bytes.

        Raises:
            SharesRefused: more shares are needed.
            Tampered: every share is good, yet they do not give the key the set is known by.
        """
        if not self.progress.complete:
            missing = self._set.threshold - len(self._shares)
            raise SharesRefused(f"{missing} more of the shares are needed")
        shares = [self._shares[number] for number in self.progress.given[: self._set.threshold]]
        try:
            root: bytes = shamir_mnemonic.combine_mnemonics(shares)
            good = hmac.compare_digest(check_value(root), self._set.root_check)
        except shamir_mnemonic.MnemonicError:
            good = False
        if not good:
            raise Tampered("the shares are good, but what the key ring says of them is not")
        return root


def judged(words: str, share_set: ShareSet) -> tuple[int, str]:
    """Return the number of a good share, from 1, and the share in its one spelling.

    Raises:
        SharesRefused: it is mistyped, of another store, or of a replaced set.
    """
    spelled = words.lower().split()
    if len(spelled) != WORDS:
        raise SharesRefused(f"a share has {WORDS} words, not {len(spelled)}")
    for position, word in enumerate(spelled, start=1):
        if word not in WORD_INDEX_MAP:
            raise SharesRefused(f"word {position} is not in the word list")
    share = " ".join(spelled)
    try:
        parsed = shamir_mnemonic.Share.from_mnemonic(share)
    except shamir_mnemonic.MnemonicError:
        raise SharesRefused("a word is mistyped or out of place") from None
    for old in share_set.retired:
        if parsed.identifier == old.identifier:
            raise SharesRefused(
                f"this is a share of set {old.number}, replaced by set {share_set.number}"
            )
    if parsed.identifier != share_set.identifier or parsed.index >= len(share_set.checks):
        raise SharesRefused("this is a share of another store")
    if not hmac.compare_digest(_check(share), share_set.checks[parsed.index]):
        raise SharesRefused("this is a share of another store")
    return parsed.index + 1, share


def _retired(previous: ShareSet | None) -> tuple[RetiredSet, ...]:
    if previous is None:
        return ()
    return (*previous.retired, RetiredSet(previous.number, previous.identifier))


def _check(share: str) -> bytes:
    return blake2b(share.encode(), digest_size=16, person=b"jk1.share").digest()
