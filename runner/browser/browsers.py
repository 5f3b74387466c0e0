"""The browsers of this runner: started when first needed, shared by sessions, replaced when they die or grow old."""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from playwright.async_api import BrowserContext, Error, StorageState

from runner.browser.access import Access
from runner.browser.chromium import ANSWER_SECONDS, Chromium, launch
from runner.browser.guard import Guard
from runner.browser.own import sweep
from runner.browser.remote import is_remote, on_this_machine, port_of, refuse_rules
from runner.browser.session import Session
from runner.browser.tabs import Tabs, viewport_of
from runner.egress.addresses import Network
from runner.egress.dial import Resolve, system_resolve
from runner.egress.proxy import Egress, open_egress
from runner.egress.rules import Rules
from runner.inbox import Inbox
from runner.ports import Wanted
from runner.vocabulary import ActFailed

LAUNCH_SECONDS = 5.0
"""How long a browser that nobody needs any more may take to start, so that it can be ended."""

__all__ = ["BrowserSettings", "Browsers", "Session", "open_browsers"]


class BrowserSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`executable` empty: an installed Chrome or Chromium is found, else Playwright's own.

    After `recycle_after` sessions new ones go to a new browser; a document above `max_page_bytes` fails its navigation.
    Pages reach the public network and what is in `private`, but never `service_port` of this machine; `resolve` looks
    names up for them.
    With `isolated` every session has a browser of its own in `directory`, which outlives this process by
    `grace_seconds`. `own_ports` are shared by all who have browsers here: what runs in one reaches none of these.
    """

    executable: str = ""
    headless: bool = True
    navigation_seconds: float = 30.0
    close_seconds: float = 2.0
    launch_seconds: float = LAUNCH_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    recycle_after: int = 200
    private: tuple[Network, ...] = ()
    service_port: int = 0
    resolve: Resolve = system_resolve
    isolated: bool = False
    directory: Path | None = None
    grace_seconds: float = 60.0
    own_ports: set[int] | None = None
    max_page_bytes: int = 10 * 1024 * 1024


def own_ports(settings: BrowserSettings, *more: int) -> set[int]:
    """The ports that no page may reach: one set for all who share these settings' own, and changed in place."""
    ports = settings.own_ports if settings.own_ports is not None else set()
    ports |= {settings.service_port, *more}
    return ports


