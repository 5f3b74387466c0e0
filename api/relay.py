"""One client and the browser that it was lent: what either says reaches the other, the client's words once judged.

One message is under way in each direction, so that a slow side slows the other; when one side ends, so does the other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Literal

import aiohttp
import msgspec
from aiohttp import web

from api.cdp_filter import OWN_IDS, Place, judge, unreadable
from api.cdp_targets import NEWS, Answer, Targets
from api.limits import Rate

FROM_CLIENT = 16 * 1024 * 1024
FROM_BROWSER = 128 * 1024 * 1024
"""The largest messages: what a page is given, and its pictures and bodies."""

PER_SECOND = 2_000.0
"""Messages of one client; whoever says more is heard more slowly."""

ASK_SECONDS = 10.0
LOOK_SECONDS = 2.0
CLOSE_SECONDS = 2.0
SETTLE_SECONDS = 0.2
MINE = b'{"id":%d' % (OWN_IDS // 10**6)
"""How answers to our own commands begin."""

Good = Callable[[], Awaitable[bool]]
"""Whether the client may go on."""


class Relay:
    """Between a client and its browser. `good` is asked now and then; `close` is what a client's Browser.close does."""

    def __init__(
        self,
        client: web.WebSocketResponse,
        browser: "aiohttp.ClientWebSocketResponse[Literal[False]]",
        place: Place,
        *,
        good: Good,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._client = client
        self._browser = browser
        self._place = place
        self._good = good
        self._close = close
        self._targets = Targets()
        self._rate = Rate(PER_SECOND)
        self._ids = count(OWN_IDS)
        self._asked: dict[int, asyncio.Future[bytes]] = {}

    async def run(self) -> None:
        """To the end of either side. Raises nothing but cancellation."""
        await self.settle()
        works = {asyncio.create_task(work) for work in (self._from_client(), self._from_browser(), self._watch())}
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for work in done:
                with suppress(ConnectionError, aiohttp.ClientError):  # that side went away in the middle of a word
                    work.result()
        finally:
            for work in works:
                work.cancel()
            await asyncio.shield(self._end(works))

    async def settle(self) -> None:
        """Have downloads go where they should, which another client's leaving may have undone."""
        with suppress(ConnectionError):
            await self._say("Browser.setDownloadBehavior", behavior="allowAndName", downloadPath=self._place.downloads)

    async def settle_soon(self) -> None:
        """The same, once the browser has noticed that the other one is gone."""
        await asyncio.sleep(SETTLE_SECONDS)
        await self.settle()

    async def end(self, reason: str) -> None:
        """The service has no more to do with it."""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.close(code=aiohttp.WSCloseCode.GOING_AWAY, message=reason.encode())

    async def _end(self, works: set["asyncio.Task[None]"]) -> None:
        await asyncio.wait(works)
        await self.end("The session has ended.")
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._browser.close()

    async def _from_client(self) -> None:
        async for message in self._client:
            if message.type is not aiohttp.WSMsgType.TEXT:
                await self._client.send_str(unreadable())
                continue
            while wait := self._rate.take(""):  # noqa: ASYNC110 - it is a number that says when
                await asyncio.sleep(wait)
            verdict = judge(message.data, self._place, apart=self._targets.apart)
            if verdict.reply:
                await self._client.send_str(verdict.reply)
                if verdict.ends:
                    await self._close()
                    return
            elif verdict.target and not await self._may_attach(verdict.target):
                await self._client.send_str(verdict.refused)
            else:
                await self._browser.send_str(verdict.forward)

    async def _from_browser(self) -> None:
        async for message in self._browser:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            data: bytes = message.data
            if data.startswith(MINE):
                self._heard(data)
                continue
            if data.startswith(NEWS):
                self._targets.note(data)
            await self._client.send_frame(data, aiohttp.WSMsgType.TEXT)

    async def _watch(self) -> None:
        while await self._good():  # noqa: ASYNC110 - a key may be revoked, a log be followed by others
            await asyncio.sleep(LOOK_SECONDS)

    async def _may_attach(self, target: str) -> bool:
        """Whether the target is a page or belongs to one, as the browser itself says."""
        own = await self._say("Target.getTargetInfo", targetId=target)
        answered = self._asked[own] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return msgspec.json.decode(await answered, type=Answer).result.targetInfo.open
        except (TimeoutError, msgspec.DecodeError):
            return False
        finally:
            del self._asked[own]

    async def _say(self, method: str, **params: object) -> int:
        own = next(self._ids)
        await self._browser.send_json({"id": own, "method": method, "params": params})
        return own

    def _heard(self, data: bytes) -> None:
        with suppress(msgspec.DecodeError):
            waiting = self._asked.get(msgspec.json.decode(data, type=Mine).id)
            if waiting is not None and not waiting.done():
                waiting.set_result(data)


class Mine(msgspec.Struct, frozen=True):
    """An answer to a command of ours."""

    id: int
