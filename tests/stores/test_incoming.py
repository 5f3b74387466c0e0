"""Blobs that come in parts: whole or not at all, and nothing left of what was not."""

import os
from pathlib import Path

import pytest

from eventstore.blobs import Blobs
from eventstore.errors import DiskFull
from eventstore.incoming import incoming, put_file
from eventstore.space import Space


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


async def test_what_came_in_parts_is_the_same_blob_as_at_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    digest = await blobs.put(b"one two")

    async with incoming(blobs) as arriving:
        for part in (b"one", b"", b" two"):
            await arriving.write(part)
        kept = await arriving.keep()

    assert (digest, 7, [digest]) == (kept, arriving.size, names(tmp_path))
    assert b"one two" == await blobs.get(digest)


async def test_what_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")

    async with incoming(blobs) as arriving:
        await arriving.write(b"half")
        there = names(tmp_path)

    assert ([True], []) == ([name.startswith(".new-") for name in there], names(tmp_path))


async def test_a_damaged_blob_is_whole_again_when_it_comes_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    digest = await blobs.put(b"whole")
    blobs.path(digest).write_bytes(b"harmed")

    async with incoming(blobs) as arriving:
        await arriving.write(b"whole")
        await arriving.keep()

    assert b"whole" == await blobs.get(digest)


async def test_while_the_disk_is_nearly_full_nothing_comes_in(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs", Space(tmp_path, reserve=1 << 62))

    with pytest.raises(DiskFull, match="until there is room"):
        async with incoming(blobs):
            pass

    assert [] == os.listdir(tmp_path)


async def test_a_file_becomes_a_blob_and_stays(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)

    digest, size = await put_file(blobs, tmp_path / "a")

    assert (3_000_000, blobs.path(digest)) == (size, await blobs.sound(digest))
    assert {digest} == await blobs.touch({digest, "0" * 64})
