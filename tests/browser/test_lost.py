"""A browser, a page or a driver is killed or frozen in the middle of a task: it goes on in another one."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api.demo.child import descendants
from eventstore import decide
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.memory import MemoryStore
from eventstore.store import Recorded
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.attach import Attached
from runner.browser.browsers import Browsers, BrowserSettings, open_browsers
from runner.browser.chromium import Chromium
from runner.browser.isolated import open_isolated
from runner.egress.addresses import LOOPBACK
from runner.equipment import Equipment
from runner.models import keyless
from runner.ports import Wanted
from runner.vocabulary import ActFailed, Wait
from runner.worker import Worker
from tests.browser.test_killed import gone

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 120.0
Harm = Callable[[Chromium], None]


class Shop:
    """A runner with a Chromium that has two seconds to answer, on a log in memory."""

    def __init__(self, browsers: Browsers, path: Path) -> None:
        self.store = MemoryStore()
        self.tasks = Repository(self.store, Task(), evolve)
        self.browsers = browsers
        equipment = Equipment(
            models=keyless, browsers=browsers, blobs=Blobs(path / "blobs"), vault=Vault(path / "vault")
        )
        self.worker = Worker(self.store, self.tasks, equipment, name="w", max_concurrent=4, keep_paused_seconds=60.0)

    async def create(self, name: str, instruction: str) -> str:
        """A new task; answers its stream."""
        created = e.TaskCreated(
            instruction=instruction,
            llm="instructions",
            session=name,
            project="p",
            family="v1",
            request_digest=name,
            limits=e.Limits(action_seconds=LIMIT),
        )
        await self.tasks.transact(f"task-{name}", lambda task: decide.create(task, created), actor="key:test")
        return f"task-{name}"

    async def until(self, stream: str, *kinds: type[e.Event], name: str = "") -> Recorded:
        """The first event of these kinds on the stream; of an act, of that name."""
        async with asyncio.timeout(LIMIT):
            while True:
                head = self.store.head
                for recorded in await self.store.read_stream(stream):
                    if isinstance(recorded.event, kinds) and name in ("", getattr(recorded.event, "name", "")):
                        return recorded
                await self.store.wait(head)

    async def end(self, stream: str) -> e.Event:
        """How the task ended."""
        return (await self.until(stream, e.TaskFinished, e.TaskFailed)).event


@asynccontextmanager
async def shop(path: Path) -> AsyncIterator[Shop]:
    """A running one."""
    settings = BrowserSettings(navigation_seconds=LIMIT, answer_seconds=2.0, close_seconds=1.0, private=LOOPBACK)
    async with open_browsers(settings) as browsers:
        opened = Shop(browsers, path)
        running = asyncio.create_task(opened.worker.run())
        try:
            yield opened
        finally:
            await opened.worker.leave()
            running.cancel()
            await asyncio.wait({running})


def kill_browser(chromium: Chromium) -> None:
    os.killpg(chromium.pid, signal.SIGKILL)


def freeze_browser(chromium: Chromium) -> None:
    os.killpg(chromium.pid, signal.SIGSTOP)


def kill_driver(chromium: Chromium) -> None:
    assert chromium.driver is not None
    chromium.driver.kill()


def freeze_driver(chromium: Chromium) -> None:
    assert chromium.driver is not None
    chromium.driver.send_signal(signal.SIGSTOP)


@pytest.mark.parametrize(
    "harm",
    [
        kill_browser,
        pytest.param(freeze_browser, marks=pytest.mark.slow),
        pytest.param(kill_driver, marks=pytest.mark.slow),
        pytest.param(freeze_driver, marks=pytest.mark.slow),
    ],
)
async def test_tasks_whose_browser_is_gone_go_on_in_another(site: str, tmp_path: Path, harm: Harm) -> None:
    async with shop(tmp_path) as place:
        # One looks at its page all the time until another browser asks for it again; only then the other one begins.
        page = f"{site}/visit/{harm.__name__}"
        looking = await place.create("looking", f"Go to {page}. Wait for the text 'Again'. Extract the main heading.")
        await place.until(looking, e.ActionStarted, name="wait_for")
        # A wait needs no page, and it has hardly begun: so it is the look after it that finds the browser gone.
        waiting = await place.create("waiting", f"Go to {site}/two.html. Wait 0.2 seconds. Extract the main heading.")
        await place.until(waiting, e.ActionStarted, name="wait")
        lost = place.browsers._current
        assert lost is not None
        family = set(descendants(lost.pid))
        harm(lost)
        ends = await place.end(looking), await place.end(waiting)
    await gone(family)

    causes = [(await place.until(stream, e.RunnerLost)).event for stream in (looking, waiting)]
    assert [e.RunnerLost(runner="w", attempt=1, cause="browser_lost")] * 2 == causes
    assert ["Again", "Second page"] == [getattr(end, "output", end) for end in ends]


async def test_an_act_that_outlives_its_browser_does_not_end_on_a_blank_page() -> None:
    settings = BrowserSettings(close_seconds=1.0)
    async with open_browsers(settings) as browsers, browsers.session(Wanted(viewport=(800, 600))) as session:
        waiting = asyncio.create_task(session.act(await session.resolve(Wait(seconds=3))))
        kill_browser(session._chromium)

        with pytest.raises(ActFailed) as caught:
            await waiting

    assert "browser_lost" == caught.value.code


async def test_a_browser_is_killed_once_as_its_number_may_be_anothers_afterwards() -> None:
    other = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    async with (
        open_browsers(BrowserSettings(close_seconds=1.0)) as browsers,
        browsers.session(Wanted(viewport=(800, 600))) as session,
    ):
        session._chromium.kill()
        session._chromium.pid = other.pid
        session._chromium.kill()

    assert None is other.returncode
    other.kill()
    assert -signal.SIGKILL == await other.wait()


async def test_a_browser_that_was_only_slow_costs_no_other_session_its_driver(tmp_path: Path) -> None:
    settings = BrowserSettings(close_seconds=1.0, answer_seconds=0.5)
    async with open_isolated(settings, tmp_path) as isolated, isolated.session(Wanted(viewport=(800, 600))) as session:
        attached, driver = session._chromium, isolated._drivers._current
        assert isinstance(attached, Attached)
        os.kill(attached.pid, signal.SIGSTOP)
        while attached._giving_up is None:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)
        os.kill(attached.pid, signal.SIGCONT)
        await attached._giving_up
        async with isolated.session(Wanted(viewport=(800, 600))) as other:
            place = await other.look(tree=False)
            other.keep = False
        used = isolated._drivers._current
        session.keep = False

    assert ("about:blank", True) == (place.url, used is driver)


async def test_cookies_that_no_browser_takes_cost_no_other_session_its_browser() -> None:
    state = '{"cookies": [{"name": "a", "value": "b", "domain": "", "path": "/"}], "origins": []}'
    async with (
        open_browsers(BrowserSettings(close_seconds=1.0)) as browsers,
        browsers.session(Wanted(viewport=(800, 600))) as neighbour,
    ):
        with pytest.raises(ActFailed) as caught:
            async with browsers.session(Wanted(viewport=(800, 600), state=state)):
                pass
        place = await neighbour.look(tree=False)

    assert ("runner_lost", "about:blank") == (caught.value.code, place.url)


async def test_a_task_whose_page_crashed_goes_on_in_another(site: str, tmp_path: Path) -> None:
    async with shop(tmp_path) as place:
        page = f"{site}/visit/crash"
        stream = await place.create("crash", f"Go to {page}. Wait for the text 'Again'. Extract the main heading.")
        await place.until(stream, e.ActionStarted, name="wait_for")
        assert place.browsers._current is not None
        tab = place.browsers._current.browser.contexts[0].pages[0]
        cdp = await tab.context.new_cdp_session(tab)
        crash = asyncio.create_task(cdp.send("Page.crash"))
        end = await place.end(stream)
        crash.cancel()
        lost = (await place.until(stream, e.RunnerLost)).event

    assert "Again" == getattr(end, "output", end)
    assert e.RunnerLost(runner="w", attempt=1, cause="page_crashed") == lost
