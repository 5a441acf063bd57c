import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.cosignature import parse_cosignature
from storage.errors import LedgerBroken
from storage.note import (
    LARGEST_NOTE,
    Checkpoint,
    Signature,
    Signer,
    VerifierKey,
    open_checkpoint,
    open_note,
    parse_note,
    sign_checkpoint,
    to_base64,
    unbase64,
)
from tests.storage.made import ORIGIN, SIGNER, small_ledger

# From the documentation of Go's golang.org/x/mod/sumdb/note.
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSN"
    "XgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

# From C2SP signed-note and tlog-cosignature; their keys are not published.
C2SP_NOTE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMou"
    "FSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
C2SP_COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcy"
    "v2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b"
    "2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

NOTE = small_ledger(7).checkpoint()


# --- what others wrote


def test_signs_to_the_bytes_of_go() -> None:
    signer = Signer("PeterNeumann", GO_SEED)
    assert signer.vkey == GO_VKEY
    assert signer.sign(GO_TEXT) == GO_NOTE


def test_opens_a_note_of_go() -> None:
    assert open_note(GO_NOTE, VerifierKey.parse(GO_VKEY)) == GO_TEXT


def test_takes_the_example_of_the_specification_apart() -> None:
    note = parse_note(C2SP_NOTE)
    assert note.text.endswith("raggio di sole:\n\ned è subito sera.\n")
    [signature] = note.signatures
    assert (signature.name, signature.key_id.hex()) == ("quasimodo.example/salvatore", "367ba04b")
    assert len(signature.blob) == 64


def test_reads_the_cosignature_of_the_specification() -> None:
    note = parse_note(C2SP_COSIGNED)
    assert Checkpoint.parse(note.text).size == 20_852_163
    cosignature = parse_cosignature(note.signatures[1])
    assert cosignature.name == "witness.example.com/w1"
    assert cosignature.at == 1_679_315_147
    assert len(cosignature.signature) == 64
    with pytest.raises(LedgerBroken, match="cosignature"):
        parse_cosignature(note.signatures[0])


# --- our own


def test_a_checkpoint_opens_with_the_verifier_key() -> None:
    ledger = small_ledger(7)
    checkpoint = open_checkpoint(NOTE, VerifierKey.parse(SIGNER.vkey))
    assert checkpoint == Checkpoint(ORIGIN, 7, ledger.frontier.root())
    assert sign_checkpoint(SIGNER, 7, ledger.frontier.root()) == NOTE


def test_signatures_of_others_are_not_looked_at() -> None:
    other = Signer("witness.example/w1", bytes(32)).sign(parse_note(NOTE).text)
    cosigned = NOTE + other.rpartition("\n\n")[2]
    assert open_checkpoint(cosigned, SIGNER.verifier).size == 7


def test_every_signature_of_the_key_must_hold() -> None:
    doubled = NOTE + NOTE.rpartition("\n\n")[2].replace("A", "B")
    with pytest.raises(LedgerBroken):
        open_note(doubled, SIGNER.verifier)


@given(st.integers(0, len(NOTE) - 1), st.characters(exclude_categories=["Cs"]))
def test_any_changed_character_is_noticed(place: int, character: str) -> None:
    changed = NOTE[:place] + character + NOTE[place + 1 :]
    if changed != NOTE:
        with pytest.raises(LedgerBroken):
            open_checkpoint(changed, SIGNER.verifier)


def test_another_key_under_the_same_name_does_not_open() -> None:
    with pytest.raises(LedgerBroken, match="not signed by"):
        open_checkpoint(NOTE, Signer(ORIGIN, bytes(32)).verifier)


def test_a_signature_that_does_not_verify_is_told() -> None:
    text, _, line = NOTE.rpartition("\n\n")
    forged = text.replace("\n7\n", "\n8\n") + "\n\n" + line
    with pytest.raises(LedgerBroken, match="does not verify"):
        open_checkpoint(forged, SIGNER.verifier)


