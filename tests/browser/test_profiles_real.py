"""Profiles in a real browser: who logged in once is logged in again, in all three stores, and nobody else is."""

import asyncio
from collections.abc import AsyncIterator
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
from eventstore.snapshots import get_cookies
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.browsers import BrowserSettings
from runner.browser.sessions import open_sessions
from runner.egress.addresses import LOOPBACK
from runner.equipment import Equipment
from runner.models import keyless
from runner.worker import Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 120.0

# What was put into the page's own stores shows once both have been read.
PAGE = """<!doctype html><title>Bank</title><h1>Hello {name}</h1>
<form method="post" action="/login"><label>Name <input name="name"></label><button>Log in</button></form>
<p id="kept"></p>
<script>
  const name = {name!r};
  const opening = indexedDB.open("bank", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("who");
  opening.onsuccess = () => {{
    const store = opening.result.transaction("who", "readwrite").objectStore("who");
    if (name !== "nobody") {{ localStorage.who = name; store.put(name, "who"); }}
    const read = store.get("who");
    read.onsuccess = () => {{
      kept.textContent = `local ${{localStorage.who || "nobody"}}, indexed ${{read.result || "nobody"}}`;
    }};
  }};
</script>"""
LOG_IN = 'Type "{name}" into "Name". Click "Log in". Wait for "local {name}, indexed {name}".'


class Bank:
    """Knows its visitors by a cookie that lasts; with `meeting`, its room opens when two are there."""

    def __init__(self) -> None:
        self.url = ""
        self._meeting = asyncio.Barrier(2)

    async def page(self, request: web.Request) -> web.Response:
        return self._show(request.cookies.get("who", "nobody"))

    async def login(self, request: web.Request) -> web.Response:
        answer = web.HTTPSeeOther("/")
        answer.set_cookie("who", str((await request.post())["name"]), max_age=3600, httponly=True)
        raise answer

    async def meet(self, request: web.Request) -> web.Response:
        await self._meeting.wait()
        return self._show(request.cookies.get("who", "nobody"))

    def _show(self, name: str) -> web.Response:
        return web.Response(text=PAGE.format(name=name), content_type="text/html")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank() -> AsyncIterator[Bank]:
    bank = Bank()
    app = web.Application()
    app.router.add_get("/", bank.page)
    app.router.add_get("/meet", bank.meet)
    app.router.add_post("/login", bank.login)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bank.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield bank
    await runner.cleanup()


class House:
    """A runner with a real browser, on a log in memory."""

    def __init__(self, browsers: Any, path: Path) -> None:
        self.store = MemoryStore()
        self.tasks = Repository(self.store, Task(), evolve)
        self.vault = Vault(path / "vault")
        equipment = Equipment(models=keyless, browsers=browsers, blobs=Blobs(path / "blobs"), vault=self.vault)
        self.worker = Worker(self.store, self.tasks, equipment, name="w", max_concurrent=4, keep_paused_seconds=60.0)

    async def profile(self, name: str) -> e.Options:
        """What a task is given to begin with a new profile."""
        made = e.ProfileCreated(project="p", family="v2", name=name)
        await self.store.append(f"profile-{name}", 0, [made], actor="key:test")
        return e.Options(profile=name)

    async def begin(self, name: str, instruction: str, options: e.Options) -> str:
        """A new task; answers its stream."""
        created = e.TaskCreated(
            instruction=instruction,
            llm="instructions",
            session=name,
            project="p",
            family="v1",
            request_digest=name,
            limits=e.Limits(action_seconds=LIMIT),
            options=options,
        )
        await self.tasks.transact(f"task-{name}", lambda task: decide.create(task, created), actor="key:test")
        return f"task-{name}"

    async def run(self, name: str, instruction: str, options: e.Options) -> str:
        """What the task brought, or why it failed."""
        ended = await self.until(await self.begin(name, instruction, options), e.TaskFinished, e.TaskFailed)
        return ended.output if isinstance(ended, e.TaskFinished) else str(ended)

    async def until(self, stream: str, *kinds: type[e.Event], number: int = 0) -> e.Event:
        """The first event of these kinds on the stream; of a step, of that number."""
        async with asyncio.timeout(LIMIT):
            while True:
                head = self.store.head
                for recorded in await self.store.read_stream(stream):
                    if isinstance(recorded.event, kinds) and number in (0, getattr(recorded.event, "number", 0)):
                        return recorded.event
                await self.store.wait(head)

    async def saved(self, name: str) -> list[tuple[int, tuple[str, ...]]]:
        """Versions of the profile and where their cookies belong."""
        events = [recorded.event for recorded in await self.store.read_stream(f"profile-{name}")]
        return [(event.version, event.cookie_domains) for event in events if isinstance(event, e.ProfileSaved)]


