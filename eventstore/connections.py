"""Connections to the file of a tape: opened and closed completely, whenever the caller is cancelled."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TypeVar

import aiosqlite

from eventstore.errors import CannotOpen
from eventstore.tape import uri

BUSY_SECONDS = 5.0

Durability = Literal["full", "normal"]
Mode = Literal["ro", "rw", "ro&immutable=1"]
"""As it stands in the file's URI; immutable: nobody writes, so there is nothing to lock and no file to make for it."""

T = TypeVar("T")


@asynccontextmanager
async def connection(path: Path, mode: Mode) -> AsyncIterator[aiosqlite.Connection]:
    """Opened and closed completely, whenever the caller is cancelled: no thread and no file stays behind."""
    opening = aiosqlite.connect(uri(path, mode), uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    db = await _opened(opening)
    try:
        await db.execute_fetchall("PRAGMA trusted_schema = OFF")
        await db.execute_fetchall("PRAGMA cell_size_check = ON")
        if mode != "rw":
            await db.execute_fetchall("PRAGMA query_only = ON")
        yield db
    finally:
        await to_its_end(db.close())


async def _opened(opening: aiosqlite.Connection) -> aiosqlite.Connection:
    async def opened() -> aiosqlite.Connection:
        return await opening

    try:
        return await to_its_end(opened())
    except asyncio.CancelledError:
        await to_its_end(opening.close())
        raise


async def configure(db: aiosqlite.Connection, durability: Durability) -> None:
    ((mode,),) = await db.execute_fetchall("PRAGMA journal_mode = WAL")
    if mode != "wal":
        raise CannotOpen("The file system of the tape cannot share memory, which the write-ahead log needs.")
    await db.execute_fetchall(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
    await db.execute_fetchall("PRAGMA foreign_keys = ON")
    # What is redacted is overwritten with zeros, and no copy of it goes into a temporary file meanwhile.
    await db.execute_fetchall("PRAGMA secure_delete = ON")
    await db.execute_fetchall("PRAGMA temp_store = MEMORY")
    await db.execute_fetchall("PRAGMA wal_autocheckpoint = 0")
    await db.execute_fetchall("PRAGMA journal_size_limit = 67108864")
    await db.execute_fetchall("PRAGMA cache_size = -65536")


async def to_its_end(work: Coroutine[object, object, T]) -> T:
    """Finish the work even when the caller is cancelled meanwhile; the cancellation is raised after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
