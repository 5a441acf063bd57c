"""The bytes of the key ring file: independent keys, each sealed by itself under the root.

    file     CBOR [ header: bytes, entries: bytes, mac: 32 bytes ]
    header   CBOR {0: 1, 1: store id 16, 2: serial, 3: token bits, 4: root check 32, 5: shares}
    shares   [number, identifier, threshold, [check 16, ...], [[number, identifier], ...]], or null
    entries  CBOR [ {0: id, 1: name, 2: serial of birth, 3: state, 4: nonce 24, 5: sealed 48,
                     6: check 32}, ... ]; state 1 is active; 3 is destroyed, without 4 and 5

    ring key   BLAKE2b-256(key=root, person="jk1.ring", u32 serial | store id)
    mac key    BLAKE2b-256(key=root, person="jk1.ring.mac", u32 serial | store id)
    mac        BLAKE2b-256(key=mac key, person="jk1.ring.mac", u16 header length | header | entries)
    sealed     XChaCha20-Poly1305(ring key, key 32), bound to "jk1r" | CBOR {0, 1, 2, 3, 6}

The serial grows with every save and the ring key with it: entries of two files cannot be mixed.
The header can be read while sealed and is believed only once the mac was checked with the root.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cbor2

from storage import aead
from storage.derive import check_value, derive, prefixed
from storage.errors import Tampered, WrongKey
from storage.unseal import RetiredSet, ShareSet

_FORMAT = 1
_ACTIVE, _DESTROYED = 1, 3
_LARGEST_HEADER = 0xFFFF


@dataclass(frozen=True, slots=True)
class RingHeader:
    """What the key ring shows while sealed; fixed when the store is made, but for the shares.

    ``installation`` is the store's id, 16 bytes; ``serial`` counts the saves; ``token_bits`` is
    the width of compound tokens; ``root_check`` the check value of the root key, 32 bytes.
    """

    installation: bytes
    serial: int
    token_bits: int
    root_check: bytes
    share_set: ShareSet | None


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """A key of the ring; ``key`` is None once it was destroyed."""

    id: int
    name: str
    born: int
    check: bytes
    key: bytes | None

    def clear(self) -> dict[int, Any]:
        """Return what of the entry is not sealed."""
        state = _DESTROYED if self.key is None else _ACTIVE
        return {0: self.id, 1: self.name, 2: self.born, 3: state, 6: self.check}


def encode_ring(header: RingHeader, root: bytes, entries: Iterable[Entry]) -> bytes:
    """Return the ring as the bytes of its file, every key sealed under a fresh nonce."""
    ring_key = _ring_key(header, root)
    clear = _encoded_header(header)
    listed = cbor2.dumps([_sealed(entry, ring_key) for entry in entries], canonical=True)
    return cbor2.dumps([clear, listed, _mac(header, root, clear, listed)], canonical=True)


def decode_ring(raw: bytes, root: bytes) -> tuple[RingHeader, list[Entry]]:
    """Return the header, now believed, and the entries, opened and checked.

    Raises:
        WrongKey: the root is of another ring.
        Tampered: the bytes were changed or cut.
    """
    clear, listed, mac = _parts(raw)
    header = _decoded_header(clear)
    ring_key = _ring_key(header, root)
    if not hmac.compare_digest(_mac(header, root, clear, listed), mac):
        known = hmac.compare_digest(check_value(root), header.root_check)
        if known or _any_opens(listed, ring_key):
            raise Tampered("the key ring was changed since it was written")
        raise WrongKey("the root key is of another key ring")
    return header, [_opened(item, ring_key) for item in cbor2.loads(listed)]


def decode_header(raw: bytes) -> RingHeader:
    """Return the header of a ring's file, as yet unauthenticated.

    Raises:
        Tampered: these bytes are not a key ring.
    """
    return _decoded_header(_parts(raw)[0])


def decode_names(raw: bytes) -> list[str]:
    """Return the names of the keys, as yet unauthenticated.

    Raises:
        Tampered: these bytes are not a key ring.
    """
    try:
        return [str(item[1]) for item in cbor2.loads(_parts(raw)[1])]
    except (cbor2.CBORError, KeyError, TypeError, IndexError):
        raise Tampered("the entries of the key ring are not what they should be") from None


def _where(header: RingHeader) -> bytes:
    return header.serial.to_bytes(4, "little") + header.installation


def _ring_key(header: RingHeader, root: bytes) -> bytes:
    return derive(root, b"jk1.ring", _where(header))


def _mac(header: RingHeader, root: bytes, clear: bytes, listed: bytes) -> bytes:
    key = derive(root, b"jk1.ring.mac", _where(header))
    return derive(key, b"jk1.ring.mac", prefixed(clear) + listed)


def _bound(clear: dict[int, Any]) -> bytes:
    return b"jk1r" + cbor2.dumps(clear, canonical=True)


def _sealed(entry: Entry, ring_key: bytes) -> dict[int, Any]:
    clear = entry.clear()
    if entry.key is None:
        return clear
    sealed = aead.seal(entry.key, ring_key, _bound(clear))
    return clear | {4: sealed[: aead.NONCE_SIZE], 5: sealed[aead.NONCE_SIZE :]}


def _opened(item: dict[int, Any], ring_key: bytes) -> Entry:
    key = None if item[3] == _DESTROYED else _opened_key(item, ring_key)
    entry = Entry(item[0], item[1], item[2], item[6], key)
    if key is not None and not hmac.compare_digest(check_value(key), entry.check):
        raise Tampered(f"the key {entry.name} does not match its check value")
    return entry


def _opened_key(item: dict[int, Any], ring_key: bytes) -> bytes:
    clear = {number: item[number] for number in (0, 1, 2, 3, 6)}
    try:
        return aead.unseal(item[4] + item[5], ring_key, _bound(clear))
    except aead.DoesNotOpen:
        raise Tampered(f"the key {item[1]} does not open") from None


def _any_opens(listed: bytes, ring_key: bytes) -> bool:
    """Return whether the ring key opens any entry: then the file is wrong, and not the root."""
    try:
        items = list(cbor2.loads(listed))
    except (cbor2.CBORError, ValueError, TypeError):
        return False
    for item in items:
        try:
            _opened_key(item, ring_key)
        except (Tampered, LookupError, TypeError, ValueError, cbor2.CBORError):
            continue
        return True
    return False


def _parts(raw: bytes) -> tuple[bytes, bytes, bytes]:
    try:
        parts = cbor2.loads(raw)
    except (cbor2.CBORError, ValueError):
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != [bytes] * 3:
        raise Tampered("this is not a key ring")
    clear, listed, mac = parts
    if len(clear) > _LARGEST_HEADER:
        raise Tampered("the header of the key ring is too long")
    return clear, listed, mac


def _encoded_header(header: RingHeader) -> bytes:
    known = header.share_set
    shares = known and [
        known.number,
        known.identifier,
        known.threshold,
        list(known.checks),
        [[old.number, old.identifier] for old in known.retired],
    ]
    fields = (header.installation, header.serial, header.token_bits, header.root_check, shares)
    return cbor2.dumps({0: _FORMAT, **dict(enumerate(fields, start=1))}, canonical=True)


def _decoded_header(clear: bytes) -> RingHeader:
    try:
        fields = cbor2.loads(clear)
        shares = fields[5] and _share_set(fields[5], fields[4])
        header = RingHeader(fields[1], fields[2], fields[3], fields[4], shares)
        good = fields[0] == _FORMAT and _encoded_header(header) == clear and _fits(header)
    except (cbor2.CBORError, ValueError, TypeError, LookupError, AttributeError):
        good = False
    if not good:
        raise Tampered("the header of the key ring is not in its form")
    return header


def _fits(header: RingHeader) -> bool:
    """Return whether each field has its type and size; nothing vouches for them as yet."""
    numbers, hashes = [header.serial, header.token_bits], [(header.root_check, 32)]
    if (known := header.share_set) is not None:
        numbers += known.number, known.identifier, known.threshold
        numbers += [number for old in known.retired for number in (old.number, old.identifier)]
        hashes += [(check, 16) for check in known.checks]
    hashes.append((header.installation, 16))
    return all(type(number) is int and 0 <= number < 1 << 32 for number in numbers) and all(
        type(raw) is bytes and len(raw) == size for raw, size in hashes
    )


def _share_set(item: list[Any], root_check: bytes) -> ShareSet:
    number, identifier, threshold, checks, retired = item
    old = tuple(RetiredSet(*each) for each in retired)
    return ShareSet(number, identifier, threshold, tuple(checks), root_check, old)
