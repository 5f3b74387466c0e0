"""Group commit: one task takes what waits, gives each event its place, and commits it all in one transaction.

While one batch is in fsync the next one gathers; nobody lingers. Only what is durable is acknowledged and shown.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple, Protocol

from eventstore.errors import Broken, Conflict, Damaged, Invalid, Refused
from eventstore.lanes import Lanes, Wish
from eventstore.seal import Place, check, salts, seal
from eventstore.store import Recorded
from eventstore.tail import Tail

IDLE_SECONDS = 1.0
STREAMS_REMEMBERED = 16_384


class Poison(Exception):
    """Something in the batch cannot be written; nothing of the batch was."""


class Disk(Protocol):
    """Where batches go. Every method raises Broken for a failure that the process must not survive."""

    async def versions(self, streams: Collection[str]) -> Mapping[str, int]:
        """The version of each stream, 0 for a new one."""
        ...

    async def write(self, events: Sequence[Recorded]) -> None:
        """All of it durably, or nothing: then raises Poison, or DiskFull or Overloaded for the whole batch."""
        ...

    async def erase(self, stream: str, through: int) -> int:
        """Blank the stream's first events where they lie and wherever copies of them lie; tells how many.

        Raises DiskFull or Overloaded when nothing was blanked.
        """
        ...

    async def tidy(self, *, idle: bool) -> bool:
        """A moment to checkpoint in; `idle` when nobody waits. Tells whether nothing is left to try again."""
        ...


class Erasure(NamedTuple):
    """The first `through` events of a stream are to be blanked, and somebody waits for it."""

    stream: str
    through: int
    answer: asyncio.Future[int]


class Writer:
    """The only one that writes. `run` is its life; it ends with Broken, or after `stop` when all is written."""

    def __init__(self, disk: Disk, lanes: Lanes, tail: Tail, clock: Callable[[], int]) -> None:
        self._disk = disk
        self._lanes = lanes
        self._tail = tail
        self._clock = clock
        self._versions: dict[str, int] = {}
        self._taken: list[Wish] = []
        self._erasures: deque[Erasure] = deque()
        self._stopping = False

    def version(self, stream: str) -> int | None:
        """The committed version of a stream, where it is remembered."""
        return self._versions.get(stream)

    async def erase(self, stream: str, through: int) -> int:
        """Have the events blanked between two batches. Raises what `Disk.erase` raises."""
        self._tail.check()
        erasure = Erasure(stream, through, asyncio.get_running_loop().create_future())
        self._erasures.append(erasure)
        self._lanes.wake()
        return await erasure.answer

    def stop(self) -> None:
        """Let nobody in any more, and end when what is queued is written."""
        self._stopping = True
        self._lanes.close(Broken("The store is closed."))

    async def run(self) -> None:
        """Write until stopped, or until the tape is found damaged. However it ends, nobody is left waiting."""
        reason: Broken = Broken("The store is closed.")
        try:
            await self._write_until_stopped()
        except Damaged as damaged:
            reason = damaged
        except Broken as broken:
            reason = broken
            raise
        except Exception as error:
            reason = Broken(f"The writer failed: {error!r}")
            raise reason from error
        finally:
            self._lanes.close(reason)
            self._tail.fail(reason)
            for wish in self._taken + self._drain():
                wish.refuse(reason.again())
            for erasure in self._erasures:
                if not erasure.answer.done():
                    erasure.answer.set_exception(reason.again())

    def _drain(self) -> list[Wish]:
        wishes: list[Wish] = []
        while batch := self._lanes.take():
            wishes += batch
        return wishes

    async def _write_until_stopped(self) -> None:
        idle = True
        while True:
            self._tail.check()
            self._taken = self._lanes.take()
            if self._taken:
                await self._commit(self._taken)
                await self._disk.tidy(idle=False)
            if self._erasures:  # one after each batch: neither waits for all of the other
                await self._erase(self._erasures[0])
                self._erasures.popleft()
            if self._taken or self._erasures:
                idle = False
            elif self._stopping:
                return
            elif idle:
                await self._lanes.arrival()
            else:
                idle = await self._quiet()

    async def _erase(self, erasure: Erasure) -> None:
        try:
            blanked = await self._disk.erase(erasure.stream, erasure.through)
        except Refused as reason:
            if not erasure.answer.done():
                erasure.answer.set_exception(reason)
            return
        self._tail.forget(erasure.stream, erasure.through)
        if not erasure.answer.done():
            erasure.answer.set_result(blanked)

    async def _quiet(self) -> bool:
        """Wait for more; when none comes for a while, tidy up. Tells whether there is nothing to do but wait."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._lanes.arrival()
        except TimeoutError:
            return await self._disk.tidy(idle=True)
        return False

    async def _commit(self, batch: list[Wish]) -> None:
        await self._learn({wish.entry.stream for wish in batch})
        granted, refused = self._seal(batch)
        sealed = list(chain.from_iterable([events for _, events in granted]))
        try:
            if sealed:
                await self._disk.write(sealed)
        except Poison as poison:
            if len(batch) == 1:
                batch[0].refuse(Invalid(f"This cannot be stored: {poison}"))
                return
            # One of them is to blame. Each alone: then only that one fails.
            for wish in batch:
                await self._commit([wish])
            return
        except Refused as reason:
            for wish in batch:
                wish.refuse(type(reason)(str(reason)))
            return
        self._publish(granted, sealed)
        for wish, events in granted:
            wish.grant(events)
        for wish, conflict in refused:
            wish.refuse(conflict)

    async def _learn(self, streams: Collection[str]) -> None:
        """Here and not where they are written: streams whose events are all refused are remembered too."""
        if len(self._versions) > STREAMS_REMEMBERED:
            self._versions = dict(islice(self._versions.items(), STREAMS_REMEMBERED // 2, None))
        unknown = [stream for stream in streams if stream not in self._versions]
        if unknown:
            self._versions.update(await self._disk.versions(unknown))

    def _seal(self, batch: list[Wish]) -> tuple[list[tuple[Wish, list[Recorded]]], list[tuple[Wish, Conflict]]]:
        """Each wish at its place, as if all that come before it in the batch were written."""
        granted, refused = [], []
        versions: dict[str, int] = {}
        head: Place = self._tail.head
        now = self._clock()
        random = salts(sum([len(wish.entry.events) for wish in batch]))
        for wish in batch:
            entry = wish.entry
            try:
                check(entry, versions.get(entry.stream, self._versions[entry.stream]))
            except Conflict as conflict:
                refused.append((wish, conflict))
                continue
            events = seal(head, entry, now=now, salts=random)
            versions[entry.stream] = entry.expected + len(events)
            head = events[-1]
            granted.append((wish, events))
        return granted, refused

    def _publish(self, granted: list[tuple[Wish, list[Recorded]]], sealed: list[Recorded]) -> None:
        size = 0
        for wish, events in granted:
            size += wish.entry.size
            # Taken out first, so that what was written last is remembered longest.
            self._versions.pop(wish.entry.stream, None)
            self._versions[wish.entry.stream] = events[-1].version
        if sealed:
            self._tail.extend(sealed, size)
