"""A tape in its file, only read: nothing is created, locked or changed, and nobody needs to be asked."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from eventstore import reading
from eventstore.audit import Audit
from eventstore.connections import Mode, connection
from eventstore.errors import CannotOpen, Damaged
from eventstore.rows import PAGE_FROM, Database
from eventstore.scan import scan
from eventstore.seal import empty
from eventstore.store import PAGE, Recorded, Verdict
from eventstore.tape import check


class Offline:
    """The tape as it was when it was opened."""

    def __init__(self, db: Database, log_id: bytes, head: int) -> None:
        self._db = db
        self.log_id = log_id
        self.head = head

    async def read(self, after: int = 0, *, limit: int = PAGE) -> Sequence[Recorded]:
        """As `EventStore.read`. Raises Damaged."""
        last = min(after + limit, self.head)
        if last <= after:
            return ()
        try:
            rows = list(await self._db.execute_fetchall(PAGE_FROM, (after, last - after + (after > 0))))
        except sqlite3.DatabaseError as error:
            raise Damaged(f"it cannot be read: {error}") from error
        return await reading.page(rows, after, last, empty(self.log_id).hash)

    async def verify(self) -> Verdict:
        """As `EventStore.verify`."""
        audit = Audit(self.log_id)
        try:
            return await scan(self._db, audit, self.head)
        except (sqlite3.DatabaseError, msgspec.ValidationError) as error:
            if audit.head.position >= self.head:
                return audit.failed(f"the file is damaged: {error}", first_bad=None)
            return audit.failed(f"it cannot be read: {error}", first_bad=audit.head.position + 1)


@asynccontextmanager
async def open_offline(path: Path) -> AsyncIterator[Offline]:
    """The tape in this file, to which nobody may begin to write. Raises CannotOpen for one that cannot be read."""
    await asyncio.to_thread(check, path)
    async with AsyncExitStack() as stack:
        try:
            db = await stack.enter_async_context(connection(path, await asyncio.to_thread(_mode, path)))
            ((log_id,),) = await db.execute_fetchall("SELECT log_id FROM head")
            ((head,),) = await db.execute_fetchall("SELECT coalesce(max(position), 0) FROM events")
        except (sqlite3.Error, ValueError) as error:
            raise CannotOpen(f"The tape {path} cannot be read: {error}.") from error
        if not isinstance(log_id, bytes) or not isinstance(head, int):
            raise CannotOpen(f"The tape {path} is damaged: it has lost its identity.")
        yield Offline(db, log_id, head)


def _mode(path: Path) -> Mode:
    """Where a write-ahead log is, it belongs to the tape, and reading it needs the file of its index."""
    log = path.with_name(f"{path.name}-wal")
    return "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"
