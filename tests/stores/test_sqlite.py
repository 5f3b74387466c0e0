"""What only a file can suffer: a full queue, a full disk, other processes, being closed, cancelled or killed."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import pytest

from eventstore import events as e
from eventstore.checkpoints import Checkpoints
from eventstore.disk import SqliteDisk
from eventstore.errors import Broken, DiskFull, Overloaded
from eventstore.lanes import CONTROL_LIMIT, Lanes, Wish
from eventstore.seal import empty, entry
from eventstore.sqlite import open_sqlite
from eventstore.store import Lane
from eventstore.tail import NEAR, Tail
from eventstore.tape import prepare
from eventstore.writer import Writer
from tests.filing import raw, steps, verdict

LIMIT = 20.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tape.db"


# --- lanes --------------------------------------------------------------------------------------------------------


async def test_control_goes_before_facts_that_came_first(path: Path) -> None:
    async with open_sqlite(path) as store:
        facts = [store.append(f"task-{each}", 0, steps(1, 1), actor="test") for each in range(600)]
        control = store.append("task-0", 0, [e.StopRequested()], actor="test", lane=Lane.CONTROL)

        *_, stopped = await asyncio.gather(*facts, control, return_exceptions=True)

        assert not isinstance(stopped, BaseException)
        assert 1 == stopped[0].position
        assert 600 == store.head


async def test_new_work_is_refused_when_the_queue_is_full_and_facts_wait(path: Path) -> None:
    async with open_sqlite(path, queue_limit=2) as store:
        answers = await asyncio.gather(
            *(store.append(f"new-{each}", 0, steps(1, 1), actor="test", lane=Lane.INTAKE) for each in range(3)),
            *(store.append(f"task-{each}", 0, steps(1, 1), actor="test") for each in range(3)),
            return_exceptions=True,
        )

    refused = [isinstance(answer, Overloaded) for answer in answers]
    assert [False, False, True, False, False, False] == refused


async def test_control_has_a_bound_of_its_own() -> None:
    lanes = Lanes(1)
    wishes = [Wish(entry(f"task-{n}", 0, steps(1, 1), actor="t", command_id="")) for n in range(CONTROL_LIMIT + 1)]

    for wish in wishes[:-1]:
        lanes.put(wish, Lane.CONTROL)

    with pytest.raises(Overloaded):
        lanes.put(wishes[-1], Lane.CONTROL)


# --- the end in memory ----------------------------------------------------------------------------------------------


async def test_a_streams_newest_events_are_near_until_others_have_pushed_them_away(path: Path) -> None:
    async with open_sqlite(path) as store:
        written = [*await store.append("a", 0, steps(1, 2), actor="test")]
        await store.append("b", 0, steps(1, 1), actor="test")
        written += await store.append("a", 2, steps(3, 3), actor="test")
        near = [store._tail.of_stream("a", after) for after in range(4)]
        await store.append("b", 1, steps(2, NEAR + 1), actor="test")
        away = [store._tail.of_stream("a", after) for after in range(4)]

    assert [written, written[1:], written[2:], None] == near
    assert [None] * 4 == away


# --- a full disk, and others at the same file -----------------------------------------------------------------------


@asynccontextmanager
async def writing(path: Path, *, pages: int) -> AsyncIterator[tuple[Lanes, Tail, aiosqlite.Connection]]:
    """A writer whose file may only have so many pages."""
    prepare(path, now=1)
    async with aiosqlite.connect(path, isolation_level=None) as db:
        await db.execute_fetchall(f"PRAGMA max_page_count = {pages}")
        lanes, tail = Lanes(100), Tail(empty(b"l" * 16))
        writer = Writer(SqliteDisk(db, Checkpoints(db, tail.fail)), lanes, tail, lambda: 1)
        async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
            group.create_task(writer.run())
            yield lanes, tail, db
            writer.stop()


async def test_a_full_disk_takes_nothing_of_a_batch_and_goes_on_when_there_is_room(path: Path) -> None:
    large = [e.TaskRequeued(attempt=1, reason="x" * 200_000)]
    async with writing(path, pages=40) as (lanes, tail, db):

        async def ask(*streams: str) -> list[object]:
            wishes = [Wish(entry(stream, 0, large, actor="t", command_id="")) for stream in streams]
            for wish in wishes:
                lanes.put(wish, Lane.FACT)
            return await asyncio.gather(*(wish.answer for wish in wishes), return_exceptions=True)

        refused = await ask("a", "b")
        rows = await db.execute_fetchall("SELECT count(*) FROM events")
        await db.execute_fetchall("PRAGMA max_page_count = 1000")
        granted = await ask("a", "b")

        assert [DiskFull, DiskFull] == [type(answer) for answer in refused]
        assert [(0,)] == list(rows)
        assert [list, list] == [type(answer) for answer in granted]
        assert 2 == tail.head.position


async def test_a_tape_that_another_process_wrote_to_breaks_the_store(path: Path) -> None:
    async def use() -> None:
        async with open_sqlite(path) as store:
            waiting.append(asyncio.create_task(store.wait(0)))
            async with open_sqlite(path) as other:
                await other.append("a", 0, steps(1, 1), actor="test")
            await store.append("b", 0, steps(1, 1), actor="test")

    waiting: list[asyncio.Task[None]] = []

    with pytest.raises(Broken, match=r"^Another process has written to this tape\.$"):
        await use()

    assert [Broken] == [type(task.exception()) for task in waiting]


async def test_readers_of_the_file_and_a_writer_that_holds_it_are_told_apart(path: Path) -> None:
    async with open_sqlite(path) as store:
        with raw(path) as db:
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM events").fetchall()
            await store.append("a", 0, steps(1, 1), actor="test")

            assert 1 == store.head


# --- opening and closing --------------------------------------------------------------------------------------------


async def test_closing_writes_what_is_queued_and_leaves_one_file(path: Path) -> None:
    async with open_sqlite(path) as store:
        tasks = [asyncio.create_task(store.append(f"task-{n}", 0, steps(1, 1), actor="t")) for n in range(2_000)]
        await asyncio.sleep(0)  # all of them are queued

    assert 2_000 == len(await asyncio.gather(*tasks))
    assert [path.name] == [each.name for each in path.parent.iterdir()]
    assert 2_000 == (await verdict(path)).head


async def test_a_closed_store_says_so(path: Path) -> None:
    async with open_sqlite(path) as store:
        waiting = asyncio.create_task(store.wait(0))
        await asyncio.sleep(0)  # it waits

    for call in (waiting, store.read(), store.read_stream("a"), store.append("a", 0, steps(1, 1), actor="test")):
        with pytest.raises(Broken, match=r"^The store is closed\.$"):
            await call


async def test_what_goes_wrong_in_the_block_comes_out_as_it_is(path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_sqlite(path):
            raise ZeroDivisionError


@pytest.mark.parametrize("turns", range(40))
async def test_opening_can_be_cancelled_at_any_moment(path: Path, turns: int) -> None:
    prepare(path, now=1)
    before = set(threading.enumerate())

    async def use() -> None:
        async with open_sqlite(path) as store:
            await store.wait(0)

    task = asyncio.create_task(use())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=LIMIT)

    assert task.cancelled()
    assert ([], []) == left_behind(path, before)


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_closing_can_be_cancelled_at_any_moment_and_loses_nothing(path: Path, turns: int) -> None:
    async def use() -> None:
        async with open_sqlite(path) as store:
            appends.extend(asyncio.create_task(store.append(f"task-{n}", 0, steps(1, 1), actor="t")) for n in range(10))
            queued.set()
            await asyncio.sleep(0)  # all of them are queued

    appends: list[asyncio.Task[object]] = []
    queued, before = asyncio.Event(), set(threading.enumerate())
    task = asyncio.create_task(use())
    await queued.wait()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=LIMIT)
    await asyncio.wait(appends, timeout=LIMIT)

    assert ([], []) == left_behind(path, before)
    assert [None] * 10 == [append.exception() for append in appends]
    assert 10 == (await verdict(path)).head


def left_behind(path: Path, before: set[threading.Thread]) -> tuple[list[str], list[str]]:
    """New threads that do not end, other than those of `to_thread`, and open files of the tape."""
    threads = [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")]
    threads = [thread for thread in threads if thread not in before]
    for thread in threads:
        thread.join(LIMIT)
    files = [os.readlink(each) for each in Path("/proc/self/fd").iterdir() if each.exists()]
    return [thread.name for thread in threads if thread.is_alive()], [each for each in files if str(path) in each]


# --- being killed ---------------------------------------------------------------------------------------------------

CHILD = """
import asyncio, sys
from pathlib import Path
from eventstore import events as e
from eventstore.sqlite import open_sqlite

