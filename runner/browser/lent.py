"""Browsers that clients drive by themselves: each a process of its own with one way out, found again, ended."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from playwright.async_api import async_playwright

from eventstore import lent as places
from eventstore.lent import DOWNLOADS, UPLOADS
from runner.browser import flags, lent_screencast, stored
from runner.browser.browsers import BrowserSettings, own_ports
from runner.browser.caretaker import Caretaker, Kept
from runner.browser.chromium import executable_of, find
from runner.browser.own import OwnBrowser, claim, start, sweep
from runner.browser.probe import REACH_SECONDS, listens
from runner.egress.proxy import CannotListen, Egress, open_egress
from runner.egress.rules import Rules
from runner.ports import Wanted
from runner.reel import Put
from runner.vocabulary import ActFailed

READY_SECONDS = 30.0
DEVICES = ("--use-fake-device-for-media-stream",)
"""A client may grant its pages the camera and the microphone: it gets pretended ones, not those of the machine."""

PREFERENCES = {"plugins": {"always_open_pdf_externally": True}}
"""The viewer for PDF is an extension with rights that no page has, and a client's script runs in every frame."""

log = structlog.get_logger()


class Lent:
    """One browser. `gone` is set when it has ended by itself.

    With `keep` it is left running when the block is left, and ends after the grace unless it is claimed again.
    """

    def __init__(self, own: OwnBrowser, place: Path) -> None:
        self.own = own.name
        self.place = place
        self.version = "Chromium"
        self.gone = asyncio.Event()
        self.keep = True

    async def state(self) -> str:
        """Cookies and storage as JSON text, for the vault. Raises ActFailed."""
        return await stored.take(places.endpoint(self.place))

    async def show(self, put: Put) -> None:
        """Put pictures of the foremost page for people who watch, until cancelled."""
        await lent_screencast.show(places.endpoint(self.place), put)


class LentBrowsers:
    """Gives them out; each has a folder in `root`."""

    def __init__(self, settings: BrowserSettings, root: Path) -> None:
        self._settings = settings
        self._root = root
        self._own_ports = own_ports(settings)
        self._held: dict[str, OwnBrowser] = {}

    async def take_up(self, names: Collection[str]) -> None:
        """Claim the browsers of these names that still run; end all others that an earlier process left."""
        self._held = await sweep(self._root, names)

    @asynccontextmanager
    async def lend(self, wanted: Wanted, kept: Kept) -> AsyncIterator[Lent]:
        """The browser named `own` if it is still there; a new one only if none is named. `kept` hears of downloads.

        Raises ActFailed: no_browser, browser_lost.
        """
        rules = Rules(allowed_domains=tuple(wanted.allowed_domains), private=self._settings.private)

        def egress_on(port: int) -> AbstractAsyncContextManager[Egress]:
            return open_egress(
                rules,
                refused=wanted.blocked,
                port=port,
                own=self._own_ports,
                resolve=self._settings.resolve,
                through=wanted.proxy,
            )

        async with AsyncExitStack() as stack:
            own = await (self._again(stack, wanted, egress_on) if wanted.own else self._new(stack, wanted, egress_on))
            lent = Lent(own, self._root / own.name)
            stack.push_async_callback(_leave, lent, own)
            port = urlsplit(own.endpoint).port or 0
            self._own_ports.add(port)  # whoever reaches it has the browser, so no page may
            stack.callback(self._own_ports.discard, port)
            caretaker = Caretaker(own.endpoint, lent.place / DOWNLOADS, kept)
            tending = asyncio.create_task(caretaker.tend())
            tending.add_done_callback(lambda _: lent.gone.set())
            stack.push_async_callback(_cancelled, tending)
            try:
                async with asyncio.timeout(READY_SECONDS):
                    await caretaker.ready.wait()
            except TimeoutError:
                lent.keep = False
                raise ActFailed("no_browser", "The browser has started, but it does not answer.") from None
            lent.version = caretaker.version
            if wanted.state and not wanted.own:
                lent.keep = False  # until it is as it should be
                await stored.put(own.endpoint, wanted.state)
                lent.keep = True
            yield lent

    async def _again(
        self, stack: AsyncExitStack, wanted: Wanted, egress_on: Callable[[int], AbstractAsyncContextManager[Egress]]
    ) -> OwnBrowser:
        own = self._held.pop(wanted.own, None) or claim(self._root, wanted.own)
        if own is None:
            raise ActFailed("browser_lost", "The browser ended while the service was away.")
        try:
            if not own.proxy or not await listens(own.endpoint, REACH_SECONDS):
                raise ActFailed("browser_lost", "The browser does not answer any more.")
            await stack.enter_async_context(egress_on(own.proxy))
        except (ActFailed, CannotListen) as failure:
            await own.end()
            raise ActFailed("browser_lost", str(failure)) from failure
        return own

    async def _new(
        self, stack: AsyncExitStack, wanted: Wanted, egress_on: Callable[[int], AbstractAsyncContextManager[Egress]]
    ) -> OwnBrowser:
        executable = await self._executable()
        egress = await stack.enter_async_context(egress_on(0))
        command = partial(
            flags.command,
            executable,
            proxy=egress.port,
            headless=self._settings.headless,
            viewport=wanted.viewport,
            more=(*DEVICES, *flags.certificates(wanted.proxy)),
        )
        grace = self._settings.grace_seconds
        own = await start(self._root, command, proxy=egress.port, grace=grace, preferences=PREFERENCES)
        try:
            for folder in (DOWNLOADS, UPLOADS):
                (self._root / own.name / folder).mkdir(mode=0o700)
        except OSError as error:
            await own.end()
            raise ActFailed("no_browser", f"The browser's folders could not be made: {error.strerror}.") from error
        return own

    async def _executable(self) -> str:
        if found := find(self._settings.executable):
            return found
        async with async_playwright() as playwright:  # none is installed; it may have brought one
            return executable_of("", playwright)

    def close(self) -> None:
        """Leave those that nobody asked for again."""
        for own in self._held.values():
            own.leave()


async def _leave(lent: Lent, own: OwnBrowser) -> None:
    if lent.keep and not lent.gone.is_set():
        own.leave()
    else:
        await asyncio.shield(own.end())


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})
