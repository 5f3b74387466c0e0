"""Cookies and storage of a browser that a client drives: put in before its client comes, taken out at its end.

By a driver of its own each time: it is needed seldom, and none shall look on while the client is at work.
"""

import asyncio
import json

import msgspec
from playwright.async_api import Error, StorageState, async_playwright

from runner.vocabulary import ActFailed

STATE_SECONDS = 20.0


async def put(endpoint: str, state: str) -> None:
    """Begin with what `take` gave. Raises ActFailed."""
    stored = msgspec.convert(msgspec.json.decode(state, type=dict[str, object]), StorageState)
    try:
        async with asyncio.timeout(STATE_SECONDS), async_playwright() as playwright:
            browser = await playwright.chromium.connect_over_cdp(endpoint)
            await browser.contexts[0].set_storage_state(stored)
    except (Error, TimeoutError) as error:
        # Playwright's words would quote the cookies.
        raise ActFailed("no_browser", "The cookies and storage of the profile could not be put in.") from error


async def take(endpoint: str) -> str:
    """Cookies, local storage and indexed DB of the browser's own context as JSON text. Raises ActFailed."""
    try:
        async with asyncio.timeout(STATE_SECONDS), async_playwright() as playwright:
            browser = await playwright.chromium.connect_over_cdp(endpoint)
            return json.dumps(await browser.contexts[0].storage_state(indexed_db=True))
    except (Error, TimeoutError) as error:
        raise ActFailed("browser_lost", "What the browser has could not be read.") from error
