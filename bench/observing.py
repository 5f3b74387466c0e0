"""What one look costs: time in our process (Playwright's client in it), waiting for driver and page, and characters.

A small page, the shop of the demonstration, a page of 5,000 elements in a table with links and buttons, and one of
100,000; the browser is the same for all. Reach, of all but the waiting: 50 ms on the small page, 300 ms on that of
5,000. Beside it Playwright's own snapshot of the same page, but for the last, where it takes more than 30 s.
Usage: `python bench/observing.py [looks]`.
"""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median

import msgspec
import uvloop
from aiohttp import web
from noise import spread, table

from api.demo.shop import open_shop
from runner.browser.browsers import BrowserSettings, Session, open_browsers
from runner.egress.addresses import LOOPBACK
from runner.ports import Wanted
from runner.vocabulary import Navigate

SMALL = (
    "<!doctype html><title>Small</title><h1>Log in</h1><form><label>Name <input></label><label>Password "
    "<input type=password></label><button>Log in</button></form><p>Nobody yet? <a href=/new>Register</a>.</p>"
)


def rows(elements: int) -> str:
    """A table of orders with about so many elements."""
    body = "".join(
        f"<tr class='order {'even' if n % 2 else 'odd'}' data-id='{n}'><td>TW-{n:05}</td><td><a href='/order/{n}' "
        f"class='customer'>Customer number {n}</a></td><td class='sum'>{n % 900}.00 EUR</td><td><button class='btn "
        f"btn-small' aria-label='Delete order {n}'><i class='icon icon-trash'></i></button></td></tr>"
        for n in range(elements // 8)
    )
    return (
        "<!doctype html><title>Orders</title><h1>Orders</h1><input placeholder=Search><table><thead><tr><th>Order<th>"
        f"Customer<th>Sum<th></tr></thead><tbody>{body}</tbody></table>"
    )


class Cost(msgspec.Struct, frozen=True):
    """Of one call, in milliseconds: in all, and of our process alone."""

    whole: float
    ours: float


async def cost(call: Callable[[], Awaitable[object]]) -> Cost:
    began, worked = time.perf_counter(), time.process_time()
    await call()
    return Cost((time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000)


@asynccontextmanager
async def site() -> AsyncIterator[str]:
    """In this process: it rests while the page is looked at."""
    pages = {"small": SMALL, "rows": rows(5_000), "endless": rows(100_000)}

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=pages.get(request.match_info["name"], ""), content_type="text/html")

    app = web.Application()
    app.router.add_get("/{name}", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def measured(
    session: Session, name: str, url: str, looks: int, *, beside: bool = True
) -> list[tuple[object, ...]]:
    """The rows of the table about one page."""
    await session.act(await session.resolve(Navigate(url=url)))
    tab = session._tabs.current_now
    assert tab is not None
    page = tab.page
    html = len(await page.content())
    elements = await page.evaluate("document.getElementsByTagName('*').length")
    tree = (await session.look(tree=True)).tree
    snapshot = await page.aria_snapshot(mode="ai") if beside else ""
    own, theirs = list[Cost](), list[Cost]()
    for _ in range(looks):  # in turn, so that what else the machine does falls on both alike
        own.append(await cost(lambda: session.look(tree=True)))
        if beside:
            theirs.append(await cost(lambda: page.aria_snapshot(mode="ai")))
    found: list[tuple[object, ...]] = [
        (f"{name}, {elements:,} elements", *times(own), f"{len(tree):,}", f"{len(tree) / html:.1%} of {html:,}"),
    ]
    if beside:
        found.append(("  Playwright's snapshot", *times(theirs), f"{len(snapshot):,}", f"{len(snapshot) / html:.1%}"))
    return found


def times(costs: list[Cost]) -> tuple[str, str, str, str]:
    """Ours, and its noise; waiting; all."""
    ours = [each.ours for each in costs]
    waiting, whole = (median(each.whole - each.ours for each in costs), median(each.whole for each in costs))
    return f"{median(ours):.1f}", spread(ours), f"{waiting:.1f}", f"{whole:.1f}"


async def main(looks: int) -> None:
    head = ("a look, p50 in ms", "ours", "noise", "waiting", "in all", "characters", "against the HTML's")
    found: list[tuple[object, ...]] = [head]
    async with (
        site() as url,
        open_shop() as shop,
        open_browsers(BrowserSettings(private=LOOPBACK, max_page_bytes=1 << 26)) as browsers,
        browsers.session(Wanted(viewport=(1280, 800))) as session,
    ):
        found += await measured(session, "small", f"{url}/small", looks)
        found += await measured(session, "shop", f"{shop}/", looks)
        found += await measured(session, "orders", f"{url}/rows", looks)
        found += await measured(session, "endless", f"{url}/endless", max(looks // 5, 3), beside=False)
    table(found)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
