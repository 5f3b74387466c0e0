"""v2's browsers and the way to them, with stages in the place of Chromium."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from yarl import URL

from api import sessions
from api.app import create_app
from api.relay import FROM_CLIENT
from api.relays import MOST_CLIENTS
from api.service import Service
from eventstore import events as e
from eventstore import session as decide
from runner.reel import Reels
from tests.lending import StageBrowser, StageLenders, closed, lending, until
from tests.web.conftest import KEY, Client, Drive, MakeClient

BROWSERS = "/api/v2/browsers"
MOST = 2


@pytest.fixture
def stage(tmp_path: Path) -> StageLenders:
    """Where browsers come from."""
    return StageLenders(tmp_path)


@pytest.fixture
def reels() -> Reels:
    """The pictures of those that run."""
    return Reels()


@pytest.fixture
async def lent(service: Service, stage: StageLenders, reels: Reels) -> AsyncIterator[Service]:
    """The service with a lender that follows the log."""
    async with lending(service.store, service.sessions, stage, service.blobs, service.vault, reels=reels):
        yield replace(service, lends=True, reels=reels)


@pytest.fixture
async def client(lent: Service, aiohttp_client: MakeClient) -> Client:
    """A client with the right key."""
    return await aiohttp_client(create_app(lent), headers={"Authorization": f"Bearer {KEY}"})


@pytest.fixture
async def visitor(client: Client) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody who has no key but what stands in URLs."""
    async with aiohttp.ClientSession() as http:
        yield http


async def create(client: Client, **fields: object) -> dict[str, Any]:
    response = await client.post(BROWSERS, json=fields)
    assert 201 == response.status, await response.text()
    return dict(await response.json())


def at(client: Client, url: str, **query: str) -> URL:
    """The URL of an answer, where the client under test reaches it; `query` in place of what stands there."""
    asked = URL(url)
    return client.make_url(asked.path).with_query(query or asked.query)


async def tape(service: Service, session_id: str) -> list[e.Event]:
    return [each.event for each in await service.store.read_stream(sessions.stream(session_id))]


async def test_a_browser_is_there_when_it_is_answered_and_gone_when_it_is_stopped(
    client: Client, lent: Service, stage: StageLenders
) -> None:
    made = await create(client, timeout=5, browserScreenWidth=800, browserScreenHeight=600, metadata={"for": "ann"})
    (browser,) = stage.running.values()
    read = await (await client.get(f"{BROWSERS}/{made['id']}")).json()
    stopped, again = [
        await (await client.patch(f"{BROWSERS}/{made['id']}", json={"action": "stop"})).json() for _ in range(2)
    ]

    row = await lent.projector.sessions.find(made["id"])
    assert row is not None
    token = lent.signer.token("cdp", made["id"])
    assert {
        "id": made["id"],
        "status": "active",
        "liveUrl": made["liveUrl"],
        "cdpUrl": f"ws://tape.test/cdp/{made['id']}?token={token}",
        "timeoutAt": made["timeoutAt"],
        "startedAt": made["startedAt"],
        "finishedAt": None,
        "proxyUsedMb": "0",
        "proxyCost": "0",
        "browserCost": "0",
        "agentSessionId": None,
        "recordingUrl": None,
        "metadata": {"for": "ann"},
    } == made
    assert made == read
    ended_ = {"status": "stopped", "liveUrl": None, "cdpUrl": None, "finishedAt": stopped["finishedAt"]}
    assert f"http://tape.test/live/{made['id']}" == made["liveUrl"].partition("?")[0]
    assert {**made, **ended_} == stopped == again
    assert (800, 600) == browser.wanted.viewport
    created, opened, ended = await tape(lent, made["id"])
    assert isinstance(created, e.SessionCreated)
    assert ("browser", 300.0) == (created.kind, created.seconds)
    assert [e.SessionOpened(runner="r1", browser="Stage 1", own=browser.own), e.SessionStopped()] == [opened, ended]


async def test_no_body_asks_for_nothing_in_particular(client: Client) -> None:
    response = await client.post(BROWSERS)
    made = await response.json()

    assert (201, "active") == (response.status, made.get("status", made))


