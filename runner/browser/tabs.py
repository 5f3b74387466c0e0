"""The tabs of one session: popups become tabs, dialogs are answered, crashes are noticed. Never blocks."""

import asyncio
from collections.abc import Callable, Coroutine

from playwright.async_api import BrowserContext, CDPSession, Dialog, Error, Page, ViewportSize

from runner.browser.devtools import Event

MOST_TABS = 10
MOST_DIALOGS = 50


Spawn = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


class Tab:
    """One page and what happened to it. `refused` and `oversized` are sentences, until the hands have told them.

    `asked` is the last address that its main frame asked for, redirects followed; `name` what DevTools calls the page;
    `fruitless` tells that the last navigation ended without a page.
    """

    def __init__(self, page: Page, spawn: Spawn, max_page_bytes: int, guard: "Guarding") -> None:
        self.page = page
        self.name = ""
        self.cdp: CDPSession | None = None
        self.asked = ""
        self.crashed = False
        self.refused = ""
        self.oversized = ""
        self.opening = 0
        self.fruitless = False
        self.trouble = asyncio.Event()
        self.leaving: asyncio.Task[None] | None = None
        self.arrived = asyncio.Event()
        self.arrived.set()
        self.spawn = spawn
        self._guard = guard
        self._max_page_bytes = max_page_bytes
        self.main_frame = ""
        self._document = ""
        self._received = 0
        self._url = ""
        self._dialogs = 0
        self._loading = False
        page.on("crash", self._crash)
        page.on("dialog", self._answer)

    async def watch(self) -> None:
        """Listen to the page's own events. A page that closes meanwhile needs no watching."""
        try:
            cdp = await self.page.context.new_cdp_session(self.page)
            self.cdp = cdp
            cdp.on("Page.frameRequestedNavigation", self._leaving)
            cdp.on("Page.frameStartedNavigating", self._leaving)
            cdp.on("Page.frameStoppedLoading", self._stopped)
            cdp.on("Page.domContentEventFired", self._loaded)
            cdp.on("Page.windowOpen", self._opens)
            cdp.on("Network.responseReceived", self._response)
            cdp.on("Network.dataReceived", self._data)
            tree = await cdp.send("Page.getFrameTree")
            self.main_frame = str(tree["frameTree"]["frame"]["id"])
            await cdp.send("Page.enable")
            await self._guard(self, cdp)
        except Error:
            if not self.page.is_closed():
                raise

    async def stop_loading(self) -> None:
        """Give up the navigation under way: after a cancelled one the page hangs otherwise."""
        try:
            if self.cdp is not None:
                await self.cdp.send("Page.stopLoading")
        except Error as error:
            if "active page" not in error.message:  # else the new document is taking over at this moment
                raise
        self.arrived.set()

    async def listen(self, *, on: bool) -> None:
        """To the network, for the size of a document: only while it loads, as the events of a busy page are many."""
        try:
            if self.cdp is not None:
                await self.cdp.send("Network.enable" if on else "Network.disable")
        except Error:
            return  # the page went away

    async def drop(self) -> None:
        """As `stop_loading`, for a page that may go away."""
        try:
            await self.stop_loading()
        except Error:
            return  # the page went away

    def refuse(self, reason: str) -> None:
        """A navigation of the main frame was refused: whatever caused it fails."""
        self.refused = reason
        self.trouble.set()
        self.arrived.set()

    def clear(self) -> None:
        """Forget the troubles of earlier acts."""
        self.refused = self.oversized = ""
        self.opening = 0
        self.fruitless = self._loading = False
        self.trouble.clear()

    def _leaving(self, event: Event) -> None:
        if event["frameId"] != self.main_frame:
            return
        self.arrived.clear()
        if "loaderId" in event:
            self._document, self._received, self._url = event["loaderId"], 0, event.get("url", "")
            self._loading = event.get("navigationType") == "differentDocument"
            self.spawn(self.listen(on=True))

    def _stopped(self, event: Event) -> None:
        if event["frameId"] == self.main_frame:
            self.fruitless = self.fruitless or self._loading
            self.arrived.set()

    def _loaded(self, _event: Event) -> None:
        self._loading = False
        self.arrived.set()
        self.spawn(self.listen(on=False))

    def _opens(self, _event: Event) -> None:
        self.opening += 1

    def _response(self, event: Event) -> None:
        if event["requestId"] != self._document:
            return
        headers = event["response"].get("headers")
        lengths = (
            [str(v) for k, v in headers.items() if str(k).lower() == "content-length"]
            if isinstance(headers, dict)
            else []
        )
        if lengths and lengths[0].isdigit() and int(lengths[0]) > self._max_page_bytes:
            self._too_large()

    def _data(self, event: Event) -> None:
        if event["requestId"] == self._document:
            self._received += event["dataLength"]
            if self._received > self._max_page_bytes:
                self._too_large()

    def _too_large(self) -> None:
        self._document = ""
        if not self.oversized:
            self.oversized = f"{self._url} is larger than {self._max_page_bytes / 1024 / 1024:g} MiB."
            self.trouble.set()
            self.spawn(self.drop())

    def _crash(self, _page: Page) -> None:
        self.crashed = True
        self.arrived.set()

    async def _answer(self, dialog: Dialog) -> None:
        """Accept alerts and leaving, decline questions; and decline all of a page that asks without end."""
        self._dialogs += 1
        try:
            if dialog.type in {"alert", "beforeunload"} and self._dialogs <= MOST_DIALOGS:
                await dialog.accept()
            else:
                await dialog.dismiss()
        except Error:
            return  # the page went away with its dialog


