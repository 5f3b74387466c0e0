"""The way to a browser that this process did not start: attached over DevTools, watched, left as it is."""

import asyncio
import os
import signal
from contextlib import suppress

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, Page

from runner.browser.chromium import ANSWER_SECONDS, ASK_SECONDS, Chromium
from runner.browser.driver import Driver, acquaint
from runner.browser.probe import REACH_SECONDS, listens


class Unreachable(Exception):
    """Nothing answers at the endpoint, or not in time; the sentence says which."""


class Attached(Chromium):
    """A browser over DevTools. `kill` ends it only when it is the browser that does not answer, not the driver."""

    def __init__(
        self, driver: Driver, browser: Browser, questions: CDPSession, endpoint: str, *, pid: int, answer_seconds: float
    ) -> None:
        """`pid` is the browser's process, 0 when it is not ours to end."""
        super().__init__(None, driver.playwright, browser, answer_seconds=answer_seconds)
        self.pid = pid
        self._questions = questions
        self._way = driver
        self._endpoint = endpoint
        self._giving_up: asyncio.Task[None] | None = None
        self._attending = asyncio.create_task(self._attend())

    def kill(self) -> None:
        """It does not answer any more: whatever waits for it fails soon."""
        self.dead = True
        if self._giving_up is None:
            self._giving_up = asyncio.create_task(self._give_up())

    async def close(self, seconds: float) -> None:
        """Leave it: the connection ends, the browser goes on."""
        self._attending.cancel()
        with suppress(Error, TimeoutError, OSError):
            async with asyncio.timeout(seconds):
                await self.browser.close()
        if self._giving_up is not None:
            await asyncio.wait({self._giving_up})

    async def _attend(self) -> None:
        while await self.answers():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(ASK_SECONDS)
        self.kill()

    async def _give_up(self) -> None:
        if not await listens(self._endpoint):
            if self.pid:
                with suppress(OSError):
                    os.kill(self.pid, signal.SIGKILL)
        elif self.browser.is_connected() and not await self.answers():
            self._way.kill()  # the browser answers, and still not through the driver, which others use too


async def attach(driver: Driver, endpoint: str, *, local: bool, answer_seconds: float = ANSWER_SECONDS) -> Attached:
    """The browser at a DevTools endpoint. Raises Unreachable, without the endpoint in its words."""
    seconds = max(REACH_SECONDS, answer_seconds)
    connecting = asyncio.create_task(
        driver.playwright.chromium.connect_over_cdp(endpoint, is_local=local, timeout=seconds * 1000)
    )
    try:
        async with asyncio.timeout(seconds + ASK_SECONDS):
            browser = await asyncio.shield(connecting)
            for context in browser.contexts:
                await acquaint(context)
            questions = await browser.new_browser_cdp_session()
            processes = (await questions.send("SystemInfo.getProcessInfo"))["processInfo"] if local else []
    except (Error, TimeoutError) as error:
        raise Unreachable("nothing answers at its DevTools endpoint") from error
    finally:
        if not connecting.done():
            connecting.add_done_callback(_disconnect)
    pid = next((int(process["id"]) for process in processes if process["type"] == "browser"), 0)
    return Attached(driver, browser, questions, endpoint, pid=pid, answer_seconds=answer_seconds)


async def found_again(context: BrowserContext, noted: list[str], *, answer_seconds: float) -> tuple[list[Page], Page]:
    """The pages in the order of their notes, new ones after them, and the one to act in. Raises Unreachable.

    `noted` are the DevTools names of the tabs, the current one first and again in its place.
    """
    try:
        async with asyncio.timeout(max(REACH_SECONDS, answer_seconds)):
            pages = {await name_of(context, page): page for page in context.pages}
            if not noted or noted[0] not in pages:
                raise Unreachable("the page that was worked in is gone")
    except (Error, TimeoutError) as error:
        raise Unreachable("its page does not answer") from error
    order = [pages[name] for name in noted[1:] if name in pages]
    unknown = [page for name, page in pages.items() if name not in noted]
    return [*order, *unknown], (unknown or [pages[noted[0]]])[-1]


async def name_of(context: BrowserContext, page: Page) -> str:
    """What DevTools calls the page, whoever asks."""
    cdp = await context.new_cdp_session(page)
    try:
        return str((await cdp.send("Target.getTargetInfo"))["targetInfo"]["targetId"])
    finally:
        await cdp.detach()


def _disconnect(connecting: "asyncio.Task[Browser]") -> None:
    """Nobody waits for the connection any more."""
    if not connecting.cancelled() and connecting.exception() is None:
        closing = asyncio.ensure_future(connecting.result().close())
        closing.add_done_callback(lambda done: done.cancelled() or done.exception())
