import os
from pathlib import Path

import pytest

from storage.errors import StoreInUse
from storage.lock import NAME, FolderLock


def test_a_folder_is_locked_until_it_is_released(tmp_path: Path) -> None:
    lock = FolderLock.take(tmp_path)
    assert (tmp_path / NAME).read_text() == f"{os.getpid()}\n"
    with pytest.raises(StoreInUse, match=str(os.getpid())):
        FolderLock.take(tmp_path)
    lock.release()
    lock.release()
    FolderLock.take(tmp_path).release()


def test_a_holder_that_has_not_written_its_number_yet_is_unknown(tmp_path: Path) -> None:
    lock = FolderLock.take(tmp_path)
    (tmp_path / NAME).write_text("")
    with pytest.raises(StoreInUse, match="unknown"):
        FolderLock.take(tmp_path)
    lock.release()


def test_the_number_of_an_earlier_process_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("99999999999\n")
    lock = FolderLock.take(tmp_path)
    assert (tmp_path / NAME).read_text() == f"{os.getpid()}\n"
    lock.release()