@pytest.mark.parametrize("nothing", [None, False])
async def test_what_there_is_not_may_be_declined(client: Client, nothing: object) -> None:
    asked = {"extensionIds": None if nothing is None else [], "solveCaptchas": nothing, "pdfRendererEnabled": nothing}
    response = await client.post(BROWSERS, json=asked)

    assert 201 == response.status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timeout", 0),
        ("timeout", 241),
        ("timeout", 1.5),
        ("browserScreenWidth", 319),
        ("browserScreenWidth", 6145),
        ("browserScreenHeight", 319),
        ("browserScreenHeight", 3457),
        ("allowResizing", "yes"),
        ("profileId", "mine"),
        ("extensionIds", ["019a0000-1234-7abc-8def-000000000001"]),
        ("solveCaptchas", True),
        ("pdfRendererEnabled", True),
        ("customProxy", {"host": "", "port": 1}),
    ],
)
async def test_what_is_out_of_bounds_is_refused_by_its_name(client: Client, field: str, value: object) -> None:
    response = await client.post(BROWSERS, json={field: value})

    assert 422 == response.status
    assert ["body", field] == (await response.json())["detail"][0]["loc"][:2]


async def test_browsers_are_listed_by_their_state_and_to_their_project_alone(client: Client, drive: Drive) -> None:
    first, second = (await create(client))["id"], (await create(client))["id"]
    await client.patch(f"{BROWSERS}/{first}", json={"action": "stop"})
    stranger = await drive.key("admin", project="shop")

    pages = {
        word: await (await client.get(BROWSERS, params=query)).json()
        for word, query in {
            "all": {},
            "active": {"filterBy": "active"},
            "stopped": {"filterBy": "stopped"},
            "second": {"pageSize": "1", "pageNumber": "2"},
            "agents": {"agentSessionId": first},
        }.items()
    }
    theirs = await (await client.get(BROWSERS, headers=stranger)).json()
    statuses = [
        (await client.request(method, f"{BROWSERS}/{second}{path}", json=body, headers=stranger)).status
        for method, path, body in (("GET", "", None), ("PATCH", "", {"action": "stop"}), ("GET", "/downloads", None))
    ]

    assert {"all": [second, first], "active": [second], "stopped": [first], "second": [first], "agents": []} == {
        word: [each["id"] for each in page["items"]] for word, page in pages.items()
    }
    assert {"items": [], "totalItems": 0, "pageNumber": 1, "pageSize": 10} == theirs
    assert [404, 404, 404] == statuses


async def test_who_may_only_read_is_not_told_the_key_to_a_browser(client: Client, drive: Drive) -> None:
    made = await create(client)
    reader = await drive.key("read")

    read = await (await client.get(f"{BROWSERS}/{made['id']}", headers=reader)).json()
    listed = await (await client.get(BROWSERS, headers=reader)).json()

    assert {**made, "cdpUrl": None, "liveUrl": read["liveUrl"]} == read
    assert URL(read["liveUrl"]).query["token"].startswith("r.")
    assert [read] == listed["items"]


async def test_one_browser_too_many_is_refused_and_leaves_nothing(client: Client, stage: StageLenders) -> None:
    made = [(await create(client))["id"] for _ in range(MOST)]

    refused = await client.post(BROWSERS, json={})
    listed = await (await client.get(BROWSERS)).json()
    await client.patch(f"{BROWSERS}/{made[0]}", json={"action": "stop"})
    again = await client.post(BROWSERS, json={})

    assert (429, "60") == (refused.status, refused.headers["Retry-After"])
    assert made == sorted(each["id"] for each in listed["items"])
    assert 201 == again.status


async def test_a_browser_that_does_not_start_says_why(client: Client, stage: StageLenders) -> None:
    stage.fails = "The browser did not start: no display"

    refused = await client.post(BROWSERS, json={})
    listed = await (await client.get(BROWSERS)).json()

    assert (503, {"detail": "The browser did not start: no display"}) == (refused.status, await refused.json())
    assert 0 == listed["totalItems"]


