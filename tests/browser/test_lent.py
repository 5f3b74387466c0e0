"""Browsers that clients drive by themselves, with the service as people start it: from their cdpUrl to their end."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright

from api.demo.child import descendants
from tests.browser.test_killed import KEY, LIMIT, events, gone, served
from tests.browser.test_own_browser import family_of, left
from tests.devtools import devtools

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROWSERS = "/api/v2/browsers"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as started:
        yield started


async def lent(http: aiohttp.ClientSession, **fields: object) -> dict[str, Any]:
    async with http.post(BROWSERS, json=fields) as response:
        assert 201 == response.status, await response.text()
        return dict(await response.json())


async def read(http: aiohttp.ClientSession, browser: dict[str, Any], path: str = "") -> dict[str, Any]:
    async with http.get(f"{BROWSERS}/{browser['id']}{path}") as response:
        return dict(await response.json())


async def stop(http: aiohttp.ClientSession, browser: dict[str, Any]) -> None:
    async with http.patch(f"{BROWSERS}/{browser['id']}", json={"action": "stop"}) as response:
        assert 200 == response.status


async def disconnected(browser: Browser) -> None:
    ended = asyncio.Event()
    browser.on("disconnected", lambda _: ended.set())
    if browser.is_connected():
        async with asyncio.timeout(LIMIT):
            await ended.wait()


async def test_playwright_drives_a_lent_browser_until_it_is_stopped(
    playwright: Playwright, site: str, tmp_path: Path
) -> None:
    async with served(tmp_path) as (_, http):
        made = await lent(http, browserScreenWidth=900, browserScreenHeight=700)
        family = family_of(tmp_path / "lent")
        browser = await playwright.chromium.connect_over_cdp(made["cdpUrl"])
        page = browser.contexts[0].pages[0]
        await page.goto(f"{site}/half.html")
        await page.get_by_label("Name").fill("Ann")
        await page.get_by_role("button", name="Count").click()
        filled = await page.get_by_label("Name").input_value()
        picture = await page.screenshot()
        own = await browser.new_context(viewport={"width": 500, "height": 400})
        second = await own.new_page()
        await second.goto(f"{site}/two.html")
        over_http = await playwright.chromium.connect_over_cdp(made["cdpUrl"].replace("ws:", "http:", 1))
        with_key = await playwright.chromium.connect_over_cdp(f"{made['cdpUrl'].partition('?')[0]}?apiKey={KEY}")
        versions = {each.version for each in (browser, over_http, with_key)}
        await over_http.close()
        still = await second.title()
        await stop(http, made)
        await disconnected(browser)
        await disconnected(with_key)
        await gone(family)
        told = [event["type"] for event in await events(http) if event["type"].startswith("session.")]

    assert ("Ann", b"\x89PNG", 1, "Second") == (filled, picture[:4], len(versions), still)
    assert ["session.created", "session.opened", "session.stopped"] == told
    assert [] == left(tmp_path / "lent")


async def test_a_download_is_kept_and_given_away_by_its_link(playwright: Playwright, site: str, tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        made = await lent(http)
        browser = await playwright.chromium.connect_over_cdp(made["cdpUrl"])
        for context in (browser.contexts[0], await browser.new_context()):
            page = await context.new_page()
            await page.goto(f"{site}/two.html")
            async with page.expect_download() as started:
                await page.evaluate("location = '/download'")
            assert "x.bin" == (await started.value).suggested_filename
        async with asyncio.timeout(LIMIT):
            while len((listed := await read(http, made, "/downloads?includeUrls=true"))["files"]) < 2:  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(0.1)
        async with aiohttp.ClientSession() as anybody, anybody.get(listed["files"][1]["url"]) as response:
            data = await response.read()

    assert [("x.bin", 1), ("x (1).bin", 1)] == [(each["path"], each["size"]) for each in listed["files"]]
    assert b"x" == data


async def test_a_file_that_was_uploaded_for_it_is_given_to_a_page(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        made = await lent(http)
        wish = {"fileName": "cv.txt", "contentType": "text/plain", "sizeBytes": 3}
        async with http.post(f"/api/v2/files/browsers/{made['id']}/presigned-url", json=wish) as response:
            form = await response.json()
        data = aiohttp.FormData(form["fields"])
        data.add_field("file", b"Ann", filename="cv.txt", content_type="text/plain")
        async with aiohttp.ClientSession() as anybody, anybody.post(form["url"], data=data) as response:
            assert 204 == response.status
        async with devtools(made["cdpUrl"]) as client:
            _, session = await client.page("data:text/html,<input type=file>")

            async def given() -> bool:  # the page may not be there yet, nor the file
                field = await client.call("Runtime.evaluate", session, expression="document.querySelector('input')")
                files = {"files": ["/home/ann/cv.txt"], "objectId": field.get("result", {}).get("objectId", "")}
                return not await client.call("DOM.setFileInputFiles", session, **files)

            async with asyncio.timeout(LIMIT):
                while not await given():  # noqa: ASYNC110 - it is polled
                    await asyncio.sleep(0.1)
            text = await client.evaluate(session, "document.querySelector('input').files[0].text()")

    assert "Ann" == text


async def test_a_lent_browser_outlives_a_killed_service_with_its_pages(
    playwright: Playwright, site: str, tmp_path: Path
) -> None:
    async with served(tmp_path) as (pid, http):
        made = await lent(http)
        browser = await playwright.chromium.connect_over_cdp(made["cdpUrl"])
        await browser.contexts[0].pages[0].goto(f"{site}/half.html")
        await browser.contexts[0].pages[0].get_by_label("Name").fill("Ann")
        family = family_of(tmp_path / "lent")
        service = set(descendants(pid)) - family
        os.kill(pid, signal.SIGKILL)
        await gone(service)
        await disconnected(browser)

    async with served(tmp_path) as (_, http):
        again = await read(http, made)
        async with devtools(again["cdpUrl"]) as client:
            targets = (await client.call("Target.getTargets"))["targetInfos"]
            target = next(each["targetId"] for each in targets if each["url"].endswith("/half.html"))
            session = (await client.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
            name = await client.evaluate(session, "document.querySelector('input').value")
            await client.call("Page.navigate", session, url=f"{site}/two.html")
            await client.call("Browser.close")
            async with asyncio.timeout(LIMIT):
                await client.closed.wait()
        await gone(family)
        ended = await read(http, made)

    assert (made["timeoutAt"], "active", "Ann", "stopped") == (
        again["timeoutAt"],
        again["status"],
        name,
        ended["status"],
    )
    assert [] == left(tmp_path / "lent")


@pytest.mark.slow
async def test_a_browser_that_ended_while_the_service_was_away_is_said_to_be_lost(tmp_path: Path) -> None:
    async with served(tmp_path, TAPEWRIGHT_BROWSER_GRACE="0.1") as (pid, http):
        made = await lent(http)
        family = family_of(tmp_path / "lent")
        os.kill(pid, signal.SIGKILL)
        await gone({pid} | family)

    async with served(tmp_path) as (_, http):
        async with asyncio.timeout(LIMIT):
            while (await read(http, made))["status"] == "active":  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(0.1)
        (stopped,) = [event["data"] for event in await events(http) if event["type"] == "session.stopped"]

    assert {"cause": "lost", "reason": "The browser ended while the service was away."} == {
        key: stopped[key] for key in ("cause", "reason")
    }


async def test_what_a_client_leaves_in_a_profile_the_next_browser_begins_with(
    playwright: Playwright, site: str, tmp_path: Path
) -> None:
    headings = []
    async with served(tmp_path) as (_, http):
        async with http.post("/api/v2/profiles", json={"name": "Ann"}) as response:
            profile = (await response.json())["id"]
        for word in ("first", "second"):
            made = await lent(http, profileId=profile)
            family = family_of(tmp_path / "lent")
            browser = await playwright.chromium.connect_over_cdp(made["cdpUrl"])
            page = browser.contexts[0].pages[0]
            await page.goto(f"{site}/cookie?set={word}")
            headings.append(await page.inner_text("h1"))
            await page.context.add_cookies([{"name": "seen", "value": word, "url": site, "expires": 4_000_000_000}])
            await stop(http, made)
            await gone(family)

    assert ["had nothing", "had first"] == headings
