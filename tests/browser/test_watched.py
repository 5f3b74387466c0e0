"""The live page in a real browser, in a frame of another site: watch, pause, take over, give back, resume, answer."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import av
import pytest
from playwright.async_api import ConsoleMessage, FrameLocator, Page, async_playwright, expect

from api.serving import bound, listening
from api.settings import Settings
from api.wiring import open_service
from runner.browser.chromium import find

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a-key-that-is-long-enough"
LIMIT = 120.0
WIDTH, HEIGHT = 1280, 960
MANY = re.compile(r"^([3-9]|\d\d+)$")
"""Pictures that were drawn: three at least, so that they change."""


@asynccontextmanager
async def served(directory: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """The service as it is in production, in this process."""
    settings = Settings(
        data_dir=directory, port=0, api_key=KEY, allow_private="loopback", action_seconds=LIMIT, recordings="all"
    )
    with bound(settings) as port:
        async with (
            open_service(settings) as running,
            listening(running.service, port) as url,
            aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEY}"}) as http,
        ):
            yield http


@asynccontextmanager
async def somebody() -> AsyncIterator[Page]:
    """A person's own browser, which has nothing to do with the service's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find("") or None)
        try:
            context = await browser.new_context(viewport={"width": 1400, "height": 1000})
            context.set_default_timeout(LIMIT * 1000)
            yield await context.new_page()
        finally:
            await browser.close()


async def run(http: aiohttp.ClientSession, instruction: str) -> str:
    body = {"task": instruction, "browser_viewport_width": WIDTH, "browser_viewport_height": HEIGHT}
    async with http.post("/api/v1/run-task", json=body) as answer:
        return str((await answer.json())["id"])


async def task(http: aiohttp.ClientSession, task_id: str) -> dict[str, Any]:
    async with http.get(f"/api/v1/task/{task_id}") as answer:
        return dict(await answer.json())


async def ended(http: aiohttp.ClientSession, task_id: str) -> dict[str, Any]:
    async with http.get(f"/api/tape/tasks/{task_id}/events", headers={"Accept": "text/event-stream"}) as events:
        await events.read()
    return await task(http, task_id)


async def framed(page: Page, site: str, url: str) -> FrameLocator:
    """The live page in a frame of another site."""
    await page.goto(f"{site}/framing.html?{urlencode({'url': url})}")
    return page.frame_locator("iframe")


def note(errors: list[str], message: ConsoleMessage) -> None:
    """What the live page's own console complains of; that there is no favicon is the other site's affair."""
    where = message.location["url"]
    if message.type == "error" and not where.endswith("/favicon.ico"):
        errors.append(f"{message.text} at {where}")


async def press(page: Page, live: FrameLocator, x: float, y: float) -> None:
    """Click where the picture shows these coordinates of the task's page."""
    picture = live.locator("canvas")
    await picture.scroll_into_view_if_needed()
    box = await picture.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + x / WIDTH * box["width"], box["y"] + y / HEIGHT * box["height"])


async def test_a_person_watches_pauses_drives_gives_back_resumes_and_answers(site: str, tmp_path: Path) -> None:
    expect.set_options(timeout=LIMIT * 1000)
    async with served(tmp_path) as http, somebody() as page:
        errors: list[str] = []
        page.on("console", lambda message: note(errors, message))
        page.on("pageerror", lambda error: errors.append(str(error)))
        task_id = await run(
            http,
            f'Go to {site}/watched.html. Wait for "pressed by a person". Ask for the code. Type the answer into "Code".'
            ' Expect "pressed by a person".',
        )
        live = await framed(page, site, (await task(http, task_id))["live_url"])

        await expect(live.locator("#state")).to_have_text("running")
        await expect(live.locator("#steps")).to_contain_text("watched.html")
        await expect(live.locator("canvas")).to_have_attribute("data-pictures", MANY)
        await live.get_by_role("button", name="Pause").click()
        await expect(live.locator("#state")).to_have_text("paused")
        await live.get_by_role("button", name="Take control").click()
        await expect(live.locator("#who")).to_have_text("You have control of the browser.")
        await press(page, live, 300, 200)
        await expect(live.locator("#address")).to_have_value(f"{site}/watched.html")
        await live.get_by_role("button", name="Return control").click()
        await expect(live.locator("#who")).to_have_text("")
        await live.get_by_role("button", name="Resume").click()
        await live.get_by_label("the code").fill("739155")
        await live.get_by_role("button", name="Send").click()
        await expect(live.locator("#state")).to_have_text("finished")
        done = await ended(http, task_id)
        await expect(live.locator("#last")).to_be_visible()
        await expect(live.locator("video")).to_have_count(1)
        async with http.get(f"/api/v1/task/{task_id}/media") as answer:
            (video,) = (await answer.json())["recordings"]
        async with aiohttp.ClientSession() as nobody, nobody.get(video) as answer:
            (tmp_path / "video.webm").write_bytes(await answer.read())
        async with http.get(f"/api/tape/tasks/{task_id}/events?limit=1000") as answer:
            tape = (await answer.json())["events"]

    assert ("finished", []) == (done["status"], errors)
    acts = [each["data"] for each in tape if each["type"] == "task.human_acted"]
    assert [("click", "Press me")] == [(act["name"], act["target"]["name"]) for act in acts]
    with av.open(str(tmp_path / "video.webm")) as film:
        stream = film.streams.video[0]
        frames = sum(1 for _ in film.decode(video=0))
        assert ("vp8", WIDTH, HEIGHT) == (stream.codec.name, stream.width, stream.height)
    assert frames >= 2


@pytest.mark.slow
async def test_the_page_works_on_a_small_screen_and_by_keyboard(site: str, tmp_path: Path) -> None:
    expect.set_options(timeout=LIMIT * 1000)
    async with served(tmp_path) as http, somebody() as page:
        await page.set_viewport_size({"width": 400, "height": 800})
        task_id = await run(http, f'Go to {site}/form.html. Wait for "got: name Ann".')
        await page.goto((await task(http, task_id))["live_url"])
        await expect(page.locator("#steps")).to_contain_text("form.html")

        await page.get_by_role("button", name="Pause").press("Enter")
        await expect(page.locator("#state")).to_have_text("paused")
        await page.get_by_role("button", name="Take control").press("Enter")
        await expect(page.locator("#bar")).to_be_visible()
        wide = await page.evaluate("() => document.documentElement.scrollWidth")
        await page.locator("canvas").focus()
        await page.keyboard.press("Tab")
        await page.keyboard.type("An")
        await page.keyboard.press("Shift+Escape")
        focused = await page.evaluate("() => document.activeElement.id")
        await page.get_by_label("Text to type").fill("n")
        await page.get_by_role("button", name="Type").press("Enter")
        await page.get_by_role("button", name="Resume").press("Enter")
        done = await ended(http, task_id)

    assert (400, "return", "finished") == (wide, focused, done["status"])
