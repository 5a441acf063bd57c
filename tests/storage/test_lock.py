import os
from pathlib import Path

import pytest

from storage.errors import StoreInUse
from storage.lock import NAME, FolderLock, holder


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


def test_the_kernel_says_who_holds_a_folder(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    lock = FolderLock.take(tmp_path)
    assert holder(tmp_path) == os.getpid()
    (tmp_path / NAME).write_text("1\n")
    assert holder(tmp_path) is None  # what the file says of another process is not believed
    lock.release()
    (tmp_path / NAME).write_text(f"{os.getpid()}\n")
    assert holder(tmp_path) is None
