"""Where appends wait for the writer: bounded lanes, what people ask for before what runners report."""

import asyncio
from collections import deque

from eventstore.errors import Broken, Overloaded
from eventstore.seal import Entry
from eventstore.store import Lane, Recorded

CONTROL_LIMIT = 1_024
BATCH_EVENTS = 512
BATCH_BYTES = 4 * 1024 * 1024


class Wish:
    """An entry and who waits for it. The waiter may be gone; the entry is written all the same."""

    __slots__ = ("answer", "entry")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.answer: asyncio.Future[list[Recorded]] = asyncio.get_running_loop().create_future()

    def grant(self, sealed: list[Recorded]) -> None:
        if not self.answer.done():
            self.answer.set_result(sealed)

    def refuse(self, reason: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(reason)


class Lanes:
    """CONTROL has room of its own; FACT and INTAKE share `limit` places, in which only FACT waits for one."""

    def __init__(self, limit: int) -> None:
        self._control: deque[Wish] = deque()
        self._rest: deque[Wish] = deque()
        self._room = asyncio.Semaphore(limit)
        self._arrived = asyncio.Event()
        self._closed: Broken | None = None

    async def put(self, wish: Wish, lane: Lane) -> None:
        """Queue it. Raises Overloaded when there is no room and it does not wait, Broken after `close`."""
        self._check()
        if lane is Lane.CONTROL:
            if len(self._control) >= CONTROL_LIMIT:
                raise Overloaded
            self._control.append(wish)
        else:
            if lane is Lane.INTAKE and self._room.locked():
                raise Overloaded
            await self._room.acquire()
            self._check()
            self._rest.append(wish)
        self._arrived.set()

    def take(self) -> list[Wish]:
        """The next batch, which is empty when nothing waits."""
        batch: list[Wish] = []
        events = size = 0
        for lane in (self._control, self._rest):
            while lane and (not batch or (events + len(lane[0].entry.events) <= BATCH_EVENTS and size < BATCH_BYTES)):
                wish = lane.popleft()
                batch.append(wish)
                events += len(wish.entry.events)
                size += wish.entry.size
                if lane is self._rest:
                    self._room.release()
        if not self._control and not self._rest:
            self._arrived.clear()
        return batch

    async def arrival(self) -> None:
        """Return when something waits to be taken, or when the lanes are closed."""
        await self._arrived.wait()

    def close(self, reason: Broken) -> None:
        """Nobody gets in any more, and who waited for room is told why. What is queued can still be taken."""
        self._closed = reason
        self._arrived.set()
        self._room.release()

    def _check(self) -> None:
        if self._closed is not None:
            # Whoever waits for room behind this one is to be told as well.
            self._room.release()
            raise Broken(str(self._closed)) from self._closed
