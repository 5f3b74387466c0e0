"""Whether readers that take nothing disturb appends: their times with a thousand such readers and with none.

python bench/readers.py [readers] [rounds]      1,000 and five by default; about a minute

The service runs in this process, as it is served, and so do the appenders, who use its log directly. The readers are
another process, each with an open stream of the whole tape of which it reads nothing. Windows with and without take
turns.
"""

import asyncio
import contextlib
import gc
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import aiohttp
import uvloop
from appends import EVENT
from noise import spread, table
from service import KEY, served

from api import sse
from api.settings import Settings
from eventstore import events as e
from eventstore.store import EventStore

READERS = 1_000
ROUNDS = 5
SECONDS = 4.0
APPENDERS = 16
PAUSE = 0.002
"""What an appender does between two appends, in seconds: a busy service, and not one that is at its end."""

TAPE = 4_000
"""Events on the tape before: 2 MiB, more than all buffers of a stream hold."""

AT_MOST = 1.1

CREATED = e.TaskCreated(
    instruction="Go on.", llm="instructions", session="s", project="default", family="v2", request_digest=""
)


async def append(store: EventStore, streams: Iterator[int], seconds: float) -> list[float]:
    """The seconds of every append of a window."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def one(stream: str) -> None:
        for version in count():
            begun = time.perf_counter()
            if begun > end:
                return
            await store.append(stream, version, (EVENT,), actor="runner:1")
            took.append(time.perf_counter() - begun)
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one(f"bench-{next(streams):036d}") for _ in range(APPENDERS)))
    return took


@contextlib.asynccontextmanager
async def reading(http: aiohttp.ClientSession, readers: int) -> AsyncIterator[None]:
    """So many readers that take nothing, once all of them have a stream; gone when the block is left."""
    url = http._base_url  # as it was given
    assert url is not None
    child = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--stall", str(url.host), str(url.port), str(readers), stdin=-1, stdout=-1
    )
    assert child.stdout is not None
    try:
        assert await child.stdout.readline() == b"stalled\n"
        yield
    finally:
        child.kill()
        await child.wait()
    while await streams(http):  # noqa: ASYNC110  # another process ends them
        await asyncio.sleep(0.05)


async def streams(http: aiohttp.ClientSession) -> int:
    """How many streams the service has open."""
    async with http.get("/metrics") as response:
        for line in (await response.text()).splitlines():
            if line.startswith("tapewright_streams "):
                return int(float(line.split()[1]))
    raise LookupError("tapewright_streams")


async def settled() -> None:
    """The streams have filled what there is to fill: the service does nothing more."""
    while True:
        begun = time.process_time()
        await asyncio.sleep(0.5)
        if time.process_time() - begun < 0.02:
            return


def stall(host: str, port: int, readers: int) -> None:
    """The child: open the streams, wait until each has begun to arrive, and read no more."""
    head = (
        f"GET /api/tape/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    )
    opened = []
    for _ in range(readers):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect((host, port))
        reader.sendall(head.encode())
        opened.append(reader)
    for reader in opened:
        assert reader.recv(1, socket.MSG_PEEK)
    print("stalled", flush=True)
    sys.stdin.read()


def memory() -> float:
    """MiB that this process has for itself alone: pages that others come to share would look like savings."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


async def main(readers: int, rounds: int) -> None:
    settings = Settings(max_concurrent=0, max_connections=4 * readers + 64)
    sse.DRAIN_SECONDS = 300.0  # on a slow machine too, they are to stay to the end of the window
    numbers = count()
    p99s: dict[str, list[float]] = {"none": [], "stalled": []}
    taken: dict[str, list[float]] = {"before": [], "with": [], "after": []}
    async with served(settings) as (store, http):
        await store.append("task-first", 0, (CREATED,), actor="bench")
        for version in range(1, TAPE):
            await store.append("task-first", version, (EVENT,), actor="runner:1")
        await append(store, numbers, SECONDS / 2)
        gc.collect()
        gc.freeze()  # as serving.serve does
        for _ in range(rounds):
            taken["before"].append(memory())
            p99s["none"].append(quantiles(await append(store, numbers, SECONDS), n=100)[98])
            async with reading(http, readers):
                await settled()
                p99s["stalled"].append(quantiles(await append(store, numbers, SECONDS), n=100)[98])
                still = await streams(http)
                taken["with"].append(memory())
            assert readers == still, f"only {still} streams were open to the end of the window"
            taken["after"].append(memory())
    ratios = [stalled / none for none, stalled in zip(p99s["none"], p99s["stalled"], strict=True)]
    print(f"{APPENDERS} appenders in the service's process; {rounds} pairs of windows of {SECONDS:g} s\n")
    table(
        [
            ("figure", "median", "noise", "at most", ""),
            *(
                (f"p99 of an append, {name}", f"{median(each) * 1_000:.2f} ms", spread(each), "", "")
                for name, each in (("no reader", p99s["none"]), (f"{readers:,} stalled readers", p99s["stalled"]))
            ),
            ("ratio", f"{median(ratios):.2f}", spread(ratios), AT_MOST, "" if median(ratios) <= AT_MOST else "MISSED"),
            *((f"own memory {when}", f"{median(each):.0f} MiB", spread(each), "", "") for when, each in taken.items()),
        ]
    )
    print(f"a reader costs {(median(taken['with']) - median(taken['before'])) * 1024 / readers:.0f} KiB of memory")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--stall"]:
        stall(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        uvloop.run(
            main(int(sys.argv[1]) if len(sys.argv) > 1 else READERS, int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS)
        )