class Browsers:
    """Gives out sessions. Use `open_browsers`."""

    def __init__(self, settings: BrowserSettings) -> None:
        self.settings = settings
        executable = settings.executable
        # Whoever reaches a remote browser's port has the browser, so no page may.
        self.own_ports = own_ports(settings, *([port_of(executable)] if is_remote(executable) else []))
        self._held_to_rules = not is_remote(settings.executable) or on_this_machine(settings.executable)
        self._lock = asyncio.Lock()
        self._current: Chromium | None = None
        self._starting: asyncio.Task[Chromium] | None = None
        self._draining: set[Chromium] = set()
        self._discarding: set[asyncio.Task[None]] = set()

    async def version(self) -> str:
        """Such as `Chromium 156.0.1.2`; starts a browser if none runs. Raises ActFailed."""
        async with self._lock:
            return (await self._usable()).version

    @asynccontextmanager
    async def session(self, wanted: Wanted) -> AsyncIterator[Session]:
        """One isolated context. What is here is not there after a crash, so `own` is never found.

        Raises ActFailed when there is no browser.
        """
        if not self._held_to_rules:
            refuse_rules(wanted, self.settings.executable, alone=False)
        rules = Rules(allowed_domains=tuple(wanted.allowed_domains), private=self.settings.private)
        async with open_egress(
            rules, refused=wanted.blocked, own=self.own_ports, resolve=self.settings.resolve, through=wanted.proxy
        ) as egress:
            chromium, context = await self._context(wanted, egress)
            try:
                session = Session(
                    chromium=chromium,
                    tabs=Tabs(context, self.settings.max_page_bytes, Guard(egress).watch),
                    access=Access(
                        egress=egress, uploads=wanted.uploads, inbox=self._inbox(wanted), highlight=wanted.highlight
                    ),
                    action_seconds=wanted.action_seconds,
                    navigation_seconds=self.settings.navigation_seconds,
                )
                try:
                    await session.open()
                    if session.inbox is not None:
                        await session.receive(chromium.browser, wanted.downloads)
                    yield session
                finally:
                    await session.close()
            finally:
                await asyncio.shield(self._leave(chromium, context))

    async def take_up(self, names: Collection[str], seconds: float) -> None:
        """Those that had browsers of their own go on here, without them."""
        if self.settings.directory is not None:
            await sweep(self.settings.directory, ())

    def end(self, name: str) -> None:
        """There is none."""

    async def close(self) -> None:
        """End every browser."""
        if self._discarding:
            await asyncio.wait(self._discarding, timeout=1.0)
        async with self._lock:
            left = self._draining | ({self._current} if self._current else set()) | await self._started()
            self._current, self._draining = None, set()
            for chromium in left:
                await chromium.close(self.settings.close_seconds)

    def _inbox(self, wanted: Wanted) -> Inbox | None:
        """The files of a browser that is somewhere else stay there."""
        return None if wanted.downloads is None or is_remote(self.settings.executable) else wanted.inbox

    async def _context(self, wanted: Wanted, egress: Egress) -> tuple[Chromium, BrowserContext]:
        storage = msgspec.json.decode(wanted.state, type=dict[str, object]) if wanted.state else None
        async with self._lock:
            for last in (False, True):
                chromium = await self._usable()
                try:
                    context = await self._made(
                        chromium.browser.new_context(
                            viewport=viewport_of(wanted.viewport),
                            proxy={"server": egress.server, "bypass": "<-loopback>"} if self._held_to_rules else None,
                            accept_downloads=False,
                            service_workers="block",
                            ignore_https_errors=wanted.proxy is not None and wanted.proxy.untrusted,
                            storage_state=msgspec.convert(storage, StorageState) if storage else None,
                        )
                    )
                except (Error, TimeoutError) as error:
                    if storage and isinstance(error, Error) and await chromium.answers():
                        # Not its fault, and others work in it. Playwright's words would quote the cookies.
                        message = "The cookies and storage that it was to begin with could not be brought back."
                        raise ActFailed("runner_lost", message) from None
                    # A dead driver is silent until it is asked for something: take new ones, once.
                    chromium.kill()
                    if last:
                        raise ActFailed("browser_lost", "The browser could not open a page, twice.") from error
                    continue
                chromium.live += 1
                chromium.served += 1
                return chromium, context
        raise AssertionError("unreachable")

    async def _made(self, call: Coroutine[None, None, BrowserContext]) -> BrowserContext:
        """The new context. The browser makes it even when nobody waits any more: then it is closed."""
        making = asyncio.create_task(call)
        try:
            async with asyncio.timeout(self.settings.navigation_seconds):
                return await asyncio.shield(making)
        except (asyncio.CancelledError, TimeoutError):
            closing = asyncio.create_task(_discard(making))
            self._discarding.add(closing)
            closing.add_done_callback(self._discarding.discard)
            raise

    async def _usable(self) -> Chromium:
        """The browser for new sessions. The lock is held."""
        if self._current is not None and not self._current.usable(self.settings.recycle_after):
            old, self._current = self._current, None
            if old.live and not old.dead and old.browser.is_connected():
                self._draining.add(old)
            else:
                await asyncio.shield(old.close(self.settings.close_seconds))
        if self._current is None:
            # A start that is cut off leaves its driver behind. So it goes on, and whoever comes next has the browser.
            if self._starting is None:
                self._starting = asyncio.create_task(
                    launch(
                        self.settings.executable,
                        headless=self.settings.headless,
                        answer_seconds=self.settings.answer_seconds,
                    )
                )
            await asyncio.wait({self._starting})
            started, self._starting = self._starting, None
            self._current = started.result()
        return self._current

    async def _started(self) -> set[Chromium]:
        """The browser that nobody has waited for to the end. The lock is held."""
        starting, self._starting = self._starting, None
        if starting is None:
            return set()
        await asyncio.wait({starting}, timeout=self.settings.launch_seconds)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting}, timeout=self.settings.close_seconds)
        return (
            {starting.result()} if starting.done() and not starting.cancelled() and not starting.exception() else set()
        )

    async def _leave(self, chromium: Chromium, context: BrowserContext) -> None:
        try:
            async with asyncio.timeout(self.settings.close_seconds):
                await context.close()
        except (Error, TimeoutError):
            chromium.dead = chromium.dead or not chromium.browser.is_connected()
        chromium.live -= 1
        if chromium in self._draining and chromium.live == 0:
            self._draining.discard(chromium)
            await chromium.close(self.settings.close_seconds)


async def _discard(making: asyncio.Task[BrowserContext]) -> None:
    try:
        await (await making).close()
    except Error:
        return  # the browser has ended, and the context with it


@asynccontextmanager
async def open_browsers(settings: BrowserSettings) -> AsyncIterator[Browsers]:
    """Browsers that start when they are needed; leaving ends them all."""
    browsers = Browsers(settings)
    try:
        yield browsers
    finally:
        await asyncio.shield(browsers.close())
