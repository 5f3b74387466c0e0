"""The views file: only a cache of the log, thrown away whenever it cannot be trusted. The one place with its driver.

`views-<definition>.db` holds the rows of every view and the checkpoint up to which they are true, written together.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeVar
from zlib import crc32

import aiosqlite
import msgspec

from eventstore.errors import DiskFull
from eventstore.store import Recorded

Value = str | bytes | int | None
Values = tuple[Value, ...]
T = TypeVar("T")

_APPLICATION = 0x54575631
_RESIDUE = 1  # as `user_version`, so that it is written with the rows it is about
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OPENING = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -16384;
PRAGMA trusted_schema = OFF;
PRAGMA application_id = {_APPLICATION};
PRAGMA wal_checkpoint(TRUNCATE);
CREATE TABLE IF NOT EXISTS checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER, hash BLOB) STRICT;
"""
_SEAL = 4
_CHECKPOINT = "INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)"


class Altered(sqlite3.DatabaseError):
    """A row of the views file is not what was written."""


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
    """The open views file. `damage` is why it cannot be trusted any more: then it is deleted when it is closed."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database
        self._writing = asyncio.Lock()
        self.damage: sqlite3.DatabaseError | None = None

    async def rows(self, sql: str, values: Iterable[Value] = ()) -> list[sqlite3.Row]:
        """The answer, whole."""
        with self._noting_damage():
            return list(await self._database.execute_fetchall(sql, values))

    def unsealed(self, blob: object) -> bytes:
        """What was given to `sealed`. Raises Altered, and then the file is damaged."""
        if not isinstance(blob, bytes) or blob[:_SEAL] != crc32(blob[_SEAL:]).to_bytes(_SEAL, "big"):
            self.damage = Altered("a row of the views file is not what was written")
            raise self.damage
        return blob[_SEAL:]

    async def checkpoint(self) -> Checkpoint:
        """Where the file stands."""
        rows = await self.rows("SELECT position, hash FROM checkpoint")
        return Checkpoint(position=rows[0][0], hash=rows[0][1]) if rows else Checkpoint()

    async def write(
        self, writes: Sequence[tuple[str, list[Values]]], checkpoint: Checkpoint, *, residue: bool = False
    ) -> None:
        """All of it or nothing. Raises DiskFull. Cancelling it may leave it done or undone, never half done.

        `residue` says that what this overwrites must not stay in the file: see `purge`.
        """
        async with self._writing:
            with self._noting_damage():
                try:
                    await self._database.execute("BEGIN IMMEDIATE")
                    for sql, rows in writes:
                        await self._database.executemany(sql, rows)
                    await self._database.execute(_CHECKPOINT, (checkpoint.position, checkpoint.hash))
                    if residue:
                        await self._database.execute(f"PRAGMA user_version = {_RESIDUE}")
                    await self._database.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.OperationalError):  # SQLite may have rolled back by itself.
                        await self._database.execute("ROLLBACK")
                    raise

    async def purge(self) -> None:
        """Write the file anew where it still has bytes of what was overwritten. Raises DiskFull.

        SQLite's `secure_delete` is not enough here: rows that grow are moved, and leave copies in pages that live on.
        """
        async with self._writing:
            if await self.rows("PRAGMA user_version") == [(_RESIDUE,)]:
                await self.rows("VACUUM")
                await self.rows("PRAGMA user_version = 0")
                await self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _noting_damage(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if _code(error) == sqlite3.SQLITE_FULL:
                raise DiskFull("The disk is full; the views could not be written.") from error
            if _code(error) in _DAMAGED:
                self.damage = error
            raise


def sealed(text: bytes) -> bytes:
    """A row as it lies in the file, with a check sum before it: SQLite has none."""
    return crc32(text).to_bytes(_SEAL, "big") + text


@asynccontextmanager
async def open_shelf(file: Path | None, schema: str, trust: Callable[[Shelf], Awaitable[T | None]]) -> AsyncIterator[T]:
    """Open the file, or a new one where it is damaged or foreign, and give what `trust` makes of it.

    `trust` reads what it needs, and answers None when the file is not of this log. None as file: a database in memory.
    """
    if file is not None:
        async with _tried(file, schema, trust) as trusted:
            if trusted is not None:
                yield trusted
                return
        remove(file)
    async with _opened(file, schema) as shelf:
        trusted = await trust(shelf)
        if trusted is None:
            raise RuntimeError("An empty views file is of every log.")
        yield trusted


@asynccontextmanager
async def _tried(file: Path, schema: str, trust: Callable[[Shelf], Awaitable[T | None]]) -> AsyncIterator[T | None]:
    async with AsyncExitStack() as stack:
        try:
            shelf = await stack.enter_async_context(_opened(file, schema))
            trusted = await trust(shelf) if await shelf.rows("PRAGMA application_id") == [(_APPLICATION,)] else None
        except (sqlite3.DatabaseError, msgspec.DecodeError, ValueError) as error:
            sqlite = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, Altered)
            if sqlite and getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                raise
            trusted = None
        yield trusted


def remove(file: Path) -> None:
    """Delete a views file with all that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


@asynccontextmanager
async def _opened(file: Path | None, schema: str) -> AsyncIterator[Shelf]:
    async with AsyncExitStack() as stack:
        if file is not None:
            _owned(file)
        database = aiosqlite.connect(file or ":memory:", isolation_level=None)
        shelf = Shelf(database)
        stack.callback(lambda: remove(file) if file and shelf.damage else None)
        await stack.enter_async_context(database)
        ((tables,),) = await shelf.rows("SELECT count(*) FROM sqlite_schema")
        ((application,),) = await shelf.rows("PRAGMA application_id")
        if tables == 0 or application == _APPLICATION:
            await database.executescript(_OPENING + schema)
        yield shelf


def _owned(file: Path) -> None:
    """There, and for the owner alone; what SQLite puts beside it gets the same mode."""
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    file.chmod(0o600)


def _code(error: sqlite3.Error) -> int:
    """The primary code of SQLite's extended one; the driver's own errors have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
