"""How fast `GET /api/v1/task/{id}/status` is against a bare aiohttp handler, and on a tape of 100,000 tasks.

python bench/status.py [rounds]

32 keep-alive connections from this process, each polling a task of its own. Every server is a process of its own, with
uvloop and aiohttp either way, and only one of them is asked at a time, in turn, a second each. What is compared is how
many answers a second of the server's own processor time brings: that stays true while others use the machine.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import cast

import msgspec
import uuid_utils
import uvloop
from aiohttp import web
from noise import spread, table

from api.app import create_app
from api.background import background
from api.service import Service
from api.settings import Settings
from api.signing import Signer
from eventstore import events as e
from eventstore import folder, hook, outbox, profile, schedule, session
from eventstore.blobs import Blobs
from eventstore.sqlite import open_sqlite
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from projections.projector import open_projector

KEY = "bench-key-of-enough-length"
CONNECTIONS = 32
WARM_SECONDS = 0.2
SECONDS = 1.0
MANY, FEW = 100_000, 10
AGAINST_BARE, AGAINST_FEW = 0.75, 0.9


def history(number: int) -> list[e.Event]:
    """A task that has run to its end; the last ones are running still, and those are polled."""
    created = e.TaskCreated(
        instruction=f"Order lamp {number}.",
        llm="instructions",
        session="s",
        project="default",
        family="v1",
        request_digest="",
    )
    started = e.TaskStarted(fence=2, browser="Chromium 140", viewport_width=1280, viewport_height=960)
    return [created, e.TaskClaimed(runner="r", attempt=1), started]


async def fill(directory: Path, tasks: int) -> list[str]:
    """Write a tape of so many tasks, and its views; gives the ids of those that are running."""
    ids = [str(uuid_utils.uuid7()) for _ in range(tasks)]
    running = set(ids[-CONNECTIONS:])

    async def write(share: Sequence[str]) -> None:
        for number, task_id in enumerate(share):
            end = [] if task_id in running else [e.TaskFinished(fence=2, success=True, output="Ordered.")]
            await store.append(f"task-{task_id}", 0, [*history(number), *end], actor="bench")

    async with open_sqlite(directory / "tape.db", durability="normal") as store:
        async with asyncio.TaskGroup() as group:
            for start in range(64):
                group.create_task(write(ids[start::64]))
        async with open_projector(store, directory / "views") as projector:
            while await projector.advance():
                pass
    return [ids[-1 - number % len(running)] for number in range(CONNECTIONS)]


@contextlib.asynccontextmanager
async def ours(directory: Path) -> AsyncIterator[web.Application]:
    """The application as in production, without a runner: nothing else may want the processor."""
    async with (
        open_sqlite(directory / "tape.db") as store,
        open_projector(store, directory / "views") as projector,
    ):
        while await projector.advance():
            pass
        service = Service(
            settings=Settings(data_dir=directory, api_key=KEY, rate_limit=1_000_000),
            store=store,
            tasks=Repository(store, Task(), evolve),
            sessions=Repository(store, session.Session(), session.evolve),
            profiles=Repository(store, profile.Profile(), profile.evolve),
            schedules=Repository(store, schedule.Schedule(), schedule.evolve),
            folders=Repository(store, folder.Folder(), folder.evolve),
            hooks=Repository(store, hook.Hook(), hook.evolve),
            deliveries=Repository(store, outbox.Deliveries(), outbox.evolve),
            projector=projector,
            blobs=Blobs(directory / "blobs"),
            vault=Vault(directory / "vault"),
            signer=Signer(bytes(32)),
        )
        async with background(projector.run()):
            yield create_app(service)


@contextlib.asynccontextmanager
async def bare(directory: Path) -> AsyncIterator[web.Application]:
    """One handler that knows the answer."""

    async def status(request: web.Request) -> web.Response:
        return web.Response(body=b'"running"', content_type="application/json")

    app = web.Application()
    app.router.add_get("/api/v1/task/{task_id}/status", status)
    yield app


async def serve(kind: str, directory: Path) -> None:
    """One of the two, until standard input ends."""
    async with (bare if kind == "bare" else ours)(directory) as app:
        runner = web.AppRunner(app, access_log=None, handler_cancellation=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Answers per second, and microseconds of the server's processor per answer."""

    rate: float
    cost: float


