"""A real Chromium for each module, and the local pages of `tests/site` on a port of their own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp import web

from runner.browser.browsers import Browsers, BrowserSettings, Session, open_browsers
from runner.egress.addresses import LOOPBACK
from runner.ports import Wanted

SITE = Path(__file__).parent.parent / "site"
MEGABYTE = b"<p>" + b"x" * 1024 * 1024
LIMIT = 30.0
LATE_SECONDS = 0.7
"""Longer than a count must stand still."""


async def missing(_request: web.Request) -> web.Response:
    return web.Response(
        status=404, text="<!doctype html><title>Gone</title><h1>Nothing here</h1>", content_type="text/html"
    )


async def redirect(request: web.Request) -> web.Response:
    raise web.HTTPFound(request.query["to"])


async def silent(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    for _ in range(64):
        await response.write(MEGABYTE)
    return response


async def late(_request: web.Request) -> web.Response:
    await asyncio.sleep(LATE_SECONDS)
    return web.Response(text="1")


async def declared(_request: web.Request) -> web.Response:
    return web.Response(body=MEGABYTE * 3, content_type="text/html")


async def download(_request: web.Request) -> web.Response:
    return web.Response(body=b"x", headers={"Content-Disposition": "attachment; filename=x.bin"})


async def cookie(request: web.Request) -> web.Response:
    had = request.cookies.get("seen", "nothing")
    answer = web.Response(text=f"<!doctype html><title>Cookies</title><h1>had {had}</h1>", content_type="text/html")
    answer.set_cookie("seen", request.query.get("set", had))
    return answer


class Visits:
    """Pages that show whether they were asked for before, each by its name."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    async def page(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        heading = "Again" if name in self._seen else "First"
        self._seen.add(name)
        return web.Response(text=f"<!doctype html><title>Visit</title><h1>{heading}</h1>", content_type="text/html")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[str]:
    """The address of the pages, such as `http://127.0.0.1:40123`."""
    app = web.Application()
    app.router.add_get("/missing", missing)
    app.router.add_get("/redirect", redirect)
    app.router.add_get("/silent", silent)
    app.router.add_get("/late", late)
    app.router.add_get("/endless", endless)
    app.router.add_get("/declared", declared)
    app.router.add_get("/download", download)
    app.router.add_get("/cookie", cookie)
    app.router.add_get("/visit/{name}", Visits().page)
    app.router.add_static("/", SITE)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsers() -> AsyncIterator[Browsers]:
    """Browsers that may reach this machine, with two megabytes a page, and time for a slow machine."""
    settings = BrowserSettings(
        navigation_seconds=LIMIT, answer_seconds=LIMIT, max_page_bytes=2 * 1024 * 1024, private=LOOPBACK
    )
    async with open_browsers(settings) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(browsers: Browsers) -> AsyncIterator[Session]:
    """One context for the module, for acts that must succeed: every test opens its own page in it."""
    async with browsers.session(Wanted(viewport=(1280, 800), action_seconds=LIMIT)) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty(browsers: Browsers) -> AsyncIterator[Session]:
    """The same with half a second for an act: for acts that must fail."""
    async with browsers.session(Wanted(viewport=(1280, 800), action_seconds=0.5)) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(browsers: Browsers) -> AsyncIterator[Session]:
    """A context for one test alone: it counts tabs or history, or does harm."""
    async with browsers.session(Wanted(viewport=(1280, 800), action_seconds=LIMIT)) as opened:
        yield opened
