"""A page of 60 requests through the proxy of a session against the same page without one; and bytes through a tunnel.

The browser, the server, the page and the flags are the same, and the cache is empty each time; the proxy shares its
event loop with the server, as it does with the service. Usage: `python bench/egress.py [rounds]`.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import uvloop
from aiohttp import web
from noise import spread, table

from runner.browser.chromium import launch
from runner.egress.addresses import LOOPBACK
from runner.egress.proxy import open_egress
from runner.egress.rules import Rules

REQUESTS = 60
BYTES = 256 * 1024 * 1024
CHUNK = b"x" * 65_536
RULES = Rules(private=LOOPBACK)
PAGE = "<!doctype html>" + "".join(f"<script src='/script/{number}'></script>" for number in range(REQUESTS - 1))


@asynccontextmanager
async def site() -> AsyncIterator[str]:
    """The page and its 59 scripts of 10 kB."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def script(_request: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-store"}
        return web.Response(text="//" + "x" * 10_000, content_type="text/javascript", headers=headers)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/script/{number}", script)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def pages(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of each load, without and with the proxy, in turn."""
    plain, proxied = list[float](), list[float]()
    async with site() as url, open_egress(RULES, refused=lambda *_: None) as egress:
        chromium = await launch("", headless=True)
        contexts = [
            await chromium.browser.new_context(),
            await chromium.browser.new_context(proxy={"server": egress.server, "bypass": "<-loopback>"}),
        ]
        both = [await context.new_page() for context in contexts]
        for number in range(rounds + 1):
            for page, seconds in zip(both, (plain, proxied), strict=True):
                began = time.perf_counter()
                await page.goto(url, wait_until="load")
                if number:
                    seconds.append(time.perf_counter() - began)
        assert egress.passed
        await chromium.close(5.0)
    return plain, proxied


async def carried(port: int, head: bytes) -> float:
    """Seconds for BYTES to come from this port, once the head was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=len(CHUNK))
    writer.write(head)
    if head.startswith(b"CONNECT"):
        await reader.readuntil(b"\r\n\r\n")
    began, left = time.perf_counter(), BYTES
    while left > 0:
        data = await reader.read(len(CHUNK))
        assert data
        left -= len(data)
    writer.transport.abort()
    return time.perf_counter() - began


async def bytes_through(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of each transfer, without and with a tunnel, in turn."""

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for _ in range(BYTES // len(CHUNK)):
                writer.write(CHUNK)
                await writer.drain()
        finally:
            writer.close()

    plain, proxied = list[float](), list[float]()
    async with (
        await asyncio.start_server(pour, "127.0.0.1", 0) as server,
        open_egress(RULES, refused=lambda *_: None) as egress,
    ):
        port = int(server.sockets[0].getsockname()[1])
        head = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
        for _ in range(rounds):
            plain.append(await carried(port, b""))
            proxied.append(await carried(egress.port, head))
    return plain, proxied


async def main(rounds: int) -> None:
    plain, proxied = await pages(rounds)
    ratios = [with_it / without for without, with_it in zip(plain, proxied, strict=True)]
    direct, tunnelled = await bytes_through(rounds)
    table(
        [
            ("egress", "median", "noise"),
            (f"page of {REQUESTS} requests, no proxy", f"{median(plain) * 1000:.0f} ms", spread(plain)),
            (f"page of {REQUESTS} requests, proxy", f"{median(proxied) * 1000:.0f} ms", spread(proxied)),
            ("ratio", f"{median(ratios):.2f}", spread(ratios)),
            ("direct, one connection", f"{BYTES / median(direct) / 2**20:.0f} MiB/s", spread(direct)),
            ("through a tunnel", f"{BYTES / median(tunnelled) / 2**20:.0f} MiB/s", spread(tunnelled)),
        ]
    )


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
