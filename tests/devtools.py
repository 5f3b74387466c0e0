"""A client that speaks bare DevTools: it says what no library would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

SECONDS = 60.0
Answer = dict[str, Any]


class Devtools:
    """One connection. `events` are all that came, in their order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.events: list[Answer] = []
        self.closed = asyncio.Event()
        self.socket = socket
        self._last = 0
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._news = asyncio.Event()

    async def call(self, method: str, session: str = "", **params: object) -> Answer:
        """The result of a command, or `{"error": its message}`."""
        message = await self.say(method, session, params)
        error = message.get("error")
        return {"error": error["message"]} if error else dict(message["result"])

    async def say(self, method: str, session: str, params: dict[str, object]) -> Answer:
        """The whole answer to a command."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": params, **({"sessionId": session} if session else {})}
        waiting = self._waiting[self._last] = asyncio.get_running_loop().create_future()
        await self.socket.send_str(msgspec.json.encode(command).decode())
        async with asyncio.timeout(SECONDS):
            return dict(await waiting)

    async def page(self, url: str = "about:blank", context: str = "") -> tuple[str, str]:
        """A new page: its target, and a session attached to it with its events on."""
        where = {"browserContextId": context} if context else {}
        target = (await self.call("Target.createTarget", url=url, **where))["targetId"]
        session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        await self.call("Page.enable", session)
        return target, session

    async def evaluate(self, session: str, expression: str, **params: object) -> Any:
        """What the page says; a promise is waited for."""
        answer = await self.call("Runtime.evaluate", session, expression=expression, awaitPromise=True, **params)
        return answer.get("result", {}).get("value", answer)

    async def until(self, method: str, **params: object) -> Answer:
        """The parameters of the first event of that name with these among them."""
        async with asyncio.timeout(SECONDS):
            while True:
                self._news.clear()
                for event in self.events:
                    told = event.get("params", {})
                    if event["method"] == method and params.items() <= told.items():
                        return dict(told)
                await self._news.wait()

    async def read(self) -> None:
        """Hear the browser, until the connection ends."""
        async for received in self.socket:
            message = msgspec.json.decode(received.data)
            if waiting := self._waiting.pop(message.get("id", 0), None):
                waiting.set_result(message)
            else:
                self.events.append(message)
                self._news.set()
        self.closed.set()


@asynccontextmanager
async def devtools(url: str) -> AsyncIterator[Devtools]:
    """A connection to a `cdpUrl`."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, max_msg_size=0) as socket,
    ):
        client = Devtools(socket)
        reading = asyncio.create_task(client.read())
        try:
            yield client
        finally:
            reading.cancel()
            await asyncio.wait({reading})
