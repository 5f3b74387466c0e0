"""A person watches a lent browser on its live page while its client drives it: with the service as people start it."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Playwright, async_playwright, expect

from runner.browser.chromium import find
from tests.browser.test_killed import LIMIT, gone, served
from tests.browser.test_lent import disconnected, lent, read
from tests.browser.test_own_browser import family_of, left
from tests.devtools import devtools

pytestmark = pytest.mark.asyncio(loop_scope="module")

COLOURED = """([red, green, blue]) => {
    const canvas = document.getElementById("picture");
    const [r, g, b] = canvas.getContext("2d").getImageData(9, 9, 1, 1).data;
    return Math.abs(r - red) + Math.abs(g - green) + Math.abs(b - blue) < 30 && [canvas.width, canvas.height];
}"""
MANY = re.compile(r"^([3-9]|\d\d+)$")
RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playwright() -> AsyncIterator[Playwright]:
    expect.set_options(timeout=LIMIT * 1000)
    async with async_playwright() as started:
        yield started


@asynccontextmanager
async def watching(playwright: Playwright, url: str) -> AsyncIterator[Page]:
    """A person's own browser at the live page."""
    browser = await playwright.chromium.launch(executable_path=find("") or None)
    try:
        page = await browser.new_page()
        await page.goto(url)
        yield page
    finally:
        await browser.close()


async def seen(live: Page, colour: tuple[int, int, int]) -> list[int]:
    """The picture's size once it is of that colour."""
    found = await live.wait_for_function(COLOURED, arg=list(colour), timeout=LIMIT * 1000)
    return list(await found.json_value())


async def paint(page: Page, colour: str) -> None:
    await page.set_content(f"<body style='background: {colour}'>")


async def test_a_person_sees_what_the_client_draws_and_may_stop_it(playwright: Playwright, tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        made = await lent(http)
        family = family_of(tmp_path / "lent")
        client = await playwright.chromium.connect_over_cdp(made["cdpUrl"])
        page = client.contexts[0].pages[0]
        async with devtools(made["cdpUrl"]) as other, watching(playwright, made["liveUrl"]) as live:
            await other.call("Target.setDiscoverTargets", discover=True)
            await paint(page, "red")
            await seen(live, RED)
            await paint(page, "green")
            await seen(live, GREEN)
            second = await (await client.new_context(viewport={"width": 500, "height": 400})).new_page()
            await paint(second, "blue")
            small = await seen(live, BLUE)
            await second.close()
            await seen(live, GREEN)
            told = [
                event["params"]["targetInfo"] for event in other.events if event["method"] == "Target.targetCreated"
            ]
            attached = [event for event in other.events if event["method"] == "Target.attachedToTarget"]
            await expect(live.get_by_role("button", name="Pause")).to_be_hidden()
            await live.get_by_role("button", name="Stop").click()
            await expect(live.locator("#output")).to_have_text("The browser was stopped.")
            buttons = await live.locator("#buttons").is_visible()
        await disconnected(client)
        await gone(family)
        ended = await read(http, made)

    assert [500, 400] == small
    assert ([], 2) == (attached, sum(target["type"] == "page" for target in told))
    assert (False, "stopped", None) == (buttons, ended["status"], ended["liveUrl"])
    assert [] == left(tmp_path / "lent")


@pytest.mark.slow
async def test_who_watches_and_who_leaves_does_not_disturb_the_client(playwright: Playwright, tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        made = await lent(http)
        client = await playwright.chromium.connect_over_cdp(made["cdpUrl"])
        page = client.contexts[0].pages[0]
        await page.set_content("<body><script>setInterval(() => document.body.append('x '), 30)</script>")
        own = await page.context.new_cdp_session(page)
        frames: asyncio.Queue[int] = asyncio.Queue()
        own.on("Page.screencastFrame", lambda frame: frames.put_nowait(frame["sessionId"]))
        await own.send("Page.startScreencast", {"format": "jpeg"})

        async def more() -> None:
            async with asyncio.timeout(LIMIT):
                for _ in range(5):
                    await own.send("Page.screencastFrameAck", {"sessionId": await frames.get()})

        await more()
        async with watching(playwright, made["liveUrl"]) as live:
            await expect(live.locator("canvas")).to_have_attribute("data-pictures", MANY)
            await more()
            page.once("dialog", lambda dialog: dialog.accept("typed"))
            said = await page.evaluate("prompt('What?')")
        while not frames.empty():
            await own.send("Page.screencastFrameAck", {"sessionId": frames.get_nowait()})
        await more()

    assert "typed" == said


@pytest.mark.slow
async def test_after_a_kill_it_is_watched_as_before(playwright: Playwright, tmp_path: Path) -> None:
    async with served(tmp_path) as (pid, http):
        made = await lent(http)
        client = await playwright.chromium.connect_over_cdp(made["cdpUrl"])
        await paint(client.contexts[0].pages[0], "red")
        async with watching(playwright, made["liveUrl"]) as live:
            await seen(live, RED)
            os.kill(pid, signal.SIGKILL)
            await disconnected(client)
            await expect(live.locator("#problem")).to_have_text("The connection was lost; trying again.")

    async with served(tmp_path) as (_, http):
        again = await read(http, made)
        async with watching(playwright, again["liveUrl"]) as live:
            await seen(live, RED)
            async with http.patch(f"/api/v2/browsers/{made['id']}", json={"action": "stop"}) as response:
                assert 200 == response.status
            await expect(live.locator("#output")).to_have_text("The browser was stopped.")
    assert [] == left(tmp_path / "lent")
