"""No byte of what was redacted stays in the file of the tape, its log or its index, whatever hinders or is killed."""

import asyncio
import random
import re
import shutil
from pathlib import Path

import aiosqlite
import pytest

from eventstore import events as e
from eventstore.checkpoints import Checkpoints
from eventstore.connections import configure
from eventstore.disk import SqliteDisk
from eventstore.lanes import Lanes, Wish
from eventstore.rows import Database
from eventstore.seal import empty, entry
from eventstore.sqlite import open_sqlite
from eventstore.store import Lane
from eventstore.tail import Tail
from eventstore.tape import prepare
from eventstore.writer import Writer
from tests.filing import raw, verdict

CANARY = re.compile(rb"CANARY-(\d\d)")


def redaction(events: int) -> e.TaskRedacted:
    return e.TaskRedacted(project="p", request_digest="d", events=events)


def canaries(directory: Path) -> set[int]:
    return {int(found) for path in directory.iterdir() for found in CANARY.findall(path.read_bytes())}


@pytest.mark.parametrize("seed", range(3))
async def test_tasks_of_all_sizes_leave_nothing_in_whatever_order_they_are_redacted(tmp_path: Path, seed: int) -> None:
    """Rows that shrink let pages merge: then those of others are moved, and must leave no copies either."""
    chance = random.Random(seed)  # noqa: S311  # a history, and no secret
    versions = dict.fromkeys(range(10), 0)
    async with open_sqlite(tmp_path / "tape.db", durability="normal") as store:
        for _ in range(1_200):
            name = chance.randrange(10)
            size = chance.choice([1, 5, 20, 60, 600])
            fact = e.RunnerLost(runner=f"CANARY-{name:02}" * size, attempt=1)
            await store.append(f"task-{name}", versions[name], [fact], actor="test")
            versions[name] += 1

        order = chance.sample(range(10), 7)
        for count, name in enumerate(order, start=1):
            events = versions[name]
            await store.append(f"task-{name}", events, [redaction(events)], actor="test")
            assert events == await store.redact(f"task-{name}", events)

            assert set(range(10)) - set(order[:count]) == canaries(tmp_path)
        assert (await store.verify()).ok


async def test_a_reader_that_hinders_the_emptying_of_the_log_delays_nobody_and_the_next_start_empties_it(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "tape" / "tape.db", tmp_path / "copy"
    path.parent.mkdir()
    async with open_sqlite(path) as store:
        await store.append("task-1", 0, [e.RunnerLost(runner="CANARY-01", attempt=1)], actor="test")
        with raw(path) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM events").fetchall()

            await store.append("task-1", 1, [redaction(1)], actor="test")
            await store.redact("task-1", 1)
            await store.append("task-2", 0, [e.RunnerLost(runner="r", attempt=1)], actor="test")
            shutil.copytree(path.parent, copy)  # as a kill -9 would leave it
            reader.execute("COMMIT")
        hindered = canaries(copy)

    async with open_sqlite(copy / "tape.db") as store:
        assert ({1}, set()) == (hindered, canaries(copy))
        assert 3 == store.head
    assert (await verdict(copy / "tape.db")).ok
    assert set() == canaries(path.parent)


class Telling(SqliteDisk):
    """Tells of each time that the log was to be emptied."""

    def __init__(self, db: Database, checkpoints: Checkpoints) -> None:
        super().__init__(db, checkpoints, again_seconds=0.0)
        self.tries = asyncio.Semaphore(0)

    async def empty(self) -> None:
        await super().empty()
        self.tries.release()


async def test_a_log_that_could_not_be_emptied_is_emptied_later_though_nobody_writes(tmp_path: Path) -> None:
    prepare(tmp_path / "tape.db", now=1)
    async with aiosqlite.connect(tmp_path / "tape.db", isolation_level=None) as db:
        await configure(db, "full")
        lanes, tail = Lanes(100), Tail(empty(b"l" * 16))
        disk = Telling(db, Checkpoints(db, tail.fail))
        writer = Writer(disk, lanes, tail, lambda: 1)
        facts = [e.RunnerLost(runner="CANARY-01", attempt=1), redaction(1)]
        wish = Wish(entry("task-1", 0, facts, actor="test", command_id=""))
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(writer.run())
            lanes.put(wish, Lane.FACT)
            await wish.answer
            with raw(tmp_path / "tape.db") as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT * FROM events").fetchall()
                await writer.erase("task-1", 1)
                for _ in range(2):  # by the erasure itself, and then again, both in vain
                    await disk.tries.acquire()
                hindered = canaries(tmp_path)
                reader.execute("COMMIT")
            while canaries(tmp_path):
                await disk.tries.acquire()
            writer.stop()

    assert {1} == hindered


async def test_the_log_is_cut_off_by_a_redaction(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "tape.db") as store:
        await store.append("task-1", 0, [e.RunnerLost(runner="r", attempt=1), redaction(1)], actor="test")
        await store.redact("task-1", 1)

        assert b"" == (tmp_path / "tape.db-wal").read_bytes()
