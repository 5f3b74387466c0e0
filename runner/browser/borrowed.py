"""Sessions in the one context that a remote browser came with: one at a time, found again after a restart."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import uuid_utils
from playwright.async_api import BrowserContext, Error, Page

from runner.browser import keeper
from runner.browser.access import Access
from runner.browser.attach import Attached, Unreachable, attach, found_again
from runner.browser.browsers import BrowserSettings, own_ports
from runner.browser.driver import Driver, Drivers
from runner.browser.guard import Guard
from runner.browser.own import NAME, OwnBrowser
from runner.browser.own_session import OwnSession
from runner.browser.remote import port_of, refuse_rules, shown, speaks_devtools
from runner.browser.session import Session
from runner.browser.tabs import Tabs
from runner.egress.proxy import open_egress
from runner.egress.rules import Rules
from runner.ports import Wanted
from runner.vocabulary import ActFailed

log = structlog.get_logger()

EMPTY_SECONDS = 5.0


class Seat(OwnBrowser):
    """A task's place in the remote browser: a directory with the notes of its tabs. The browser is never ended."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, -1)

    async def end(self) -> None:
        """Nobody comes back to this place."""
        await asyncio.to_thread(keeper.remove, str(self._directory))


class BorrowedBrowser:
    """Gives out sessions, one after the other. Use `open_borrowed`."""

    def __init__(self, settings: BrowserSettings, root: Path) -> None:
        self.settings = settings
        self._root = root
        self._drivers = Drivers()
        self._free = asyncio.Condition()
        self._busy = False
        self._held: set[str] = set()
        self._timers: list[asyncio.TimerHandle] = []
        self._beside: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def session(self, wanted: Wanted) -> AsyncIterator[Session]:
        """The browser for this session alone, with the pages of `own` if they are there, else emptied and with `state`.

        Waits for the session before it to end. Raises ActFailed.
        """
        refuse_rules(wanted, self.settings.executable, alone=True)
        rules = Rules(private=self.settings.private)
        own = own_ports(self.settings, port_of(self.settings.executable))
        async with (
            self._turn(wanted.own),
            open_egress(rules, refused=wanted.blocked, own=own, resolve=self.settings.resolve) as egress,
            self._attached() as chromium,
        ):
            context = chromium.browser.contexts[0]
            seat, found, current = await self._seat(context, wanted.own)
            session = OwnSession(
                chromium=chromium,
                tabs=Tabs(context, self.settings.max_page_bytes, Guard(egress).watch),
                access=Access(egress=egress, uploads=wanted.uploads, highlight=wanted.highlight),
                action_seconds=wanted.action_seconds,
                navigation_seconds=self.settings.navigation_seconds,
            )
            try:
                await session.make_ready(
                    seat, chromium.browser, found=found, current=current, viewport=wanted.viewport, state=wanted.state
                )
                yield session
            finally:
                await session.close()
                if not session.keep:
                    await asyncio.shield(_vacate(context, seat))

    async def take_up(self, names: Collection[str], seconds: float) -> None:
        """Keep the browser for the task of such a name that was in it, for so long at most."""
        for name in await asyncio.to_thread(_seats, self._root):
            if name in names:
                self._held.add(name)
            else:
                await Seat(self._root / name).end()
        loop = asyncio.get_running_loop()
        self._timers = [loop.call_later(seconds, self.end, name) for name in self._held]

    def end(self, name: str) -> None:
        """Nobody will ask for those pages again. The next session empties the browser."""
        task = asyncio.get_running_loop().create_task(self._release(name))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def close(self) -> None:
        """Leave the browser as it is."""
        for timer in self._timers:
            timer.cancel()
        if self._beside:
            await asyncio.wait(self._beside, timeout=self.settings.close_seconds)
        await self._drivers.close()

    async def _release(self, name: str) -> None:
        async with self._free:
            if name in self._held:
                self._held.discard(name)
                await Seat(self._root / name).end()
                self._free.notify_all()

    @asynccontextmanager
    async def _turn(self, own: str) -> AsyncIterator[None]:
        async with self._free:
            await self._free.wait_for(lambda: not self._busy and not self._held - {own})
            self._busy = True
            self._held.discard(own)
        try:
            yield
        finally:
            async with self._free:
                self._busy = False
                self._free.notify_all()

    @asynccontextmanager
    async def _attached(self) -> AsyncIterator[Attached]:
        url = self.settings.executable
        if not await speaks_devtools(url):
            raise ActFailed("no_browser", f"A browser of its own for a task needs DevTools, not {shown(url)}.")
        for last in (False, True):
            async with self._drivers.use() as driver:
                attached = await self._attach(driver, last=last)
                if attached is None:
                    continue
                try:
                    yield attached
                finally:
                    await asyncio.shield(attached.close(self.settings.close_seconds))
                return

    async def _attach(self, driver: Driver, *, last: bool) -> Attached | None:
        url, answer = self.settings.executable, self.settings.answer_seconds
        try:
            return await attach(driver, url, local=False, answer_seconds=answer)
        except Unreachable as error:
            self._drivers.retire(driver)
            if last:
                raise ActFailed("no_browser", f"The browser at {shown(url)} does not answer.") from error
            return None

    async def _seat(self, context: BrowserContext, own: str) -> tuple[Seat, list[Page], Page | None]:
        if NAME.fullmatch(own):
            seat = Seat(self._root / own)
            try:
                found, current = await found_again(context, seat.tabs, answer_seconds=self.settings.answer_seconds)
                return seat, found, current
            except Unreachable as error:
                log.warning("the pages of a task are gone from the remote browser", reason=str(error))
                await seat.end()
        await _empty(context)
        directory = self._root / str(uuid_utils.uuid7())
        directory.mkdir(mode=0o700, parents=True)
        return Seat(directory), [], None


async def _vacate(context: BrowserContext, seat: Seat) -> None:
    try:
        await _empty(context)
    except ActFailed as failure:
        log.warning("the remote browser was not emptied; the next session tries again", reason=str(failure))
    await seat.end()


async def _empty(context: BrowserContext) -> None:
    """One blank page and no cookies, whoever was here before; a browser without any page would end."""
    try:
        async with asyncio.timeout(EMPTY_SECONDS):
            before = list(context.pages)
            await context.new_page()
            for page in before:
                await page.close()
            await context.set_storage_state({"cookies": [], "origins": []})
    except (Error, TimeoutError) as error:
        raise ActFailed("browser_lost", "The remote browser could not be emptied.") from error


def _seats(root: Path) -> list[str]:
    return [directory.name for directory in root.glob("*-*-*-*-*") if NAME.fullmatch(directory.name)]


@asynccontextmanager
async def open_borrowed(settings: BrowserSettings, root: Path) -> AsyncIterator[BorrowedBrowser]:
    """The remote browser, reached when it is needed."""
    browsers = BorrowedBrowser(settings, root)
    try:
        yield browsers
    finally:
        await asyncio.shield(browsers.close())
