"""The keys an open store works with, taken from the key ring once and made ready for use.

What changes yearly is written with the newest key and opened with any that the ring holds.  The
store draws no keys: a clock that leaps cannot make any.
"""

from dataclasses import dataclass
from typing import Self

from storage.cells import FieldKeys, Kek
from storage.errors import WrongKey
from storage.keyring import KeyRing
from storage.leaf import body_key
from storage.note import Signer


@dataclass(frozen=True, slots=True, repr=False)
class StoreKeys:
    """Keys of one store; immutable, shared by threads."""

    installation: bytes
    origin: str
    page: bytes
    fields: FieldKeys
    kek: Kek
    keks: dict[int, bytes]
    years: tuple[int, ...]
    """Of the retention keys for what is current; the last one is in use."""
    older: frozenset[int]
    """The numbers of the others."""
    expiry: dict[int, Kek]
    seal: bytes
    documents: bytes
    parcels: bytes
    epoch: int
    bodies: dict[int, bytes]
    subjects: dict[int, bytes]
    signer: Signer

    @classmethod
    def of(cls, ring: KeyRing, origin: str) -> Self:
        """Take from an open ring what a store needs.

        Args:
            ring: the store's key ring.
            origin: the name of the ledger, in every checkpoint and bound to every entry.

        Raises:
            WrongKey: the ring lacks a key.
        """
        bodies = {int(year): body_key(key) for year, key in ring.family("log-body").items()}
        years = sorted(map(int, ring.family("kek/active")))
        active = [ring.kek(f"kek/active/{year}") for year in years]
        return cls(
            installation=ring.installation,
            origin=origin,
            page=ring.key("page/main/1"),
            fields=FieldKeys(ring.field_roots()),
            kek=active[-1],
            keks=ring.keks(),
            years=tuple(years),
            older=frozenset(kek.id for kek in active[:-1]),
            expiry={int(year): ring.kek(f"kek/exp/{year}") for year in ring.family("kek/exp")},
            seal=ring.key("seal/1"),
            documents=ring.key("docs/1"),
            parcels=ring.key("parcels/1"),
            epoch=max(bodies),
            bodies=bodies,
            subjects={int(year): key for year, key in ring.family("log-subj").items()},
            signer=Signer(origin, ring.key("log-sign")),
        )

    def expiring(self, year: int) -> Kek:
        """Return the retention key of what may be erased in a year, or of a later year.

        Raises:
            WrongKey: the ring holds none that is late enough.
        """
        later = [known for known in self.expiry if known >= year]
        if not later:
            raise WrongKey(f"the key ring has no retention key for {year}")
        return self.expiry[min(later)]
