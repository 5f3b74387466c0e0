"""Whatever happens to the write-ahead log, the tape opens to whole batches, and a checkpoint tells what is missing."""

import asyncio
import os
import shutil
from pathlib import Path
from random import Random

import pytest

from api.witnessed import witnessed
from eventstore import events as e
from eventstore.book import HALF, KEY, MOST, Book, keep, kept
from eventstore.errors import CannotOpen
from eventstore.memory import MemoryStore
from eventstore.sqlite import SqliteStore, open_sqlite
from eventstore.store import EventStore
from eventstore.witness import Checkpoint, read_all

BATCH = 5
BATCHES = 40
LIMIT = 20.0


async def append(store: EventStore, count: int = 1, *, size: int = BATCH) -> None:
    """So many batches, each written and durable before the next."""
    for _ in range(count):
        version = store.head
        await store.append("a", version, [e.TaskRequeued(attempt=n, reason="x" * 400) for n in range(size)], actor="t")


async def damaged(directory: Path, whole: Path, random: Random) -> str:
    """A copy of the tape whose write-ahead log was cut off, or has one byte that was turned."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(whole, directory)
    log = directory / "tape.db-wal"
    at = random.randrange(32, log.stat().st_size)
    if random.random() < 0.5:
        os.truncate(log, at)
        return f"cut at {at}"
    content = bytearray(log.read_bytes())
    content[at] ^= 1 << random.randrange(8)
    log.write_bytes(content)
    return f"turned at {at}"


async def test_a_damaged_log_opens_to_whole_batches_and_what_is_missing_is_told(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    async with open_sqlite(whole / "tape.db") as store:
        book = Book(whole)
        await append(store, BATCHES)
        await book.note(store)
        shutil.copytree(whole, tmp_path / "killed")  # as a kill leaves it: all of it is still in the log
    random = Random(7)  # noqa: S311  # no secret
    told: list[str] = []

    for _ in range(40):
        how = await damaged(tmp_path / "copy", tmp_path / "killed", random)
        async with open_sqlite(tmp_path / "copy" / "tape.db") as store:
            assert store.failure is None, how
            assert (0, True) == (store.head % BATCH, (await store.verify()).ok), how
            if store.head == BATCH * BATCHES:
                continue
            with pytest.raises(CannotOpen) as refused:
                async with witnessed(store, tmp_path / "copy"):
                    pytest.fail("It was served as good.")
        assert f"the tape ends at {store.head}, but a checkpoint signed at " in str(refused.value)
        told.append(how)

    assert len(told) > 20


async def test_a_tape_that_was_written_anew_after_a_loss_is_told(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "tape.db") as store, witnessed(store, tmp_path):
        await append(store, 2)
    book = Book(tmp_path)
    for name in ("tape.db", "tape.db-wal", "tape.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)

    async with open_sqlite(tmp_path / "tape.db") as store:
        with pytest.raises(CannotOpen, match="is of another tape"):
            async with witnessed(store, tmp_path):
                pytest.fail("It was served as good.")

    assert 10 == (book.last.position if book.last else 0)


async def test_a_tape_that_may_lose_its_end_goes_on_without_it_and_keeps_what_said_otherwise(tmp_path: Path) -> None:
    longer, shorter = MemoryStore(), MemoryStore()
    await append(longer, 3)
    await append(shorter)
    async with witnessed(longer, tmp_path):
        pass

    async with witnessed(shorter, tmp_path, lossy=True):
        await append(shorter)

    assert [15] == [each.position for each in kept_in(tmp_path / "checkpoints.aside-1")]
    assert [10] == [each.position for each in kept_in(tmp_path / "checkpoints")]


async def test_the_head_is_signed_after_so_many_events_after_a_while_and_at_the_end(tmp_path: Path) -> None:
    store = MemoryStore()
    book = Watched(tmp_path)
    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
        keeping = group.create_task(keep(book, store, events=10, seconds=3600.0))
        await append(store, 2)
        assert 10 == await book.noted.get()
        keeping.cancel()
    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
        keeping = group.create_task(keep(book, store, events=1_000, seconds=0.01))
        await append(store)
        assert 15 == await book.noted.get()
        keeping.cancel()

    async with witnessed(store, tmp_path):
        await append(store)
        await append(store)
    async with witnessed(store, tmp_path):
        pass

    assert [10, 15, 25] == [each.position for each in kept(tmp_path).checkpoints]
    assert 0o600 == (tmp_path / KEY).stat().st_mode & 0o777 == (tmp_path / "checkpoints").stat().st_mode & 0o777


async def test_a_line_that_a_crash_has_torn_is_cut_off_and_the_next_one_is_whole(tmp_path: Path) -> None:
    store = MemoryStore()
    await append(store)
    await Book(tmp_path).note(store)
    path = tmp_path / "checkpoints"
    path.write_bytes(path.read_bytes() + path.read_bytes()[:100])
    await append(store)

    await Book(tmp_path).note(store)

    assert ([5, 10], ()) == ([each.position for each in kept_in(path)], kept(tmp_path).unreadable)


async def test_the_file_keeps_the_last_checkpoints_and_no_more(tmp_path: Path) -> None:
    store = MemoryStore()
    await append(store)
    book = Book(tmp_path)
    await book.note(store)
    path = tmp_path / "checkpoints"
    path.write_bytes(path.read_bytes() * MOST)
    await append(store)

    await Book(tmp_path).note(store)

    positions = [each.position for each in kept_in(path)]
    assert ([5] * (HALF - 1), [10]) == (positions[:-1], positions[-1:])


async def test_a_disk_that_takes_no_checkpoint_stops_nothing(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "tape.db") as store, witnessed(store, tmp_path):
        (tmp_path / "checkpoints").mkdir()  # nothing can be appended to it
        await append(store)

    assert isinstance(store, SqliteStore)


def kept_in(path: Path) -> tuple[Checkpoint, ...]:
    return read_all(path.read_bytes()).checkpoints


class Watched(Book):
    """Tells what it has signed."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.noted: asyncio.Queue[int] = asyncio.Queue()

    async def note(self, store: EventStore) -> None:
        await super().note(store)
        self.noted.put_nowait(self.last.position if self.last else 0)
