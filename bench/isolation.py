"""What a browser of its own for each task costs against contexts in a shared one: memory and the time to a first page.

Memory is PSS, which shares out the pages that processes have in common, over all processes below this one: Playwright's
driver, keepers, Chromium. The time runs from asking for a session to its first page being there, from nothing for the
first session. Each round has fresh browsers. Usage: `python bench/isolation.py [rounds]`.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from statistics import median

import msgspec
import uvloop
from aiohttp import web
from noise import spread, table

from api.demo.child import descendants
from runner.browser.browsers import BrowserSettings
from runner.browser.sessions import open_sessions
from runner.egress.addresses import LOOPBACK
from runner.ports import Wanted
from runner.vocabulary import Navigate

SESSIONS = (1, 4)
HEAD = ("mode", "sessions", "PSS MiB", "noise", "first page s", "noise", "each further s")
PAGE = "<!doctype html><title>A page</title>" + "<p>Some text, and a <a href='#'>link</a>.</p>" * 200


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Of one round: MiB with all sessions open, seconds to the page of the first session and of each further one."""

    pss: float
    first: float
    further: list[float]


@asynccontextmanager
async def site() -> AsyncIterator[str]:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def pss() -> float:
    """MiB of all processes below this one."""
    total = 0
    for pid in descendants(os.getpid()).keys() - {os.getpid()}:
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


async def measure(url: str, sessions: int, *, isolated: bool) -> Sample:
    times = []
    with tempfile.TemporaryDirectory() as directory:
        settings = BrowserSettings(isolated=isolated, directory=Path(directory), private=LOOPBACK)
        async with open_sessions(settings) as browsers, AsyncExitStack() as stack:
            for _ in range(sessions):
                began = time.perf_counter()
                session = await stack.enter_async_context(browsers.session(Wanted(viewport=(1280, 960))))
                await session.act(await session.resolve(Navigate(url=url)))
                times.append(time.perf_counter() - began)
            await asyncio.sleep(1.0)  # what the pages still set up
            return Sample(pss=pss(), first=times[0], further=times[1:])


async def main(rounds: int) -> None:
    rows: list[tuple[object, ...]] = [HEAD]
    async with site() as url:
        await measure(url, 1, isolated=False)  # warm-up
        for sessions in SESSIONS:
            samples: dict[bool, list[Sample]] = {False: [], True: []}
            for _ in range(rounds):
                for isolated in samples:  # in turn, so that what else the machine does falls on both alike
                    samples[isolated].append(await measure(url, sessions, isolated=isolated))
            for isolated, taken in samples.items():
                memory, first = [one.pss for one in taken], [one.first for one in taken]
                further = [each for one in taken for each in one.further]
                rows.append(
                    (
                        "browser" if isolated else "context",
                        sessions,
                        f"{median(memory):.0f}",
                        spread(memory),
                        f"{median(first):.2f}",
                        spread(first),
                        f"{median(further):.2f}" if further else "-",
                    )
                )
    table(rows)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
