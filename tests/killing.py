"""Clients that keep a service busy and write down what it acknowledges, and the service's life between two kills."""

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from tests.promises import ENDS, Command, Promises, Seen
from tests.serving import MARK, News, Order

LIMIT = 120.0
KEY = "a-key-that-is-long-enough"
HEADERS = {"Authorization": f"Bearer {KEY}"}
GONE = (aiohttp.ClientError, ConnectionError, TimeoutError)


class Life:
    """One service, from its fork to its end. `url` comes when it listens, `code` when it has ended."""

    def __init__(self, pid: int, mark: str) -> None:
        self.pid = pid
        self.mark = mark
        loop = asyncio.get_running_loop()
        self.url: asyncio.Future[str] = loop.create_future()
        self.code: asyncio.Future[int] = loop.create_future()

    async def ready(self) -> str | None:
        """Where it listens; None when it has ended before it did."""
        async with asyncio.timeout(LIMIT):
            ends: set[asyncio.Future[Any]] = {self.url, self.code}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return self.url.result() if self.url.done() else None

    def kill(self, number: int) -> None:
        """Send the signal, if there is still somebody to have it."""
        if not self.code.done():
            os.kill(self.pid, number)

    async def ended(self) -> int:
        """Its exit code, or the negative number of the signal that ended it."""
        async with asyncio.timeout(LIMIT):
            return await asyncio.shield(self.code)

    async def remains(self) -> list[str]:
        """What it started and what is still there after a while: nothing, if all is well."""
        for _ in range(200):
            left = await asyncio.to_thread(marked, self.mark)
            if not left:
                return []
            await asyncio.sleep(0.05)
        return left


class Midwife:
    """Forks services. Made by `midwife`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lives: dict[int, Life] = {}
        self._births: asyncio.Queue[Life] = asyncio.Queue()

    async def bear(self, order: Order) -> Life:
        """A service that has just been forked."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        async with asyncio.timeout(LIMIT):
            life = await self._births.get()
        life.mark = order.mark
        return life

    async def listen(self) -> None:
        """Hear the news until cancelled."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            news = msgspec.json.decode(line, type=News)
            life = self._lives.get(news.pid)
            if life is None:
                life = self._lives[news.pid] = Life(news.pid, "")
                self._births.put_nowait(life)
            if news.url:
                life.url.set_result(news.url)
            if news.code is not None:
                life.code.set_result(news.code)
                del self._lives[news.pid]


@asynccontextmanager
async def midwife(log: Path) -> AsyncIterator[Midwife]:
    """Forks services while the block lasts; what they log goes to the file."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.serving", stdin=PIPE, stdout=PIPE, stderr=errors, cwd=Path(__file__).parents[1]
        )
    forks = Midwife(process)
    listening = asyncio.create_task(forks.listen())
    try:
        yield forks
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(LIMIT):
            await process.wait()
        listening.cancel()


def marked(mark: str) -> list[str]:
    """The living processes with the mark in their environment: `pid command`."""
    needle, found = f"{MARK}={mark}".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if needle in (entry / "environ").read_bytes().split(b"\0"):
                found.append(f"{entry.name} {(entry / 'comm').read_text().strip()}")
        except OSError:
            continue  # it has just ended, or is nobody's business
    return found


class Client:
    """One client: makes tasks, steers them, looks at them, and notes what it was told. Ends when nobody answers."""

    def __init__(self, http: aiohttp.ClientSession, promises: Promises, dice: random.Random, site: str) -> None:
        self._http = http
        self._promises = promises
        self._dice = dice
        self._site = site

    async def work(self, left: list[str]) -> None:
        """Adopt what earlier lives have left, one by one, and make new ones between."""
        try:
            while True:
                task = left.pop() if left and self._dice.random() < 0.5 else await self.create()
                await self._steer(task)
        except GONE:
            return

    async def create(self, key: str = "", body: bytes = b"") -> str:
        """A new task, or the one that was asked for and not answered."""
        key = key or f"{self._dice.getrandbits(64):016x}"
        body = body or msgspec.json.encode({"task": self._sentences(key)})
        self._promises.unanswered[key] = body
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        async with self._http.post("/api/v2/tasks", data=body, headers=headers) as response:
            answer = await self._answer(response)
        task = str(answer["id"])
        del self._promises.unanswered[key]
        self._promises.created[key] = task
        return task

    async def follow(self, after: int) -> None:
        """Watch the tape as a stream, until it ends."""
        headers = {"Accept": "text/event-stream"}
        try:
            async with self._http.get("/api/tape/events", params={"after": str(after)}, headers=headers) as stream:
                async for line in stream.content:
                    if line.startswith(b"data: ") and line.endswith(b"\n"):
                        seen = msgspec.json.decode(line[6:], type=Seen)
                        self._promises.seen[seen.position] = seen
        except GONE:
            return

    async def _steer(self, task: str) -> None:
        state = await self._state(task)
        if state in ENDS:
            return
        plan = self._dice.choice(("watch", "pause", "pause", "pause resume", "stop", "pause stop", "leave"))
        if state == "paused":
            plan = self._dice.choice(("resume", "resume", "stop", "leave"))
        for verb in plan.split():
            await asyncio.sleep(self._dice.random() * 0.05)
            if verb == "watch":
                for _ in range(20):
                    await asyncio.sleep(0.02)
                    if await self._state(task) in ENDS:
                        return
            elif verb != "leave" and not await self._say(task, verb):
                return

    async def _say(self, task: str, verb: str) -> bool:
        self._promises.states.pop(task, None)
        key = f"{self._dice.getrandbits(64):016x}"
        headers = {"Idempotency-Key": key}
        async with self._http.patch(f"/api/v2/tasks/{task}", json={"action": verb}, headers=headers) as response:
            if response.status == 409:  # it ended first
                return False
            await self._answer(response)
        self._promises.commands.append(Command(task=task, verb=verb, key=key))
        await self._state(task)
        return True

    async def _state(self, task: str) -> str:
        """How it stands. What rests or has ended is a promise."""
        async with self._http.get(f"/api/tape/tasks/{task}") as response:
            state = str((await self._answer(response))["state"])
        before = self._promises.states.get(task, state)
        if before != state:
            self._promises.wrong.append(f"{task} was {before}, and then {state}")
        if state == "paused" or state in ENDS:
            self._promises.states[task] = state
        return state

    async def _answer(self, response: aiohttp.ClientResponse) -> Mapping[str, Any]:
        body = await response.read()
        if response.status == 503:
            raise ConnectionError("The service is ending.")
        if not response.ok:
            asked = f"{response.method} {response.url.path}"
            self._promises.wrong.append(f"{asked} was answered {response.status} {body!r}")
            raise ConnectionError
        answer: Mapping[str, Any] = msgspec.json.decode(body)
        return answer

    def _sentences(self, key: str) -> str:
        page = f"Go to {self._site}/page/{key}"
        one, two = f'Click "Buy {key}-1"', f'Click "Buy {key}-2"'
        name = 'Type "Ada" into "Name"'
        read = "Extract the main heading"
        plans = ((page, name, read), (page, one, read), (page, name, one, page, name, read), (page, one, page, two))
        return ". ".join(self._dice.choice(plans)) + "."


@asynccontextmanager
async def client(url: str, promises: Promises, dice: random.Random, site: str) -> AsyncIterator[Client]:
    """A client of the service at the address, with a connection of its own."""
    limits = aiohttp.ClientTimeout(total=None, sock_connect=LIMIT, sock_read=LIMIT)
    async with aiohttp.ClientSession(url, headers=HEADERS, timeout=limits) as http:
        yield Client(http, promises, dice, site)
