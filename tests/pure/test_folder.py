"""A project's uploads: what is kept under which name, how many, and what saying a thing twice does."""

import pytest

from eventstore import events as e
from eventstore import folder
from eventstore.errors import NoRoom
from eventstore.folder import MAX_FILES, Folder, fold


def uploaded(name: str, number: int = 1) -> e.FileUploaded:
    file = e.File(id=f"{name}-{number}", name=name, blob=f"{number:064x}", size=number)
    return e.FileUploaded(project="p", file=file)


def test_the_same_name_again_is_a_newer_file() -> None:
    first, newer = uploaded("a.csv"), uploaded("a.csv", 2)

    kept = fold([first, newer])

    assert [newer] == folder.upload(fold([first]), uploaded=newer)
    assert Folder(version=2, files={"a.csv": newer.file}) == kept


def test_the_same_file_again_changes_nothing() -> None:
    assert [] == folder.upload(fold([uploaded("a.csv")]), uploaded=uploaded("a.csv"))


def test_there_is_room_for_so_many_files_and_always_for_a_newer_one() -> None:
    full = Folder(files={f"{number}": uploaded(f"{number}").file for number in range(MAX_FILES)})

    with pytest.raises(NoRoom):
        folder.upload(full, uploaded=uploaded("one more"))
    assert [uploaded("7", 2)] == folder.upload(full, uploaded=uploaded("7", 2))


def test_files_are_removed_by_id_once() -> None:
    kept = fold([uploaded("a.csv"), uploaded("a.csv", 2), uploaded("b.csv")])

    (removed,) = folder.remove(kept, files=["a.csv-1", "a.csv-2", "no"], reason="old")

    assert e.FilesRemoved(files=("a.csv-2",), reason="old") == removed
    assert ["b.csv"] == list(fold([removed], kept).files)
    assert [] == folder.remove(fold([removed], kept), files=["a.csv-2"])
