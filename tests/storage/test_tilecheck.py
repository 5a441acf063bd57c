import os
import shutil
from pathlib import Path

import pytest

from storage.note import Signer
from storage.tilecheck import Report, verify_folder
from storage.tiles import export
from tests.storage.made import ORIGIN, SIGNER, flipped, small_ledger

SIZE = 66_000
"""Entries of the ledger: two levels of full tiles, and a partial tile on each."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger")
    ledger = small_ledger(SIZE)
    export(folder, ledger, ledger.checkpoint())
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    ledger = small_ledger(700)
    export(tmp_path / "log", ledger, ledger.checkpoint())
    return tmp_path / "log"


class Damaged:
    """A file changed for the length of a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = path.read_bytes()

    def __enter__(self) -> "Damaged":
        return self

    def __exit__(self, *_: object) -> None:
        self.path.write_bytes(self.raw)


def check(folder: Path) -> Report:
    report = verify_folder(folder, SIGNER.vkey)
    assert report.checkpoint is not None
    assert not report.sound
    return report


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 513])
def test_a_ledger_as_it_was_exported_is_sound(tmp_path: Path, size: int) -> None:
    ledger = small_ledger(size)
    export(tmp_path, ledger, ledger.checkpoint())
    report = verify_folder(tmp_path, SIGNER.vkey)
    assert report.sound
    assert report.checkpoint is not None
    assert report.checkpoint.size == size


def test_a_large_ledger_is_sound_and_says_how_far_it_is(exported: Path) -> None:
    read: list[int] = []
    assert verify_folder(exported, SIGNER.vkey, read.append).sound
    assert read == sorted(read)
    assert read[-1] == SIZE


# --- an entry is to blame


@pytest.mark.parametrize("index", [0, 1, 255, 256, 40_000, 65_535, 65_999])
def test_a_flipped_byte_in_an_entry_is_named_by_its_index(exported: Path, index: int) -> None:
    name = f"tile/entries/{index // 256:03d}" + (".p/208" if index == 65_999 else "")
    with Damaged(exported / name) as damaged:
        text = b"entry %d" % index
        at = damaged.raw.index(len(text).to_bytes(2, "big") + text) + 4
        damaged.path.write_bytes(flipped(damaged.raw, 8 * at))
        report = check(exported)
    assert report.entry == index
    assert report.problem == f"entry {index} is not the one that was signed"


@pytest.mark.parametrize("inside", [0, 5, 187])
def test_every_flipped_byte_of_an_entry_is_named_by_its_index(small: Path, inside: int) -> None:
    path = small / "tile/entries/002.p/188"
    raw = path.read_bytes()
    span = len(b"\x00\x09entry 512")
    for place in range(inside * span, (inside + 1) * span):
        path.write_bytes(flipped(raw, 8 * place + 1))
        assert check(small).entry == 512 + inside


def test_two_entries_exchanged_are_named_by_the_first(small: Path) -> None:
    path = small / "tile/entries/000"
    path.write_bytes(
        path.read_bytes().replace(b"entry 10\x00\x08entry 11", b"entry 11\x00\x08entry 10")
    )
    assert check(small).entry == 10


@pytest.mark.parametrize(("length", "entry"), [(0, 256), (1, 256), (13, 257), (11 * 255 + 5, 511)])
def test_a_cut_bundle_is_named_by_the_entry_where_it_ends(
    small: Path, length: int, entry: int
) -> None:
    path = small / "tile/entries/001"
    path.write_bytes(path.read_bytes()[:length])
    report = check(small)
    assert report.entry == entry
    assert "tile/entries/001 does not hold its 256 entries" in str(report.problem)


def test_an_entry_put_at_the_end_of_a_bundle_is_noticed(small: Path) -> None:
    path = small / "tile/entries/001"
    path.write_bytes(path.read_bytes() + b"\x00\x01x")
    assert "tile/entries/001 does not hold its 256 entries" in str(check(small).problem)


# --- a tile is to blame


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/000",
        "tile/0/123",
        "tile/0/257.p/208",
        "tile/1/000",
        "tile/1/001.p/1",
        "tile/2/000.p/1",
    ],
)
@pytest.mark.parametrize("place", [0, -1])
def test_a_flipped_byte_in_a_tile_is_named_by_the_tile(
    exported: Path, name: str, place: int
) -> None:
    with Damaged(exported / name) as damaged:
        damaged.path.write_bytes(flipped(damaged.raw, place % (8 * len(damaged.raw))))
        report = check(exported)
    assert report.problem == f"{name} does not follow from the entries"
    assert report.entry is None


