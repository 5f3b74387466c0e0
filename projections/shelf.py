"""The views file: only a cache of the log, thrown away whenever it cannot be trusted. The one place with its driver.

`views-<definition>.db` holds the rows of every view and the checkpoint up to which they are true, written together.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import aiosqlite
import msgspec

from eventstore.errors import DiskFull
from eventstore.store import Recorded

Value = str | bytes | int | None
Values = tuple[Value, ...]

_APPLICATION = 0x54575631
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OPENING = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -16384;
PRAGMA trusted_schema = OFF;
PRAGMA application_id = {_APPLICATION};
CREATE TABLE IF NOT EXISTS checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER, hash BLOB) STRICT;
"""
_CHECKPOINT = "INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where the views are true, and the log's hash there."""

    position: int = 0
    hash: bytes = b""


class View(Protocol):
    """A fold of the log in memory, with the rows that its file lacks."""

    def apply(self, recorded: Recorded) -> None:
        """One more event, in order."""
        ...

    def pending(self) -> tuple[str, list[Values]]:
        """A statement and its rows for all that has changed since the last write that succeeded."""
        ...

    def written(self) -> None:
        """What `pending` gave last is in the file now."""
        ...


class Shelf:
    """The open views file."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database
        self._writing = asyncio.Lock()

    async def rows(self, sql: str, values: Iterable[Value] = ()) -> list[sqlite3.Row]:
        """The answer, whole."""
        return list(await self._database.execute_fetchall(sql, values))

    async def checkpoint(self) -> Checkpoint:
        """Where the file stands."""
        rows = await self.rows("SELECT position, hash FROM checkpoint")
        return Checkpoint(position=rows[0][0], hash=rows[0][1]) if rows else Checkpoint()

    async def write(self, writes: Sequence[tuple[str, list[Values]]], checkpoint: Checkpoint) -> None:
        """All of it or nothing. Raises DiskFull. Cancelling it may leave it done or undone, never half done."""
        async with self._writing:
            try:
                await self._database.execute("BEGIN IMMEDIATE")
                for sql, rows in writes:
                    await self._database.executemany(sql, rows)
                await self._database.execute(_CHECKPOINT, (checkpoint.position, checkpoint.hash))
                await self._database.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.OperationalError):  # SQLite may have rolled back by itself.
                    await self._database.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error) and _code(error) == sqlite3.SQLITE_FULL:
                    raise DiskFull("The disk is full; the views could not be written.") from error
                raise


@asynccontextmanager
async def open_shelf(
    file: Path | None, schema: str, genuine: Callable[[Checkpoint], Awaitable[bool]]
) -> AsyncIterator[Shelf]:
    """Open the file, or a new one where it is damaged, foreign, or not `genuine`. None: a database in memory."""
    async with AsyncExitStack() as stack:
        shelf = await _trusted(stack, file, schema, genuine) if file else None
        if shelf is None:
            if file:
                remove(file)
            shelf = await _open(stack, file, schema)
        yield shelf


def remove(file: Path) -> None:
    """Delete a views file with all that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


async def _trusted(
    stack: AsyncExitStack, file: Path, schema: str, genuine: Callable[[Checkpoint], Awaitable[bool]]
) -> Shelf | None:
    async with AsyncExitStack() as attempt:
        try:
            shelf = await _open(attempt, file, schema)
            if await _sound(shelf) and await genuine(await shelf.checkpoint()):
                stack.push_async_exit(attempt.pop_all())
                return shelf
        except sqlite3.DatabaseError as error:
            if _code(error) not in _DAMAGED:
                raise
    return None


async def _open(stack: AsyncExitStack, file: Path | None, schema: str) -> Shelf:
    database = await stack.enter_async_context(aiosqlite.connect(file or ":memory:", isolation_level=None))
    rows = await database.execute_fetchall(
        "SELECT (SELECT count(*) FROM sqlite_schema), application_id FROM pragma_application_id"
    )
    tables, application = next(iter(rows))
    if tables == 0 or application == _APPLICATION:
        await database.executescript(_OPENING + schema)
    return Shelf(database)


async def _sound(shelf: Shelf) -> bool:
    application = await shelf.rows("PRAGMA application_id")
    check = await shelf.rows("PRAGMA quick_check(1)")
    return (application[0][0], check[0][0]) == (_APPLICATION, "ok")


def _code(error: sqlite3.Error) -> int:
    """The primary code of SQLite's extended one; the driver's own errors have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
