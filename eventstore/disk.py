"""The writing connection, as the writer sees it. A batch is one statement in autocommit mode: one call, one fsync."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from eventstore.errors import Broken
from eventstore.rows import Database, flat, insert, translated
from eventstore.store import Recorded

# 16 MiB in pages of 4 KiB.
WAL_FRAMES = 4_096

_VERSIONS = "SELECT value, (SELECT coalesce(max(version), 0) FROM events WHERE stream = value) FROM json_each(?)"


class SqliteDisk:
    """Implements `writer.Disk`. Nobody else uses the connection."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._events = 0
        self._frames_per_event = 1.0

    async def versions(self, streams: Collection[str]) -> Mapping[str, int]:
        try:
            rows = await self._db.execute_fetchall(_VERSIONS, (json.dumps(list(streams)),))
        except sqlite3.Error as error:
            raise translated(error) from error
        return dict(map(tuple, rows))

    async def write(self, events: Sequence[Recorded]) -> None:
        try:
            await self._db.execute_fetchall(insert(len(events)), flat(events))
        except (sqlite3.Error, ValueError, OverflowError) as error:
            reason = translated(error)
            if not isinstance(reason, Broken):
                await self._check_alone(events[0].position - 1)
            raise reason from error
        self._events += len(events)

    async def tidy(self, *, idle: bool) -> None:
        """Move the write-ahead log into the file: when nobody waits, or when it has grown long.

        SQLite would do it within a commit, while somebody waits for it. How long the log is can only be asked by doing
        it, so the last answer is the estimate for the next.
        """
        if not self._events or (not idle and self._events * self._frames_per_event < WAL_FRAMES):
            return
        try:
            ((_, frames, _),) = await self._db.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            reason = translated(error)
            if isinstance(reason, Broken):
                raise reason from error
            # No room to move it to: it is as durable where it is, and there will be another moment.
            return
        self._frames_per_event = max(frames / self._events, 0.1)
        self._events = 0

    async def _check_alone(self, head: int) -> None:
        """Raises Broken when somebody else wrote to the tape: then nothing that is remembered here holds."""
        try:
            ((last,),) = await self._db.execute_fetchall("SELECT coalesce(max(position), 0) FROM events")
        except sqlite3.Error as error:
            reason = translated(error)
            if isinstance(reason, Broken):
                raise reason from error
            return  # It can be asked again with the next batch, which cannot be written either if it is so.
        if last != head:
            raise Broken("Another process has written to this tape.")