# --- the way to a browser ---------------------------------------------------------------------------------------


def only(stage: StageLenders) -> StageBrowser:
    (browser,) = stage.running.values()
    return browser


async def answer(socket: aiohttp.ClientWebSocketResponse, **command: object) -> Any:
    await socket.send_json({"id": 1, "method": "Page.enable", **command})
    async with asyncio.timeout(60.0):
        return await socket.receive_json()


async def test_what_is_said_reaches_the_browser_once_it_was_judged(
    client: Client, stage: StageLenders, visitor: aiohttp.ClientSession
) -> None:
    made = await create(client)
    browser = only(stage)
    browser.says["Page.captureScreenshot"] = {"data": "x" * 9_000_000}
    async with visitor.ws_connect(at(client, made["cdpUrl"]), max_msg_size=0) as socket:
        plain = await answer(socket)
        picture = await answer(socket, method="Page.captureScreenshot")
        refused = await answer(socket, method="Page.navigate", params={"url": "file:///etc/passwd"})
        large = await answer(socket, method="Page.setDocumentContent", params={"html": "y" * 9_000_000})

    assert ({"id": 1, "result": {}}, 9_000_000, {"id": 1, "result": {}}) == (
        plain,
        len(picture["result"]["data"]),
        large,
    )
    assert refused["error"]["message"].startswith("Page.navigate is refused: file:///etc/passwd")
    assert ["Page.enable", "Page.captureScreenshot", "Page.setDocumentContent"] == [
        command["method"] for command in browser.heard
    ]
    assert str(browser.place / "downloads") == browser.relays[0]["params"]["downloadPath"]


@pytest.mark.parametrize(
    ("info", "passes"),
    [
        ({"type": "page", "url": "https://x.test/"}, True),
        ({"type": "page", "url": "chrome-error://chromewebdata/"}, True),
        ({"type": "page", "url": "file:///etc/passwd"}, False),
        ({"type": "browser_ui", "url": "chrome://omnibox-popup.top-chrome/"}, False),
        ({}, False),
    ],
)
async def test_a_client_attaches_to_pages_alone(
    client: Client, stage: StageLenders, visitor: aiohttp.ClientSession, info: dict[str, str], passes: bool
) -> None:
    made = await create(client)
    only(stage).says["Target.getTargetInfo"] = {"targetInfo": {"targetId": "T", **info}}
    async with visitor.ws_connect(at(client, made["cdpUrl"])) as socket:
        said = await answer(socket, method="Target.attachToTarget", params={"targetId": "T", "flatten": True})

    assert passes is ("result" in said)
    assert passes is bool(only(stage).heard)


async def test_the_key_in_the_url_opens_one_browser_for_as_long_as_it_runs(
    client: Client, drive: Drive, visitor: aiohttp.ClientSession
) -> None:
    first, second = await create(client), await create(client)
    token = URL(first["cdpUrl"]).query["token"]
    reader, stranger = await drive.key("read"), await drive.key("admin", project="shop")

    async def status(url: str, **query: str) -> int:
        try:
            async with visitor.ws_connect(at(client, url, **query)):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status

    def bearer(headers: dict[str, str]) -> str:
        return headers["Authorization"].removeprefix("Bearer ")

    before = [
        await status(first["cdpUrl"]),
        await status(first["cdpUrl"], apiKey=KEY),
        await status(first["cdpUrl"], token=token[:-1] + ("0" if token[-1] != "0" else "1")),
        await status(second["cdpUrl"], token=token),
        await status(first["cdpUrl"], token=""),
        await status(first["cdpUrl"], apiKey="wrong"),
        await status(first["cdpUrl"], apiKey=bearer(reader)),
        await status(first["cdpUrl"], apiKey=bearer(stranger)),
        await status(first["cdpUrl"].replace(first["id"], "01a2027f-617b-76d8-b6a1-1735fd54e277"), apiKey=KEY),
    ]
    await client.patch(f"{BROWSERS}/{first['id']}", json={"action": "stop"})
    after = [await status(first["cdpUrl"]), await status(first["cdpUrl"], apiKey=KEY)]

    assert [101, 101, 401, 401, 401, 401, 403, 404, 404] == before
    assert [403, 403] == after


