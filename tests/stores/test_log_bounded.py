"""The write-ahead log begins anew again and again, however busy the tape is."""

import asyncio
import threading
from pathlib import Path

from eventstore import events as e
from eventstore.sqlite import open_sqlite
from tests.filing import raw

LARGE = [e.RunnerLost(runner="r" * 100_000, attempt=1)]
SMALL = [e.RunnerLost(runner="r", attempt=1)]
MEBI = 1 << 20


def read_on_and_on(path: Path, done: threading.Event) -> None:
    with raw(path) as reader:
        while not done.is_set():
            reader.execute("SELECT * FROM events LIMIT 1000").fetchall()


async def test_the_log_does_not_grow_without_end_though_somebody_always_reads(tmp_path: Path) -> None:
    path, done, sizes = tmp_path / "tape.db", threading.Event(), []
    async with open_sqlite(path, durability="normal", checkpoint_frames=256) as store:
        for version in range(0, 1_000, 500):
            await store.append("read", version, SMALL * 500, actor="test")
        async with asyncio.TaskGroup() as readers:
            for _ in range(2):
                readers.create_task(asyncio.to_thread(read_on_and_on, path, done))
            for version in range(240):
                await store.append("written", version, LARGE, actor="test")
                sizes.append(path.with_name("tape.db-wal").stat().st_size)
            done.set()

    assert 20 * MEBI < path.stat().st_size
    assert max(sizes) < 18 * MEBI  # without a bound it grows with the file
