"""Looks after a browser that a client drives, over a DevTools connection of its own.

It has downloads put into the session's folder, tells of those that are complete, ends those that are too large, and
closes what shows pages that are none of the web's, however it was brought about. It ends with the browser.
"""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from pathlib import Path

import aiohttp
import structlog

from runner.browser.probe import listens

MOST_BYTES = 256 * 1024 * 1024
"""Of one download; a larger one is ended."""

MOST_AT_ONCE = 16
"""Downloads under way; further ones are ended."""

MESSAGE_BYTES = 16 * 1024 * 1024
AGAIN_SECONDS = 0.5
FOREIGN = re.compile(r"(file|chrome|chrome-untrusted|chrome-search|devtools|view-source):", re.IGNORECASE)

Kept = Callable[[Path, str], Coroutine[None, None, None]]
"""Hears of a complete download: the file, which is the hearer's to remove, and what the page called it."""

log = structlog.get_logger()


class Caretaker:
    """Of one browser. `ready` is set once downloads go where they should; `version` is such as `Chromium 156.0.1.2`."""

    def __init__(self, endpoint: str, downloads: Path, kept: Kept) -> None:
        self.version = "Chromium"
        self.ready = asyncio.Event()
        self._endpoint = endpoint
        self._downloads = downloads
        self._kept = kept
        self._names: dict[str, str] = {}
        self._last = 0

    async def tend(self) -> None:
        """Until the browser is gone."""
        while await listens(self._endpoint):
            try:
                async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
                    await self._watch(http, group)
            except* (aiohttp.ClientError, ConnectionError, ValueError) as failures:
                log.warning("the connection to a lent browser was lost", reason=str(failures.exceptions[0]))
            await asyncio.sleep(AGAIN_SECONDS)

    async def _watch(self, http: aiohttp.ClientSession, group: asyncio.TaskGroup) -> None:
        async with http.ws_connect(self._endpoint, max_msg_size=MESSAGE_BYTES, compress=0) as socket:
            self._names.clear()  # nobody told of those that ended meanwhile
            await self._send(socket, "Browser.getVersion")
            await self._send(socket, "Target.setDiscoverTargets", discover=True)
            where = str(self._downloads)
            last = await self._send(
                socket, "Browser.setDownloadBehavior", behavior="allowAndName", downloadPath=where, eventsEnabled=True
            )
            async for received in socket:
                if received.type is not aiohttp.WSMsgType.TEXT:
                    break
                message = json.loads(received.data)
                if message.get("id") == last:
                    self.ready.set()
                elif product := message.get("result", {}).get("product"):
                    self.version = f"Chromium {str(product).rpartition('/')[2]}"
                await self._hear(socket, group, str(message.get("method", "")), message.get("params", {}))

    async def _hear(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        group: asyncio.TaskGroup,
        method: str,
        params: dict[str, object],
    ) -> None:
        guid = str(params.get("guid", ""))
        match method:
            case "Target.targetCreated" | "Target.targetInfoChanged":
                info = params.get("targetInfo")
                if isinstance(info, dict) and info.get("type") == "page" and FOREIGN.match(str(info.get("url", ""))):
                    log.warning("a lent browser showed a page that is none of the web's; it is closed")
                    await self._send(socket, "Target.closeTarget", targetId=info.get("targetId"))
            case "Browser.downloadWillBegin":
                if len(self._names) >= MOST_AT_ONCE:
                    await self._send(socket, "Browser.cancelDownload", guid=guid)
                else:
                    self._names[guid] = str(params.get("suggestedFilename", ""))
            case "Browser.downloadProgress" if params.get("state") == "inProgress":
                if max(_number(params.get("totalBytes")), _number(params.get("receivedBytes"))) > MOST_BYTES:
                    await self._send(socket, "Browser.cancelDownload", guid=guid)
            case "Browser.downloadProgress":
                name = self._names.pop(guid, "")
                path = Path(str(params.get("filePath") or self._downloads / guid))
                if params.get("state") == "completed" and path.parent == self._downloads:
                    group.create_task(self._kept(path, name))

    async def _send(self, socket: aiohttp.ClientWebSocketResponse, method: str, **params: object) -> int:
        self._last += 1
        await socket.send_json({"id": self._last, "method": method, "params": params})
        return self._last


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
