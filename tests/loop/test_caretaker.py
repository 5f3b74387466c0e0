"""Whoever looks after a lent browser goes on after the connection to it was lost."""

import asyncio
from pathlib import Path

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from runner.browser.caretaker import MOST_AT_ONCE, Caretaker


def begun(guid: str) -> dict[str, object]:
    return {"method": "Browser.downloadWillBegin", "params": {"guid": guid, "suggestedFilename": f"{guid}.txt"}}


def done(guid: str, path: Path) -> dict[str, object]:
    params = {"guid": guid, "state": "completed", "filePath": str(path)}
    return {"method": "Browser.downloadProgress", "params": params}


async def test_downloads_that_a_lost_connection_left_open_keep_out_no_later_ones(tmp_path: Path) -> None:
    says = [
        [begun(f"lost{number}") for number in range(MOST_AT_ONCE)],
        [begun("late"), done("late", tmp_path / "late")],
    ]
    heard: list[str] = []
    kept: asyncio.Queue[tuple[Path, str]] = asyncio.Queue()

    async def keep(path: Path, name: str) -> None:
        await kept.put((path, name))

    async def version(_request: web.Request) -> web.Response:
        return web.json_response({})

    async def browser(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in says.pop(0):
            await socket.send_json(message)
        if says:
            await socket.close()
        heard.extend([received.json()["method"] async for received in socket if received.type is WSMsgType.TEXT])
        return socket

    app = web.Application()
    app.add_routes([web.get("/json/version", version), web.get("/devtools", browser)])
    async with TestServer(app) as server:
        caretaker = Caretaker(str(server.make_url("/devtools")), tmp_path, keep)
        tending = asyncio.create_task(caretaker.tend())
        async with asyncio.timeout(60.0):
            found = await kept.get()
        tending.cancel()
        await asyncio.wait({tending})

    assert (tmp_path / "late", "late.txt") == found
    assert "Browser.cancelDownload" not in heard
