"""Where appends wait for the writer: what people ask for before what runners report; new work while there is room.

A fact is never refused for want of room: it waits in the queue, and its caller waits with it. What bounds them is that
whoever writes facts does one at a time: the runner, a few for each task that it runs.
"""

import asyncio
from collections import deque

from eventstore.errors import Broken, Overloaded
from eventstore.seal import Entry
from eventstore.space import Space
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
    """CONTROL goes first and has a bound of its own.

    INTAKE is refused once `limit` of FACT and INTAKE wait, and while `space` is low.
    """

    def __init__(self, limit: int, space: Space | None = None) -> None:
        self._limit = limit
        self._space = space
        self._control: deque[Wish] = deque()
        self._rest: deque[Wish] = deque()
        self._arrived = asyncio.Event()
        self._closed: Broken | None = None

    def put(self, wish: Wish, lane: Lane) -> None:
        """Queue it. Raises Overloaded when its lane is full, DiskFull when the disk nearly is, Broken after `close`."""
        if self._closed is not None:
            raise self._closed.again() from self._closed
        if lane is Lane.INTAKE and self._space is not None:
            self._space.check("New tasks are refused")
        if lane is Lane.CONTROL:
            if len(self._control) >= CONTROL_LIMIT:
                raise Overloaded
            self._control.append(wish)
        else:
            if lane is Lane.INTAKE and len(self._rest) >= self._limit:
                raise Overloaded
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
        if not self._control and not self._rest:
            self._arrived.clear()
        return batch

    def wake(self) -> None:
        """Something else than an append waits for the writer."""
        self._arrived.set()

    async def arrival(self) -> None:
        """Return when something waits to be taken, or when the lanes are closed."""
        await self._arrived.wait()

    def close(self, reason: Broken) -> None:
        """Nobody gets in any more. What is queued can still be taken."""
        self._closed = self._closed or reason
        self._arrived.set()
