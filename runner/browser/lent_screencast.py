"""The pictures of a browser that a client drives, for people who watch: those of its foremost page, until cancelled.

Over a DevTools connection of our own to that page alone, on which nothing is said but what pictures need: a driver
would answer the page's dialogs, and hold up new pages. Neither the client nor the page notices.
"""

import asyncio
import base64
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import msgspec

from runner.browser.caretaker import FOREIGN
from runner.browser.screencast import FRAMES_A_SECOND, LARGEST, QUALITY
from runner.reel import Put

LOOK_SECONDS = 0.5
"""How long another page may be the foremost one before it is the one that is shown."""

QUIET_SECONDS = 0.4
"""A page that brings no picture for so long has come to rest."""

ANSWER_SECONDS = 5.0
CLOSE_SECONDS = 1.0
MESSAGE_BYTES = 16 * 1024 * 1024
LIST_BYTES = 1 << 20
"""Of the list of pages; of a browser that has more of them no pictures are taken."""

GONE = (aiohttp.ClientError, ConnectionError, TimeoutError, ValueError, msgspec.DecodeError)
"""What happens when a page is closed, or the browser ends."""


class Target(msgspec.Struct, frozen=True):
    """What a browser tells of a page."""

    type: str = ""
    url: str = ""
    socket: str = msgspec.field(name="webSocketDebuggerUrl", default="")


class Metadata(msgspec.Struct, frozen=True):
    """The viewport, in CSS pixels."""

    width: float = msgspec.field(name="deviceWidth", default=0.0)
    height: float = msgspec.field(name="deviceHeight", default=0.0)


class Frame(msgspec.Struct, frozen=True):
    """A picture; `number` is what its receipt names."""

    data: str = ""
    metadata: Metadata = Metadata()
    number: int = msgspec.field(name="sessionId", default=0)


class Said(msgspec.Struct, frozen=True):
    """Whatever a page's connection says."""

    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")


async def show(endpoint: str, put: Put) -> None:
    """Put pictures of the browser at that DevTools endpoint until cancelled, also while it comes and goes."""
    limits = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=limits) as http:
        while True:
            with suppress(*GONE):
                while page := await _foremost(http, endpoint):
                    await _follow(http, endpoint, page, put)
            await asyncio.sleep(LOOK_SECONDS)


async def _foremost(http: aiohttp.ClientSession, endpoint: str) -> str:
    """Where the page speaks that was in front last, empty without one: browsers list that one first."""
    async with (
        asyncio.timeout(ANSWER_SECONDS),
        http.get(f"http://{urlsplit(endpoint).netloc}/json/list") as response,
    ):
        listed = bytearray()
        while len(listed) < LIST_BYTES and (part := await response.content.read(LIST_BYTES)):
            listed += part
    targets = msgspec.json.decode(listed, type=list[Target])
    return next((each.socket for each in targets if each.type == "page" and not FOREIGN.match(each.url)), "")


async def _follow(http: aiohttp.ClientSession, endpoint: str, page: str, put: Put) -> None:
    """Pictures of this page for as long as it is the foremost one."""
    close = aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS)
    async with asyncio.timeout(ANSWER_SECONDS):
        socket = await http.ws_connect(page, max_msg_size=MESSAGE_BYTES, compress=0, timeout=close)
    async with socket:
        cast = _Cast(socket, put)
        works = [asyncio.create_task(work) for work in (cast.read(), cast.run(), _ahead(http, endpoint, page))]
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for work in done:
                work.result()
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)


async def _ahead(http: aiohttp.ClientSession, endpoint: str, page: str) -> None:
    """Until another page is the foremost one."""
    await asyncio.sleep(LOOK_SECONDS)
    while await _foremost(http, endpoint) == page:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(LOOK_SECONDS)


class _Cast:
    """The moving picture of one page. Each frame's receipt waits for its turn, so that the page makes no more."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, put: Put) -> None:
        self._socket = socket
        self._put = put
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()  # a browser has three on the way at most
        self._last = 0

    async def read(self) -> None:
        """To the end of the connection. Raises ConnectionError there."""
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                said = msgspec.json.decode(message.data, type=Said)
                if said.method == "Page.screencastFrame":
                    self._frames.put_nowait(msgspec.json.decode(said.params, type=Frame))
        raise ConnectionError("the page is gone")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._say("Page.startScreencast", format="jpeg", quality=QUALITY, maxWidth=LARGEST, maxHeight=LARGEST)
            await self._until_quiet()
            await self._say("Page.stopScreencast")

    async def _until_quiet(self) -> None:
        """Frames, until the page rests and the last of them may not be what it came to rest with.

        A browser makes none while three have no receipt, not even of the last change, and does not make up for it. A
        cast that begins anew starts with what is there.
        """
        self._show(frame := await self._frames.get())
        first = True
        while True:
            await asyncio.sleep(1 / FRAMES_A_SECOND)
            await self._say("Page.screencastFrameAck", sessionId=frame.number)
            try:
                async with asyncio.timeout(None if first else QUIET_SECONDS):
                    frame = await self._frames.get()
            except TimeoutError:
                return
            self._show(frame)
            first = False

    def _show(self, frame: Frame) -> None:
        self._put(base64.b64decode(frame.data), int(frame.metadata.width), int(frame.metadata.height))

    async def _say(self, method: str, **params: object) -> None:
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": params})
