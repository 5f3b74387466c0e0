"""The pictures of browsers here, by task or session: taken only while somebody watches, and only the newest is kept.

Whoever watches asks for what is newer than what he has. So a slow watcher misses pictures, and costs nobody anything.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import msgspec
import structlog

from runner.vocabulary import ActFailed

log = structlog.get_logger()

STREAM = "task-"

END_SECONDS = 3.0
"""How long a browser may take to take no more pictures."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """JPEG or PNG in `data`; `width` and `height` are those of the viewport, in CSS pixels. Numbers rise from 1."""

    number: int
    data: bytes
    width: int
    height: int


Put = Callable[[bytes, int, int], None]
Show = Callable[[Put], Coroutine[None, None, None]]
"""Takes pictures and puts each of them, until it is cancelled."""


class Reel:
    """Of one session of a browser. `show` runs while anybody watches."""

    def __init__(self, show: Show) -> None:
        self.watchers = 0
        self._show = show
        self._newest: Picture | None = None
        self._number = 0
        self._changed = asyncio.Event()
        self._ended = False
        self._showing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self) -> AsyncIterator["Reel"]:
        """One more watcher for the length of the block."""
        self.watchers += 1
        try:
            if self._showing is None and not self._ended:
                self._showing = asyncio.create_task(self._run())
            yield self
        finally:
            self.watchers -= 1
            if not self.watchers:
                await self._stop()

    async def newest(self, after: int) -> Picture | None:
        """The newest picture beyond that number, as soon as there is one; None when there will be none any more."""
        while not self._ended:
            if self._newest is not None and self._newest.number > after:
                return self._newest
            await self._changed.wait()
        return None

    async def close(self) -> None:
        """The session is about to be left."""
        self._ended = True
        self._newest = None
        self._wake()
        await self._stop()

    def _put(self, data: bytes, width: int, height: int) -> None:
        if self._ended or (self._newest is not None and self._newest.data == data):
            return
        self._number += 1
        self._newest = Picture(number=self._number, data=data, width=width, height=height)
        self._wake()

    async def _run(self) -> None:
        try:
            await self._show(self._put)
        except ActFailed as failure:
            log.info("no more pictures of a browser", reason=str(failure))

    async def _stop(self) -> None:
        showing, self._showing = self._showing, None
        if showing is None:
            return
        # What was seen last is old news to whoever comes next, and may show what is secret by then.
        self._newest = None
        showing.cancel()
        await asyncio.wait({showing}, timeout=END_SECONDS)
        if showing.done() and not showing.cancelled() and (error := showing.exception()):
            log.error("pictures of a browser failed unexpectedly", error=type(error).__name__)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Reels:
    """Of all browsers here that can be watched, by the id of their task, or of the session that a client drives."""

    def __init__(self) -> None:
        self._reels: dict[str, Reel] = {}

    def watching(self, task_id: str) -> AbstractAsyncContextManager[Reel] | None:
        """Watch that browser for the length of a block; None while there is none here."""
        reel = self._reels.get(task_id)
        return reel.watch() if reel else None

    @contextmanager
    def _listed(self, task_id: str, reel: Reel) -> Iterator[None]:
        self._reels[task_id] = reel
        try:
            yield
        finally:
            if self._reels.get(task_id) is reel:
                del self._reels[task_id]

    @asynccontextmanager
    async def showing(self, stream: str, show: Show) -> AsyncIterator[Reel]:
        """The task at the stream, or the session of that id, can be watched for the length of the block."""
        reel = Reel(show)
        try:
            # Nobody finds it any more while it is being closed: he would find that it has ended, again and again.
            with self._listed(stream.removeprefix(STREAM), reel):
                yield reel
        finally:
            await reel.close()
