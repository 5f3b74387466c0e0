"""A task of 50 acts against the same 50 acts in a plain Playwright script; pictures off in both.

Both work on the same local page in the same Chromium build, each in a context of its own; starting the browser is left
out of both. The task's time is from TaskStarted to TaskFinished, by the tape. Reach: at most 1.25 times.
Usage: `python bench/steps.py [rounds]`.
"""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import uvloop
from aiohttp import web
from noise import spread, table
from playwright.async_api import Page, async_playwright
from service import served

from api.settings import Settings
from eventstore import events as e
from eventstore.store import EventStore
from runner.browser.chromium import find

FIELDS = [f"Field {number}" for number in range(1, 17)]
LIMIT = 120.0

PAGE = "\n".join(
    [
        "<!doctype html><title>Fifty acts</title><h1>Fifty acts</h1><form onsubmit='return false'>",
        *(f"<p><label for='{name}'>{name}</label> <input id='{name}'>" for name in FIELDS),
        *(f"<p><label><input type=checkbox> Box {number}</label>" for number in range(1, 9)),
        *(
            f"<p><label for=s{number}>Choice {number}</label> <select id=s{number}><option>Red<option>Blue</select>"
            for number in range(1, 9)
        ),
        *(f"<p><button onclick='out.textContent=this.textContent'>Button {number}</button>" for number in range(1, 18)),
        "<output id=out></output></form>",
    ]
)

SENTENCES = [
    *(f'Type "value of {name}" into "{name}"' for name in FIELDS),
    *(f'Check "Box {number}"' for number in range(1, 9)),
    *(f'Select "Blue" from "Choice {number}"' for number in range(1, 9)),  # noqa: S608  # a sentence, not SQL
    *(f'Click "Button {number}"' for number in range(1, 18)),
]


async def plain(page: Page, url: str) -> None:
    """What somebody would write by hand."""
    await page.goto(url)
    for name in FIELDS:
        await page.get_by_label(name, exact=True).fill(f"value of {name}")
    for number in range(1, 9):
        await page.get_by_label(f"Box {number}", exact=True).check()
    for number in range(1, 9):
        await page.get_by_label(f"Choice {number}", exact=True).select_option("Blue")
    for number in range(1, 18):
        await page.get_by_role("button", name=f"Button {number}", exact=True).click()


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


async def by_script(executable: str | None, url: str, rounds: int) -> AsyncGenerator[float]:
    """Seconds of each run, in one browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable)
        for _ in range(rounds):
            context = await browser.new_context(viewport={"width": 1280, "height": 960})
            page = await context.new_page()
            began = time.perf_counter()
            await plain(page, url)
            yield time.perf_counter() - began
            await context.close()
        await browser.close()


async def by_task(url: str, rounds: int) -> AsyncGenerator[float]:
    """Seconds of each run, on a tape with full durability."""
    body = {"task": ". ".join([f"Go to {url}", *SENTENCES]), "max_agent_steps": 200}
    async with served(Settings(screenshots=False, allow_private="loopback")) as (store, http):
        for _ in range(rounds):
            async with http.post("/api/v1/run-task", json=body) as response:
                stream = f"task-{(await response.json())['id']}"
            yield await duration(store, stream)


async def duration(store: EventStore, stream: str) -> float:
    """Seconds from the task's start to its end. Follows the log as everybody does, each event once."""
    after, at = 0, dict[type[e.Event], int]()
    async with asyncio.timeout(LIMIT):
        while e.TaskFinished not in at:
            await store.wait(after)
            for recorded in await store.read(after):
                after = recorded.position
                if recorded.stream == stream:
                    assert not isinstance(recorded.event, e.TaskFailed), recorded.event
                    at[type(recorded.event)] = recorded.at
    return (at[e.TaskFinished] - at[e.TaskStarted]) / 1e6


async def main(rounds: int) -> None:
    scripts, tasks = [], []
    async with site() as url:
        # One run of each in turn, so that what else the machine does falls on both alike. The first of each is warm-up.
        script, task = by_script(find(""), url, rounds + 1), by_task(url, rounds + 1)
        for number in range(rounds + 1):
            one, other = await anext(script), await anext(task)
            if number:
                scripts.append(one)
                tasks.append(other)
        await script.aclose()
        await task.aclose()
    ratios = [task / script for task, script in zip(tasks, scripts, strict=True)]
    table(
        [
            ("50 acts", "median s", "noise"),
            ("plain Playwright script", f"{median(scripts):.3f}", spread(scripts)),
            ("task over HTTP, on the tape", f"{median(tasks):.3f}", spread(tasks)),
            ("ratio (reach: at most 1.25)", f"{median(ratios):.2f}", spread(ratios)),
        ]
    )


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
