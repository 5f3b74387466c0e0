"""The proxy of a session: where it goes, what it says of failures, and that nothing of it grows or is left."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from io import BytesIO

import aiohttp
import h11
import pytest
import pytest_asyncio
from aiohttp import web

from runner.egress.addresses import LOOPBACK
from runner.egress.dial import Resolve
from runner.egress.proxy import MOST_CONNECTIONS, CannotListen, Egress, Trouble, open_egress
from runner.egress.relay import _kept
from runner.egress.rules import Rules, private_networks

OPEN = Rules(private=LOOPBACK)
ONLY_ONE = Rules(private=private_networks("127.0.0.1"))
SECONDS = 20.0


def names(*answers: Sequence[str]) -> Resolve:
    """A resolver that gives these answers in turn, the last one for ever."""
    left = list(answers)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


def deaf(_url: str, _reason: str) -> None:
    """Nobody hears of refusals."""


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    headers = {"X-Host": request.headers["Host"], "X-Told": str("Proxy-Connection" in request.headers)}
    return web.Response(text=f"{request.method} {request.path_qs} {len(body)}", headers=headers)


async def chunks(_request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(_request)
    for _ in range(100):
        await response.write(b"x" * 100_000)
    return response


async def early(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=413, text="too much", headers={"Connection": "close"})


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    """A web server on 127.0.0.1."""
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/chunks", chunks)
    app.router.add_post("/early", early)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


@asynccontextmanager
async def through(egress: Egress) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that asks the proxy for everything."""
    limit = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(proxy=egress.server, timeout=limit) as client:
        yield client


async def raw(egress: Egress, sent: bytes) -> bytes:
    """What the proxy answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", egress.port)
    writer.write(sent)
    async with asyncio.timeout(SECONDS):
        try:
            return await reader.read(-1)
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def tunnel(egress: Egress, authority: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An open tunnel."""
    reader, writer = await asyncio.open_connection("127.0.0.1", egress.port)
    writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    return reader, writer


async def test_requests_come_through_as_they_were_meant(port: int) -> None:
    async with open_egress(OPEN, refused=deaf, resolve=names(["127.0.0.1"])) as egress, through(egress) as client:
        url = f"http://site.test:{port}"
        answers = []
        for method, path, body in (
            ("GET", "/echo?a=%20b&c", b""),
            ("POST", "/echo", b"x" * 3_000_000),
            ("PUT", "/echo", b""),
        ):
            async with client.request(
                method, url + path, data=BytesIO(body) if body else None, headers={"Proxy-Connection": "a"}
            ) as response:
                answers.append((response.headers["X-Host"], response.headers["X-Told"], await response.text()))
        async with client.get(f"{url}/chunks") as response:
            answers.append(("", "", str(len(await response.read()))))
        async with client.head(f"{url}/echo") as response:
            answers.append(("", "", str(response.status)))

    assert [
        (f"site.test:{port}", "False", "GET /echo?a=%20b&c 0"),
        (f"site.test:{port}", "False", "POST /echo 3000000"),
        (f"site.test:{port}", "False", "PUT /echo 0"),
        ("", "", "10000000"),
        ("", "", "200"),
    ] == answers


async def test_a_server_that_answers_before_it_was_asked_to_the_end_is_heard(port: int) -> None:
    url = f"http://127.0.0.1:{port}/early"
    async with (
        open_egress(OPEN, refused=deaf) as egress,
        through(egress) as client,
        client.post(url, data=BytesIO(b"x" * 5_000_000)) as response,
    ):
        assert (413, "too much") == (response.status, await response.text())


async def test_one_forbidden_address_behind_a_name_is_enough(port: int) -> None:
    told: list[tuple[str, str]] = []
    resolve = names(["127.0.0.1", "169.254.169.254"])
    async with open_egress(OPEN, refused=lambda *refusal: told.append(refusal), resolve=resolve) as egress:
        sent = f"GET http://mixed.test:{port}/echo HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        answers = [await raw(egress, sent) for _ in range(2)]
        counted = (egress.passed, egress.blocked, egress.failed)

    reason = "mixed.test leads to 169.254.169.254, which is a link-local or cloud-metadata address"
    assert ([b"", b""], [(f"http://mixed.test:{port}/echo", reason)], (0, 2, 0)) == (answers, told, counted)


