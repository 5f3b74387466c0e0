"""Sessions in a real browser: a follow-up task finds what the first one left, and what of it outlives a restart."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from eventstore import decide
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.memory import MemoryStore
from eventstore.store import Recorded
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.browsers import BrowserSettings
from runner.browser.sessions import open_sessions
from runner.egress.addresses import LOOPBACK
from runner.equipment import Equipment
from runner.models import keyless
from runner.restoring import FOUND
from runner.worker import Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 120.0
PAGE = """<!doctype html><title>Shop</title><h1>Hello {name}</h1><label>Item <input></label>
<button onclick="said.textContent = 'it is ' + document.querySelector('input').value">Show</button><p id="said"></p>"""


async def page(request: web.Request) -> web.Response:
    return web.Response(text=PAGE.format(name=request.cookies.get("who", "nobody")), content_type="text/html")


async def login(_request: web.Request) -> web.Response:
    answer = web.HTTPSeeOther("/shop")
    answer.set_cookie("who", "Ann", max_age=3600)
    raise answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/shop", page)
    app.router.add_get("/login", login)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class House:
    """One log and one vault, on which runners with real browsers come and go."""

    def __init__(self, path: Path, *, isolated: bool) -> None:
        self.store = MemoryStore()
        self._tasks = Repository(self.store, Task(), evolve)
        self._path = path
        self._settings = BrowserSettings(
            navigation_seconds=LIMIT,
            answer_seconds=LIMIT,
            private=LOOPBACK,
            isolated=isolated,
            directory=path / "browsers",
            grace_seconds=LIMIT,
        )
        (path / "browsers").mkdir()

    @asynccontextmanager
    async def runner(self, name: str) -> AsyncIterator[None]:
        async with open_sessions(self._settings) as browsers:
            equipment = Equipment(
                models=keyless,
                browsers=browsers,
                blobs=Blobs(self._path / "blobs"),
                vault=Vault(self._path / "vault"),
                screenshots=False,
            )
            worker = Worker(self.store, self._tasks, equipment, name=name, max_concurrent=2, keep_paused_seconds=60.0)
            await worker.take_up()
            running = asyncio.create_task(worker.run())
            try:
                yield
            finally:
                running.cancel()
                await asyncio.wait({running})

    async def run(self, name: str, instruction: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """A task of the session that must succeed; answers what it has found and what was lost."""
        limits = e.Limits(action_seconds=LIMIT, step_seconds=LIMIT)
        end = await self.begin(name, instruction=instruction, session="s", limits=limits)
        assert isinstance(end, e.TaskFinished), end
        assert end.success, end
        said = [recorded.event for recorded in await self.store.read_stream(f"task-{name}")]
        return next((event.restored, event.lost) for event in said if isinstance(event, e.TaskStarted))

    async def begin(self, name: str, **fields: Any) -> e.Event:
        """How a new task of that name ends; `fields` are those of TaskCreated."""
        known = {"llm": "instructions", "project": "p", "family": "v2", "request_digest": name}
        created = e.TaskCreated(**{**known, **fields})
        stream = f"task-{name}"
        await self._tasks.transact(stream, lambda task: decide.create(task, created=created), actor="key:test")
        return (await self.until(stream, "task.finished", "task.failed"))[-1]

    async def until(self, stream: str, *types: str) -> list[e.Event]:
        """All that was said on the stream, once the last of it is of such a type."""
        said: Sequence[Recorded] = ()
        try:
            async with asyncio.timeout(LIMIT):
                while True:
                    head = self.store.head
                    said = await self.store.read_stream(stream)
                    if said[-1].type in types:
                        return [recorded.event for recorded in said]
                    await self.store.wait(head)
        except TimeoutError:
            raise AssertionError([recorded.event for recorded in said]) from None


@pytest.mark.parametrize("isolated", [pytest.param(False, marks=pytest.mark.slow), True], ids=["shared", "isolated"])
async def test_a_follow_up_task_goes_on_where_the_first_one_left_off_also_after_a_restart(
    shop: str, tmp_path: Path, isolated: bool
) -> None:
    house = House(tmp_path, isolated=isolated)
    created = e.SessionCreated(project="p", family="v2")
    await house.store.append("session-s", 0, [created], actor="key:test")

    async with house.runner("r1"):
        await house.run("one", f'Go to {shop}/login. Type "milk" into "Item".')
        second = await house.run("two", 'Click "Show". Wait for "it is milk".')
    async with house.runner("r2"):
        if isolated:
            third = await house.run("three", 'Click "Show". Wait for "it is milk".')
        else:
            third = await house.run("three", 'Click "Show". Wait for "Hello Ann".')
        version = len(await house.store.read_stream("session-s"))
        await house.store.append("session-s", version, [e.SessionStopped()], actor="key:test")
        await house.until("session-s", "session.closed")

    rebuilt = ("cookies and storage", f"{shop}/shop"), ("what the session's pages held in memory",)
    assert ((FOUND,), ()) == second
    assert (((FOUND,), ()) if isolated else rebuilt) == third
