"""The writing connection, as the writer sees it. A batch is one statement in autocommit mode: one call, one fsync."""

import json
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence

from eventstore.checkpoints import FRAMES, Checkpoints, checkpoint
from eventstore.errors import Broken, Overloaded
from eventstore.rows import ERRORS, Database, flat, insert, translated
from eventstore.store import Recorded
from eventstore.writer import Poison

EMPTY_SECONDS = 0.25
RESTART_SECONDS = 0.05
"""For readers of an old state to end: without it the log never begins anew while there is always one who reads."""

AGAIN_SECONDS = 5.0
PAGE_BYTES = 4_096

_ERASE = "UPDATE events SET payload = NULL, salt = NULL WHERE stream = ? AND version <= ? AND payload IS NOT NULL"
_VERSIONS = "SELECT value, (SELECT coalesce(max(version), 0) FROM events WHERE stream = value) FROM json_each(?)"


class SqliteDisk:
    """Implements `writer.Disk`. Nobody else uses the connection."""

    def __init__(
        self, db: Database, checkpoints: Checkpoints, *, frames: int = FRAMES, again_seconds: float = AGAIN_SECONDS
    ) -> None:
        """The write-ahead log is to be moved when it has so many `frames` of 4 KiB, and emptied again after a while."""
        self._db = db
        self._checkpoints = checkpoints
        self._frames = frames
        self._again_seconds = again_seconds
        # Written since the write-ahead log began anew, events and pages of payload; and how much of it when it was last
        # asked to be moved.
        self._written = self._asked = 0
        self._frames_for_each = 2.0
        self._residue = False
        self._tried = 0.0

    async def versions(self, streams: Collection[str]) -> Mapping[str, int]:
        try:
            rows = await self._db.execute_fetchall(_VERSIONS, (json.dumps(list(streams)),))
        except ERRORS as error:
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
        self._written += len(events) + sum([len(each.payload or b"") for each in events]) // PAGE_BYTES

    async def tidy(self, *, idle: bool) -> bool:
        """Have the write-ahead log moved into the file when nobody waits, or when it has grown long; see Checkpoints.

        How long it is can only be asked by moving it, so the last answer is the estimate for the next.
        """
        if self._residue and time.monotonic() - self._tried > self._again_seconds:
            await self.empty()
        unasked = self._written - self._asked
        if self._checkpoints.near and not idle:
            self._checkpoints.near = False
            busy, frames, _ = await checkpoint(self._db, "RESTART", wait=RESTART_SECONDS)
            if frames and not busy:
                self._frames_for_each = max(frames / max(self._written, 1), 0.25)
                self._written = 0
            self._asked = self._written
        elif unasked * self._frames_for_each >= self._frames or (idle and (unasked or self._checkpoints.near)):
            self._checkpoints.want()
            if idle:
                self._written = 0
            self._asked = self._written
        return not self._residue

    async def erase(self, stream: str, through: int) -> int:
        """See writer.Disk. One statement, so that no reader sees half; then no old page stays in the log before it."""
        try:
            await self._db.execute_fetchall(_ERASE, (stream, through))
            ((blanked,),) = await self._db.execute_fetchall("SELECT changes()")
        except ERRORS as error:
            reason = translated(error)
            raise Overloaded(str(error)) if isinstance(reason, Poison) else reason from error
        self._residue = True
        await self.empty()
        return int(blanked)

    async def empty(self) -> None:
        """Move all of the write-ahead log into the file and cut it off: it holds pages from before an erasure.

        Whoever still reads an old state hinders it, for EMPTY_SECONDS at most; then `tidy` tries again.
        """
        self._residue = not await emptied(self._db)
        self._tried = time.monotonic()
        if not self._residue:
            self._written = self._asked = 0

    async def _check_alone(self, head: int) -> None:
        """Raises Broken when somebody else wrote to the tape: then nothing that is remembered here holds."""
        try:
            ((last,),) = await self._db.execute_fetchall("SELECT coalesce(max(position), 0) FROM events")
        except ERRORS as error:
            reason = translated(error)
            if isinstance(reason, Broken):
                raise reason from error
            return  # It can be asked again with the next batch, which cannot be written either if it is so.
        if last != head:
            raise Broken("Another process has written to this tape.")


async def emptied(db: Database) -> bool:
    """Whether all of the write-ahead log is in the file now, and nothing in the log. Raises Broken."""
    busy, _, _ = await checkpoint(db, "TRUNCATE", wait=EMPTY_SECONDS)
    return not busy
