"""The store in one SQLite file: one connection that only the writer uses, and others that can only read."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal, TypeVar

import aiosqlite
import msgspec

from eventstore.audit import Audit
from eventstore.clock import microseconds
from eventstore.disk import SqliteDisk
from eventstore.errors import Broken, CannotOpen
from eventstore.events import Event
from eventstore.lanes import Lanes, Wish
from eventstore.rows import PAGE_AFTER, STREAM_AFTER, Database, page_of_types, recorded, translated
from eventstore.scan import scan
from eventstore.seal import Head, empty, entry
from eventstore.store import PAGE, Lane, Recorded, Verdict
from eventstore.tail import Tail
from eventstore.tape import prepare, uri
from eventstore.writer import Poison, Writer

DRAIN_SECONDS = 10.0
BUSY_SECONDS = 5.0

Durability = Literal["full", "normal"]
T = TypeVar("T")


@asynccontextmanager
async def open_sqlite(
    path: Path,
    *,
    durability: Durability = "full",
    queue_limit: int = 8_192,
    clock: Callable[[], int] = microseconds,
) -> AsyncIterator["SqliteStore"]:
    """Open the tape, or make one where there is no file, and write until the block is left.

    `normal` durability survives the end of the process, but may lose what was acknowledged last when the power fails.
    Raises CannotOpen. When the store breaks, the block is cancelled and Broken raised in its place.
    """
    await _to_its_end(asyncio.to_thread(prepare, path, now=clock()))
    async with AsyncExitStack() as stack:
        try:
            writing = await stack.enter_async_context(_connection(path, "rw"))
            await _configure(writing, durability)
            pages = await stack.enter_async_context(_connection(path, "ro"))
            streams = await stack.enter_async_context(_connection(path, "ro"))
            log_id, head = await _head(writing)
        except sqlite3.Error as error:
            raise CannotOpen(f"The tape {path} cannot be opened: {error}.") from error
        tail, lanes = Tail(head), Lanes(queue_limit)
        writer = Writer(SqliteDisk(writing), lanes, tail, clock)
        async with _running(writer, tail):
            yield SqliteStore(path, log_id, tail, lanes, writer, pages, streams)


class SqliteStore:
    """An EventStore that outlives the process. Made by `open_sqlite`."""

    def __init__(
        self, path: Path, log_id: bytes, tail: Tail, lanes: Lanes, writer: Writer, pages: Database, streams: Database
    ) -> None:
        """Two readers, so that one who reads the whole tape never delays a decision, which needs one stream."""
        self._path = path
        self._log_id = log_id
        self._tail = tail
        self._lanes = lanes
        self._writer = writer
        self._pages = pages
        self._streams = streams

    @property
    def head(self) -> int:
        """The position of the last event, 0 for an empty tape."""
        return self._tail.head.position

    async def append(
        self,
        stream: str,
        expected: int,
        events: Sequence[Event],
        *,
        actor: str,
        command_id: str = "",
        lane: Lane = Lane.FACT,
    ) -> Sequence[Recorded]:
        """See EventStore."""
        if not events:
            return ()
        wish = Wish(entry(stream, expected, events, actor=actor, command_id=command_id))
        self._lanes.put(wish, lane)
        return await wish.answer

    async def read(
        self, after: int = 0, *, limit: int = PAGE, types: Collection[str] | None = None
    ) -> Sequence[Recorded]:
        """See EventStore."""
        self._tail.check()
        after, limit = max(after, 0), max(0, min(limit, PAGE))
        page = self._tail.page(after, limit, types)
        if page is not None:
            return page
        if types is None:
            return await self._fetch(self._pages, PAGE_AFTER, (after, limit))
        if not types:
            return ()
        each = [value for kind in types for value in (kind, after, limit)]
        return await self._fetch(self._pages, page_of_types(len(types)), (*each, limit))

    async def read_stream(self, stream: str, after: int = 0, *, limit: int = PAGE) -> Sequence[Recorded]:
        """See EventStore."""
        self._tail.check()
        after, limit = max(after, 0), max(0, min(limit, PAGE))
        version = self._writer.version(stream)
        if version is not None and version <= after:
            return ()
        return await self._fetch(self._streams, STREAM_AFTER, (stream, after, limit))

    async def wait(self, after: int) -> None:
        """See EventStore."""
        await self._tail.wait(after)

    async def verify(self) -> Verdict:
        """See EventStore. Reads on a connection of its own, and works on a store that broke as well."""
        audit, head = Audit(self._log_id), self.head
        try:
            async with _connection(self._path, "ro") as db:
                return await scan(db, audit, head)
        except (sqlite3.DatabaseError, msgspec.ValidationError) as error:
            if audit.head.position >= head:
                return audit.failed(f"the file is damaged: {error}", first_bad=None)
            return audit.failed(f"it cannot be read: {error}", first_bad=audit.head.position + 1)

    async def _fetch(self, db: Database, sql: str, parameters: Iterable[object]) -> Sequence[Recorded]:
        try:
            return [recorded(row) for row in await db.execute_fetchall(sql, parameters)]
        except sqlite3.DatabaseError as error:
            reason = translated(error)
            if isinstance(reason, Poison):  # a wish may be poison; what lies on the tape can only be damaged
                reason = Broken(f"The tape cannot be read: {error}.")
            if isinstance(reason, Broken):
                self._tail.fail(reason)
                self._lanes.close(reason)
            raise reason from error


@asynccontextmanager
async def _connection(path: Path, mode: Literal["ro", "rw"]) -> AsyncIterator[aiosqlite.Connection]:
    """Opened and closed completely, whenever the caller is cancelled: no thread and no file stays behind."""
    opening = aiosqlite.connect(uri(path, mode), uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    db = await _opened(opening)
    try:
        await db.execute_fetchall("PRAGMA trusted_schema = OFF")
        await db.execute_fetchall("PRAGMA cell_size_check = ON")
        if mode == "ro":
            await db.execute_fetchall("PRAGMA query_only = ON")
        yield db
    finally:
        await _to_its_end(db.close())


async def _opened(opening: aiosqlite.Connection) -> aiosqlite.Connection:
    async def opened() -> aiosqlite.Connection:
        return await opening

    try:
        return await _to_its_end(opened())
    except asyncio.CancelledError:
        await _to_its_end(opening.close())
        raise


async def _configure(db: aiosqlite.Connection, durability: Durability) -> None:
    ((mode,),) = await db.execute_fetchall("PRAGMA journal_mode = WAL")
    if mode != "wal":
        raise CannotOpen("The file system of the tape cannot share memory, which the write-ahead log needs.")
    await db.execute_fetchall(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
    await db.execute_fetchall("PRAGMA foreign_keys = ON")
    await db.execute_fetchall("PRAGMA wal_autocheckpoint = 0")
    await db.execute_fetchall("PRAGMA journal_size_limit = 67108864")
    await db.execute_fetchall("PRAGMA cache_size = -65536")


async def _head(db: Database) -> tuple[bytes, Head]:
    ((log_id,),) = await db.execute_fetchall("SELECT log_id FROM head")
    for position, hash_, at in await db.execute_fetchall(
        "SELECT position, hash, at FROM events ORDER BY position DESC LIMIT 1"
    ):
        return log_id, Head(position=position, hash=hash_, at=at)
    return log_id, empty(log_id)


@asynccontextmanager
async def _running(writer: Writer, tail: Tail) -> AsyncIterator[None]:
    """The writer's life: whatever ends the block, what is queued is written first, for DRAIN_SECONDS at most."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(writer.run(), name="tape writer")
            try:
                yield
            finally:
                writer.stop()
                await _to_its_end(asyncio.wait([task], timeout=DRAIN_SECONDS))
                task.cancel()
    except BaseExceptionGroup as failures:
        # One reason is told as itself; the store's own goes before what its failure caused in the block.
        broken = failures.subgroup(Broken)
        raise (broken or failures).exceptions[0] from None


async def _to_its_end(work: Coroutine[object, object, T]) -> T:
    """Finish the work even when the caller is cancelled meanwhile; the cancellation is raised after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
