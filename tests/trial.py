"""One data directory through many lives of a service, each ended by a kill; after each the promises are checked."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from eventstore.task import Task
from tests.killing import GONE, KEY, Client, Life, Midwife, client
from tests.promises import Copy, Promises, breaches
from tests.serving import Failpoint, Order

CLIENTS = 4
LEFT = 8
"""Tasks of earlier lives that clients adopt in one life, at most."""

MOST = 20
"""Lives in which nothing was acknowledged that are taken for chance."""

QUIET_SECONDS = 2.0
"""How long an idle service is left to come to its failpoint: it checkpoints after a second of idleness."""

KINDS = {"load": 45, "failpoint": 30, "start": 15, "term": 10}
FUNCTIONS = (
    "eventstore.disk:SqliteDisk.write",
    "eventstore.checkpoints:Checkpoints._approach",
    "eventstore.blobs:Blobs._put",
    "eventstore.vault:Vault.put",
    "eventstore.writer:Writer._publish",
    "projections.projector:Projector.advance",
    "runner.worker:Worker.take_up",
)
PAGE = """<!doctype html><title>Shop</title><h1>Shop</h1><label>Name <input></label>
<button onclick="fetch('/effect/{key}-1', {{method: 'POST'}})">Buy {key}-1</button>
<button onclick="fetch('/effect/{key}-2', {{method: 'POST'}})">Buy {key}-2</button>"""


class Trial:
    """`kill` is one life. What was wrong is in `wrong`, what was kept is counted in `kept`."""

    def __init__(self, forks: Midwife, directory: Path, seed: int, site: "Site | None" = None) -> None:
        """With a `site` the browser is Chromium and goes there; without one it is a stage."""
        self.wrong: list[str] = []
        self.kept = 0
        self.kills: dict[str, int] = dict.fromkeys(KINDS, 0)
        self._forks = forks
        self._directory = directory
        self._dice = random.Random(seed)  # noqa: S311 - it only has to be the same again
        self._site = site
        self._promises = Promises()
        self._copy = Copy(directory / "data")
        self._lives = 0
        self._seed = seed

    async def kill(self, kind: str = "") -> None:
        """A life that is ended by a kill: under load, at a failpoint, in its start, or in its orderly end."""
        kind = kind or self._dice.choices(list(KINDS), list(KINDS.values()))[0]
        life, since = await self._born(self._failpoint() if kind == "failpoint" else None)
        if kind == "start":
            await asyncio.sleep(self._dice.random() * 0.3)
        elif await life.ready():
            await self._live(life, since, kind)
        life.kill(signal.SIGKILL)
        await self._buried(life)
        self.kills[kind] += 1

    async def prove(self) -> None:
        """More lives under load until promises were kept: a slow service may make none in a short one."""
        for _ in range(MOST):
            if self.kept:
                return
            await self.kill("load")

    async def finish(self) -> None:
        """A last life that is checked and ends by itself, in order."""
        life, since = await self._born(None)
        if await life.ready():
            await self._check(life, since)
        life.kill(signal.SIGTERM)
        await self._buried(life, expected=0)

    async def _born(self, failpoint: Failpoint | None) -> tuple[Life, float]:
        self._lives += 1
        settings = {
            "data_dir": str(self._directory / "data"),
            "port": "0",
            "api_key": KEY,
            "log_level": "error",
            "rate_limit": "0",
            "max_concurrent": "4" if self._site else "8",
        }
        if self._site:
            settings["allow_private"] = "loopback"
        order = Order(
            mark=f"{self._seed}-{self._lives}-{self._directory}",
            settings=settings,
            effects="" if self._site else str(self._directory / "effects"),
            failpoint=failpoint,
        )
        return await self._forks.bear(order), time.time()

    async def _live(self, life: Life, since: float, kind: str) -> None:
        """Be checked, then be busy until the moment has come."""
        left = await self._check(life, since)
        async with AsyncExitStack() as stack:
            url = life.url.result()
            where = self._site.url if self._site else "http://shop.test"
            clients = [
                await stack.enter_async_context(client(url, self._promises, self._dice, where)) for _ in range(CLIENTS)
            ]
            busy = [asyncio.create_task(one.work(left)) for one in clients[1:]]
            busy.append(asyncio.create_task(clients[0].follow(self._copy.position)))
            await asyncio.wait({life.code}, timeout=self._dice.uniform(0.02, 1.5 if self._site else 0.5))
            if kind == "failpoint":
                await _cancelled(busy[:-1])
                await asyncio.wait({life.code}, timeout=QUIET_SECONDS)
            elif kind == "term":
                life.kill(signal.SIGTERM)
                await asyncio.wait({life.code}, timeout=self._dice.random())
                if life.code.done() and life.code.result() != 0:
                    self.wrong.append(f"an orderly end had the exit code {life.code.result()}")
            life.kill(signal.SIGKILL)
            await life.ended()
            await _cancelled(busy)

    async def _check(self, life: Life, since: float) -> list[str]:
        """Hold the tape against the promises, ask again what was not answered; gives tasks that wait for a client."""
        effects = self._effects()
        found = await asyncio.to_thread(lambda: list(breaches(self._promises, self._copy, since, effects)))
        self.wrong += self._promises.wrong + found
        self.kept += self._promises.count()
        self._promises.wrong.clear()
        self._promises.settle()
        async with client(life.url.result(), self._promises, self._dice, "") as one:
            try:
                for key, body in list(self._promises.unanswered.items()):
                    await self._asked_again(one, key, body)
            except GONE:  # at its failpoint
                return []
        waiting = [stream.removeprefix("task-") for stream, task in self._copy.tasks.items() if _waits(task)]
        self._dice.shuffle(waiting)
        return waiting[:LEFT]

    async def _asked_again(self, one: Client, key: str, body: bytes) -> None:
        first, again = await one.create(key, body), await one.create(key, body)
        if first != again:
            self.wrong.append(f"the same request made the tasks {first} and {again}")

    async def _buried(self, life: Life, *, expected: int | None = None) -> None:
        code = await life.ended()
        if expected is not None and code != expected:
            self.wrong.append(f"a service ended with {code} instead of {expected}")
        if code not in (0, -signal.SIGKILL, -signal.SIGTERM):
            self.wrong.append(f"a service ended by itself, with {code}")
        self.wrong += [f"it outlived its service: {process}" for process in await life.remains()]

    def _failpoint(self) -> Failpoint:
        when = self._dice.choice(("before", "within", "within", "after"))
        return Failpoint(
            function=self._dice.choice(FUNCTIONS),
            when=when,  # type: ignore[arg-type] # one of the words above
            nth=self._dice.choice((1, 1, 2, 5, 20)),
            seconds=self._dice.random() * 0.004,
        )

    def _effects(self) -> list[str]:
        if self._site:
            return list(self._site.effects)
        file = self._directory / "effects"
        return file.read_text().splitlines() if file.exists() else []


class Site:
    """A page with a field and two buttons for every task, which remembers what was clicked."""

    def __init__(self) -> None:
        self.url = ""
        self.effects: list[str] = []

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE.format(key=request.match_info["key"]), content_type="text/html")

    async def effect(self, request: web.Request) -> web.Response:
        self.effects.append(f"Buy {request.match_info['key']}")
        return web.Response()


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    """The site, on loopback."""
    pages, app = Site(), web.Application()
    app.router.add_get("/page/{key}", pages.page)
    app.router.add_post("/effect/{key}", pages.effect)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pages.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield pages
    finally:
        await runner.cleanup()


async def _cancelled(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(error, Exception):
            raise error


def _waits(task: Task) -> bool:
    return not task.ended
