"""Asks a browser and its pages over bare DevTools whether they answer: a driver that attaches to others hangs."""

import asyncio
from urllib.parse import urlsplit

import aiohttp

ANSWER_SECONDS = 5.0
REACH_SECONDS = 10.0
"""How long one that was left running may take: after a restart all tasks come back to theirs at once."""

MOST_BYTES = 1 << 20


async def listens(endpoint: str, seconds: float = ANSWER_SECONDS) -> bool:
    """Whether the browser itself answers there, without a driver in between."""
    try:
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession() as http,
            http.get(f"http://{urlsplit(endpoint).netloc}/json/version") as response,
        ):
            return response.ok
    except (aiohttp.ClientError, TimeoutError):
        return False


async def pages_answer(endpoint: str, seconds: float) -> bool:
    """Whether every page does. One that opened a dialog while nobody was there to answer it does not."""
    try:
        async with asyncio.timeout(seconds), aiohttp.ClientSession() as http:
            async with http.get(f"http://{urlsplit(endpoint).netloc}/json/list") as response:
                targets: list[dict[str, str]] = await response.json(content_type=None)
            for target in targets:
                if target["type"] == "page":
                    await _ask(http, target["webSocketDebuggerUrl"])
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError):
        return False
    return True


async def _ask(http: aiohttp.ClientSession, page: str) -> None:
    async with http.ws_connect(page, max_msg_size=MOST_BYTES) as socket:
        await socket.send_json({"id": 1, "method": "Runtime.evaluate", "params": {"expression": "1"}})
        await socket.receive()
