"""The live page of a browser that a client drives, with stages in the place of Chromium: who sees it, until when."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from yarl import URL

from api.app import create_app
from api.service import Service
from eventstore import events as e
from runner.reel import Reels
from tests.lending import PICTURE, StageBrowser, StageLenders, closed, lending, until
from tests.web.conftest import KEY, Client, Drive, MakeClient

BROWSERS = "/api/v2/browsers"
LIMIT = 60.0
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def stage(service: Service) -> StageLenders:
    """Where browsers come from."""
    return StageLenders(service.settings.data_dir)


@pytest.fixture
async def client(service: Service, stage: StageLenders, aiohttp_client: MakeClient) -> AsyncIterator[Client]:
    """A client without a key of a service that lends browsers."""
    reels = Reels()
    async with lending(service.store, service.sessions, stage, service.blobs, service.vault, reels=reels):
        yield await aiohttp_client(create_app(replace(service, lends=True, reels=reels)))


async def create(client: Client) -> dict[str, Any]:
    response = await client.post(BROWSERS, json={}, headers=BEARER)
    return dict(await response.json())


def page(url: str) -> URL:
    """The live page's address below the service's own."""
    return URL(URL(url).raw_path_qs, encoded=True)


async def opened(client: Client, address: URL) -> ClientWebSocketResponse:
    return await client.ws_connect(str(address.with_path(f"{address.path}/socket", keep_query=True)))


async def told(socket: ClientWebSocketResponse, kind: str, **fields: object) -> dict[str, Any]:
    """The next word of that kind with these fields."""
    async with asyncio.timeout(LIMIT):
        while True:
            message = await socket.receive()
            if message.type is WSMsgType.TEXT:
                word: dict[str, Any] = message.json()
                if kind == word["type"] and fields.items() <= word.items():
                    return word
            assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY), message


async def picture(socket: ClientWebSocketResponse) -> bytes:
    async with asyncio.timeout(LIMIT):
        while (message := await socket.receive()).type is not WSMsgType.BINARY:
            assert message.type is WSMsgType.TEXT, message
    return bytes(message.data)


def only(stage: StageLenders) -> StageBrowser:
    (browser,) = stage.running.values()
    return browser


async def test_its_pictures_are_taken_while_somebody_watches_and_at_no_other_time(
    client: Client, stage: StageLenders
) -> None:
    address = page((await create(client))["liveUrl"])
    before = only(stage).shows
    html = await client.get(str(address))
    one, other = await opened(client, address), await opened(client, address)
    word = await told(one, "task")
    seen = [await picture(each) for each in (one, other)]
    while_two = only(stage).shows
    await one.close()
    await other.close()
    await until(lambda: only(stage).shows == 0)

    assert (200, 0, 1) == (html.status, before, while_two)
    assert [(800).to_bytes(2) + (600).to_bytes(2) + PICTURE] * 2 == seen
    assert {
        "type": "task",
        "id": address.parts[2],
        "state": "active",
        "instruction": "A browser that its client drives",
        "right": "control",
        "controlled": False,
        "driving": False,
        "ended": False,
        "question": None,
        "output": "",
        "error": "",
        "screenshot": "",
        "recordings": [],
        "browser": True,
    } == word


async def test_its_end_is_told_to_who_watches_and_to_who_comes_later(client: Client, stage: StageLenders) -> None:
    made = await create(client)
    address = page(made["liveUrl"])
    socket = await opened(client, address)
    await picture(socket)
    browser = only(stage)
    browser.gone.set()
    words = [await told(socket, "task", ended=True), await told(socket, "over")]
    late = await opened(client, address)
    words += [await told(late, "task", ended=True), await told(late, "over")]
    read = await (await client.get(f"{BROWSERS}/{made['id']}", headers=BEARER)).json()
    codes = [await closed(each) for each in (socket, late)]

    assert ["The browser has ended."] * 4 == [word.get("output") or word["text"] for word in words]
    assert ("stopped", None) == (read["status"], read["liveUrl"])
    assert ([1000, 1000], 0) == (codes, browser.shows)


async def test_that_there_is_nothing_to_be_seen_any_more_is_told_once(client: Client, stage: StageLenders) -> None:
    socket = await opened(client, page((await create(client))["liveUrl"]))
    await picture(socket)
    browser = only(stage)
    browser.may_rest.clear()
    browser.gone.set()
    await told(socket, "sight", live=False)
    await socket.send_json({"type": "steer", "what": "pause"})
    words: list[str] = []
    async with asyncio.timeout(LIMIT):
        while not {"problem", "over"} & set(words):
            words.append((await socket.receive_json())["type"])
    browser.may_rest.set()

    assert "sight" not in words


async def test_who_has_control_may_stop_it_and_nothing_else(client: Client, service: Service) -> None:
    made = await create(client)
    socket = await opened(client, page(made["liveUrl"]))
    await told(socket, "task")
    problems = []
    for wish in (
        {"type": "steer", "what": "pause"},
        {"type": "steer", "what": "take"},
        {"type": "answer", "request": "1", "value": "yes"},
        {"type": "hand", "number": 1, "input": {"act": "reload"}},
    ):
        await socket.send_json(wish)
        problems.append((await told(socket, "done" if wish["type"] == "hand" else "problem"))["type"])
    await socket.send_json({"type": "steer", "what": "stop"})
    word = await told(socket, "task", ended=True)

    assert (["problem"] * 3 + ["done"], "The browser was stopped.") == (problems, word["output"])
    last = (await service.store.read_stream(f"session-{made['id']}"))[-1]
    assert e.SessionStopped(reason="It was stopped on the live page.") == last.event


async def test_who_may_only_read_may_only_watch(client: Client, drive: Drive, stage: StageLenders) -> None:
    made = await create(client)
    read = await (await client.get(f"{BROWSERS}/{made['id']}", headers=await drive.key("read"))).json()
    socket = await opened(client, page(read["liveUrl"]))
    seen = await told(socket, "task")
    await socket.send_json({"type": "steer", "what": "stop"})
    problem = await told(socket, "problem")

    assert ("read", "With this link one can only watch.") == (seen["right"], problem["text"])
    assert 1 == len(stage.running)


async def test_anothers_link_does_not_open_it(client: Client, drive: Drive) -> None:
    made = await create(client)
    stranger = await drive.key("admin", project="shop")
    response = await client.post(BROWSERS, json={}, headers=stranger)
    theirs = page((await response.json())["liveUrl"])
    statuses = [
        (await client.get(f"{BROWSERS}/{made['id']}", headers=stranger)).status,
        (await client.get(f"/live/{made['id']}", params=theirs.query)).status,
        (await client.get(f"/live/{made['id']}")).status,
    ]
    with pytest.raises(WSServerHandshakeError) as refused:
        await opened(client, URL(f"/live/{made['id']}").with_query(theirs.query))

    assert ([404, 401, 401], 401) == (statuses, refused.value.status)
