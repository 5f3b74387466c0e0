"""What a task was given lies in a folder of its own while it is at work; what is not there any more ends it by name."""

import os
from pathlib import Path

import pytest

from eventstore import events as e
from eventstore.blobs import Blobs
from runner.belongings import given, sweep
from runner.vocabulary import ActFailed


async def uploaded(blobs: Blobs, name: str, data: bytes) -> e.File:
    return e.File(id=name, name=name, blob=await blobs.put(data), size=len(data))


async def test_the_files_lie_there_for_as_long_as_the_task_is_at_work(tmp_path: Path) -> None:
    blobs, root = Blobs(tmp_path / "blobs"), tmp_path / "files"
    sweep(root)
    files = [await uploaded(blobs, "a.csv", b"A"), await uploaded(blobs, "b c.pdf", b"B")]

    async with given(root, files, blobs) as folder:
        assert folder is not None
        held = {name: (folder / name).read_bytes() for name in os.listdir(folder)}
        mode = os.stat(folder).st_mode & 0o777

    assert ({"a.csv": b"A", "b c.pdf": b"B"}, 0o700, []) == (held, mode, os.listdir(root))


@pytest.mark.parametrize("harm", ["missing", "damaged", "name"])
async def test_a_file_that_cannot_be_given_ends_the_task_by_name(tmp_path: Path, harm: str) -> None:
    blobs, root = Blobs(tmp_path / "blobs"), tmp_path / "files"
    sweep(root)
    file = await uploaded(blobs, "../a.csv" if harm == "name" else "a.csv", b"A")
    if harm == "missing":
        blobs.path(file.blob).unlink()
    elif harm == "damaged":
        blobs.path(file.blob).write_bytes(b"X")

    with pytest.raises(ActFailed, match=r"a\.csv") as failed:
        async with given(root, [file], blobs):
            pass

    assert ("file_lost", []) == (failed.value.code, os.listdir(root))


async def test_what_a_killed_service_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "files" / "left").mkdir(parents=True)

    sweep(tmp_path / "files")

    assert [] == os.listdir(tmp_path / "files")
