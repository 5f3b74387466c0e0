"""Moves the write-ahead log into the file beside the writer, who never waits for more than its last few frames.

A passive checkpoint does not block writers, but while they write it never comes to the end of the log, and only at its
end can the log begin anew. So the bulk is moved beside them, pass after pass, each shorter than the one before; the
rest is left to the writer, between two batches.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal, TypeAlias

from eventstore.connections import BUSY_SECONDS
from eventstore.errors import Broken
from eventstore.rows import ERRORS, Database, translated

FRAMES = 4_096
"""A log of so many frames (16 MiB) is moved."""

PASSES = 6
NEAR = 256
"""So many frames (of 4 KiB) are left to the writer: about as many as a batch has."""

LONG = 65_536
"""A log of so many frames (256 MiB) is worth a warning; one twice as long, another."""

Pass: TypeAlias = tuple[int, int, int]

_log = logging.getLogger(__name__)


class Checkpoints:
    """`run` is its life. `near` tells that the end of the log is a short pass away, which is the writer's to make."""

    def __init__(self, db: Database, fail: Callable[[Broken], None]) -> None:
        """`db` is a connection of its own; `fail` hears of a failure that the store must not survive."""
        self._db = db
        self._fail = fail
        self._wanted = asyncio.Event()
        self._warned = LONG // 2
        self.near = False

    def want(self) -> None:
        """Begin, unless it has begun."""
        self.near = False
        self._wanted.set()

    async def run(self) -> None:
        """Move what there is whenever it is wanted, until cancelled or failed."""
        while True:
            await self._wanted.wait()
            try:
                self.near = await self._approach()
            except Broken as reason:
                self._fail(reason)
                return
            self._wanted.clear()

    async def _approach(self) -> bool:
        """Whether the end of the log is near. A pass ends where the oldest reader is, who is soon elsewhere."""
        before = frames = 0
        for _ in range(PASSES):
            frames, moved = await moved_by(self._db)
            if frames == 0:
                return False
            if frames - before <= NEAR:
                return True
            before = moved
        self._warn(frames)
        return False

    def _warn(self, frames: int) -> None:
        if frames >= 2 * self._warned:
            self._warned = frames
            _log.warning(
                "the write-ahead log has %d MiB and cannot be emptied: another process reads the tape without end",
                frames * 4_096 >> 20,
            )


async def moved_by(db: Database) -> tuple[int, int]:
    """Make a pass: how many frames the log had when it began, and how many of them are in the file now.

    (0, 0) when there was no room or somebody else was at it: there will be another moment. Raises Broken.
    """
    busy, frames, moved = await checkpoint(db, "PASSIVE")
    return (0, 0) if busy else (frames, moved)


async def checkpoint(db: Database, mode: Literal["PASSIVE", "RESTART", "TRUNCATE"], *, wait: float = 0) -> Pass:
    """SQLite's own answer: busy, frames, moved; busy as well when it failed and may be tried again. Raises Broken.

    All but PASSIVE wait for readers of an old state, for `wait` seconds at most.
    """
    try:
        if wait:
            await db.execute_fetchall(f"PRAGMA busy_timeout = {round(wait * 1_000)}")
        try:
            ((busy, frames, moved),) = await db.execute_fetchall(f"PRAGMA wal_checkpoint({mode})")
        finally:
            if wait:
                await db.execute_fetchall(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1_000)}")
    except ERRORS as error:
        reason = translated(error)
        if isinstance(reason, Broken):
            raise reason from error
        return 1, 0, 0
    return busy, frames, moved