@asynccontextmanager
async def opened(path: Path, *, isolated: bool = False) -> AsyncIterator[House]:
    settings = BrowserSettings(
        navigation_seconds=LIMIT, private=LOOPBACK, isolated=isolated, directory=path / "browsers" if isolated else None
    )
    async with open_sessions(settings) as browsers:
        house = House(browsers, path)
        running = asyncio.create_task(house.worker.run())
        try:
            yield house
        finally:
            await house.worker.leave()
            running.cancel()
            await asyncio.wait({running})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with opened(tmp_path_factory.mktemp("house")) as made:
        yield made


LOOK = 'Go to {url}. Wait for "indexed". Extract the page text.'


async def test_who_logged_in_once_is_logged_in_again(house: House, bank: Bank) -> None:
    options = await house.profile("again")

    await house.run("a1", f"Go to {bank.url}. {LOG_IN.format(name='ada')}", options)
    with_it = await house.run("a2", LOOK.format(url=bank.url), options)
    without = await house.run("a3", LOOK.format(url=bank.url), e.Options())

    assert ("Hello ada" in with_it, "local ada, indexed ada" in with_it) == (True, True), with_it
    assert ("Hello nobody" in without, "local nobody, indexed nobody" in without) == (True, True), without
    assert [(1, ("127.0.0.1",)), (2, ("127.0.0.1",))] == await house.saved("again")


@pytest.mark.slow
async def test_the_same_in_a_browser_of_its_own(bank: Bank, tmp_path: Path) -> None:
    async with opened(tmp_path, isolated=True) as house:
        options = await house.profile("own")

        await house.run("o1", f"Go to {bank.url}. {LOG_IN.format(name='ada')}", options)
        again = await house.run("o2", LOOK.format(url=bank.url), options)

    assert ("Hello ada" in again, "local ada, indexed ada" in again) == (True, True), again


async def test_a_task_that_is_stopped_saves_what_it_has(house: House, bank: Bank) -> None:
    options = await house.profile("stopped")

    stream = await house.begin(
        "s1", f'Go to {bank.url}. {LOG_IN.format(name="ada")} Wait for "what never comes".', options
    )
    await house.until(stream, e.StepStarted, number=5)
    await house.tasks.transact(stream, decide.stop, actor="key:test")
    await house.until(stream, e.TaskStopped)
    again = await house.run("s2", LOOK.format(url=bank.url), options)

    assert ("Hello ada" in again, "local ada, indexed ada" in again) == (True, True), again


async def test_a_task_that_fails_saves_what_it_has(house: House, bank: Bank) -> None:
    options = await house.profile("failed")

    failed = await house.run("f1", f"Go to {bank.url}. {LOG_IN.format(name='ada')} Go to http://127.0.0.1:1/.", options)
    again = await house.run("f2", LOOK.format(url=bank.url), options)

    assert ("did not answer" in failed, "Hello ada" in again) == (True, True), (failed, again)


async def test_tasks_that_use_one_profile_at_once_see_nothing_of_each_other(house: House, bank: Bank) -> None:
    options = await house.profile("both")
    meeting = f'Go to {bank.url}. {{log_in}} Go to {bank.url}/meet. Wait for "indexed". Extract the page text.'

    pages = await asyncio.gather(
        *(house.run(name, meeting.format(log_in=LOG_IN.format(name=name)), options) for name in ("ada", "bob"))
    )
    last = await house.run("after", LOOK.format(url=bank.url), options)

    for name, page in zip(("ada", "bob"), pages, strict=True):
        assert (f"Hello {name}" in page, f"local {name}, indexed {name}" in page) == (True, True), page
    winner = "ada" if "Hello ada" in last else "bob"
    assert (f"Hello {winner}" in last, f"local {winner}, indexed {winner}" in last) == (True, True), last
    assert [1, 2, 3] == [version for version, _ in await house.saved("both")]


async def test_the_cookies_at_the_end_are_there_for_whoever_asked(house: House, bank: Bank) -> None:
    await house.run("c1", f"Go to {bank.url}. {LOG_IN.format(name='ada')}", e.Options(save_state=True))

    kept = await get_cookies(house.vault, "c1")

    assert kept is not None
    assert 1 == len(kept)
    assert b'"value":"ada"' in bytes(kept[0]).replace(b" ", b"")
