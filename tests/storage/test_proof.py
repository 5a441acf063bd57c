import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import LedgerBroken
from storage.merkle import Tree
from storage.note import Signer
from storage.proof import Proof, prove
from tests.storage.made import ORIGIN, SIGNER, flipped, small_ledger

LEDGER = small_ledger(700)
NOTE = LEDGER.checkpoint()
KEY = SIGNER.verifier


@given(st.integers(0, 699), st.binary(max_size=20))
def test_a_proof_can_be_written_read_and_verified(index: int, extra: bytes) -> None:
    made = prove(Tree(700, LEDGER), index, NOTE)
    proof = Proof.parse(Proof(made.index, made.hashes, made.checkpoint, extra).text())
    assert proof.extra == extra
    assert proof.verify(LEDGER.entries[index], KEY).size == 700


def test_the_form_is_that_of_the_specification() -> None:
    lines = prove(Tree(700, LEDGER), 5, NOTE).text().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 5"]
    assert lines[12:15] == ["", ORIGIN, "700"]


def test_a_ledger_of_one_entry_needs_no_hashes() -> None:
    ledger = small_ledger(1)
    text = prove(Tree(1, ledger), 0, ledger.checkpoint()).text()
    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 0\n\n" + ORIGIN)
    Proof.parse(text).verify(b"entry 0", KEY)


def test_a_proof_under_an_older_checkpoint_is_made_from_the_whole_ledger() -> None:
    older = small_ledger(300)
    proof = prove(Tree(700, LEDGER), 299, older.checkpoint())
    assert proof.verify(b"entry 299", KEY).size == 300
    with pytest.raises(ValueError, match="no entry 300 in a tree of 300"):
        prove(Tree(700, LEDGER), 300, older.checkpoint())


def test_a_proof_shows_no_other_entry() -> None:
    proof = prove(Tree(700, LEDGER), 5, NOTE)
    with pytest.raises(LedgerBroken):
        proof.verify(b"entry 6", KEY)
    with pytest.raises(LedgerBroken):
        Proof(6, proof.hashes, NOTE).verify(b"entry 5", KEY)
    with pytest.raises(LedgerBroken):
        Proof(5, (flipped(proof.hashes[0], 0), *proof.hashes[1:]), NOTE).verify(b"entry 5", KEY)


def test_a_proof_under_another_key_shows_nothing() -> None:
    with pytest.raises(LedgerBroken, match="not signed"):
        prove(Tree(700, LEDGER), 5, NOTE).verify(b"entry 5", Signer(ORIGIN, bytes(32)).verifier)


GOOD = prove(Tree(700, LEDGER), 5, NOTE).text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\n\n" + NOTE,
        "c2sp.org/tlog-proof@v1\nextra QQ==\n\n" + NOTE,
        GOOD.replace("@v1", "@v2"),
        GOOD.replace("index 5", "index 05"),
        GOOD.replace("index 5", "index -5x"),
        GOOD.replace("index 5", "place 5"),
        GOOD.replace("index 5", "extra QR==\nindex 5"),
        GOOD.replace("index 5", "index 5\nindex 5"),
        GOOD.replace("\n", "\r\n"),
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(LedgerBroken, match="not a proof"):
        Proof.parse(text)
