"""A server that speaks the chat-completions protocol over real connections, and answers as its script says.

    async with model_server([Text("{}"), Status(429, retry_after="0"), react]) as served:
        endpoint = served.endpoint()

Each request takes the next turn of the script; once that is used up the last turn is taken again and again. A turn is
one of the kinds in model_script.py, a text (short for `Text`), or a function of the request that answers a turn.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

from eventstore.secrets import Secret
from runner.llm.endpoints import Endpoint
from tests.model_script import (
    Cut,
    Disconnect,
    Endless,
    Hang,
    MidError,
    Raw,
    Refusal,
    Status,
    Streamed,
    Text,
    Tool,
    forever,
    parts,
    whole,
)

__all__ = [
    "KEY",
    "Asked",
    "Disconnect",
    "Endless",
    "Hang",
    "Held",
    "MidError",
    "ModelServer",
    "Raw",
    "React",
    "Refusal",
    "Status",
    "Text",
    "Tool",
    "Turn",
    "model_server",
]

KEY = "sk-very-secret-0123456789"
LIMIT = 60.0


@dataclass
class Asked:
    """One request. `hung_up` is set once the client left before its answer was through."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    query: dict[str, str] = field(default_factory=dict)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def texts(self) -> list[str]:
        """What each message says, without its pictures."""
        return [_text(message["content"]) for message in self.body["messages"]]

    @property
    def last(self) -> str:
        """What the last message says."""
        return self.texts[-1]

    @property
    def pictures(self) -> list[str]:
        """The data URLs of the last message."""
        content = self.body["messages"][-1]["content"]
        return [] if isinstance(content, str) else [part["image_url"]["url"] for part in content[1:]]


@dataclass(frozen=True)
class Held:
    """Another turn, once `until` is set."""

    until: asyncio.Event
    turn: "Turn"


Turn: TypeAlias = "str | Text | Tool | Refusal | Status | Raw | MidError | Hang | Disconnect | Endless | Held | React"
React: TypeAlias = Callable[[Asked], "Turn"]


class ModelServer:
    """`requests` are those that came, in order; `most_at_once` is how many were under way at the same time."""

    def __init__(self, script: Sequence[Turn]) -> None:
        self.requests: list[Asked] = []
        self.script = list(script)
        self.url = ""
        self.most_at_once = 0
        self._under_way = 0
        self._news = asyncio.Condition()

    def endpoint(self, name: str = "scripted", **settings: Any) -> Endpoint:
        """Of this server, with a key; any field of Endpoint can be set."""
        return Endpoint(**{"name": name, "model": "model-x", "base_url": self.url, "key": Secret(KEY), **settings})

    async def asked(self, times: int) -> list[Asked]:
        """The requests, once there are so many."""
        async with asyncio.timeout(LIMIT), self._news:
            await self._news.wait_for(lambda: len(self.requests) >= times)
        return self.requests

    async def complete(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.path, request.headers, await request.json(), dict(request.query))
        turn = self.script[min(len(self.requests), len(self.script) - 1)]
        async with self._news:
            self.requests.append(asked)
            self._news.notify_all()
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            return await _play(turn, asked, request)
        except (asyncio.CancelledError, ConnectionError):
            asked.hung_up.set()
            raise
        finally:
            self._under_way -= 1


@asynccontextmanager
async def model_server(script: Sequence[Turn]) -> AsyncIterator[ModelServer]:
    """A server on a free port of this machine, closed when left."""
    served = ModelServer(script)
    app = web.Application(client_max_size=64 * 2**20)
    for path in ("/v1/chat/completions", "/openai/deployments/{deployment}/chat/completions"):
        app.router.add_post(path, served.complete)
    app.router.add_get("/v1/models", _models)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        served.url = f"http://127.0.0.1:{port}/v1"
        yield served
    finally:
        await runner.cleanup()


async def _models(_request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "model-x", "object": "model"}]})


async def _play(turn: Turn, asked: Asked, request: web.Request) -> web.StreamResponse:
    match turn:
        case Held(until=until, turn=then):
            async with asyncio.timeout(LIMIT):
                await until.wait()
            return await _play(then, asked, request)
        case str():
            return await _play(Text(turn), asked, request)
        case Status():
            return _status(turn)
        case Raw(body=body, kind=kind):
            return web.Response(body=body, headers={"Content-Type": kind})
        case Hang(parts=0, counted=False):
            await forever()
            raise AssertionError
        case Disconnect(parts=0):
            return _gone(request)
        case Text() | Tool() | Refusal() if turn.whole or not asked.body.get("stream"):
            return web.json_response(whole(turn))
        case Text() | Tool() | Refusal() | Hang() | Disconnect() | MidError() | Endless():
            return await _stream(turn, asked, request)
        case _:
            return await _play(turn(asked), asked, request)


async def _stream(turn: Streamed, asked: Asked, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    try:
        async for part in parts(turn, counting=asked.body.get("stream_options", {}).get("include_usage", False)):
            await response.write(part)
    except Cut:
        return _gone(request)
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _gone(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _status(turn: Status) -> web.Response:
    headers = {**turn.headers, **({"Retry-After": turn.retry_after} if turn.retry_after else {})}
    if turn.body is not None:
        return web.Response(status=turn.status, text=turn.body, headers=headers)
    error = {"error": {"message": turn.message, "code": turn.code or None, "type": None, "param": None}}
    return web.json_response(error, status=turn.status, headers=headers)


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