@pytest.mark.parametrize("end", ["", "/"])
async def test_an_http_url_leads_to_the_web_socket(client: Client, visitor: aiohttp.ClientSession, end: str) -> None:
    made = await create(client)
    url = at(client, made["cdpUrl"])

    async with visitor.get(url.with_path(f"{url.path}/json/version{end}").with_query(url.query)) as response:
        told = await response.json()
    async with visitor.get(url.with_path(f"{url.path}/json/version")) as response:
        unsigned = response.status
    odd = url.with_path(f"{url.path}/json/version").with_query({**url.query, "for": "a&b=#"})
    async with visitor.get(odd) as response:
        kept = URL((await response.json())["webSocketDebuggerUrl"]).query

    assert {
        "Browser": "Stage/1",
        "Protocol-Version": "1.3",
        "User-Agent": "",
        "webSocketDebuggerUrl": made["cdpUrl"],
    } == told
    assert 401 == unsigned
    assert {**url.query, "for": "a&b=#"} == dict(kept)


async def test_either_side_ends_the_other(
    client: Client, stage: StageLenders, visitor: aiohttp.ClientSession, lent: Service
) -> None:
    made = await create(client)
    browser = only(stage)
    async with visitor.ws_connect(at(client, made["cdpUrl"])) as socket:
        await answer(socket)
        await browser.die()
        died = await closed(socket)
    async with visitor.ws_connect(at(client, made["cdpUrl"])) as socket:
        await answer(socket)
        (server,) = browser.sockets
    await until(lambda: server.closed)
    async with visitor.ws_connect(at(client, made["cdpUrl"])) as socket:
        await answer(socket)
        await client.patch(f"{BROWSERS}/{made['id']}", json={"action": "stop"})
        stopped = await closed(socket)

    assert {1001} == {died, stopped}


async def test_a_client_that_closes_the_browser_stops_the_session(
    client: Client, visitor: aiohttp.ClientSession, lent: Service
) -> None:
    made = await create(client)
    async with visitor.ws_connect(at(client, made["cdpUrl"])) as socket:
        said = await answer(socket, method="Browser.close")
        await closed(socket)

    assert {"id": 1, "result": {}} == said
    assert e.SessionStopped(reason="Its client closed the browser.") == (await tape(lent, made["id"]))[-1]


async def test_so_many_clients_and_no_more(client: Client, visitor: aiohttp.ClientSession) -> None:
    made = await create(client)
    sockets = [await visitor.ws_connect(at(client, made["cdpUrl"])) for _ in range(MOST_CLIENTS)]

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await visitor.ws_connect(at(client, made["cdpUrl"]))
    for socket in sockets:
        await socket.close()

    assert 429 == refused.value.status


async def test_clients_that_come_at_once_are_counted_too(client: Client, visitor: aiohttp.ClientSession) -> None:
    made = await create(client)
    coming = [visitor.ws_connect(at(client, made["cdpUrl"])) for _ in range(MOST_CLIENTS + 4)]
    came = await asyncio.gather(*coming, return_exceptions=True)

    sockets = [each for each in came if isinstance(each, aiohttp.ClientWebSocketResponse)]
    for socket in sockets:
        await socket.close()

    assert MOST_CLIENTS == len(sockets)


async def test_who_asks_for_no_web_socket_is_told_so(client: Client, visitor: aiohttp.ClientSession) -> None:
    made = await create(client)

    async with visitor.get(at(client, made["cdpUrl"])) as response:
        told = response.status, await response.json(), response.headers["Upgrade"], response.headers["Connection"]

    assert (426, {"detail": "This URL speaks DevTools over a web socket."}, "websocket", "Upgrade") == told


async def test_too_large_a_message_ends_the_connection_and_binary_is_answered(
    client: Client, stage: StageLenders, visitor: aiohttp.ClientSession
) -> None:
    made = await create(client)
    async with visitor.ws_connect(at(client, made["cdpUrl"])) as socket:
        await socket.send_bytes(b"x")
        said = await socket.receive_json()
        with suppress(ConnectionError):  # it may be cut off before all is sent
            await socket.send_str("x" * (FROM_CLIENT + 1))
        await closed(socket)

    assert (-32700, []) == (said["error"]["code"], only(stage).heard)


