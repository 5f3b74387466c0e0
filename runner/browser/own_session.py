"""A session in the one context of a browser of its own: made ready, and its tabs noted for whoever finds it later."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
from playwright.async_api import Browser, Error, Page, StorageState

from eventstore.human import HumanInput
from runner.browser.attach import name_of
from runner.browser.own import OwnBrowser
from runner.browser.session import Session
from runner.browser.tabs import viewport_of
from runner.ports import Outcome, Resolved, Touch
from runner.vocabulary import ActFailed

READY_SECONDS = 20.0


class OwnSession(Session):
    """Use `IsolatedBrowsers.session`."""

    browser: OwnBrowser
    _noted: Sequence[str] = ()

    async def make_ready(
        self,
        browser: OwnBrowser,
        through: Browser,
        *,
        found: Sequence[Page],
        current: Page | None,
        viewport: tuple[int, int],
        state: str,
        downloads: Path | None = None,
    ) -> None:
        """Take the pages that were `found` and act in the `current` one; without any the context gets `state`.

        What is downloaded lies in a folder in `downloads`; without it downloads are refused. Raises ActFailed.
        """
        self.browser = browser
        self.own = browser.name
        self.attached = self.keep = bool(found)
        context, tabs = through.contexts[0], self._tabs
        context.on("page", lambda page: tabs.spawn(_resize(page, viewport)))
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.receive(through, downloads, alone=True)
                if state and not found:
                    stored = msgspec.json.decode(state, type=dict[str, object])
                    await context.set_storage_state(msgspec.convert(stored, StorageState))
                for page in found or context.pages:
                    await page.set_viewport_size(viewport_of(viewport))
                    tabs.adopt(page)
                if current is not None and (tab := tabs.of(current)):
                    tabs.switch(tab)
                await self.open()
                await self._note_tabs()
        except (Error, TimeoutError) as error:
            raise ActFailed("browser_lost", "The browser could not be made ready.") from error

    async def act(self, resolved: Resolved) -> Outcome:
        """As `Session.act`; then it is noted which tabs there are."""
        outcome = await super().act(resolved)
        async with self._told():
            await self._note_tabs()
        return outcome

    async def by_hand(self, asked: HumanInput) -> Touch:
        """As `Session.by_hand`; then it is noted which tabs there are."""
        touch = await super().by_hand(asked)
        if touch.name:
            async with self._told():
                await self._note_tabs()
        return touch

    async def _note_tabs(self) -> None:
        """The current tab first, and again among all in their order."""
        tabs, current = list(self._tabs.open), self._tabs.current_now
        for tab in tabs:
            tab.name = tab.name or await name_of(self._tabs.context, tab.page)
        noted = [tab.name for tab in ([current] if current else []) + tabs]
        if noted != self._noted:
            self._noted = noted
            self.browser.note_tabs(noted)


async def _resize(page: Page, viewport: tuple[int, int]) -> None:
    try:
        await page.set_viewport_size(viewport_of(viewport))
    except Error:
        return  # it is gone again
