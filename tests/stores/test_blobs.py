"""Blobs: what is put is there, whole, under its hash; what changed on the disk is never handed out."""

import asyncio
import os
from hashlib import sha256
from pathlib import Path

import pytest

from eventstore.blobs import Blobs, DamagedBlob
from eventstore.errors import Invalid
from eventstore.files import sweep

PICTURE = b"\x89PNG" + bytes(range(256)) * 40
NAME = sha256(PICTURE).hexdigest()


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_a_blob_comes_back_by_its_hash(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")

    digest = await blobs.put(PICTURE)

    assert NAME == digest
    assert PICTURE == await blobs.get(digest)
    assert tmp_path / "blobs" / NAME[:2] / NAME[2:4] / NAME == blobs.path(digest)


async def test_the_same_bytes_are_kept_once_even_when_put_at_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)

    digests = await asyncio.gather(*(blobs.put(PICTURE) for _ in range(8)))

    assert [NAME] * 8 == digests
    assert [blobs.path(NAME)] == files(tmp_path)


async def test_a_blob_that_is_put_again_while_the_old_one_is_deleted_is_there(tmp_path: Path) -> None:
    blobs, there = Blobs(tmp_path), []
    for _ in range(150):
        await blobs.put(PICTURE)
        os.utime(blobs.path(NAME), (1, 1))

        await asyncio.gather(blobs.put(PICTURE), blobs.delete([NAME], before=2_000_000))
        there.append(blobs.path(NAME).exists())

    assert [True] * 150 == there


async def test_a_blob_is_for_its_owner_only(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)

    path = blobs.path(await blobs.put(PICTURE))

    assert 0o600 == path.stat().st_mode & 0o777


@pytest.mark.parametrize("name", ["", "../../etc/passwd", NAME.upper(), NAME + "\n", NAME[:-1], "0" * 64])
async def test_a_name_that_is_not_there_is_nothing(tmp_path: Path, name: str) -> None:
    blobs = Blobs(tmp_path)
    await blobs.put(PICTURE)

    assert await blobs.get(name) is None


def test_a_name_that_is_no_hash_has_no_path(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        Blobs(tmp_path).path("../../etc/passwd")


async def test_a_damaged_blob_is_an_error_until_it_is_put_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.path(await blobs.put(PICTURE)).write_bytes(PICTURE[:-1])

    with pytest.raises(DamagedBlob, match=NAME):
        await blobs.get(NAME)
    await blobs.put(PICTURE)

    assert PICTURE == await blobs.get(NAME)


async def test_what_a_killed_process_left_half_made_is_swept_and_nothing_else(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    digest = await blobs.put(b"a picture")
    (tmp_path / "blobs" / ".new-1234").write_bytes(b"half a pic")
    (tmp_path / "blobs" / ".new-dir").mkdir()
    (tmp_path / "blobs" / ".new-dir" / "tape").write_bytes(b"half a tape")

    sweep(tmp_path / "blobs")
    sweep(tmp_path / "not there yet")

    assert b"a picture" == await blobs.get(digest)
    assert [digest[:2]] == [each.name for each in (tmp_path / "blobs").iterdir()]
