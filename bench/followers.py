"""How soon a thousand followers hear of one event, and what each costs: of one task's stream, and of the project's.

python bench/followers.py [followers] [rounds]      1,000 and 20 by default; under a minute

The service runs in this process, as it is served; the followers are another process, each with an open stream that it
reads. A round is one event: its delivery to a follower takes from the start of its append to the last of its bytes,
on the clock that both processes share. The follower's own work for the other followers is part of it.
"""

import asyncio
import contextlib
import gc
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from statistics import median, quantiles
from typing import cast

import aiohttp
import msgspec
import uvloop
from appends import EVENT
from noise import spread, table
from readers import CREATED, memory, settled
from service import KEY, served

from api.settings import Settings
from eventstore.store import EventStore

FOLLOWERS = 1_000
ROUNDS = 20
LIMIT = 120.0
WARM = 2
STREAM = "task-019a0000-0000-7000-8000-000000000001"
PATHS = {"the task's stream": f"/api/tape/tasks/{STREAM[5:]}/events", "the project's stream": "/api/tape/events"}


class Heard(msgspec.Struct, frozen=True):
    """When each follower had the whole event at a position, in nanoseconds of the monotonic clock."""

    position: int
    at: list[int]


class Follower(asyncio.Protocol):
    """One stream, read as it comes. Tells of the events after `after`."""

    def __init__(self, request: bytes, after: int, heard: dict[int, list[int]], open_: asyncio.Event) -> None:
        self._request, self._after, self._heard, self.open = request, after, heard, open_
        self._have = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports write too, but say so to nobody's isinstance.
        cast(asyncio.WriteTransport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._have += data
        if b"retry: " in self._have:
            self.open.set()
        while (found := self._have.find(b"\nid: ")) >= 0 and (end := self._have.find(b"\n\n", found)) >= 0:
            position = int(self._have[found + 5 : self._have.index(b"\n", found + 1)])
            self._heard.setdefault(position, []).append(now)
            self._have = self._have[end + 1 :]


async def follow(host: str, port: int, path: str, followers: int, after: int) -> None:
    """The child: open the streams, say so, and tell of every event once all followers have it."""
    head = f"GET {path}?after={after} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {KEY}"
    heard: dict[int, list[int]] = {}
    all_open = [asyncio.Event() for _ in range(followers)]
    for each in all_open:
        await asyncio.get_running_loop().create_connection(
            lambda each=each: Follower(f"{head}\r\n\r\n".encode(), after, heard, each),  # type: ignore[misc]  # a protocol
            host,
            port,
        )
    for each in all_open:
        await each.wait()
    print("open", flush=True)
    while True:
        await asyncio.sleep(0.005)
        for position in [position for position, at in heard.items() if len(at) == followers]:
            print(msgspec.json.encode(Heard(position, heard.pop(position))).decode(), flush=True)


@contextlib.asynccontextmanager
async def following(
    http: aiohttp.ClientSession, path: str, followers: int, after: int
) -> AsyncIterator[asyncio.StreamReader]:
    """So many followers, once all of them have a stream; gives what they tell."""
    url = http._base_url  # as it was given
    assert url is not None
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--follow", str(url.host), str(url.port), path, str(followers), str(after)),
        stdin=-1,
        stdout=-1,
        limit=1 << 20,
    )
    assert child.stdout is not None
    try:
        async with asyncio.timeout(LIMIT):
            assert await child.stdout.readline() == b"open\n"
        yield child.stdout
    finally:
        child.kill()
        await child.wait()


async def tell(store: EventStore, version: int, told: asyncio.StreamReader, followers: int) -> list[float]:
    """One event; the milliseconds until each follower had it."""
    began = time.monotonic_ns()
    (recorded,) = await store.append(STREAM, version, (EVENT,), actor="runner:1")
    async with asyncio.timeout(LIMIT):
        heard = msgspec.json.decode(await told.readline(), type=Heard)
    assert (recorded.position, followers) == (heard.position, len(heard.at)), "an event was lost, or came twice"
    return [(at - began) / 1e6 for at in heard.at]


async def measure(path: str, followers: int, rounds: int) -> Sequence[object]:
    """The figures of one kind of followers, in a process that has served nobody before."""
    settings = Settings(max_concurrent=0, max_connections=4 * followers + 64)
    async with served(settings) as (store, http):
        await store.append(STREAM, 0, (CREATED,), actor="bench")
        async with following(http, path, 1, store.head):  # what the first one of all costs, each later one does not
            await settled()
        gc.collect()
        gc.freeze()  # as serving.serve does
        before = memory()
        async with following(http, path, followers, store.head) as told:
            await settled()
            each = (memory() - before) * 1024 / followers
            runs = []
            for number in range(WARM + rounds):
                took = await tell(store, number + 1, told, followers)
                runs += [took] if number >= WARM else []
                await asyncio.sleep(0.05)
    p99s = [quantiles(took, n=100, method="inclusive")[98] for took in runs]
    p50, last = median(median(took) for took in runs), max(max(took) for took in runs)
    return f"{p50:.0f} ms", f"{median(p99s):.0f} ms", spread(p99s), f"{last:.0f} ms", f"{each:.0f} KiB"


def main(followers: int, rounds: int) -> None:
    rows: list[Sequence[object]] = [("followers of", "p50", "p99", "noise of p99", "last", "memory of one")]
    for name, path in PATHS.items():
        arguments = [sys.executable, __file__, "--measure", path, str(followers), str(rounds)]
        told = subprocess.run(arguments, stdout=subprocess.PIPE, check=True, timeout=10 * LIMIT).stdout  # noqa: S603  # this very script
        rows.append((name, *msgspec.json.decode(told.splitlines()[-1])))
    print(f"{followers:,} followers, {rounds} events one after the other, each heard once by all; medians\n")
    table(rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--follow"]:
        uvloop.run(follow(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]), int(sys.argv[6])))
    elif sys.argv[1:2] == ["--measure"]:
        row = uvloop.run(measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
        print(msgspec.json.encode(row).decode())
    else:
        given = [int(argument) for argument in sys.argv[1:]]
        main(*(given + [FOLLOWERS, ROUNDS][len(given) :]))
