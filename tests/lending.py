"""Browsers of no Chromium for the lender: each a little server that speaks as much DevTools as a relay needs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from api.background import background
from eventstore.blobs import Blobs
from eventstore.lent import DOWNLOADS, FOLDER, UPLOADS
from eventstore.session import Session
from eventstore.store import EventStore
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.caretaker import Kept
from runner.lending import Lending
from runner.ports import Wanted
from runner.profiles import Profiles
from runner.reel import Put, Reels
from runner.vocabulary import ActFailed

OWN_IDS = 2_000_000_000
PICTURE = b"\xff\xd8\xff a picture"


class StageBrowser:
    """What stands for a browser. `heard` are the commands of clients; what `says` has for a method is its result.

    `shows` are the times that it takes pictures at this moment; the end of one waits for `may_rest`.
    """

    def __init__(self, own: str, place: Path, wanted: Wanted, kept: Kept) -> None:
        self.own = own
        self.place = place
        self.wanted = wanted
        self.kept = kept
        self.version = "Stage 1"
        self.gone = asyncio.Event()
        self.keep = True
        self.heard: list[dict[str, Any]] = []
        self.relays: list[dict[str, Any]] = []
        self.says: dict[str, dict[str, Any]] = {}
        self.sockets: set[web.WebSocketResponse] = set()
        self.shows = 0
        self.may_rest = asyncio.Event()
        self.may_rest.set()

    async def state(self) -> str:
        return '{"cookies":[],"origins":[]}'

    async def show(self, put: Put) -> None:
        self.shows += 1
        try:
            put(PICTURE, 800, 600)
            await asyncio.Event().wait()
        finally:
            await self.may_rest.wait()
            self.shows -= 1

    async def speak(self, request: web.Request) -> web.WebSocketResponse:
        """One connection: every command is answered."""
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        self.sockets.add(socket)
        async for received in socket:
            command = msgspec.json.decode(received.data)
            (self.relays if command["id"] >= OWN_IDS else self.heard).append(command)
            answer = {"id": command["id"], "result": self.says.get(command["method"], {})}
            await socket.send_str(msgspec.json.encode(answer).decode())
        self.sockets.discard(socket)
        return socket

    async def die(self) -> None:
        """Its connections end."""
        for socket in list(self.sockets):
            await socket.close()


class StageLenders:
    """Where they come from. `running` are those that run; with `fails` there are none."""

    def __init__(self, data: Path) -> None:
        self.running: dict[str, StageBrowser] = {}
        self.kept: set[str] = set()
        self.taken_up: list[set[str]] = []
        self.fails = ""
        self._data = data
        self._count = 0

    async def take_up(self, names: Collection[str]) -> None:
        self.taken_up.append(set(names))

    @asynccontextmanager
    async def lend(self, wanted: Wanted, kept: Kept) -> AsyncIterator[StageBrowser]:
        if self.fails:
            raise ActFailed("no_browser", self.fails)
        if wanted.own and wanted.own not in self.kept:
            raise ActFailed("browser_lost", "The browser ended while the service was away.")
        self._count += 1
        own = wanted.own or f"own-{self._count}"
        place = self._data / FOLDER / own
        for folder in (DOWNLOADS, UPLOADS):
            (place / folder).mkdir(parents=True, exist_ok=True)
        browser = StageBrowser(own, place, wanted, kept)
        app = web.Application()
        app.router.add_get("/devtools/browser/1", browser.speak)
        app.router.add_get("/json/version", _version)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        (place / "endpoint").write_text(f"ws://127.0.0.1:{port}/devtools/browser/1", "ascii")
        self.running[own] = browser
        try:
            yield browser
        finally:
            del self.running[own]
            (self.kept.add if browser.keep else self.kept.discard)(own)
            (place / "endpoint").unlink()
            await browser.die()
            await runner.cleanup()


async def _version(_request: web.Request) -> web.Response:
    return web.json_response({"Browser": "Stage/1", "Protocol-Version": "1.3", "webSocketDebuggerUrl": "ws://secret"})


async def until(so: Callable[[], bool]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(60.0):
        while not so():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.01)


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read to the end of the connection; its code."""
    async with asyncio.timeout(60.0):
        async for _ in socket:
            pass
    return socket.close_code


@asynccontextmanager
async def lending(
    store: EventStore,
    sessions: Repository[Session],
    stage: StageLenders,
    blobs: Blobs,
    vault: Vault,
    *,
    name: str = "r1",
    reels: Reels | None = None,
) -> AsyncIterator[None]:
    """A lender at work that follows the log, for two browsers at once."""
    lender = Lending(
        store,
        sessions,
        stage,
        blobs,
        vault,
        Profiles(store, vault, actor=f"runner:{name}"),
        name=name,
        most=2,
        proxies={},
        reels=reels or Reels(),
    )
    await lender.take_up()
    async with background(lender.run()):
        yield
