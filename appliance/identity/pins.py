"""操作者照合暗証番号: what somebody logs in with whose 照合情報 cannot be read (R124).

Kept as Argon2id. Comparing costs the same whether or not there is anything to compare with.
"""

import itertools
import secrets
from threading import BoundedSemaphore

import nacl.exceptions
import nacl.pwhash

from appliance.errors import Malformed

PIN_DIGITS = 8


class Pins:
    """Sets and compares PINs, one at a time: each takes 64 MiB."""

    def __init__(
        self,
        opslimit: int = nacl.pwhash.argon2id.OPSLIMIT_INTERACTIVE,
        memlimit: int = nacl.pwhash.argon2id.MEMLIMIT_INTERACTIVE,
    ) -> None:
        self._cost = {"opslimit": opslimit, "memlimit": memlimit}
        self._turn = BoundedSemaphore(1)
        self._nobody = self._hash(secrets.token_hex(16))

    def enrol(self, pin: str) -> str:
        """Return what is kept of a PIN.

        Raises:
            Malformed: the PIN is too short, not digits, or among the first that anybody tries.
        """
        if not (pin.isascii() and pin.isdigit() and len(pin) >= PIN_DIGITS):
            raise Malformed(f"the PIN needs {PIN_DIGITS} digits or more")
        if _is_trivial(pin):
            raise Malformed("the PIN is too easy: digits repeat, or follow one another in order")
        return self._hash(pin)

    def verify(self, kept: str, pin: str) -> bool:
        """Return whether it is the PIN that is kept; without one it costs the same and is not."""
        with self._turn:
            try:
                nacl.pwhash.verify((kept or self._nobody).encode(), pin.encode())
            except nacl.exceptions.InvalidkeyError:
                return False
        return bool(kept)

    def _hash(self, pin: str) -> str:
        with self._turn:
            return nacl.pwhash.argon2id.str(pin.encode(), **self._cost).decode()


def _is_trivial(pin: str) -> bool:
    """Return whether digits repeat (11111111, 12121212, 12341234) or run up or down (23456789)."""
    repeats = any(pin == (pin[:size] * len(pin))[: len(pin)] for size in range(1, 5))
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    return repeats or steps in ({1}, {9})
