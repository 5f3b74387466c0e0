"""What every event store promises, in prose and as a protocol; the stores and their one contract suite follow it.

The log is one sequence. Positions are dense from 1 over the whole log, versions dense from 1 in each stream, `at` never
goes back. An append is acknowledged only when it is durable; then, and only then, followers see it. An append that
loses its expected version gets Conflict and disturbs nobody else; so does one that cannot be written (a poison item).

A follower is a cursor: read a page after my position; when it is empty, wait. A slow follower costs a number.
"""

from collections.abc import Collection, Sequence
from enum import IntEnum
from typing import Protocol

import msgspec

from eventstore.errors import Broken
from eventstore.events import Event, Unknown
from eventstore.rules import Violation

PAGE = 1_000
MAX_PAYLOAD = 256 * 1024


class Lane(IntEnum):
    """Which queue an append waits in.

    CONTROL goes before everything else, and has a bound of its own. FACT is never refused: it has happened, so it
    queues however many wait already, and is bounded by its callers, who each wait for their last one. INTAKE (new
    tasks) raises Overloaded when the queue is full, so that a flood of new work slows nobody who is at work already.
    """

    CONTROL = 0
    FACT = 1
    INTAKE = 2


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event on the tape. `at` is microseconds since 1970 UTC; payload and salt are None once redacted."""

    position: int
    stream: str
    version: int
    type: str
    at: int
    actor: str
    command_id: str
    event: Event
    payload: bytes | None
    salt: bytes | None
    commitment: bytes
    hash: bytes


def blanked(recorded: Recorded) -> Recorded:
    """The event as it is read once it was redacted."""
    return msgspec.structs.replace(recorded, event=Unknown(original=recorded.type), payload=None, salt=None)


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A blob that an event of the stream names, and that is `missing` or `altered` on the disk."""

    blob: str
    stream: str
    problem: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The head, its hash in hex, how many payloads were redacted; or the first bad position and what is wrong.

    Where blobs were asked for: how many were looked at, and those that are lost.
    """

    ok: bool
    head: int
    hash: str = ""
    redacted: int = 0
    first_bad: int | None = None
    problem: str | None = None
    violations: tuple[Violation, ...] = ()
    blobs: int = 0
    lost: tuple[Lost, ...] = ()


class EventStore(Protocol):
    """An append-only log of events in streams."""

    @property
    def log_id(self) -> bytes:
        """What tells this tape from every other one: 16 bytes."""
        ...

    @property
    def head(self) -> int:
        """The position of the last event, 0 for an empty tape."""
        ...

    @property
    def failure(self) -> Broken | None:
        """Why nothing can be written or read any more, once it is so."""
        ...

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
        """Write all the events or none after version `expected` of the stream (0: the stream must be new).

        Answers when they are durable. Raises Conflict when the stream is at another version, Overloaded when its lane
        is full (that of facts never is), Invalid for an event that cannot be stored (over MAX_PAYLOAD bytes, or no
        text), DiskFull, Broken when the store failed for good. Cancelling the caller does not take back what was queued
        already.
        """
        ...

    async def read(
        self, after: int = 0, *, limit: int = PAGE, types: Collection[str] | None = None
    ) -> Sequence[Recorded]:
        """At most `limit` (at most PAGE) events with a greater position, in order; all types, or only those given."""
        ...

    async def read_stream(self, stream: str, after: int = 0, *, limit: int = PAGE) -> Sequence[Recorded]:
        """At most `limit` (at most PAGE) events of one stream with a greater version, in order."""
        ...

    async def wait(self, after: int) -> None:
        """Return when there is an event with a greater position. Raises Broken when there will never be one."""
        ...

    async def redact(self, stream: str, through: int) -> int:
        """Blank payload and salt of the stream's first `through` events, all at once; tells of how many.

        When it answers they are in no file of the store and in nothing that it keeps in memory: readers get Unknown
        events without a payload. The chain still verifies once a later TaskRedacted or SessionPurged covers them. What
        is blank already stays so. Raises DiskFull, Overloaded, Broken.
        """
        ...

    async def verify(self) -> Verdict:
        """Recompute the whole chain from the stored bytes."""
        ...
