"""Server-sent events from the log: a cursor per client, one page in flight, no queue that could grow."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import msgspec
from aiohttp import web

from api.wire import CALLER

PING_SECONDS = 15.0
DRAIN_SECONDS = 30.0
RETRY_SECONDS = 5
BUFFER_BYTES = 16 * 1024
KERNEL_BYTES = 64 * 1024
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
Allowed = Callable[[], bool]


class Streams:
    """The open streams of a server, at most `each` for one caller.

    Closing wakes all of them, so that they end by themselves and in order.
    """

    def __init__(self, *, each: int) -> None:
        self.closing = False
        self.each = each
        self._open: Counter[str] = Counter()
        self._waits: set[asyncio.Timeout] = set()

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open.total()

    @contextmanager
    def count(self, actor: str) -> Iterator[None]:
        """One more of this caller for the length of the block. Raises HTTPTooManyRequests when there are enough."""
        if self._open[actor] >= self.each:
            raise web.HTTPTooManyRequests(
                text=f"This key has {self.each} streams open already.", headers={"Retry-After": str(RETRY_SECONDS)}
            )
        self._open[actor] += 1
        try:
            yield
        finally:
            self._open[actor] -= 1
            self._open += Counter()  # drops those that have none

    def close(self) -> None:
        """End every stream, now and in future."""
        self.closing = True
        self.wake()

    def wake(self) -> None:
        """Let every stream look again now whether it may go on."""
        for limit in self._waits:
            if not limit.expired():
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


async def stream(
    request: web.Request,
    after: int,
    following: Next,
    wait: Wait,
    allowed: Allowed,
    *,
    ping_seconds: float = PING_SECONDS,
) -> web.StreamResponse:
    """Send what follows the cursor, and what comes later, until nothing can follow or the server ends.

    `wait` returns when there may be more beyond a position; `allowed` tells whether the caller may still see it. A
    client that takes nothing for DRAIN_SECONDS is dropped; one that was told nothing for `ping_seconds` is sent a
    comment, also while the log is busy with what it may not see. Raises HTTPTooManyRequests before anything was sent.
    """
    streams = request.app[STREAMS]
    with streams.count(request[CALLER].actor):
        return await _tell(request, streams, after, following, wait, allowed, ping_seconds)


async def _tell(
    request: web.Request,
    streams: Streams,
    after: int,
    following: Next,
    wait: Wait,
    allowed: Allowed,
    ping_seconds: float,
) -> web.StreamResponse:
    clock = asyncio.get_running_loop().time
    async with _response(request) as response:
        await _write(request, response, RETRY)
        due = clock() + ping_seconds
        while not streams.closing:
            batch = await following(after)
            if not allowed():
                break
            told, next_, last = b"".join(map(render, batch.messages)), batch.next, batch.last
            del batch  # what waits for a slow client is bytes alone
            if told or clock() >= due:
                await _write(request, response, told or PING)
                due = clock() + ping_seconds
            if last:
                break
            # Asked once more, because a wake-up that came during the write was heard by nobody.
            if next_ == after and allowed():
                await streams.quiet(wait(after), due - clock())
            after = next_
    return response


def render(message: Message) -> bytes:
    """The bytes of one event. JSON has no raw line breaks, so one `data` line is enough."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (message.id, message.event.encode(), message.data)


@asynccontextmanager
async def _response(request: web.Request) -> AsyncIterator[web.StreamResponse]:
    """A stream that has begun. Whatever ends it, the connection is not used again."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    response.force_close()
    await response.prepare(request)
    bound(request.transport)
    try:
        yield response
        await _end(response)
    except (ConnectionError, TimeoutError):
        # The client has gone, or takes nothing: its connection is of no more use. That is how streams end.
        if request.transport is not None:
            request.transport.abort()


def bound(transport: asyncio.Transport | None) -> None:
    """A client that takes nothing costs a few pages: the kernel alone would keep megabytes for it."""
    if transport is None:
        raise ConnectionResetError("The client has gone.")
    transport.set_write_buffer_limits(high=BUFFER_BYTES)
    if (on := transport.get_extra_info("socket")) is not None:
        on.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)


async def _write(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Done when the client has taken all but BUFFER_BYTES of it; the framework would wait for every 64 KiB only."""
    async with asyncio.timeout(DRAIN_SECONDS):
        await response.write(data)
        await request.writer.drain()


async def _end(response: web.StreamResponse) -> None:
    async with asyncio.timeout(DRAIN_SECONDS):
        await response.write_eof()
