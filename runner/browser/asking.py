"""What a page has asked the network for by its scripts, and has no answer to yet: what it shows may still change."""

import asyncio

from playwright.async_api import Error, Page, Request

KINDS = frozenset({"xhr", "fetch", "script"})
"""Streams that stay open are none of these; a request that is held open is, and costs only the limit of the wait."""


class Asking:
    """Of one page, from now on."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._known: set[Request] = set()

    async def answered(self, seconds: float) -> bool:
        """Wait so long for the answers to what was asked for since the last time. Whether there was anything."""
        asked = [each for each in await self._page.requests() if each.resource_type in KINDS]
        new = [each for each in asked if each not in self._known]
        self._known.update(new)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*[_answer(each) for each in new])
        except TimeoutError:
            return True  # it is held open: nobody knows for how long
        return bool(new)


async def _answer(request: Request) -> None:
    try:
        response = await request.response()
        if response is not None:
            await response.finished()
    except Error:
        return  # it failed, or is too long ago to be known
