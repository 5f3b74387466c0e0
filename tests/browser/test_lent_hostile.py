"""A client that tries what DevTools could do to a machine: files, pages of the browser's own, ways past the proxy."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Error, async_playwright

from eventstore import lent as places
from runner.browser.browsers import BrowserSettings
from runner.browser.lent import LentBrowsers
from runner.egress.rules import private_networks
from runner.ports import Wanted
from tests.browser.test_egress import SECONDS, UDP, WAYS, Lookups
from tests.browser.test_killed import served
from tests.browser.test_lent import lent, read
from tests.browser.test_own_browser import left
from tests.devtools import Devtools, devtools
from tests.hostile import FORBIDDEN, LOOKED_UP, MOVES, Hostile, hostile

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY = "canary-of-a-local-file"
PDF = (
    b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Size 4/Root 1 0 R>>\n%%EOF"
)
PAGE = "<!doctype html><title>Site</title><input type=file id=f><a id=a>x</a><p style='height: 300px'>x</p>"


class Place(msgspec.Struct, frozen=True):
    """A lent browser, a page in it, a local file that nobody may read, and pages to start from."""

    http: aiohttp.ClientSession
    made: dict[str, Any]
    client: Devtools
    target: str
    session: str
    secret: Path
    site: str
    data: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages() -> AsyncIterator[str]:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def pdf(_request: web.Request) -> web.Response:
        return web.Response(body=PDF, content_type="application/pdf")

    async def file(_request: web.Request) -> web.Response:
        return web.Response(body=b"x", headers={"Content-Disposition": "attachment; filename=x.bin"})

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/pdf", pdf)
    app.router.add_get("/file", file)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory, pages: str) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("hostile")
    secret = folder / "secret.html"
    secret.write_text(f"<title>{CANARY}</title>{CANARY}")
    async with served(folder / "data") as (_, http):
        made = await lent(http)
        async with devtools(made["cdpUrl"]) as client:
            target, session = await client.page(f"{pages}/")
            await client.until("Page.loadEventFired")
            yield Place(http, made, client, target, session, secret, pages, folder / "data")


def endpoint(place: Place) -> str:
    """Where the browser itself listens."""
    (directory,) = (place.data / places.FOLDER).iterdir()
    return places.endpoint(directory)


async def shown(place: Place) -> set[str]:
    """The schemes of all pages and frames that there are."""
    async with devtools(endpoint(place)) as own:
        targets = (await own.call("Target.getTargets", filter=[{"type": "page"}, {"type": "iframe"}]))["targetInfos"]
        return {each["url"].partition(":")[0] for each in targets}


async def test_no_command_opens_a_file_or_a_page_of_the_browsers_own(place: Place) -> None:
    client, file = place.client, place.secret.as_uri()
    urls = [file, f" {file[:3]}\n{file[3:]}", f"view-source:{file}", "chrome://version", "devtools://devtools/x"]

    answers = [
        answer
        for url in urls
        for answer in (
            await client.call("Page.navigate", place.session, url=url),
            await client.call("Target.createTarget", url=url),
            await client.call("Network.loadNetworkResource", place.session, frameId=place.target, url=url, options={}),
        )
    ]

    assert [True] * 15 == ["is refused: " in answer["error"] for answer in answers]
    assert {"about", "http"} == await shown(place)


SCRIPTS = [
    "location = 'FILE'",
    "open('FILE')",
    "open('chrome://version')",
    "fetch('FILE').then((r) => r.text()).catch(String)",
    "new Promise((done) => { const x = new XMLHttpRequest(); x.onloadend = () => done(x.responseText);"
    " x.open('GET', 'FILE'); x.send() })",
    "import('FILE').catch(String)",
    "document.body.innerHTML = '<iframe src=FILE></iframe><object data=FILE></object><embed src=FILE>'",
    "(() => { const a = document.createElement('a'); a.href = 'FILE'; document.body.append(a); a.click() })()",
    "(() => { const a = document.createElement('a'); a.href = 'FILE'; a.download = 'x'; document.body.append(a);"
    " a.click() })()",
    "(() => { const f = document.createElement('form'); f.action = 'FILE'; document.body.append(f); f.submit() })()",
]


@pytest.mark.parametrize("universal", [False, True])
async def test_no_script_reads_a_file_not_even_in_a_world_with_all_rights(place: Place, universal: bool) -> None:
    client = place.client
    target, session = await client.page(f"{place.site}/")
    await client.until("Page.loadEventFired")
    where: dict[str, object] = {}
    if universal:
        world = await client.call("Page.createIsolatedWorld", session, frameId=target, grantUniveralAccess=True)
        where["contextId"] = world["executionContextId"]

    said = [
        await client.evaluate(session, script.replace("FILE", place.secret.as_uri()), userGesture=True, **where)
        for script in SCRIPTS
    ]
    said.append(await client.evaluate(session, "document.documentElement.innerHTML + frames.length", **where))

    assert CANARY not in json.dumps([said, client.events])
    assert {"about", "http"} == await shown(place)


async def test_no_answer_that_a_client_makes_up_leads_to_a_file(place: Place) -> None:
    client, file = place.client, place.secret.as_uri()
    _, session = await client.page()
    await client.call("Fetch.enable", session, patterns=[{"urlPattern": "*"}])
    made_up = [
        {"responseCode": 302, "responseHeaders": [{"name": "Location", "value": file}]},
        {"responseCode": 302, "responseHeaders": [{"name": "Location", "value": "chrome://version"}]},
        {"responseCode": 200, "responseHeaders": [{"name": "Refresh", "value": f"0;url={file}"}], "body": "eA=="},
    ]
    for number, answer in enumerate(made_up):
        url = f"{place.site}/{number}"
        going = asyncio.create_task(client.call("Page.navigate", session, url=url))
        paused = await client.until("Fetch.requestPaused")
        client.events.clear()
        moved = await client.call("Fetch.continueRequest", session, requestId=paused["requestId"], url=file)
        await client.call("Fetch.fulfillRequest", session, requestId=paused["requestId"], **answer)
        await going

        assert "Fetch.continueRequest is refused: " in moved["error"]
    text = await client.evaluate(session, "location.href + document.documentElement.innerText")

    assert CANARY not in json.dumps([text, client.events])
    assert {"about", "http"} == await shown(place)


async def test_no_client_attaches_to_what_is_the_browsers_own(place: Place) -> None:
    client = place.client
    targets = (await client.call("Target.getTargets", filter=[{}]))["targetInfos"]
    own = [each["targetId"] for each in targets if each["type"] == "browser_ui"]
    before = len(client.events)

    answers = [await client.call("Target.attachToTarget", targetId=each, flatten=True) for each in own]
    filters: list[list[dict[str, object]]] = [[{"type": "browser_ui"}, {"type": "page"}], [{"type": "other"}]]
    for each in filters:
        await client.call(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True, filter=each
        )
    exposed = await client.call("Target.exposeDevToolsProtocol", targetId=place.target)
    attached = [
        event["params"]["targetInfo"]["type"]
        for event in client.events[before:]
        if event["method"] == "Target.attachedToTarget"
    ]
    await client.call("Target.setAutoAttach", autoAttach=False, waitForDebuggerOnStart=False, flatten=True)

    assert [True] * len(own) == ["the target is none of the web's" in answer["error"] for answer in answers]
    assert {"page"} == set(attached)
    assert "is refused: " in exposed["error"]


async def test_no_file_is_given_to_a_page_that_was_not_uploaded(place: Place) -> None:
    client, session = place.client, place.session
    root = (await client.call("DOM.getDocument", session))["root"]["nodeId"]
    node = (await client.call("DOM.querySelector", session, nodeId=root, selector="#f"))["nodeId"]
    files = [str(place.secret)]

    chosen = await client.call("DOM.setFileInputFiles", session, nodeId=node, files=files)
    at = {"type": "dragEnter", "x": 50, "y": 200}
    dropped = await client.call("Input.dispatchDragEvent", session, **at, data={"items": [], "files": files})
    count = await client.evaluate(session, "document.querySelector('#f').files.length")

    assert 0 == count
    assert ["was uploaded for this session." in answer["error"] for answer in (chosen, dropped)] == [True, True]


async def test_downloads_land_in_the_folder_of_the_session_alone(place: Place, tmp_path: Path) -> None:
    client, session = place.client, place.session
    elsewhere = str(tmp_path / "elsewhere")
    for method, where in (("Browser.setDownloadBehavior", ""), ("Page.setDownloadBehavior", session)):
        await client.call(method, where, behavior="allow", downloadPath=elsewhere)
        before = len((await read(place.http, place.made, "/downloads"))["files"])
        await client.evaluate(session, f"location = '{place.site}/file'")
        async with asyncio.timeout(SECONDS):
            while len((await read(place.http, place.made, "/downloads"))["files"]) == before:  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(0.1)

    assert [] == left(tmp_path)


async def test_a_page_that_came_to_show_a_file_all_the_same_is_closed(place: Place) -> None:
    async with devtools(endpoint(place)) as own:  # past the relay
        await own.call("Target.setDiscoverTargets", discover=True)
        made = await own.call("Target.createTarget", url=place.secret.as_uri())
        await own.until("Target.targetDestroyed", targetId=made["targetId"])

    assert {"about", "http"} == await shown(place)


async def test_the_camera_is_a_pretended_one(place: Place) -> None:
    _, session = await place.client.page(f"{place.site}/")
    await place.client.call("Browser.grantPermissions", permissions=["videoCapture"])
    expression = "navigator.mediaDevices.getUserMedia({video: true}).then((s) => s.getTracks()[0].label)"

    label = await place.client.evaluate(session, expression)

    assert "fake_device_0" == label


async def test_the_port_of_the_browser_itself_is_out_of_reach_for_its_pages(place: Place) -> None:
    _, session = await place.client.page()
    port = endpoint(place).split(":")[2].partition("/")[0]
    service = str(place.made["cdpUrl"]).partition("/cdp/")[0].removeprefix("ws://")

    answers = [
        await place.client.call("Page.navigate", session, url=url)
        for url in (f"http://127.0.0.1:{port}/json/version", f"http://{service}/healthz")
    ]

    assert ["net::ERR_EMPTY_RESPONSE"] * 2 == [answer.get("errorText") for answer in answers]


async def test_a_pdf_is_a_download_and_no_script_of_a_client_runs_in_its_viewer(place: Place) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(place.made["cdpUrl"])
        seen: set[str] = set()
        page = await browser.new_page()
        page.on("console", lambda message: seen.add(message.text.partition(":")[0]))
        await page.add_init_script("console.log(location.href)")
        async with page.expect_download() as started:
            await page.evaluate("url => { location = url }", f"{place.site}/pdf")
        name = (await started.value).suggested_filename
        await page.goto(f"{place.site}/")
        await page.evaluate(
            """url => new Promise((loaded) => {
              const frame = document.createElement("iframe");
              frame.onload = loaded;
              frame.src = url;
              document.body.append(frame);
            })""",
            f"{place.site}/pdf",
        )
        frames = [frame.url.partition(":")[0] for frame in page.frames]
        with pytest.raises(Error, match="with proxyServer is refused"):
            await browser.new_context(proxy={"server": "http://127.0.0.1:1"})
        await browser.close()

    assert "pdf.pdf" == name
    assert "chrome-extension" not in {*seen, *frames}
    assert "http" in seen


@pytest.mark.parametrize("domains", [(), pytest.param(("127.0.0.1",), marks=pytest.mark.slow)])
async def test_no_page_of_a_lent_browser_gets_past_its_proxy(tmp_path: Path, domains: tuple[str, ...]) -> None:
    told: set[str] = set()
    lookups = Lookups()
    settings = BrowserSettings(private=private_networks("127.0.0.1"), resolve=lookups.resolve)
    async with hostile() as ways, async_playwright() as playwright:

        def heard(url: str, _reason: str) -> None:
            told.add(ways.way(url))
            ways.seen.news.set()

        async def dropped(path: Path, _name: str) -> None:
            await asyncio.to_thread(path.unlink)

        wanted = Wanted(viewport=(800, 600), allowed_domains=domains, blocked=heard)
        async with LentBrowsers(settings, tmp_path).lend(wanted, dropped) as browser:
            browser.keep = False
            await attacked(playwright.chromium.connect_over_cdp(places.endpoint(browser.place)), ways, told)

    assert (WAYS, 0, set()) == (told & (WAYS | UDP), ways.seen.arrivals, ways.seen.ways)
    # Of the browser's own names, such as that of its updates, there may be some: those of the page do not get by.
    assert (set() if domains else {FORBIDDEN}) == lookups.names & {FORBIDDEN, LOOKED_UP}


async def attacked(connecting: Awaitable[Browser], ways: Hostile, told: set[str]) -> None:
    """Every way out is tried in a context that DevTools made, and the datagrams in the browser's own too."""
    driven = await connecting
    made = await driven.new_context()
    paths = ["/parts", "/datagrams?milliseconds=1000", *(f"/move/{way}" for way in MOVES)]
    for context, path in [(made, path) for path in paths] + [(driven.contexts[0], "/datagrams?milliseconds=1000")]:
        page = await context.new_page()
        try:
            await page.goto(ways.site + path, wait_until="commit", timeout=SECONDS * 1000)
        except Error:
            continue  # the page has gone where it may not
    async with asyncio.timeout(SECONDS):
        await ways.seen.until(lambda: ways.seen.ways | told >= WAYS)
    for context in (made, driven.contexts[0]):
        page = next(page for page in context.pages if "/datagrams" in page.url)
        await page.wait_for_function("document.title === 'tried'", timeout=SECONDS * 1000)
