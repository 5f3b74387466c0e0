"""A browser that somebody else runs, reached by a URL: what the URL speaks, and what holds for it."""

import asyncio
import ipaddress
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from playwright.async_api import Browser, Error, Playwright

from runner.ports import Wanted
from runner.vocabulary import ActFailed

SCHEMES = ("ws", "wss", "http", "https")
CONNECT_SECONDS = 30.0
DISCOVER_SECONDS = 5.0


def is_remote(browser: str) -> bool:
    """Whether the setting is a URL and not a program."""
    return "://" in browser and urlsplit(browser).scheme in SCHEMES


def on_this_machine(url: str) -> bool:
    """Whether the browser runs here: only then can it reach a proxy of ours."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def port_of(url: str) -> int:
    """The port that it is reached on."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme in {"wss", "https"} else 80)


def shown(url: str) -> str:
    """Scheme, host and port: the rest may be a key to the browser."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


async def speaks_devtools(url: str) -> bool:
    """DevTools or Playwright's own protocol.

    `http` and `https` URLs are DevTools, and so are web sockets with `/devtools/` in their path. For any other the host
    is asked for `/json/version`: a browser answers with a `webSocketDebuggerUrl`, a Playwright server does not.
    """
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} or "/devtools/" in parts.path:
        return True
    scheme = "https" if parts.scheme == "wss" else "http"
    try:
        async with (
            asyncio.timeout(DISCOVER_SECONDS),
            aiohttp.ClientSession() as http,
            http.get(urlunsplit((scheme, parts.netloc, "/json/version", parts.query, ""))) as response,
        ):
            return "webSocketDebuggerUrl" in await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError, TypeError):
        return False


async def connect(playwright: Playwright, url: str) -> Browser:
    """A connection to the browser. Raises ActFailed with code no_browser; its sentence does not tell the whole URL."""
    devtools = await speaks_devtools(url)
    chromium, limit = playwright.chromium, CONNECT_SECONDS * 1000
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await (chromium.connect_over_cdp if devtools else chromium.connect)(url, timeout=limit)
    except (Error, TimeoutError) as error:
        spoken = "DevTools" if devtools else "Playwright's protocol"
        raise ActFailed("no_browser", f"The browser at {shown(url)} does not answer to {spoken}.") from error


def refuse_rules(wanted: Wanted, url: str, *, alone: bool) -> None:
    """Raise ActFailed where the session's way out cannot be as wanted. `alone`: in the one context it came with."""
    why = (
        "the browser was started by others, with a way out of its own"
        if alone
        else "the browser runs on another machine, where it cannot reach the proxy that would hold it to them"
    )
    if wanted.allowed_domains:
        message = f"The allowed domains of the task cannot be enforced at {shown(url)}: {why}."
        raise ActFailed("no_egress_rules", message)
    if wanted.proxy is not None:
        message = f"The proxy of the session cannot be used at {shown(url)}: the browser has a way out of its own."
        raise ActFailed("no_egress_rules", message)
