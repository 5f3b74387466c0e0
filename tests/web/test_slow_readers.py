"""Readers that take nothing: each costs a few buffers, nobody waits for them, and they lose nothing by coming back."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from api import sse, tape_pages
from api.sse import STREAMS
from tests.web.conftest import KEY, Client, Drive
from tests.web.test_sse import STREAM, whole

READERS = 50
STEPS = 100
SECONDS = 30.0
TEXT = "x" * 4_000


@asynccontextmanager
async def stalled(client: Client, path: str) -> AsyncIterator[socket.socket]:
    """A connection that has asked for a stream and reads nothing of it."""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(reader, (client.host, client.port))
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {KEY}\r\n\r\n"
        await loop.sock_sendall(reader, head.encode())
        yield reader


def held(client: Client) -> list[int]:
    """The bytes that the server holds for each reader that does not take them."""
    runner = client.server.runner
    assert runner is not None
    assert runner.server is not None
    sizes = [each.transport.get_write_buffer_size() for each in runner.server.connections if each.transport]
    return [size for size in sizes if size]


async def seen(reader: socket.socket) -> list[str]:
    """The ids of the whole events that have arrived at a reader after all, until nothing more is there."""
    data = b""
    loop = asyncio.get_running_loop()
    while b"\nid: 20\n" not in data:
        data += await loop.sock_recv(reader, 65_536)
    return re.findall(r"^id: (\d+)\nevent: \S+\ndata: .*\n\n", data.decode(errors="replace"), flags=re.MULTILINE)


async def test_readers_that_take_nothing_cost_a_few_buffers_and_lose_nothing(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    for number in range(1, STEPS + 1):
        await drive.step(task_id, number, memory=TEXT)
    path = f"/api/tape/tasks/{task_id}/events"

    async with asyncio.timeout(SECONDS), AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(stalled(client, path)) for _ in range(READERS)]
        while len(held(client)) < READERS:
            await drive.create()  # others go on
        await drive.finish(task_id, "done")
        most = max(held(client))
        first = await seen(readers[0])

    async with client.get(path, headers={**STREAM, "Last-Event-ID": first[-1]}) as response:
        rest = [each.id for each in await whole(response)]
    async with asyncio.timeout(SECONDS):
        while client.app[STREAMS].open:
            await drive.create()  # what is written to them tells that they have gone
    assert most <= sse.BUFFER_BYTES + tape_pages.STREAM_BYTES + 2 * len(TEXT)
    assert [str(each.position) for each in await drive.tape(task_id)] == first + rest
