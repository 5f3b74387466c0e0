"""What is cut off while a browser or a context is being made leaves nothing behind."""

import asyncio
import os
from pathlib import Path

from runner.browser.browsers import Browsers, BrowserSettings, open_browsers
from runner.ports import Wanted


def children() -> set[str]:
    """The processes that this one has started and that are still there."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def use(browsers: Browsers) -> str:
    async with browsers.session(Wanted(viewport=(800, 600))) as session:
        return session.version


async def cut_off(browsers: Browsers) -> None:
    """A session is begun and given up while its browser or its context is being made: the lock is held for that."""
    using = asyncio.create_task(use(browsers))
    async with asyncio.timeout(60):
        while not browsers._lock.locked():  # noqa: ASYNC110 - a lock tells nobody that it was taken
            await asyncio.sleep(0)
    using.cancel()
    await asyncio.wait({using})


async def test_a_browser_whose_start_was_cut_off_serves_the_next() -> None:
    async with open_browsers(BrowserSettings()) as browsers:
        await cut_off(browsers)
        starting = browsers._starting
        assert starting is not None
        version = await use(browsers)

        assert starting.result() is browsers._current
        assert starting.result().version == version


async def test_a_browser_that_nobody_waits_for_is_ended() -> None:
    before = children()

    async with open_browsers(BrowserSettings(launch_seconds=60.0)) as browsers:
        await cut_off(browsers)
        starting = browsers._starting
        assert starting is not None

    assert starting.done()
    assert set() == children() - before


async def test_a_context_whose_making_was_cut_off_is_closed() -> None:
    async with open_browsers(BrowserSettings()) as browsers:
        await use(browsers)
        assert browsers._current is not None
        devtools = await browsers._current.browser.new_browser_cdp_session()
        for _ in range(5):
            await cut_off(browsers)
        await asyncio.wait(browsers._discarding, timeout=60.0)
        left = await devtools.send("Target.getBrowserContexts")

    assert [] == left["browserContextIds"]