class Poller(asyncio.Protocol):
    """One connection that asks again as soon as it is answered. All answers are equally long."""

    def __init__(self, task_id: str, port: int) -> None:
        self.answers = self._length = self._have = 0
        head = f"GET /api/v1/task/{task_id}/status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        self._request = f"{head}Authorization: Bearer {KEY}\r\nAccept: */*\r\n\r\n".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports write too, but say so to nobody's isinstance.
        self._write = cast(asyncio.WriteTransport, transport).write
        self._write(self._request)

    def data_received(self, data: bytes) -> None:
        self._have += len(data)
        if not self._length:
            assert data.startswith(b"HTTP/1.1 200"), data
            assert data.endswith(b'\r\n\r\n"running"'), data
            self._length = len(data)
        if self._have >= self._length:
            self._have -= self._length
            self.answers += 1
            self._write(self._request)


def processor_seconds(pid: int) -> float:
    """What a process has used so far, in user and system mode together (fields 14 and 15 of proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(port: int, pid: int, ids: Sequence[str]) -> Measured:
    """Poll for a while."""
    loop = asyncio.get_running_loop()
    pollers = [Poller(task_id, port) for task_id in ids]
    transports = [
        (await loop.create_connection(lambda each=each: each, "127.0.0.1", port))[0]  # type: ignore[misc]  # a protocol
        for each in pollers
    ]
    await asyncio.sleep(WARM_SECONDS)
    before, used, begun = sum(each.answers for each in pollers), processor_seconds(pid), time.perf_counter()
    await asyncio.sleep(SECONDS)
    answers = sum(each.answers for each in pollers) - before
    seconds, used = time.perf_counter() - begun, processor_seconds(pid) - used
    for transport in transports:
        transport.abort()
    return Measured(rate=answers / seconds, cost=used / answers * 1e6)


@contextlib.contextmanager
def server(kind: str, directory: Path) -> Iterator[tuple[int, int]]:
    """A server in a process of its own; gives its port and process id."""
    command = [sys.executable, __file__, "serve", kind, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - ourselves
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
        assert process.stdin is not None
        process.stdin.close()


def main(rounds: int) -> None:
    """Fill two tapes, measure in turn, compare."""
    measured: dict[str, list[Measured]] = {"bare": [], "few": [], "many": []}
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as stack:
        ids = {"bare": ["0" * 36] * CONNECTIONS}
        for name, tasks in (("few", FEW), ("many", MANY)):
            (Path(root) / name).mkdir()
            ids[name] = uvloop.run(fill(Path(root) / name, tasks))
        servers = {name: stack.enter_context(server(name, Path(root) / name)) for name in measured}
        for _ in range(rounds):
            for name, (port, pid) in servers.items():
                measured[name].append(uvloop.run(load(port, pid, ids[name])))
    report(measured)


def report(measured: dict[str, list[Measured]]) -> None:
    """The figures, and whether they are good enough."""
    rates = {name: median(each.rate for each in found) for name, found in measured.items()}
    worth = {name: [1e6 / each.cost for each in found] for name, found in measured.items()}
    rows = [(name, f"{rates[name]:,.0f}", f"{median(worth[name]):,.0f}", spread(worth[name])) for name in measured]
    table([("server", "answers/s", "answers/s of its processor", "noise"), *rows])
    for one, other, target in (("few", "bare", AGAINST_BARE), ("many", "few", AGAINST_FEW)):
        ratio = median(worth[one]) / median(worth[other])
        print(f"{one} against {other}: {ratio:.2f} (at least {target}: {'yes' if ratio >= target else 'NO'})")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        uvloop.run(serve(sys.argv[2], Path(sys.argv[3])))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 15)