async def test_a_slow_client_slows_its_browser_and_nobody_else(
    client: Client, stage: StageLenders, visitor: aiohttp.ClientSession
) -> None:
    made = await create(client)
    browser = only(stage)
    async with visitor.ws_connect(at(client, made["cdpUrl"])) as socket:
        await answer(socket)
        (server,) = browser.sockets
        sent = 0

        async def flood() -> None:
            nonlocal sent
            for _ in range(400):
                await server.send_str("x" * (1 << 20))
                sent += 1

        flooding = asyncio.create_task(flood())
        await until(lambda: sent > 0)
        async with visitor.ws_connect(at(client, made["cdpUrl"])) as other:
            said = [await answer(other) for _ in range(50)]
        stalled, received = sent, 0
        async with asyncio.timeout(120.0):
            while received < 400:
                assert (await socket.receive()).type is WSMsgType.TEXT
                received += 1
        await flooding

    assert [{"id": 1, "result": {}}] * 50 == said
    assert stalled < 400


# --- files ------------------------------------------------------------------------------------------------------


async def test_downloads_are_listed_in_pages_and_had_by_their_links(
    client: Client, stage: StageLenders, visitor: aiohttp.ClientSession, lent: Service, tmp_path: Path
) -> None:
    made = await create(client)
    for name in ("a.txt", "a.txt", "../b", ""):
        path = tmp_path / "arrived"
        path.write_bytes(name.encode())
        await only(stage).kept(path, name)
        assert not path.exists()
    await lent.projector.reached(lent.store.head)
    url = f"{BROWSERS}/{made['id']}/downloads"

    whole = await (await client.get(url)).json()
    first = await (await client.get(url, params={"limit": "3", "includeUrls": "true"})).json()
    second = await (await client.get(url, params={"limit": "3", "cursor": first["nextCursor"]})).json()
    wrong = await client.get(url, params={"cursor": "nowhere"})
    link = first["files"][2]["url"]
    async with visitor.get(at(client, link)) as response:
        had = response.status, await response.read(), response.headers["Content-Disposition"]
    async with visitor.get(at(client, link, expires="9999999999", signature="0")) as response:
        forged = response.status

    assert [("a.txt", 5), ("a (1).txt", 5), ("b", 4), ("download", 0)] == [
        (each["path"], each["size"]) for each in whole["files"]
    ]
    assert (None, False) == (whole["nextCursor"], whole["hasMore"])
    assert ["a.txt", "a (1).txt", "b", "download"] == [each["path"] for each in first["files"] + second["files"]]
    assert (True, False, 422, 401) == (first["hasMore"], second["hasMore"], wrong.status, forged)
    assert (200, b"../b", "attachment; filename=\"b\"; filename*=UTF-8''b") == had


async def test_an_uploaded_file_can_be_given_to_a_page_by_its_name(
    client: Client, stage: StageLenders, visitor: aiohttp.ClientSession, lent: Service
) -> None:
    made = await create(client)
    browser = only(stage)
    file = e.File(id="f", name="cv.pdf", blob=await lent.blobs.put(b"ann"), size=3)
    await lent.sessions.transact(sessions.stream(made["id"]), partial(decide.upload, file=file), actor="key:1")
    await until(lambda: (browser.place / "uploads" / "cv.pdf").exists())
    async with visitor.ws_connect(at(client, made["cdpUrl"])) as socket:
        given = await answer(socket, method="DOM.setFileInputFiles", params={"files": ["/home/ann/cv.pdf"]})
        refused = await answer(socket, method="DOM.setFileInputFiles", params={"files": ["/etc/passwd"]})

    assert {"id": 1, "result": {}} == given
    assert "no file named 'passwd' was uploaded for this session." in refused["error"]["message"]
    (path,) = browser.heard[0]["params"]["files"]
    assert b"ann" == await asyncio.to_thread(Path(path).read_bytes)
