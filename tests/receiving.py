"""Somebody who is told by webhooks: answers as its script says, and keeps what it was sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

LIMIT = 120.0


@dataclass(frozen=True)
class Message:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def status(self) -> str:
        """What it tells of its task; `test` for a test."""
        said = json.loads(self.body)
        return str(said["payload"].get("status", said["type"]))

    @property
    def task(self) -> str:
        """The task that it tells of."""
        return str(json.loads(self.body)["payload"]["task_id"])

    @property
    def source(self) -> int:
        """The position of the event that it tells of."""
        return int(self.headers["X-Tapewright-Event"])


Reply = int | asyncio.Event | Callable[[web.Request], Awaitable[web.StreamResponse]]
"""A status; an event that is waited for before a 200; or anything."""


class Receiver:
    """`replies` are the answers to come by path, one for each request; without one it answers `usually`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.got: list[Message] = []
        self.begun: list[Message] = []
        self.replies: dict[str, list[Reply]] = {}
        self.usually = 200
        self._news = asyncio.Condition()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str = "/hook") -> list[Message]:
        """What came to that path and was answered."""
        return [message for message in self.got if message.path == path]

    def told(self, path: str = "/hook") -> list[str]:
        """The statuses that came to that path."""
        return [message.status for message in self.at(path)]

    async def until(self, good: Callable[[], bool]) -> None:
        """Return when it is so."""
        async with asyncio.timeout(LIMIT), self._news:
            await self._news.wait_for(good)

    async def many(self, number: int, path: str = "/hook") -> None:
        """Return when so many requests to the path were answered."""
        await self.until(lambda: len(self.at(path)) >= number)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        message = Message(request.path, dict(request.headers), await request.read())
        async with self._news:
            self.begun.append(message)
            self._news.notify_all()
        replies = self.replies.get(request.path, [])
        reply: Reply = replies.pop(0) if replies else self.usually
        if isinstance(reply, asyncio.Event):
            await reply.wait()
            reply = 200
        answer = web.Response(status=reply) if isinstance(reply, int) else await reply(request)
        async with self._news:
            self.got.append(message)
            self._news.notify_all()
        return answer


@asynccontextmanager
async def receiving(**more: Any) -> AsyncIterator[Receiver]:
    """A receiver on a free port of the loopback; `more` is for `TCPSite`."""
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    receiver = Receiver(0)
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, **more).start()
        receiver.port = runner.addresses[0][1]
        yield receiver
    finally:
        await runner.cleanup()
