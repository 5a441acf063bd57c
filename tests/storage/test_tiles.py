import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import LedgerBroken
from storage.merkle import Tree
from storage.note import Signer, sign_checkpoint
from storage.tilecheck import verify_folder
from storage.tiles import (
    FolderReader,
    bundle_path,
    export,
    pack_bundle,
    tile_path,
    unpack_bundle,
)
from tests.storage.made import SIGNER, LedgerInMemory, small_ledger


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def tree(folder: Path) -> set[Path]:
    return set((folder / "log").rglob("*"))


def grown(ledger: LedgerInMemory, size: int) -> LedgerInMemory:
    for index in range(ledger.frontier.size, size):
        ledger.append(b"entry %d" % index)
    return ledger


def exported(folder: Path, ledger: LedgerInMemory) -> set[str]:
    export(folder, ledger, ledger.checkpoint())
    assert verify_folder(folder, SIGNER.vkey).sound
    return files(folder)


@pytest.mark.parametrize(
    ("n", "width", "path"),
    [
        (0, 256, "tile/2/000"),
        (999, 256, "tile/2/999"),
        (1000, 256, "tile/2/x001/000"),
        (1_234_067, 256, "tile/2/x001/x234/067"),
        (1_234_067, 5, "tile/2/x001/x234/067.p/5"),
    ],
)
def test_the_paths_of_the_specification(n: int, width: int, path: str) -> None:
    assert tile_path(2, n, width) == path
    assert bundle_path(n, width) == path.replace("/2/", "/entries/")


@given(st.lists(st.binary(max_size=70), max_size=20))
def test_a_bundle_can_be_packed_and_unpacked(entries: list[bytes]) -> None:
    raw = pack_bundle(entries)
    assert unpack_bundle(raw, len(entries)) == (entries, True)
    assert unpack_bundle(raw + b"\x00", len(entries)) == (entries, False)
    assert unpack_bundle(raw, len(entries) + 1) == (entries, False)
    if entries:
        assert unpack_bundle(raw[:-1], len(entries)) == (entries[:-1], False)


def test_an_entry_too_long_for_a_bundle_is_refused() -> None:
    with pytest.raises(OverflowError):
        pack_bundle([bytes(65_536)])


def test_the_files_of_a_ledger(tmp_path: Path) -> None:
    assert exported(tmp_path / "0", small_ledger(0)) == {"checkpoint"}
    assert exported(tmp_path / "1", small_ledger(1)) == {
        "checkpoint",
        "tile/0/000.p/1",
        "tile/entries/000.p/1",
    }
    assert exported(tmp_path / "256", small_ledger(256)) == {
        "checkpoint",
        "tile/0/000",
        "tile/1/000.p/1",
        "tile/entries/000",
    }
    assert exported(tmp_path / "600", small_ledger(600)) == {
        "checkpoint",
        *(f"tile/{kind}/{n}" for kind in ("0", "entries") for n in ("000", "001", "002.p/88")),
        "tile/1/000.p/2",
    }


def test_an_export_goes_on_where_it_was(tmp_path: Path) -> None:
    ledger = small_ledger(0)
    for size in (0, 1, 3, 255, 256, 257, 511, 700, 700, 1024):
        names = exported(tmp_path / "log", grown(ledger, size))
    assert names == exported(tmp_path / "fresh", ledger)


def test_a_full_file_is_not_written_again(tmp_path: Path) -> None:
    ledger = small_ledger(300)
    exported(tmp_path, ledger)
    full = [tmp_path / "tile/0/000", tmp_path / "tile/entries/000"]
    before = [path.stat().st_mtime_ns for path in full]
    exported(tmp_path, grown(ledger, 600))
    assert [path.stat().st_mtime_ns for path in full] == before


def test_a_folder_gives_back_hashes_and_entries(tmp_path: Path) -> None:
    ledger = small_ledger(600)
    exported(tmp_path, ledger)
    reader = FolderReader(tmp_path, 600)
    assert Tree(600, reader).root() == ledger.frontier.root()
    assert [reader.entry(index) for index in (0, 255, 256, 599)] == [
        b"entry 0",
        b"entry 255",
        b"entry 256",
        b"entry 599",
    ]
    for beyond in (600, 768, -1):
        with pytest.raises(LedgerBroken, match="missing"):
            reader.entry(beyond)