async def main():
    async with open_sqlite(Path(sys.argv[1])) as store, asyncio.TaskGroup() as group:
        async def one(stream):
            version = 0
            while True:
                (event,) = await store.append(stream, version, [e.StepStarted(fence=1, number=version)], actor="child")
                version = event.version
                print(event.position, event.hash.hex(), flush=True)
        for number in range(8):
            group.create_task(one(f"task-{sys.argv[2]}-{number}"))

asyncio.run(main())
"""


async def test_whatever_was_acknowledged_is_there_after_a_kill(path: Path) -> None:
    acknowledged: dict[int, str] = {}

    for run in range(3):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, str(path), str(run), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        for _ in range(100 + 37 * run):
            line = await asyncio.wait_for(child.stdout.readline(), LIMIT)
            acknowledged |= dict([parsed(line)])
        child.kill()
        rest = await asyncio.wait_for(child.stdout.read(), LIMIT)
        acknowledged |= dict(parsed(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n"))
        await child.wait()

        async with open_sqlite(path) as store:
            assert (await store.verify()).ok
            there: dict[int, str] = {}
            while page := await store.read(len(there)):
                there |= {each.position: each.hash.hex() for each in page}
        assert acknowledged.items() <= there.items()


def parsed(line: bytes) -> tuple[int, str]:
    position, digest = line.decode().split()
    return int(position), digest
