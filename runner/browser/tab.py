"""One page of a session and what happened to it: where it goes, what it asks, that it crashed. Never blocks."""

import asyncio
from collections.abc import Callable, Coroutine

from playwright.async_api import CDPSession, Dialog, Error, Page

from runner.browser.devtools import Event
from runner.browser.news import News, asked

MOST_DIALOGS = 50

Spawn = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


class Tab:
    """One page and what happened to it. `refused` and `oversized` are sentences, until the hands have told them.

    `asked` is the last address that its main frame asked for, redirects followed; `name` what DevTools calls the page;
    `documents` counts those that it has had; `fruitless` tells that the last navigation ended without a page. `assent`
    is what an act lets questions of the page be answered with, the text for those that want one; None declines them.
    """

    def __init__(self, page: Page, spawn: Spawn, max_page_bytes: int, guard: "Guarding", news: News) -> None:
        self.page = page
        self.assent: str | None = None
        self.name = ""
        self.cdp: CDPSession | None = None
        self.asked = ""
        self.crashed = False
        self.refused = ""
        self.oversized = ""
        self.opening = 0
        self.documents = 0
        self.fruitless = False
        self.trouble = asyncio.Event()
        self.leaving: asyncio.Task[None] | None = None
        self.arrived = asyncio.Event()
        self.arrived.set()
        self.spawn = spawn
        self._guard = guard
        self._news = news
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
        self.assent = None
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
        self.documents += 1
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
        """Accept alerts and leaving, and questions if the act wants that; and decline all of a page without end."""
        self._dialogs += 1
        wanted = dialog.type in {"alert", "beforeunload"} or self.assent is not None
        accepted = wanted and self._dialogs <= MOST_DIALOGS
        answer = self.assent or dialog.default_value
        question = dialog.type in {"confirm", "prompt"}
        self._news.tell(asked(dialog, accepted=accepted, answer=answer), question=question and not accepted)
        try:
            if accepted:
                await dialog.accept(answer if dialog.type == "prompt" else None)
            else:
                await dialog.dismiss()
        except Error:
            return  # the page went away with its dialog


Guarding = Callable[[Tab, CDPSession], Coroutine[None, None, None]]
"""Guards a tab from its first moment on."""
