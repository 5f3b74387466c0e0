"""A flipped byte anywhere in the file: found, refused, or in bytes that mean nothing. It is never served as good."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from eventstore import events as e
from eventstore.errors import Broken, CannotOpen
from eventstore.sqlite import open_sqlite
from eventstore.store import Recorded
from tests.filing import raw, steps

FLIPS = 240
PAGE = 4_096
STREAMS = ("a", "b", "large")


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tape is to lie; one of every kind of page: tables, indexes, inner ones, overflow and free ones."""
    return tmp_path_factory.mktemp("rot") / "tape.db"


async def fill(path: Path) -> None:
    async with open_sqlite(path) as store:
        for version in range(60):
            await store.append("a", version, steps(version, version), actor="test")
            await store.append("b", version, steps(version, version), actor="test")
        for version in range(3):
            large = e.TaskRequeued(attempt=version, reason="x" * 9_000)
            await store.append("large", version, [large], actor="test")
    with raw(path, guarded=False) as db:
        db.execute("UPDATE events SET payload = NULL, salt = NULL WHERE position = 123")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def served(path: Path) -> tuple[list[list[Recorded]], bool] | str:
    """All that can be read, by every way of reading, and whether it verifies; or why not."""
    try:
        async with open_sqlite(path) as store:
            try:
                read = [list(await store.read()), list(await store.read(50, limit=20))]
                read += [list(await store.read_stream(stream)) for stream in STREAMS]
                read += [list(await store.read(types=("task.step_started",)))]
                verdict = await store.verify()
            except Broken as broken:
                return f"{broken} verified, all the same" if (await store.verify()).ok else str(broken)
            return read, verdict.ok
    except (CannotOpen, Broken) as refused:
        return str(refused)


async def test_no_flipped_byte_is_served_as_good(tape: Path) -> None:
    await fill(tape)
    good = await served(tape)
    data = content(tape)
    chance = random.Random(11)  # noqa: S311  # the same bytes every time
    places = [*range(100), *(chance.randrange(len(data)) for _ in range(FLIPS))]
    places += [start + chance.randrange(12) for start in range(0, len(data), PAGE)]

    bad: Sequence[tuple[int, object]] = [
        (place, found)
        for place in places
        if not harmless(found := await served(flipped(tape, data, place, chance.randrange(1, 256))), good)
    ]

    assert [] == bad


def harmless(found: tuple[list[list[Recorded]], bool] | str, good: object) -> bool:
    """Refused; or as it was; or read by an index that has lost something, which `verify` has found."""
    if isinstance(found, str):
        return found.endswith(".")
    assert isinstance(good, tuple)
    return found == good or (not found[1] and found[0][:5] == good[0][:5])


def content(path: Path) -> bytes:
    """The whole file."""
    return path.read_bytes()


def flipped(path: Path, data: bytes, place: int, mask: int) -> Path:
    """A copy with this byte altered."""
    copy = path.with_name("flipped.db")
    for each in path.parent.glob("flipped.db*"):
        each.unlink()
    shutil.copy(path, copy)
    with copy.open("r+b") as file:
        file.seek(place)
        file.write(bytes([data[place] ^ mask]))
    return copy
