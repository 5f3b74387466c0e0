"""Bytes and HTTP messages over one connection: bounded, with back-pressure, each use counted as a sign of life."""

import asyncio
from collections.abc import Coroutine

import h11

from runner.egress.dial import Stream

CHUNK = 64 * 1024
HEAD_BYTES = 128 * 1024
Event = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class Watch:
    """The limit on silence of a connection and what it leads to."""

    def __init__(self, limit: asyncio.Timeout, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()

    def alive(self) -> None:
        """Something was read or written. Too late for a time that is just up: what is awaited next is cut off."""
        if not self._limit.expired():
            self._limit.reschedule(self._loop.time() + self._seconds)


class Peer:
    """One side of a conversation: an HTTP connection without I/O of its own, and the bytes for it.

    `heard` counts the bytes that came from there, and may be set back.
    """

    def __init__(self, role: type[h11.CLIENT] | type[h11.SERVER], stream: Stream, watch: Watch) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=HEAD_BYTES)
        self.reader, self.writer = stream
        self.watch = watch
        self.heard = 0

    async def hear(self) -> Event:
        """The next event of the other side. Raises h11.RemoteProtocolError and OSError."""
        while (event := self.http.next_event()) is h11.NEED_DATA:
            data = await self.reader.read(CHUNK)
            self.heard += len(data)
            self.http.receive_data(data)
            self.watch.alive()
        return event

    async def say(self, event: h11.Event) -> None:
        """Send, and wait while the other side is slow. Raises h11.LocalProtocolError and OSError."""
        if data := self.http.send(event):
            self.writer.write(data)
            await self.writer.drain()
            self.watch.alive()

    def again(self) -> bool:
        """Make ready for another exchange; False when the connection is not for another one."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE or self.reader.at_eof():
            return False
        self.http.start_next_cycle()
        return True

    def close(self) -> None:
        """Give the connection up; what is still to be sent goes out."""
        self.writer.close()


async def together(*works: Coroutine[None, None, None]) -> None:
    """Run all to their end; the first failure ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, watch: Watch) -> None:
    """Carry bytes one way until their end, and tell the other side that they have ended."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
        watch.alive()
    if writer.can_write_eof():
        writer.write_eof()
