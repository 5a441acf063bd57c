"""A ledger that is sound by itself, and not the one that others saw."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.anchors import Witnessed, hold
from storage.cosignature import Cosigner, with_cosignature
from storage.errors import LedgerBroken
from storage.tilecheck import verify_folder
from storage.tiles import WITNESSED, export, publish_witnessed
from tests.storage.made import SIGNER, LedgerInMemory, small_ledger

WITNESS = Cosigner("witness.example", bytes(32))
AT = 1_790_000_000


def exported(folder: Path, ledger: LedgerInMemory) -> Path:
    export(folder, ledger, ledger.checkpoint())
    assert verify_folder(folder, SIGNER.vkey).sound
    return folder


def cosigned(ledger: LedgerInMemory) -> str:
    note = ledger.checkpoint()
    line = WITNESS.cosign(note.partition("\n\n")[0] + "\n", AT)
    return with_cosignature(note, line, WITNESS.key)


def another(size: int, changed: int) -> LedgerInMemory:
    """Return a ledger under the same key that differs from entry ``changed`` on."""
    word = ["entry", "other"]
    return LedgerInMemory(b"%s %d" % (word[n >= changed].encode(), n) for n in range(size))


def anchors(*sizes: int) -> dict[str, str]:
    return {f"{size}.checkpoint": small_ledger(size).checkpoint() for size in sizes}


@pytest.mark.parametrize("sizes", [(), (0,), (1, 256), (699, 700)])
def test_a_ledger_that_begins_with_what_was_kept_is_held_sound(
    tmp_path: Path, sizes: Sequence[int]
) -> None:
    assert hold(exported(tmp_path, small_ledger(700)), SIGNER.verifier, anchors(*sizes)) == ()


def test_a_ledger_that_was_cut_off_is_found(tmp_path: Path) -> None:
    folder = exported(tmp_path, small_ledger(300))
    with pytest.raises(
        LedgerBroken, match=r"ends at 300 entries, 700\.checkpoint has 700.* 300 to"
    ):
        hold(folder, SIGNER.verifier, anchors(200, 700))


def test_a_ledger_written_anew_under_the_same_key_is_found_and_where(tmp_path: Path) -> None:
    folder = exported(tmp_path, another(700, changed=350))
    hold(folder, SIGNER.verifier, anchors(200, 350))
    with pytest.raises(LedgerBroken, match=r"forked: its first 400 .* lies from 300 to 399"):
        hold(folder, SIGNER.verifier, anchors(200, 300, 400, 500))


def test_what_a_witness_cosigned_is_found_in_the_folder(tmp_path: Path) -> None:
    folder = exported(tmp_path, small_ledger(700))
    assert publish_witnessed(folder, cosigned(small_ledger(600)))
    assert hold(folder, SIGNER.verifier, {}, [WITNESS.key]) == (
        Witnessed("witness.example", 600, AT),
    )
    given = {"kept": cosigned(small_ledger(650))}
    (most,) = hold(folder, SIGNER.verifier, given, [WITNESS.key])
    assert most.size == 650


def test_a_fork_is_found_by_what_lies_beside_it(tmp_path: Path) -> None:
    folder = exported(tmp_path, another(700, changed=5))
    (folder / WITNESSED).write_text(cosigned(small_ledger(600)))
    with pytest.raises(LedgerBroken, match=r"not those of checkpoint\.witnessed"):
        hold(folder, SIGNER.verifier, {}, [WITNESS.key])


def test_a_witness_that_has_cosigned_nothing_is_missed(tmp_path: Path) -> None:
    folder = exported(tmp_path, small_ledger(7))
    with pytest.raises(LedgerBroken, match=r"cosigned by witness\.example"):
        hold(folder, SIGNER.verifier, anchors(7), [WITNESS.key])


def test_a_checkpoint_of_somebody_else_is_no_anchor(tmp_path: Path) -> None:
    folder = exported(tmp_path, small_ledger(7))
    forged = small_ledger(7).checkpoint().replace("\n7\n", "\n6\n")
    with pytest.raises(LedgerBroken, match=r"kept: the signature of .* does not verify"):
        hold(folder, SIGNER.verifier, {"kept": forged})


def test_what_promises_more_than_was_exported_is_not_put_beside_it(tmp_path: Path) -> None:
    assert not publish_witnessed(tmp_path, cosigned(small_ledger(7)))
    exported(tmp_path, small_ledger(7))
    assert not publish_witnessed(tmp_path, cosigned(small_ledger(8)))
    assert not (tmp_path / WITNESSED).exists()
    assert publish_witnessed(tmp_path, cosigned(small_ledger(7)))
