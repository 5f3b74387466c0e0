"""The outer door: how many connections there may be, how long each may dawdle, and what hears who speaks no HTTP."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import msgspec
import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from api.errors import Problem, problem

IDLE_SECONDS = 75.0
"""How long a connection may be silent, or take over the head of a request, before it is closed."""

STALLED_SECONDS = 30.0
"""How long a client may take nothing of what is sent to it before the connection is cut."""

BACKLOG = 512
OTHER_FILES = 256
"""How many files the service needs beside its connections: the tape, browsers, the proxy."""

_TOO_LONG = "The request line or a header is too long."
_NO_HTTP = "This is not an HTTP request that can be read."
_log = structlog.get_logger("api")


@asynccontextmanager
async def accepting(
    runner: web.AppRunner, on: socket.socket, *, most: int, idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[asyncio.Server]:
    """Accept connections for an application on a bound socket, at most `most` at once. Leaving closes the port only.

    What aiohttp itself would start has no limit on connections, and answers in plain text what it cannot parse.
    """
    if runner.server is None:
        raise RuntimeError("The runner must be set up first.")
    doors = _Doors(runner.server, most=_room(most), idle_seconds=idle_seconds)
    server = await asyncio.get_running_loop().create_server(doors, sock=on, backlog=BACKLOG)
    try:
        yield server
    finally:
        server.close()


def cut_when_stalled(listener: socket.socket, seconds: float = STALLED_SECONDS) -> None:
    """Let the kernel cut connections of this port whose clients take nothing for so long, where it can (Linux)."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


class _Doors:
    """Makes what serves each new connection."""

    def __init__(self, server: web.Server, *, most: int, idle_seconds: float) -> None:
        self.server = server
        self.most = most
        self.idle_seconds = idle_seconds
        self.open: set[_Connection] = set()

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self) if len(self.open) < self.most else _Full()


class _Connection(web.RequestHandler):
    """aiohttp's, counted, and with failures in the shape that all failures have."""

    __slots__ = ("_doors",)

    def __init__(self, doors: _Doors) -> None:
        super().__init__(
            doors.server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=doors.idle_seconds,
            access_log=None,  # type: ignore[arg-type]  # as AppRunner documents it
        )
        self._doors = doors

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._doors.open.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._doors.open.discard(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Of who speaks no HTTP, or hangs up, there is not a word in the log; all else there is a defect of ours."""
        if isinstance(exc, ConnectionError) or request.writer.output_size:
            raise ConnectionError("Nobody can be answered.") from exc
        if status == 400:
            response = problem(400, _TOO_LONG if isinstance(exc, LineTooLong) else _NO_HTTP)
        else:
            _log.error("a request failed outside of its handler", exc_info=exc)
            response = problem(500, "Internal server error")
        response.force_close()
        return response


class _Full(asyncio.Protocol):
    """Says that there is no room, and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        body = msgspec.json.encode(Problem(detail="Too many connections are open; try again in a moment."))
        head = (
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        # uvloop's transports write too, but say so to nobody's isinstance.
        cast(asyncio.WriteTransport, transport).write(head + body)
        transport.close()


def _room(wanted: int) -> int:
    """As many connections as the system's limit on open files leaves, once that is raised as far as is needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = wanted + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < need:
        soft = need if hard == resource.RLIM_INFINITY else min(need, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= need:
        return wanted
    room = max(soft - OTHER_FILES, soft // 2)
    _log.warning("fewer connections than set, for the limit on open files is low", connections=room, files=soft)
    return room
