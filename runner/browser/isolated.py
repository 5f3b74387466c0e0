"""Sessions with a browser of their own each: the one that the task had, with its pages as they were, or a new one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import structlog
from playwright.async_api import Page

from runner.browser import flags
from runner.browser.access import Access
from runner.browser.attach import Attached, Unreachable, attach, found_again
from runner.browser.browsers import BrowserSettings, own_ports
from runner.browser.chromium import executable_of
from runner.browser.driver import Drivers
from runner.browser.guard import Guard
from runner.browser.own import OwnBrowser, claim, start, sweep
from runner.browser.own_session import OwnSession
from runner.browser.probe import REACH_SECONDS, listens, pages_answer
from runner.browser.session import Session
from runner.browser.tabs import Tabs
from runner.egress.proxy import CannotListen, Egress, open_egress
from runner.egress.rules import Rules
from runner.ports import Wanted
from runner.vocabulary import ActFailed

log = structlog.get_logger()

OpenEgress = Callable[[int], AbstractAsyncContextManager[Egress]]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that can be worked in. `found`: its pages as they were, `current` the one to act in; none when new."""

    browser: OwnBrowser
    chromium: Attached
    egress: Egress
    found: list[Page] = []
    current: Page | None = None


class IsolatedBrowsers:
    """Gives out sessions. Use `open_isolated`."""

    def __init__(self, settings: BrowserSettings, root: Path) -> None:
        self.settings = settings
        self.own_ports = own_ports(settings)
        self._root = root
        self._drivers = Drivers()
        self._held: dict[str, OwnBrowser] = {}
        self._timers: list[asyncio.TimerHandle] = []
        self._beside: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def session(self, wanted: Wanted) -> AsyncIterator[Session]:
        """A browser for this session: the one named `own` if it is there and as it was, else a new one with `state`.

        Raises ActFailed when there is no browser.
        """
        rules = Rules(allowed_domains=tuple(wanted.allowed_domains), private=self.settings.private)

        def egress_on(port: int) -> AbstractAsyncContextManager[Egress]:
            return open_egress(
                rules,
                refused=wanted.blocked,
                port=port,
                own=self.own_ports,
                resolve=self.settings.resolve,
                through=wanted.proxy,
            )

        async with AsyncExitStack() as stack:
            place = await self._again(stack, wanted.own, egress_on) or await self._new(stack, egress_on, wanted)
            context = place.chromium.browser.contexts[0]
            session = OwnSession(
                chromium=place.chromium,
                tabs=Tabs(context, self.settings.max_page_bytes, Guard(place.egress).watch),
                access=Access(
                    egress=place.egress, uploads=wanted.uploads, inbox=wanted.inbox, highlight=wanted.highlight
                ),
                action_seconds=wanted.action_seconds,
                navigation_seconds=self.settings.navigation_seconds,
            )
            stack.push_async_callback(_leave, session, place.browser)
            await session.make_ready(
                place.browser,
                place.chromium.browser,
                found=place.found,
                current=place.current,
                viewport=wanted.viewport,
                state=wanted.state,
                downloads=wanted.downloads if wanted.inbox is not None else None,
            )
            yield session

    async def take_up(self, names: Collection[str], seconds: float) -> None:
        """Hold the browsers of these names for so long at most; end all others that are left of an earlier process."""
        self._held = await sweep(self._root, names)
        self.own_ports |= {_port(browser) for browser in self._held.values()}
        loop = asyncio.get_running_loop()
        self._timers = [loop.call_later(seconds, self._let_go, name) for name in self._held]

    def end(self, name: str) -> None:
        """Nobody will ask for that browser again: it ends, beside."""
        if browser := self._take(name):
            self._end(browser)

    async def close(self) -> None:
        """Leave the browsers that are held: they end after the grace unless they are claimed again."""
        for timer in self._timers:
            timer.cancel()
        for browser in self._held.values():
            browser.leave()
        if self._beside:
            await asyncio.wait(self._beside, timeout=self.settings.close_seconds)
        await self._drivers.close()

    async def _again(self, stack: AsyncExitStack, name: str, egress_on: OpenEgress) -> Place | None:
        """The browser of that name, as it was; None, and it is ended, when it cannot be worked in."""
        browser = self._take(name)
        if browser is None:
            return None
        answer = self.settings.answer_seconds
        async with AsyncExitStack() as reached:
            reached.callback(browser.leave)
            try:
                if not browser.proxy:
                    raise Unreachable("nobody knows where its traffic goes")
                egress = await reached.enter_async_context(egress_on(browser.proxy))
                if not await pages_answer(browser.endpoint, max(REACH_SECONDS, answer)):
                    raise Unreachable("its pages do not answer")
                chromium = await self._attach(reached, browser)
                context = chromium.browser.contexts[0]
                found, current = await found_again(context, browser.tabs, answer_seconds=answer)
            except (Unreachable, CannotListen) as error:
                log.warning("a browser that was left running is of no use", browser=name, reason=str(error))
                await browser.end()
                return None
            await stack.enter_async_context(reached.pop_all())
            return Place(browser=browser, chromium=chromium, egress=egress, found=found, current=current)

    async def _new(self, stack: AsyncExitStack, egress_on: OpenEgress, wanted: Wanted) -> Place:
        executable = await self._executable()
        egress = await stack.enter_async_context(egress_on(0))
        command = partial(
            flags.command,
            executable,
            proxy=egress.port,
            headless=self.settings.headless,
            viewport=wanted.viewport,
            more=flags.certificates(wanted.proxy),
        )
        browser = await start(self._root, command, proxy=egress.port, grace=self.settings.grace_seconds)
        stack.callback(browser.leave)
        try:
            return Place(browser=browser, chromium=await self._attach(stack, browser), egress=egress)
        except Unreachable as error:
            await browser.end()
            raise ActFailed("no_browser", f"The browser has started, but {error}.") from error

    async def _attach(self, stack: AsyncExitStack, browser: OwnBrowser) -> Attached:
        endpoint = browser.endpoint
        if not await listens(endpoint, max(REACH_SECONDS, self.settings.answer_seconds)):
            raise Unreachable("it does not answer")
        port = _port(browser)
        self.own_ports.add(port)  # whoever reaches it has the browser, so no page may
        stack.callback(self.own_ports.discard, port)
        try:
            return await self._through(stack, endpoint)
        except Unreachable:  # a driver that is dead or hangs tells nobody
            return await self._through(stack, endpoint)

    async def _through(self, stack: AsyncExitStack, endpoint: str) -> Attached:
        async with AsyncExitStack() as using:
            driver = await using.enter_async_context(self._drivers.use())
            try:
                attached = await attach(driver, endpoint, local=True, answer_seconds=self.settings.answer_seconds)
            except Unreachable:
                self._drivers.retire(driver)
                raise
            using.push_async_callback(attached.close, self.settings.close_seconds)
            await stack.enter_async_context(using.pop_all())
            return attached

    async def _executable(self) -> str:
        async with self._drivers.use() as driver:
            return executable_of(self.settings.executable, driver.playwright)

    def _take(self, name: str) -> OwnBrowser | None:
        return self._held.pop(name, None) or claim(self._root, name)

    def _let_go(self, name: str) -> None:
        if browser := self._held.pop(name, None):
            self._end(browser)

    def _end(self, browser: OwnBrowser) -> None:
        self.own_ports.discard(_port(browser))
        self._spawn(browser.end())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)


def _port(browser: OwnBrowser) -> int:
    """Where it speaks DevTools; 0 when that is not known any more."""
    return urlsplit(browser.endpoint).port or 0


async def _leave(session: OwnSession, browser: OwnBrowser) -> None:
    await session.close()
    if not session.keep:
        await asyncio.shield(browser.end())


@asynccontextmanager
async def open_isolated(settings: BrowserSettings, root: Path) -> AsyncIterator[IsolatedBrowsers]:
    """Browsers that start when they are needed; leaving leaves those that are to be kept."""
    browsers = IsolatedBrowsers(settings, root)
    try:
        yield browsers
    finally:
        await asyncio.shield(browsers.close())
