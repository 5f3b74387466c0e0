"""The store in one SQLite file: one connection that only the writer uses, and others that can only read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from eventstore import reading
from eventstore.audit import Audit
from eventstore.checkpoints import FRAMES, Checkpoints
from eventstore.clock import microseconds
from eventstore.connections import Durability, configure, connection, to_its_end
from eventstore.disk import SqliteDisk, emptied
from eventstore.errors import Broken, CannotOpen, Damaged, Refused
from eventstore.events import Event
from eventstore.lanes import Lanes, Wish
from eventstore.rows import ERRORS, LINKED, PAGE_FROM, STREAM_AFTER, Database, Row, page_of_types, translated
from eventstore.scan import scan
from eventstore.seal import Head, empty, entry
from eventstore.space import Space
from eventstore.store import PAGE, Lane, Recorded, Verdict
from eventstore.tail import Tail
from eventstore.tape import prepare
from eventstore.writer import Poison, Writer

DRAIN_SECONDS = 10.0

_LAST = f"{LINKED} ORDER BY position DESC LIMIT 1"


@asynccontextmanager
async def open_sqlite(
    path: Path,
    *,
    durability: Durability = "full",
    queue_limit: int = 8_192,
    space: Space | None = None,
    checkpoint_frames: int = FRAMES,
    clock: Callable[[], int] = microseconds,
) -> AsyncIterator["SqliteStore"]:
    """Open the tape, or make one where there is no file, and write until the block is left.

    `normal` durability survives the end of the process, but may lose what was acknowledged last when the power fails.
    While `space` is low, INTAKE is refused. Raises CannotOpen. When the store breaks, the block is cancelled and Broken
    raised in its place; but when the tape is found damaged the block goes on, every call raises Damaged, and only
    `verify` answers.
    """
    await to_its_end(asyncio.to_thread(prepare, path, now=clock()))
    async with AsyncExitStack() as stack:
        try:
            writing = await stack.enter_async_context(connection(path, "rw"))
            await configure(writing, durability)
            moving = await stack.enter_async_context(connection(path, "rw"))
            await configure(moving, durability)
            pages = await stack.enter_async_context(connection(path, "ro"))
            streams = await stack.enter_async_context(connection(path, "ro"))
            log_id, head, damage = await _head(writing)
            await emptied(writing)  # what a killed process left may hold what it had just redacted
        except (*ERRORS, Broken) as error:
            raise CannotOpen(f"The tape {path} cannot be opened: {error}.") from error
        tail, lanes = Tail(head), Lanes(queue_limit, space)
        checkpoints = Checkpoints(moving, partial(_condemn, tail, lanes))
        writer = Writer(SqliteDisk(writing, checkpoints, frames=checkpoint_frames), lanes, tail, clock)
        async with _running(writer, checkpoints):
            store = SqliteStore(path, log_id, tail, lanes, writer, pages, streams)
            if damage is not None:
                store.condemn(damage)
            yield store


class SqliteStore:
    """An EventStore that outlives the process. Made by `open_sqlite`."""

    def __init__(
        self, path: Path, log_id: bytes, tail: Tail, lanes: Lanes, writer: Writer, pages: Database, streams: Database
    ) -> None:
        """Two readers, so that one who reads the whole tape never delays a decision, which needs one stream."""
        self._path = path
        self._log_id = log_id
        self._genesis = empty(log_id).hash
        self._tail = tail
        self._lanes = lanes
        self._writer = writer
        self._pages = pages
        self._streams = streams

    @property
    def log_id(self) -> bytes:
        """See EventStore."""
        return self._log_id

    @property
    def head(self) -> int:
        """The position of the last event, 0 for an empty tape."""
        return self._tail.head.position

    @property
    def failure(self) -> Broken | None:
        """See EventStore."""
        return self._tail.broken

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
        if limit == 0 or (types is not None and not types):
            return ()
        if types is None:
            last = min(after + limit, self.head)
            rows = await self._fetch(self._pages, PAGE_FROM, (after, limit + (after > 0)))
            return await self._proven(reading.page(rows, after, last, self._genesis))
        each = [value for kind in types for value in (kind, after, limit)]
        rows = await self._fetch(self._pages, page_of_types(len(types)), (*each, limit))
        return await self._proven(reading.linked(rows, self._genesis))

    async def read_stream(self, stream: str, after: int = 0, *, limit: int = PAGE) -> Sequence[Recorded]:
        """See EventStore."""
        self._tail.check()
        after, limit = max(after, 0), max(0, min(limit, PAGE))
        version = self._writer.version(stream)
        if version is not None and version <= after:
            return ()
        if (near := self._tail.of_stream(stream, after)) is not None:
            return near[:limit]
        rows = await self._fetch(self._streams, STREAM_AFTER, (stream, after, limit))
        last = min(after + limit, version or 0)
        return await self._proven(reading.of_stream(rows, stream, after, last, self._genesis))

    async def wait(self, after: int) -> None:
        """See EventStore."""
        await self._tail.wait(after)

    async def redact(self, stream: str, through: int) -> int:
        """See EventStore."""
        return await self._writer.erase(stream, through)

    async def verify(self, *, share: float = 1.0) -> Verdict:
        """See EventStore. Reads on a connection of its own, and works on a store that broke as well.

        `share` is how much of the time it may work. What it finds wrong, it condemns.
        """
        verdict = await self._verdict(share)
        if not verdict.ok:
            self.condemn(Damaged(verdict.problem or "", verdict.first_bad))
        return verdict

    def condemn(self, reason: Broken) -> None:
        """Nothing is written and nothing is read any more, for this reason, unless there was one before."""
        _condemn(self._tail, self._lanes, reason)

    async def _verdict(self, share: float) -> Verdict:
        audit, head = Audit(self._log_id), self.head
        try:
            async with connection(self._path, "ro") as db:
                return await scan(db, audit, head, share=share)
        except (*ERRORS, msgspec.ValidationError) as error:
            reason = translated(error)
            if isinstance(reason, Refused):
                raise reason from error
            if audit.head.position >= head:
                return audit.failed(f"the file is damaged: {error}", first_bad=None)
            return audit.failed(f"it cannot be read: {error}", first_bad=audit.head.position + 1)

    async def _fetch(self, db: Database, sql: str, parameters: Iterable[object]) -> Sequence[Row]:
        try:
            return list(await db.execute_fetchall(sql, parameters))
        except ERRORS as error:
            reason = translated(error)
            if isinstance(reason, Poison):  # a wish may be poison; what lies on the tape can only be damaged
                reason = Damaged(f"it cannot be read: {error}")
            if isinstance(reason, Broken):
                self.condemn(reason)
            raise reason from error

    async def _proven(self, work: Coroutine[object, object, list[Recorded]]) -> list[Recorded]:
        try:
            return await work
        except Damaged as damaged:
            self.condemn(damaged)
            raise


async def _head(db: Database) -> tuple[bytes, Head, Damaged | None]:
    """The log's id, its last event, and what is wrong with that one: what is to be written will build on it."""
    ((log_id,),) = await db.execute_fetchall("SELECT log_id FROM head")
    if not isinstance(log_id, bytes):
        raise CannotOpen("The tape is damaged: it has lost its identity.")
    genesis = empty(log_id)
    rows = list(await db.execute_fetchall(_LAST))
    try:
        for event in await reading.linked(rows, genesis.hash):
            return log_id, Head(position=event.position, hash=event.hash, at=event.at), None
    except Damaged as damaged:
        return log_id, Head(position=rows[0][0], hash=genesis.hash, at=0), damaged
    return log_id, genesis, None


def _condemn(tail: Tail, lanes: Lanes, reason: Broken) -> None:
    tail.fail(reason)
    lanes.close(reason)


@asynccontextmanager
async def _running(writer: Writer, checkpoints: Checkpoints) -> AsyncIterator[None]:
    """The writer's life: whatever ends the block, what is queued is written first, for DRAIN_SECONDS at most."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(writer.run(), name="tape writer")
            beside = group.create_task(checkpoints.run(), name="tape checkpoints")
            try:
                yield
            finally:
                writer.stop()
                await to_its_end(asyncio.wait([task], timeout=DRAIN_SECONDS))
                task.cancel()
                beside.cancel()
    except BaseExceptionGroup as failures:
        # One reason is told as itself; the store's own goes before what its failure caused in the block.
        broken = failures.subgroup(Broken)
        raise (broken or failures).exceptions[0] from None