def test_a_signature_that_is_cut_does_not_verify() -> None:
    [signature] = parse_note(NOTE).signatures
    short = to_base64(signature.key_id + signature.blob[:63])
    cut = f"{parse_note(NOTE).text}\n— {ORIGIN} {short}\n"
    with pytest.raises(LedgerBroken, match="does not verify"):
        open_checkpoint(cut, SIGNER.verifier)


def test_a_checkpoint_of_another_ledger_under_our_key_is_refused() -> None:
    note = SIGNER.sign(Checkpoint("audit.other.example/g1", 7, bytes(32)).text())
    with pytest.raises(LedgerBroken, match="another ledger"):
        open_checkpoint(note, SIGNER.verifier)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name QUJDREVG",
        "text\n\nname QUJDREVG\n",
        "text\n\n- name QUJDREVG\n",
        "text\n\n— name\n",
        "text\n\n— name QUJDRA==\n",
        "text\n\n— name QUJDREVG \n",
        "text\n\n— na+me QUJDREVG\n",
        "text\n\n—  QUJDREVG\n",
        "text\n\n— na\u00a0me QUJDREVG\n",
        "te\tt\n\n— name QUJDREVG\n",
        "te\rt\n\n— name QUJDREVG\n",
        "te\ud800t\n\n— name QUJDREVG\n",
        "text\n\n— name QUJDREVH=\n",
        "text\n\n— name QUJDREV$\n",
        "text\n\n— name QUJDRUZH\n\n",
        "x" * LARGEST_NOTE + "\n\n— name QUJDREVG\n",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(LedgerBroken):
        parse_note(note)


def test_a_note_without_faults_is_read() -> None:
    [signature] = parse_note("text\n\n— name QUJDREVG\n").signatures
    assert signature == Signature("name", b"ABCD", b"EF")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n7\n",
        "origin\n7\n" + to_base64(bytes(31)) + "\n",
        "origin\n7\n" + to_base64(bytes(32)),
        "origin\n7\n" + to_base64(bytes(32)) + "\nextension\n",
        "origin\n07\n" + to_base64(bytes(32)) + "\n",
        "origin\n-7\n" + to_base64(bytes(32)) + "\n",
        "origin\n٧\n" + to_base64(bytes(32)) + "\n",
        "origin\n\n" + to_base64(bytes(32)) + "\n",
        "\n7\n" + to_base64(bytes(32)) + "\n",
        "origin\n" + "7" * 5000 + "\n" + to_base64(bytes(32)) + "\n",
        "origin\n7\n" + to_base64(bytes(32))[:-2] + "B=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(LedgerBroken):
        Checkpoint.parse(text)


@given(st.integers(0, 2**63), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_can_be_written_and_read(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


@given(st.binary(max_size=50))
def test_base64_has_one_spelling(raw: bytes) -> None:
    assert unbase64(to_base64(raw)) == raw
    with pytest.raises(ValueError):
        unbase64(to_base64(raw) + "=")


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        GO_VKEY.replace("c74f", "c74e"),
        GO_VKEY.replace("c74f20a3", "C74F20A3"),
        GO_VKEY.replace("Peter", "Paul"),
        GO_VKEY.replace("+ARpc", "+BBpc"),
        GO_VKEY[:-4],
        GO_VKEY + "$",
        "Peter Neumann" + GO_VKEY[12:],
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(ValueError):
        VerifierKey.parse(vkey)


def test_a_verifier_key_is_read_from_a_line_of_a_file() -> None:
    assert str(VerifierKey.parse(GO_VKEY + "\n")) == GO_VKEY


@pytest.mark.parametrize("name", ["", "na me", "na+me", "na\nme", "na\x00me"])
def test_a_name_that_cannot_stand_in_a_note_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        Signer(name, bytes(32))


@pytest.mark.parametrize("text", ["no newline", "ta\tb\n", ""])
def test_a_text_that_cannot_stand_in_a_note_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        SIGNER.sign(text)
