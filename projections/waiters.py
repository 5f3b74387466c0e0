"""Who waits for the views to reach a position: woken as they get there, and told when they never will."""

import asyncio
import heapq
from itertools import count


class ViewsStopped(Exception):
    """The views follow the log no more, so nobody may wait for them."""


class Waiters:
    """Those of one projector, the lowest position first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._stopped: ViewsStopped | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def let_in(self) -> None:
        """The views follow the log from now on, maybe once more."""
        self._stopped = None

    async def until(self, position: int) -> None:
        """Return when the views, which are not there yet, have reached it. Raises ViewsStopped; has no limit."""
        if self._stopped is not None:
            raise ViewsStopped(str(self._stopped)) from self._stopped
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (position, next(self._order), future)
        heapq.heappush(self._waiting, waiter)
        try:
            await future
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                heapq.heapify(self._waiting)
            raise

    def wake(self, position: int) -> None:
        """The views have reached this position."""
        while self._waiting and self._waiting[0][0] <= position:
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                future.set_result(None)

    def stop(self, position: int, cause: BaseException) -> None:
        """The views go no further than this position: nobody waits in vain."""
        self._stopped = ViewsStopped(f"The views stopped at position {position}: {type(cause).__name__} {cause}")
        self._stopped.__cause__ = cause
        for _, _, future in self._waiting:
            if not future.done():
                future.set_exception(self._stopped)
        self._waiting.clear()
