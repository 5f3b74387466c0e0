"""Tapes for the tests of the file: written, opened as anybody can, verified."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from eventstore import events as e
from eventstore.sqlite import open_sqlite
from eventstore.store import Verdict


def steps(first: int, last: int) -> list[e.Event]:
    return [e.StepStarted(fence=1, number=number) for number in range(first, last + 1)]


async def written(path: Path, count: int = 300) -> None:
    """A tape with two streams, half of the events in each, taking turns."""
    async with open_sqlite(path) as store:
        for start in range(0, count, 2):
            version = start // 2
            await store.append("a", version, steps(version, version), actor="test")
            await store.append("b", version, steps(version, version), actor="test")


@contextmanager
def raw(path: Path, *, guarded: bool = True) -> Iterator[sqlite3.Connection]:
    """The file as anybody can open it; without its triggers unless guarded."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        if not guarded:
            for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
        yield db


async def verdict(path: Path) -> Verdict:
    async with open_sqlite(path) as store:
        return await store.verify()
