"""Server-sent events from the log: a cursor per client, one page in flight, no queue that could grow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

PING_SECONDS = 15.0
DRAIN_SECONDS = 30.0
RETRY = b"retry: 2000\n\n"
PING = b": ping\n\n"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One event on the wire: `data` is JSON on one line."""

    id: int
    event: str
    data: bytes


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What follows a cursor: the messages, where to go on from, and whether nothing can follow any more."""

    messages: Sequence[Message]
    next: int
    last: bool = False


Next = Callable[[int], Awaitable[Batch]]
Wait = Callable[[int], Awaitable[None]]


class Streams:
    """The open streams of a server; closing wakes all of them, so that they end by themselves and in order."""

    def __init__(self) -> None:
        self.closing = False
        self.open = 0
        self._waits: set[asyncio.Timeout] = set()

    def close(self) -> None:
        """End every stream, now and in future."""
        self.closing = True
        for limit in self._waits:
            limit.reschedule(asyncio.get_running_loop().time())

    async def quiet(self, wait: Awaitable[None], seconds: float) -> bool:
        """Whether the wait outlasted the seconds; closing cuts it short."""
        try:
            async with asyncio.timeout(0 if self.closing else seconds) as limit:
                self._waits.add(limit)
                try:
                    await wait
                finally:
                    self._waits.discard(limit)
        except TimeoutError:
            return True
        return False


STREAMS = web.AppKey("streams", Streams)


def wanted(request: web.Request) -> bool:
    """Whether the client asked for a stream."""
    return request.method == "GET" and "text/event-stream" in request.headers.get("Accept", "")


async def stream(request: web.Request, after: int, following: Next, wait: Wait) -> web.StreamResponse:
    """Send what follows the cursor, and what comes later, until nothing can follow or the server ends.

    `wait` returns when there may be more beyond a position. A client that takes nothing for DRAIN_SECONDS is dropped.
    """
    streams = request.app[STREAMS]
    async with _response(request, streams) as response:
        await _write(response, RETRY)
        while not streams.closing:
            batch = await following(after)
            if batch.messages:
                await _write(response, b"".join(map(render, batch.messages)))
            if batch.last:
                break
            if batch.next == after and await streams.quiet(wait(after), PING_SECONDS):
                await _write(response, PING)
            after = batch.next
    return response


def render(message: Message) -> bytes:
    """The bytes of one event. JSON has no raw line breaks, so one `data` line is enough."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (message.id, message.event.encode(), message.data)


@asynccontextmanager
async def _response(request: web.Request, streams: Streams) -> AsyncIterator[web.StreamResponse]:
    """A stream that has begun. Whatever ends it, the connection is not used again."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    response.force_close()
    await response.prepare(request)
    streams.open += 1
    try:
        yield response
        await _end(response)
    except (ConnectionError, TimeoutError):
        # The client has gone, or takes nothing: its connection is of no more use. That is how streams end.
        if request.transport is not None:
            request.transport.abort()
    finally:
        streams.open -= 1


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(DRAIN_SECONDS):
        await response.write(data)


async def _end(response: web.StreamResponse) -> None:
    async with asyncio.timeout(DRAIN_SECONDS):
        await response.write_eof()
