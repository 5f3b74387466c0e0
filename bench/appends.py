"""How fast events become durable, against a library that does one transaction per append and against bare SQLite.

python bench/appends.py [rounds]      nine by default; about a minute and a half

All figures are of one run, on the disk that the repository lies on; the rounds of all contestants take turns.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import uvloop
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore
from noise import spread, table

from eventstore import codec
from eventstore import events as e
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore

ROUNDS = 9
AT_ONCE = 64
SECONDS = 1.0
ALONE = 300

TAKEN = {
    "url": "https://shop.example/products/list?page=5",
    "title": "Products - Example shop",
    "evaluation": "The list of products is shown; the cheapest is not on this page.",
    "memory": "Looked at pages 1 to 4 of the list.",
    "next_goal": "Go to the next page and look for the cheapest red bicycle.",
    "screenshot": "ab" * 32,
}
USAGE = {"model": "gpt-4.1-mini", "input_tokens": 4_123, "output_tokens": 231, "cost_usd": "0.00123"}
EVENT = e.StepTaken(fence=3, number=5, **TAKEN, usage=e.Usage(**USAGE), duration_ms=1_412)  # type: ignore[arg-type]  # as its fields are
PAYLOAD = codec.encode(EVENT)


# --- ours ---------------------------------------------------------------------------------------------------------


def ours(use: Callable[[EventStore], Awaitable[float]]) -> Callable[[Path], float]:
    """The store as the service opens it, on the loop that the service uses."""

    async def opened(folder: Path) -> float:
        async with open_sqlite(folder / "tape.db") as store:
            return await use(store)

    return lambda folder: uvloop.run(opened(folder))


async def many(store: EventStore) -> float:
    """Appends a second, AT_ONCE of them waiting at any time, each on a stream of its own."""

    async def one(stream: str) -> None:
        for version in count():
            if time.perf_counter() > end:
                return
            await store.append(stream, version, (EVENT,), actor="runner:1")

    begun = time.perf_counter()
    end = begun + SECONDS
    await asyncio.gather(*(one(f"task-{number:036d}") for number in range(AT_ONCE)))
    return store.head / (time.perf_counter() - begun)


async def alone(store: EventStore) -> float:
    """The median seconds of an append when nobody else appends."""
    times = []
    for version in range(ALONE):
        begun = time.perf_counter()
        await store.append("task-1", version, (EVENT,), actor="runner:1")
        times.append(time.perf_counter() - begun)
    return median(times)


# --- the library --------------------------------------------------------------------------------------------------


class Task(Aggregate):
    """As the documentation of `eventsourcing` has it."""

    @event("StepTaken")
    def take(self, fence: int, number: int, taken: dict[str, str], usage: dict[str, object], duration_ms: int) -> None:
        pass


def application(folder: Path) -> float:
    """Its Application with AT_ONCE threads: each event is made, encoded and saved, as ours is."""
    tasks = Application[UUID](
        env={
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(folder / "application.db"),
            "SQLITE_POOL_SIZE": str(AT_ONCE),
            "SQLITE_POOL_TIMEOUT": "60",
            "SQLITE_LOCK_TIMEOUT": "60",
        }
    )

    def one(end: float) -> int:
        task = Task()
        tasks.save(task)
        for saved in count():
            if time.perf_counter() > end:
                return saved
            task.take(3, 5, TAKEN, USAGE, 1_412)
            tasks.save(task)
        raise AssertionError

    with closing(tasks):
        return in_threads(AT_ONCE, one)


def recorder(threads: int) -> Callable[[Path], float]:
    """Its storage layer alone, with bytes that were encoded before."""

    def run(folder: Path) -> float:
        store = SQLiteDatastore(str(folder / "recorder.db"), pool_size=threads, pool_timeout=60, lock_timeout=60)
        recorder = SQLiteApplicationRecorder(store)
        recorder.create_table()

        def one(end: float) -> int:
            stream = uuid4()
            for version in count(1):
                if time.perf_counter() > end:
                    return version - 1
                stored = StoredEvent(
                    originator_id=stream, originator_version=version, topic="task.step_taken", state=PAYLOAD
                )
                recorder.insert_events([stored])
            raise AssertionError

        with closing(store):
            return in_threads(threads, one)

    return run


def in_threads(threads: int, work: Callable[[float], int]) -> float:
    """Appends a second, of all threads together."""
    with ThreadPoolExecutor(threads) as pool:
        begun = time.perf_counter()
        done = sum(pool.map(work, [begun + SECONDS] * threads))
        return done / (time.perf_counter() - begun)


# --- bare SQLite --------------------------------------------------------------------------------------------------


def bare(batch: int) -> Callable[[Path], tuple[float, float]]:
    """A loop over sqlite3 that only inserts: events a second, and the median seconds of a commit."""

    def run(folder: Path) -> tuple[float, float]:
        payload = PAYLOAD.decode()
        with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(
                "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL,"
                " type TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, command_id TEXT NOT NULL, payload TEXT,"
                " salt BLOB, commitment BLOB NOT NULL, hash BLOB NOT NULL, UNIQUE (stream, version)) STRICT"
            )
            db.execute("CREATE INDEX events_by_type ON events (type, position)")
            begun = time.perf_counter()
            position, times = 0, []
            while time.perf_counter() < begun + SECONDS:
                started = time.perf_counter()
                at = time.time_ns() // 1_000
                rows = [
                    (
                        position + number,
                        f"task-{number:036d}",
                        position // batch + 1,
                        "task.step_taken",
                        at + number,
                        "runner:1",
                        "",
                        payload,
                        os.urandom(16),
                        os.urandom(32),
                        os.urandom(32),
                    )
                    for number in range(1, batch + 1)
                ]
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
                db.execute("COMMIT")
                position += batch
                times.append(time.perf_counter() - started)
            return position / (time.perf_counter() - begun), median(times)

    return run


# --- the run ------------------------------------------------------------------------------------------------------


def in_folder(run: Callable[[Path], float]) -> float:
    """Each run in a new folder on the repository's disk."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix=".bench-") as folder:
        return run(Path(folder))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    trial = {threads: in_folder(recorder(threads)) for threads in (1, 4, 16, 64)}
    best = max(trial, key=lambda threads: trial[threads])
    contestants: dict[str, Callable[[Path], float]] = {
        "ours": ours(many),
        "application": application,
        "recorder": recorder(best),
        "bare": lambda folder: bare(AT_ONCE)(folder)[0],
        "ours alone": ours(alone),
        "bare alone": lambda folder: bare(1)(folder)[1],
    }
    runs: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            runs[name].append(in_folder(run))

    def ratios(name: str) -> list[float]:
        return [mine / its for mine, its in zip(runs["ours"], runs[name], strict=True)]

    library, storage, loop = ratios("application"), ratios("recorder"), ratios("bare")
    more = [mine - its for mine, its in zip(runs["ours alone"], runs["bare alone"], strict=True)]
    print(f"{len(PAYLOAD)} bytes an event, synchronous=FULL, medians of {rounds} rounds\n")
    table(
        [
            ("figure", "to reach", "measured", "noise", ""),
            row(f"appends a second, {AT_ONCE} at once", "", runs["ours"], "{:,.0f}", reached=True),
            row(f"  eventsourcing, {AT_ONCE} threads", "", runs["application"], "{:,.0f}", reached=True),
            row(f"  its recorder alone, {best} thread(s)", "", runs["recorder"], "{:,.0f}", reached=True),
            row(f"  bare sqlite3, batches of {AT_ONCE}", "", runs["bare"], "{:,.0f}", reached=True),
            row("ours / eventsourcing", ">= 15", library, "{:.1f}", reached=median(library) >= 15),
            row("ours / its recorder alone", "", storage, "{:.1f}", reached=True),
            row("ours / bare sqlite3", ">= 0.4", loop, "{:.2f}", reached=median(loop) >= 0.4),
            row("one append alone, p50", "", runs["ours alone"], "{:.3f} ms", reached=True, scale=1_000),
            row("  bare commit of one row, p50", "", runs["bare alone"], "{:.3f} ms", reached=True, scale=1_000),
            row("ours - bare commit", "<= 1 ms", more, "{:.3f} ms", reached=median(more) <= 0.001, scale=1_000),
        ]
    )


def row(
    name: str, target: str, values: list[float], form: str, *, reached: bool, scale: float = 1
) -> tuple[str, str, str, str, str]:
    return name, target, form.format(median(values) * scale), spread(values), "" if reached else "MISSED"


if __name__ == "__main__":
    main()
