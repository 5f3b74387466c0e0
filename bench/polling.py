"""A task of 50 acts while 32 clients poll its status as fast as they are answered, against the same with none polling.

python bench/polling.py [rounds]      seven by default; some minutes

The task is `steps.py`'s, on a local page, with full durability; its time is from TaskStarted to TaskFinished, by the
tape. The clients are another process, one connection each, and ask again as soon as they are answered. Runs with and
without them take turns. The service has its default limits: who polls without a pause gets a pace.
Reach: at most 1.1 times.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from statistics import median

import aiohttp
import uvloop
from noise import spread, table
from service import KEY, served
from steps import SENTENCES, duration, site

from api.settings import Settings
from eventstore.store import EventStore

CLIENTS = 32
ROUNDS = 7
AT_MOST = 1.1


class Poller(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, task_id: str, port: int) -> None:
        self.answers = 0
        head = f"GET /api/v1/task/{task_id}/status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        self._request = f"{head}Authorization: Bearer {KEY}\r\n\r\n".encode()
        self._have = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write")
        self._write = transport.write
        self._write(self._request)

    def data_received(self, data: bytes) -> None:
        self._have += data
        head, end, body = self._have.partition(b"\r\n\r\n")
        if end and body.endswith(b'"'):
            assert head.startswith(b"HTTP/1.1 200"), head
            self.answers += 1
            self._have = b""
            self._write(self._request)


async def poll(host: str, port: int) -> None:
    """The child: poll the task that it is told of until standard input ends, then tell how many answers there were."""
    print("ready", flush=True)
    task_id = (await asyncio.to_thread(sys.stdin.readline)).strip()
    pollers = [Poller(task_id, port) for _ in range(CLIENTS)]
    for each in pollers:
        await asyncio.get_running_loop().create_connection(lambda each=each: each, host, port)  # type: ignore[misc]  # a protocol
    await asyncio.to_thread(sys.stdin.read)
    print(sum(each.answers for each in pollers), flush=True)


@contextlib.asynccontextmanager
async def polling(http: aiohttp.ClientSession, answers: list[int]) -> AsyncIterator[asyncio.StreamWriter]:
    """Clients that poll once they are told of a task, to the end of the block; then their answers are counted."""
    url = http._base_url  # as it was given
    assert url is not None
    child = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--poll", str(url.host), str(url.port), stdin=-1, stdout=-1
    )
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        assert await child.stdout.readline() == b"ready\n"
        yield child.stdin
        child.stdin.close()
        answers.append(int(await child.stdout.readline()))
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def run(store: EventStore, http: aiohttp.ClientSession, url: str, answers: list[int] | None) -> float:
    """Seconds of one task. With a list, it is polled from its creation to its end."""
    async with contextlib.AsyncExitStack() as stack:
        clients = None if answers is None else await stack.enter_async_context(polling(http, answers))
        task_id = await begin(http, url)
        if clients is not None:
            clients.write(f"{task_id}\n".encode())
        return await duration(store, f"task-{task_id}")


async def begin(http: aiohttp.ClientSession, url: str) -> str:
    """A new task; its id."""
    body = {"task": ". ".join([f"Go to {url}", *SENTENCES]), "max_agent_steps": 200}
    async with http.post("/api/v1/run-task", json=body) as response:
        return str((await response.json())["id"])


async def main(rounds: int) -> None:
    settings = Settings(screenshots=False, allow_private="loopback")
    alone, polled, rates = [], [], []
    async with site() as url, served(settings) as (store, http):
        # One of each in turn, so that what else the machine does falls on both alike. The first of each is warm-up.
        for number in range(rounds + 1):
            answers: list[int] = []
            one, other = await run(store, http, url, None), await run(store, http, url, answers)
            if number:
                alone.append(one)
                polled.append(other)
                rates.append(answers[0] / other)
    ratios = [with_ / without for with_, without in zip(polled, alone, strict=True)]
    print(f"{CLIENTS} clients, {median(rates):,.0f} answers a second; {rounds} pairs of runs\n")
    table(
        [
            ("50 acts", "median", "noise", "at most", ""),
            ("none polls", f"{median(alone):.3f} s", spread(alone), "", ""),
            (f"{CLIENTS} clients poll", f"{median(polled):.3f} s", spread(polled), "", ""),
            ("ratio", f"{median(ratios):.2f}", spread(ratios), AT_MOST, "" if median(ratios) <= AT_MOST else "MISSED"),
        ]
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--poll"]:
        uvloop.run(poll(sys.argv[2], int(sys.argv[3])))
    else:
        uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