Guarding = Callable[[Tab, CDPSession], Coroutine[None, None, None]]
"""Guards a tab from its first moment on."""


class Tabs:
    """All tabs of a context, in the order they were opened; the newest becomes the current one."""

    def __init__(self, context: BrowserContext, max_page_bytes: int, guard: Guarding) -> None:
        self.context = context
        self.open: list[Tab] = []
        self.adopted = asyncio.Event()
        self._current: Tab | None = None
        self._max_page_bytes = max_page_bytes
        self._guard = guard
        self._tasks: set[asyncio.Task[None]] = set()
        context.on("page", self.adopt)

    async def current(self) -> Tab:
        """The tab to act in; a new one when none is left."""
        if self._current is None:
            await self.context.new_page()
        assert self._current is not None  # noqa: S101 - new_page() has announced it
        if self._current.cdp is None:
            await self._current.watch()
        return self._current

    @property
    def current_now(self) -> Tab | None:
        """The tab to act in, without waiting."""
        return self._current

    def switch(self, tab: Tab) -> None:
        """Make it the current one."""
        self._current = tab

    def of(self, page: Page) -> Tab | None:
        """The tab of a page."""
        return next((tab for tab in self.open if tab.page is page or tab.page == page), None)

    async def forget(self, tab: Tab) -> None:
        """Close a tab."""
        self._closed(tab.page)
        await tab.page.close()

    async def close(self) -> None:
        """End the work under way for these tabs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run something small beside; it ends with the tabs."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def adopt(self, page: Page) -> None:
        """Take it for the newest tab, and so the current one."""
        if len(self.open) >= MOST_TABS:
            self.spawn(self._close(page))
            self.adopted.set()
            return
        tab = Tab(page, self.spawn, self._max_page_bytes, self._guard)
        page.on("close", self._closed)
        self.open.append(tab)
        self._current = tab
        self.adopted.set()

    async def _close(self, page: Page) -> None:
        try:
            await page.close()
        except Error:
            return  # it closed by itself

    def _closed(self, page: Page) -> None:
        tab = self.of(page)
        if tab is None:
            return
        tab.arrived.set()
        self.open.remove(tab)
        if self._current is tab:
            self._current = self.open[-1] if self.open else None


def viewport_of(size: tuple[int, int]) -> ViewportSize:
    """Width and height as Playwright wants them."""
    return {"width": size[0], "height": size[1]}