async def test_a_name_that_is_rebound_is_looked_up_once_for_each_connection_and_checked_each_time(port: int) -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with open_egress(ONLY_ONE, refused=deaf, resolve=rebinding) as egress:
        reader, writer = await tunnel(egress, f"rebound.test:{port}")
        after_the_first = list(asked)
        writer.write(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = await reader.read(-1)
        writer.close()
        second = await raw(egress, f"CONNECT rebound.test:{port} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        trouble = egress.trouble(f"https://rebound.test:{port}/")

    why = (
        "rebound.test leads to 127.0.0.2, which is a loopback address; TAPEWRIGHT_ALLOW_PRIVATE=loopback would allow it"
    )
    assert ["rebound.test"] == after_the_first
    assert b"200 OK" in answer
    assert second.startswith(b"HTTP/1.1 502")
    assert Trouble(refused=True, reason=why) == trouble


async def test_requests_that_are_for_no_proxy_are_refused() -> None:
    async with open_egress(OPEN, refused=deaf) as egress:
        answers = [
            await raw(egress, sent)
            for sent in (
                b"GET /path HTTP/1.1\r\nHost: a.test\r\n\r\n",
                b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
                b"GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
                b"GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
                b"CONNECT a.test HTTP/1.1\r\nHost: a.test\r\n\r\n",
                b"CONNECT a.test:0 HTTP/1.1\r\nHost: a.test\r\n\r\n",
                b"CONNECT a.test:65536 HTTP/1.1\r\nHost: a.test\r\n\r\n",
            )
        ]
        nonsense = [await raw(egress, sent) for sent in (b"\x16\x03\x01 hello\r\n\r\n", b"GET " + b"x" * 1_000_000)]

    assert 7 * [b"HTTP/1.1 400"] == [answer[:12] for answer in answers]
    assert [b"", b""] == nonsense


async def test_no_way_out_leads_into_another_or_into_itself() -> None:
    own: set[int] = set()
    told: list[str] = []
    async with (
        open_egress(OPEN, refused=lambda _url, reason: told.append(reason), own=own) as one,
        open_egress(OPEN, refused=deaf, own=own) as other,
    ):
        taken = set(own)
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            for port in (one.port, other.port):
                await raw(one, f"CONNECT {host}:{port} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert ({one.port, other.port}, set()) == (taken, own)
    assert 4 == len([reason for reason in told if "belongs to the service itself" in reason])


async def test_a_port_of_our_own_is_refused_by_every_address_of_this_machine(port: int) -> None:
    here = "127.0.0.2"
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # sends nothing, and tells from which address of ours that would go
        here = probe.getsockname()[0]
    told: list[str] = []
    rules = Rules(private=private_networks("all"))
    async with open_egress(rules, refused=lambda _url, why: told.append(why), own={port}) as egress:
        for host in ("127.0.0.1", here):
            await raw(egress, f"CONNECT {host}:{port} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert 2 * [f"port {port} of this machine belongs to the service itself"] == told


@pytest.mark.parametrize(
    ("resolve", "reason"),
    [
        (names(["127.0.0.1"]), "connection refused"),
        (names([]), "the name does not resolve"),
        (names(["nonsense"]), "the name does not resolve"),
    ],
)
async def test_what_fails_is_remembered_in_words(resolve: Resolve, reason: str, unused_tcp_port: int) -> None:
    async with open_egress(OPEN, refused=deaf, resolve=resolve) as egress:
        secure = await raw(egress, f"CONNECT down.test:{unused_tcp_port} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        plain = await raw(egress, f"GET http://down.test:{unused_tcp_port}/ HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        trouble = egress.trouble(f"http://down.test:{unused_tcp_port}/")
        counted = (egress.passed, egress.blocked, egress.failed)

    assert (b"HTTP/1.1 502", b"", (0, 0, 2)) == (secure[:12], plain, counted)
    assert Trouble(refused=False, reason=reason) == trouble


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "the answer was empty"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the answer was not HTTP"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 1_000_000, "the answer was not HTTP"),
    ],
)
async def test_a_server_that_does_not_answer_in_http_is_told_of(said: bytes, reason: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with open_egress(OPEN, refused=deaf) as egress:
            answered = await raw(egress, f"GET {url} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            trouble = egress.trouble(url)

    assert (b"", Trouble(refused=False, reason=reason)) == (answered, trouble)


async def test_a_side_that_has_ended_still_hears_the_other() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.read(-1)
        writer.write(f"{len(heard)} bytes".encode())
        writer.write_eof()
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        open_egress(OPEN, refused=deaf) as egress,
    ):
        reader, writer = await tunnel(egress, f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        writer.write(b"x" * 1_000_000)
        writer.write_eof()
        async with asyncio.timeout(SECONDS):
            said = await reader.read(-1)
        writer.close()

    assert b"1000000 bytes" == said


async def test_a_reader_that_does_not_read_stops_the_writer() -> None:
    sent = 0
    stalled = asyncio.Event()

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        try:
            while True:
                writer.write(b"x" * 65_536)
                async with asyncio.timeout(1.0):
                    await writer.drain()
                sent += 65_536
        except (TimeoutError, ConnectionError):
            stalled.set()
        finally:
            writer.transport.abort()

    async with (
        await asyncio.start_server(flood, "127.0.0.1", 0) as server,
        open_egress(OPEN, refused=deaf) as egress,
    ):
        _, writer = await tunnel(egress, f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a transport of sockets has it
        async with asyncio.timeout(SECONDS):
            await stalled.wait()
        writer.transport.abort()

    assert sent < 64 * 1024 * 1024  # what kernels buffer, and not all that was there


async def test_leaving_closes_every_connection_and_gives_the_port_back(port: int) -> None:
    before = asyncio.all_tasks()
    async with open_egress(OPEN, refused=deaf) as egress:
        reader, writer = await tunnel(egress, f"127.0.0.1:{port}")
        idle, quiet = await asyncio.open_connection("127.0.0.1", egress.port)
    async with asyncio.timeout(SECONDS):
        ends = [await end(reader), await end(idle)]
    writer.close()
    quiet.close()
    async with open_egress(OPEN, refused=deaf, port=egress.port) as again:
        with pytest.raises(CannotListen, match=rf"^Port {again.port} of 127\.0\.0\.1 is taken\.$"):
            async with open_egress(OPEN, refused=deaf, port=again.port):
                raise AssertionError("unreachable")

    assert ([b"", b""], egress.port) == (ends, again.port)
    assert before == asyncio.all_tasks()


async def end(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection has ended, in whichever way."""
    try:
        return await reader.read(-1)
    except ConnectionError:
        return b""


async def test_what_is_raised_in_the_block_comes_out_as_itself() -> None:
    with pytest.raises(KeyError):
        async with open_egress(OPEN, refused=deaf):
            raise KeyError


async def test_connections_beyond_the_limit_are_closed(port: int) -> None:
    async with open_egress(OPEN, refused=deaf) as egress:
        waiting = [await asyncio.open_connection("127.0.0.1", egress.port) for _ in range(MOST_CONNECTIONS)]
        async with asyncio.timeout(SECONDS):
            refused = await raw(egress, b"GET / HTTP/1.1\r\n\r\n")
        for _, writer in waiting:
            writer.close()
        async with asyncio.timeout(SECONDS), through(egress) as client:
            while True:  # the places become free when their ends have been heard
                try:
                    async with client.get(f"http://127.0.0.1:{port}/echo") as response:
                        status = response.status
                        break
                except aiohttp.ClientConnectionError:
                    continue

    assert (b"", 200) == (refused, status)


def test_of_two_lengths_of_one_request_the_framing_alone_is_passed_on() -> None:
    asked = h11.Request(
        method="POST",
        target="/",
        headers=[("Host", "a.test"), ("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
    )

    assert [(b"Host", b"a.test"), (b"Transfer-Encoding", b"chunked")] == _kept(asked)
