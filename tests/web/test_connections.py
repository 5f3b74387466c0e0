"""The outer door on real sockets: what is no HTTP, what never ends, and how many may come at once."""

import asyncio
import socket

import msgspec
import pytest
from aiohttp import web

from api import wire
from api.app import create_app
from api.service import Service
from api.wire import Route
from tests.web.conftest import KEY, listening

SECONDS = 60.0
IDLE = 1.0  # less, and a slow machine may not have asked by then
AUTHORIZATION = f"Authorization: Bearer {KEY}\r\n"


async def say(port: int, data: bytes) -> bytes:
    """What is answered to these bytes until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    async with asyncio.timeout(SECONDS):
        answer = await reader.read()
    writer.close()
    return answer


GET = f"GET /api/v1/me HTTP/1.1\r\nHost: tape\r\n{AUTHORIZATION}"
POST = f"POST /api/v1/run-task HTTP/1.1\r\nHost: tape\r\n{AUTHORIZATION}Connection: close\r\n"
NO_HTTP = "This is not an HTTP request that can be read."
TOO_LONG = "The request line or a header is too long."
NO_EXPECTATION = "The only known expectation is 100-continue."
UNREADABLE = {
    "no HTTP": ("\x16\x03\x01\x02\r\n\r\n", 400, NO_HTTP),
    "unknown method": (f"BREW{GET[3:]}\r\n", 400, NO_HTTP),
    "control character": (f"{GET}X: \x01\r\n\r\n", 400, NO_HTTP),
    "long URL": (f"GET /{'a' * 9_000} HTTP/1.1\r\nHost: t\r\n\r\n", 400, TOO_LONG),
    "long header": (f"{GET}X: {'a' * 9_000}\r\n\r\n", 400, TOO_LONG),
    "many headers": (GET + "X: a\r\n" * 200 + "\r\n", 400, NO_HTTP),
    "two lengths": (f"{POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}", 400, NO_HTTP),
    "length and chunks": (f"{POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NO_HTTP),
    "bad length": (f"{POST}Content-Length: -1\r\n\r\n{{}}", 400, NO_HTTP),
    "unknown expectation": (f"{POST}Expect: tea\r\nContent-Length: 2\r\n\r\n{{}}", 417, NO_EXPECTATION),
    "as to a proxy": ("GET http://elsewhere.test/x HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", 404, "Not Found"),
}


@pytest.mark.parametrize(("data", "status", "sentence"), UNREADABLE.values(), ids=UNREADABLE)
async def test_what_cannot_be_read_is_refused_in_the_shape_of_all_failures(
    service: Service, data: str, status: int, sentence: str
) -> None:
    async with listening(create_app(service)) as port:
        head, _, body = (await say(port, data.encode("latin-1"))).partition(b"\r\n\r\n")

    assert (status, {"detail": sentence}) == (int(head.split()[1]), msgspec.json.decode(body))
    assert b"application/json" in head


@pytest.mark.parametrize("data", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: t\r\nX-Slow: a"])
async def test_a_head_that_never_ends_is_cut_off(service: Service, data: bytes) -> None:
    async with listening(create_app(service), idle=IDLE) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async with asyncio.timeout(SECONDS):
            for byte in data:
                writer.write(bytes([byte]))
                await writer.drain()
            assert b"" == await reader.read()
        writer.close()


async def test_a_connection_that_is_silent_after_an_answer_is_closed(service: Service) -> None:
    async with listening(create_app(service), idle=IDLE) as port:
        answer = await say(port, b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 OK")


async def test_beyond_the_bound_of_connections_a_client_is_told_to_come_again(service: Service) -> None:
    async with listening(create_app(service), most=2) as port:
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in kept:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
            assert b"200 OK" in await reader.readline()
        full = await say(port, b"")
        kept[0][1].close()
        async with asyncio.timeout(SECONDS):
            while b"503" in (after := await say(port, b"GET /healthz HTTP/1.0\r\n\r\n")):
                pass
        kept[1][1].close()

    head, _, body = full.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in head
    assert {"detail": "Too many connections are open; try again in a moment."} == msgspec.json.decode(body)
    assert after.startswith(b"HTTP/1.0 200 OK")


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel has no such limit")
async def test_a_client_that_takes_nothing_of_a_large_answer_is_cut_off(service: Service) -> None:
    lost = asyncio.Event()

    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(1_000_000))
        except ConnectionError:
            lost.set()
            raise

    app = web.Application()
    app.router.add_get("/large", large)
    async with listening(app, stalled=0.5) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /large HTTP/1.1\r\nHost: t\r\n\r\n")
            async with asyncio.timeout(SECONDS):
                await lost.wait()


async def test_a_body_that_arrives_too_slowly_is_given_up(service: Service) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        return web.json_response(await wire.body(request, dict, seconds=0.1))

    app = create_app(service, [Route(method="POST", path="/slow", handler=slow, summary="", family="odd", scope=None)])
    async with listening(app) as port:
        head = f"POST /slow HTTP/1.1\r\nHost: t\r\n{AUTHORIZATION}Content-Length: 50\r\nConnection: close\r\n\r\n{{"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode())
        async with asyncio.timeout(SECONDS):
            answer = await reader.readuntil(b"}")
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b'{"detail":"The body did not arrive in time."}')
