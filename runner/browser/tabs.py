"""The tabs of one session: popups become tabs, and the newest is the current one. Never blocks."""

import asyncio
from collections.abc import Callable, Coroutine

from playwright.async_api import BrowserContext, Error, Page, ViewportSize

from runner.browser.news import News
from runner.browser.tab import Guarding, Tab

__all__ = ["MOST_TABS", "Tab", "Tabs", "viewport_of"]

MOST_TABS = 10


class Tabs:
    """All tabs of a context, in the order they were opened; the newest becomes the current one."""

    def __init__(self, context: BrowserContext, max_page_bytes: int, guard: Guarding) -> None:
        self.context = context
        self.open: list[Tab] = []
        self.adopted = asyncio.Event()
        self.news = News()
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

    def standing(self, tab: Tab | None) -> tuple[Tab | None, int, int]:
        """What plans for a page hold for: the tab, its document, and the questions that were declined so far."""
        return tab, tab.documents if tab is not None else 0, self.news.questions

    def watched(self) -> Callable[[], str]:
        """From now on: what tells, in words, what pages have asked and which tabs have come and gone since."""
        mark, before = self.news.count, list(self.open)

        def told() -> str:
            said = list(self.news.since(mark))
            for number, tab in enumerate(self.open, 1):
                if tab not in before:
                    current = ", which is the current one now" if tab is self._current else ""
                    said.append(f"tab {number} was opened: {tab.page.url}{current}")
            if gone := [tab for tab in before if tab not in self.open]:
                now = f"the current one is {self._current.page.url}" if self._current else "there is none any more"
                said.append(f"{len(gone)} {'tab was' if len(gone) == 1 else 'tabs were'} closed; {now}")
            return "".join(f"; {each}" for each in said)

        return told

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
            self.news.tell(f"a new tab was closed at once, as {MOST_TABS} are open already")
            self.spawn(self._close(page))
            self.adopted.set()
            return
        tab = Tab(page, self.spawn, self._max_page_bytes, self._guard, self.news)
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