def test_a_tile_in_the_place_of_another_is_named(small: Path) -> None:
    shutil.copy(small / "tile/0/001", small / "tile/0/000")
    assert check(small).problem == "tile/0/000 does not follow from the entries"


def test_a_bundle_in_the_place_of_another_is_named_by_its_first_entry(small: Path) -> None:
    shutil.copy(small / "tile/entries/001", small / "tile/entries/000")
    assert check(small).entry == 0


@pytest.mark.parametrize("name", ["tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"])
def test_a_cut_tile_is_named(small: Path, name: str) -> None:
    path = small / name
    path.write_bytes(path.read_bytes()[:-1])
    assert str(check(small).problem).startswith(f"{name} has ")


@pytest.mark.parametrize(
    "name", ["tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/002.p/188"]
)
def test_a_missing_file_is_named(small: Path, name: str) -> None:
    (small / name).unlink()
    assert check(small).problem == f"{name} is missing"


# --- both are to blame


def rewrite(folder: Path, index: int) -> None:
    """Change an entry and the hash of it, as somebody would who knows the format."""
    forged = small_ledger(700)
    forged.entries[index] = b"forged!!!"
    forged = type(forged)(forged.entries)
    n, width = index // 256, 188 if index >= 512 else 256
    name = f"{n:03d}" + (f".p/{width}" if width < 256 else "")
    (folder / "tile/0" / name).write_bytes(b"".join(forged.tile_hashes(0, n, width)))
    bundle = b"".join(
        len(e).to_bytes(2, "big") + e for e in forged.entries_raw(256 * n, 256 * n + width)
    )
    (folder / "tile/entries" / name).write_bytes(bundle)


def test_an_entry_changed_together_with_its_tile_is_named_by_the_tile(small: Path) -> None:
    rewrite(small, 300)
    problem = "tile/0/001 does not lead to the signed root, nor do the entries"
    assert check(small).problem == problem


def test_a_last_entry_changed_together_with_its_tile_is_noticed(small: Path) -> None:
    rewrite(small, 690)
    assert "the last tile of a level does not lead to the signed root" in str(check(small).problem)


def test_damage_in_two_places_names_the_tile_and_the_entry(small: Path) -> None:
    rewrite(small, 300)
    path = small / "tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b"entry 17", b"entry 71"))
    report = check(small)
    assert (report.entry, str(report.problem)[:10]) == (17, "tile/0/001")


def test_a_whole_ledger_rewritten_does_not_match_its_checkpoint(
    small: Path, tmp_path: Path
) -> None:
    note = (small / "checkpoint").read_text("utf-8")
    forged = small_ledger(699)
    forged.append(b"forged")
    export(tmp_path / "forged", forged, forged.checkpoint())
    (tmp_path / "forged/checkpoint").write_text(note, "utf-8")
    report = check(tmp_path / "forged")
    assert "nor do the entries" in str(report.problem)


# --- the checkpoint is to blame


def refused(folder: Path, vkey: str = SIGNER.vkey) -> str:
    report = verify_folder(folder, vkey)
    assert report.checkpoint is None
    return str(report.problem)


def test_without_a_checkpoint_nothing_is_believed(small: Path) -> None:
    (small / "checkpoint").unlink()
    assert refused(small) == "the checkpoint is missing"


def test_another_key_verifies_nothing(small: Path) -> None:
    other = Signer(ORIGIN, bytes(32)).vkey
    assert refused(small, other) == f"the note is not signed by {ORIGIN} with this key"


def test_a_changed_checkpoint_is_refused(small: Path) -> None:
    path = small / "checkpoint"
    note = path.read_text("utf-8")
    path.write_text(note.replace("\n700\n", "\n699\n"), "utf-8")
    assert refused(small) == f"the signature of {ORIGIN} does not verify"
    path.write_bytes(note.encode()[:-40])
    assert "not a signed note" in refused(small)
    path.write_bytes(b"\xff" + note.encode())
    assert "not a signed note" in refused(small)


def test_a_text_that_is_no_verifier_key_is_refused(small: Path) -> None:
    with pytest.raises(ValueError, match="verifier key"):
        verify_folder(small, "audit.juki.example/g1")


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000", "tile/1/000.p/2", "tile/entries/001"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "endless"])
def test_a_folder_of_somebody_elses_is_read_with_care(small: Path, name: str, kind: str) -> None:
    """A pipe is not waited for, a link not followed, nothing read beyond what it can hold."""
    path = small / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    report = verify_folder(small, SIGNER.vkey)
    assert not report.sound
    said = "the checkpoint is not a signed note"
    assert report.problem == said if name == "checkpoint" else f"{name} is not" in report.problem
