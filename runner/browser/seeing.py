"""What a model gets to see of a session: the outline, a picture on which secrets are covered, and what has happened."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from playwright.async_api import TimeoutError as PlaywrightTimeout

from runner.browser.highlight import highlighted
from runner.browser.lately import Lately
from runner.browser.observe import BUSY, Memory, observe
from runner.browser.tabs import Tab, Tabs
from runner.inbox import Inbox
from runner.masking import Mask
from runner.model import Observation
from runner.vocabulary import ActFailed

Take = Callable[[Tab], Awaitable[bytes]]
"""Takes the viewport as PNG with secrets covered. Raises ActFailed: uncovered."""


class Seeing:
    """Of one session. `lately` knows what was told before."""

    def __init__(self, tabs: Tabs) -> None:
        self.memory = Memory()
        self.lately = Lately(tabs)
        self._tabs = tabs

    async def look(
        self, tab: Tab, mask: Mask, inbox: Inbox | None, take: Take | None, *, tree: bool, boxes: bool
    ) -> Observation:
        """The place; with `tree` the outline, with `take` a picture, and what has happened since it was told last.

        With `boxes` the references of the outline are drawn into the picture.
        """
        seen = await observe(self._tabs, tab, self.memory, mask, tree=tree)
        if not tree and take is None:
            return seen
        png, missing = await _picture(tab, take) if take is not None and seen.tree != BUSY else (b"", "")
        if png and tree and boxes:
            png = await asyncio.to_thread(highlighted, png, self.memory.boxes(tab.page))
        news = list(self.lately.news(inbox, mask))  # it is told once: nothing may fail from here on
        if tree and tab.refused:
            news.append(tab.refused)
            tab.refused = ""  # else the next act would fail for it
        if missing:
            news.append(f"there is no picture this time: {missing}")
        return msgspec.structs.replace(seen, news=tuple(news), picture=png)


async def _picture(tab: Tab, take: Take) -> tuple[bytes, str]:
    """The picture, or why there is none."""
    try:
        return await take(tab), ""
    except ActFailed as failure:
        if failure.code != "uncovered":
            raise
        return b"", str(failure)
    except PlaywrightTimeout:
        return b"", "the page did not draw itself in time"
