"""A real Chromium for each module, and the local pages of `tests/site` on a port of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp import web

from runner.browser import Browsers, BrowserSettings, Session, open_browsers

SITE = Path(__file__).parent.parent / "site"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[str]:
    """The address of the pages, such as `http://127.0.0.1:40123`."""
    app = web.Application()
    app.router.add_static("/", SITE)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsers() -> AsyncIterator[Browsers]:
    """Browsers with short limits."""
    async with open_browsers(BrowserSettings(navigation_seconds=5.0)) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def session(browsers: Browsers) -> AsyncIterator[Session]:
    """A fresh context."""
    async with browsers.session(viewport=(1280, 800), action_seconds=2.0) as opened:
        yield opened