# --- what must not be exported


def test_a_ledger_that_does_not_give_its_checkpoint_is_not_exported(tmp_path: Path) -> None:
    note = sign_checkpoint(SIGNER, 10, bytes(32))
    with pytest.raises(LedgerBroken, match="does not give the root"):
        export(tmp_path / "log", small_ledger(10), note)
    assert not (tmp_path / "log").exists()


def test_a_ledger_shorter_than_what_was_exported_is_refused(tmp_path: Path) -> None:
    exported(tmp_path, small_ledger(300))
    with pytest.raises(LedgerBroken, match="300 entries were exported, the ledger has 299"):
        export(tmp_path, small_ledger(299), small_ledger(299).checkpoint())
    assert verify_folder(tmp_path, SIGNER.vkey).checkpoint.size == 300  # type: ignore[union-attr]


def test_a_ledger_that_was_rewritten_is_refused(tmp_path: Path) -> None:
    exported(tmp_path, small_ledger(300))
    rewritten = LedgerInMemory(b"changed %d" % index for index in range(400))
    with pytest.raises(LedgerBroken, match="no longer begins with the 300 entries"):
        export(tmp_path, rewritten, rewritten.checkpoint())


def test_another_ledger_is_not_exported_over_this_one(tmp_path: Path) -> None:
    ledger = small_ledger(3)
    exported(tmp_path, ledger)
    other = sign_checkpoint(Signer("audit.other.example/g1", bytes(32)), 3, ledger.frontier.root())
    with pytest.raises(LedgerBroken, match="another ledger"):
        export(tmp_path, ledger, other)


def test_a_folder_with_a_broken_checkpoint_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"\xff\xfe")
    with pytest.raises(LedgerBroken, match="not a signed note"):
        export(tmp_path, small_ledger(3), small_ledger(3).checkpoint())


# --- the disk


class PowerCut(OSError):
    """The machine stops here."""


def cut_at(patch: pytest.MonkeyPatch, call: int) -> list[str]:
    steps: list[str] = []

    def failing(name: str, right: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            steps.append(name)
            if len(steps) == call:
                raise PowerCut
            return right(*arguments, **named)

        return step

    patch.setattr(os, "fsync", failing("fsync", os.fsync))
    patch.setattr(Path, "replace", failing("replace", Path.replace))
    patch.setattr(Path, "unlink", failing("unlink", Path.unlink))
    patch.setattr(Path, "rmdir", failing("rmdir", Path.rmdir))
    return steps


def test_everything_is_on_disk_before_the_checkpoint_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    at_checkpoint: list[set[int]] = []
    right = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if target.name == "checkpoint":
            at_checkpoint.append(set(synced))
        return right(path, target)

    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    monkeypatch.setattr(Path, "replace", replace)
    ledger = small_ledger(530)
    export(tmp_path / "log", ledger, ledger.checkpoint())
    assert at_checkpoint == [{path.stat().st_ino for path in [tmp_path / "log", *tree(tmp_path)]}]
    assert synced[-1] == (tmp_path / "log").stat().st_ino


def test_stopped_at_any_step_the_folder_is_sound_and_the_export_can_be_run_again(
    tmp_path: Path,
) -> None:
    fresh = exported(tmp_path / "fresh", small_ledger(530))
    call, stopped = 0, True
    while stopped:
        call += 1
        folder = tmp_path / str(call)
        ledger = small_ledger(250)
        exported(folder, ledger)
        grown(ledger, 530)
        with pytest.MonkeyPatch.context() as patch:
            steps = cut_at(patch, call)
            try:
                export(folder, ledger, ledger.checkpoint())
            except PowerCut:
                report = verify_folder(folder, SIGNER.vkey)
                assert report.sound
                assert report.checkpoint is not None
                assert report.checkpoint.size in (250, 530)
        stopped = len(steps) >= call
        left = exported(folder, ledger) - fresh
        assert not {name for name in left if not name.endswith(".new") and ".p/250" not in name}
    assert call > 20
