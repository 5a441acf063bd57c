"""Cosignatures are the bytes of the specification, for verifiers that are not ours."""

import base64
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from storage.cosignature import Cosigner, WitnessKey, cosigned_at, with_cosignature
from storage.errors import LedgerBroken
from storage.note import VerifierKey, open_checkpoint
from tests.storage.made import SIGNER, small_ledger

WITNESS = Cosigner("witness.pref-43.example", bytes(range(50, 82)))
OTHER = Cosigner("other.example", bytes(range(90, 122)))
NOTE = small_ledger(7).checkpoint()
TEXT = NOTE.partition("\n\n")[0] + "\n"
AT = 1_790_000_000


def cosigned(note: str = NOTE, by: Cosigner = WITNESS, at: int = AT) -> str:
    return with_cosignature(note, by.cosign(note.partition("\n\n")[0] + "\n", at), by.key)


def read_by_others(note: str, vkey: str) -> int:
    """Verify a cosignature with nothing of ours, as C2SP tlog-cosignature says; return its time.

    Raises:
        InvalidSignature: it does not verify.
    """
    name, key_id, material = vkey.split("+", 2)
    public = base64.b64decode(material)[1:]
    assert base64.b64decode(material)[:1] == b"\x04"
    assert sha256(name.encode() + b"\n\x04" + public).digest()[:4].hex() == key_id
    text, _, lines = note.partition("\n\n")
    (line,) = [line for line in lines.splitlines() if line.startswith(f"— {name} ")]
    raw = base64.b64decode(line.rsplit(" ", 1)[1])
    assert raw[:4].hex() == key_id
    at = int.from_bytes(raw[4:12], "big")
    signed = f"cosignature/v1\ntime {at}\n{text}\n".encode()
    Ed25519PublicKey.from_public_bytes(public).verify(raw[12:], signed)
    return at


def test_a_cosignature_verifies_by_code_that_is_not_ours() -> None:
    assert read_by_others(cosigned(), str(WITNESS.key)) == AT
    with pytest.raises(InvalidSignature):
        read_by_others(cosigned().replace("\n7\n", "\n8\n"), str(WITNESS.key))


def test_a_cosigned_checkpoint_is_still_the_ledgers() -> None:
    both = cosigned(cosigned(), OTHER, AT + 1)
    assert open_checkpoint(both, SIGNER.verifier).size == 7
    assert (cosigned_at(both, WITNESS.key), cosigned_at(both, OTHER.key)) == (AT, AT + 1)


def test_the_newest_cosignature_of_a_witness_counts() -> None:
    assert cosigned_at(cosigned(cosigned(at=AT), at=AT + 60), WITNESS.key) == AT + 60


def test_a_time_that_no_calendar_has_is_refused() -> None:
    assert cosigned_at(cosigned(at=253_402_300_799), WITNESS.key) == 253_402_300_799
    with pytest.raises(LedgerBroken, match="no time there is"):
        cosigned(at=253_402_300_800)


def test_what_another_witness_cosigned_says_nothing_of_this_one() -> None:
    with pytest.raises(LedgerBroken, match=r"not cosigned by witness\.pref-43"):
        cosigned_at(cosigned(by=OTHER), WITNESS.key)


@pytest.mark.parametrize("size", ["8", "6"])
def test_a_cosignature_of_another_checkpoint_is_refused(size: str) -> None:
    with pytest.raises(LedgerBroken, match=r"of witness.* does not verify"):
        cosigned_at(cosigned().replace("\n7\n", f"\n{size}\n"), WITNESS.key)


def test_an_answer_with_no_cosignature_of_the_witness_is_refused() -> None:
    for lines in (OTHER.cosign(TEXT, AT), WITNESS.cosign(TEXT.replace("\n7\n", "\n8\n"), AT)):
        with pytest.raises(LedgerBroken):
            with_cosignature(NOTE, lines, WITNESS.key)
    with pytest.raises(LedgerBroken):
        with_cosignature(NOTE, "", WITNESS.key)


def test_cosignatures_of_strangers_in_an_answer_are_left_out() -> None:
    lines = OTHER.cosign(TEXT, AT) + WITNESS.cosign(TEXT, AT)
    assert with_cosignature(NOTE, lines, WITNESS.key) == cosigned()


def test_keys_are_told_apart_by_their_kind() -> None:
    vkey = str(WITNESS.key)
    assert WitnessKey.parse(vkey) == WITNESS.key
    with pytest.raises(ValueError, match="Ed25519"):
        VerifierKey.parse(vkey)
    with pytest.raises(ValueError, match="of a witness"):
        WitnessKey.parse(SIGNER.vkey)


def test_a_secret_is_read_as_it_was_written() -> None:
    assert Cosigner.parse(WITNESS.secret + "\n").key == WITNESS.key
    for secret in (
        "",
        WITNESS.secret[1:],
        WITNESS.secret.replace("pref-43", "pref-44"),
        SIGNER.vkey,
        WITNESS.secret[:-8],
    ):
        with pytest.raises(ValueError):
            Cosigner.parse(secret)


def test_a_name_that_cannot_stand_in_a_note_is_refused() -> None:
    with pytest.raises(ValueError):
        Cosigner("two words", bytes(32))
