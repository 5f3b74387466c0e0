"""The door to browsers that were lent: who holds the key to one speaks DevTools to it, through `relay.py`."""

import asyncio
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import web

from api.auth import ANONYMOUS, OWN_HEADER, Identify, still_good
from api.cdp_filter import Place
from api.present import origin
from api.relay import FROM_BROWSER, FROM_CLIENT, Relay
from api.service import SERVICE, Caller, Service
from api.wire import CALLER, Route, query
from eventstore import lent
from eventstore import session as decide
from eventstore.errors import Refused
from eventstore.session import Session
from eventstore.store import Lane

STREAM = "session-"
KIND = "browser"
OPEN_SECONDS = 30.0
"""How long a client waits at the door for a browser that is still being started."""

CONNECT_SECONDS = 10.0
MOST_CLIENTS = 16
"""Connections to one browser."""

ANSWER_BYTES = 64 * 1024
_UNSIGNED = "The URL needs the session's own token, as cdpUrl has it, or apiKey=KEY."


class Relays:
    """The open ones of this process, by session."""

    def __init__(self) -> None:
        self.open: dict[Relay, str] = {}
        self._seats: list[str] = []

    def of(self, session_id: str) -> list[Relay]:
        """Those of one browser."""
        return [relay for relay, known in self.open.items() if known == session_id]

    @contextmanager
    def seat(self, session_id: str) -> Iterator[None]:
        """Room for a client of this browser, from before it is connected. Raises HTTP errors: 429."""
        if self._seats.count(session_id) >= MOST_CLIENTS:
            raise web.HTTPTooManyRequests(
                text=f"This browser has {MOST_CLIENTS} clients already.", headers={"Retry-After": "10"}
            )
        self._seats.append(session_id)
        try:
            yield
        finally:
            self._seats.remove(session_id)

    async def close(self) -> None:
        """The service ends."""
        await asyncio.gather(*(relay.end("The service is ending.") for relay in self.open))


RELAYS = web.AppKey("relays", Relays)
IDENTIFY = web.AppKey[Identify]("identify")


class Key(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`token` is that of the session's `cdpUrl`; any good key with the scope `control` will do too."""

    token: str = ""
    api_key: str = ""


class BrowserVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What clients ask for that are given an `http` URL."""

    Browser: str = ""
    protocol: str = msgspec.field(name="Protocol-Version", default="1.3")
    agent: str = msgspec.field(name="User-Agent", default="")
    socket: str = msgspec.field(name="webSocketDebuggerUrl", default="")


def url_of(request: web.Request, session_id: str) -> str:
    """What a client connects to: it holds the key to this browser, which is good for as long as the session is."""
    token = request.app[SERVICE].signer.token("cdp", session_id)
    return f"{_sockets(request)}/cdp/{session_id}?token={token}"


async def connect(request: web.Request) -> web.StreamResponse:
    """A web socket that speaks DevTools with the browser, until the session ends."""
    relays = request.app[RELAYS]
    session_id, caller = await _let_in(request)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise web.HTTPUpgradeRequired(text="This URL speaks DevTools over a web socket.")
    with relays.seat(session_id):
        return await _relayed(request, session_id, caller)


async def _relayed(request: web.Request, session_id: str, caller: Caller) -> web.WebSocketResponse:
    service, relays = request.app[SERVICE], request.app[RELAYS]
    place = await _place(service, session_id)
    async with aiohttp.ClientSession() as http, await _browser(http, lent.endpoint(place)) as browser:
        client = web.WebSocketResponse(max_msg_size=FROM_CLIENT, compress=False)
        await client.prepare(request)
        relay = Relay(
            client,
            browser,
            Place(downloads=str(place / lent.DOWNLOADS), uploaded=partial(lent.uploaded, place)),
            good=partial(_still_good, service, session_id, caller),
            close=partial(_stop, service, session_id, caller),
        )
        relays.open[relay] = session_id
        try:
            await relay.run()
        finally:
            del relays.open[relay]
            for other in relays.of(session_id):
                await other.settle_soon()
    return client


async def version(request: web.Request) -> web.Response:
    """Where the web socket is; the browser's version."""
    session_id, _ = await _let_in(request)
    place = await _place(request.app[SERVICE], session_id)
    address = urlsplit(lent.endpoint(place)).netloc
    try:
        async with (
            asyncio.timeout(CONNECT_SECONDS),
            aiohttp.ClientSession() as http,
            http.get(f"http://{address}/json/version") as response,
        ):
            told = msgspec.json.decode(await response.content.read(ANSWER_BYTES), type=BrowserVersion)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise web.HTTPBadGateway(text="The browser does not answer.") from error
    mine = f"{_sockets(request)}/cdp/{session_id}?{request.rel_url.raw_query_string}"
    answer = msgspec.json.encode(msgspec.structs.replace(told, socket=mine))
    return web.Response(body=answer, content_type="application/json")


async def _let_in(request: web.Request) -> tuple[str, Caller]:
    """Whose browser it is, and who asks. Raises HTTP errors: 401 for a wrong key, 403 once the session has ended."""
    service, session_id = request.app[SERVICE], request.match_info["session_id"].lower()
    key, caller = query(request, Key), request[CALLER]
    if caller is ANONYMOUS and key.api_key:
        caller = request.app[IDENTIFY]({OWN_HEADER: key.api_key}) or ANONYMOUS
    signed = bool(key.token) and _right(service, session_id, key.token)
    if caller is ANONYMOUS and not signed:
        raise web.HTTPUnauthorized(text=_UNSIGNED)
    session = await service.sessions.fresh(STREAM + session_id)
    created = session.created
    if created is None or created.kind != KIND or session.deleted or (not signed and created.project != caller.project):
        raise web.HTTPNotFound(text="Session not found")
    if not signed and "control" not in caller.scopes:
        raise web.HTTPForbidden(text="This needs a key with the scope control.")
    if session.stopped:
        raise web.HTTPForbidden(text="Browser session is stopped. Please start a new session and try again.")
    return session_id, ANONYMOUS if signed else caller


async def _place(service: Service, session_id: str) -> Path:
    """The directory of the session's browser, once it runs. Raises HTTP errors: 403, 503."""
    session = await opened(service, session_id, OPEN_SECONDS)
    if session.opened is not None and session.active:
        place = lent.place(service.settings.data_dir, session.opened.own)
        if await asyncio.to_thread(lent.endpoint, place):
            return place
    if session.stopped:
        raise web.HTTPForbidden(text="Browser session is stopped. Please start a new session and try again.")
    raise web.HTTPServiceUnavailable(text="The browser is not there yet; try again.", headers={"Retry-After": "2"})


async def opened(service: Service, session_id: str, seconds: float) -> Session:
    """The session once it has a browser or has ended; as it is when that takes longer, and where nobody opens any."""
    stream = STREAM + session_id
    if not service.lends:
        return await service.sessions.fresh(stream)
    try:
        async with asyncio.timeout(seconds):
            while True:
                position = service.store.head
                session = await service.sessions.fresh(stream)
                if session.opened is not None or not session.active:
                    return session
                await service.store.wait(position)
    except TimeoutError:
        return await service.sessions.fresh(stream)


async def _browser(http: aiohttp.ClientSession, endpoint: str) -> "aiohttp.ClientWebSocketResponse[Literal[False]]":
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await http.ws_connect(endpoint, max_msg_size=FROM_BROWSER, compress=0, decode_text=False)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise web.HTTPBadGateway(text="The browser does not answer.") from error


async def _still_good(service: Service, session_id: str, caller: Caller) -> bool:
    """Whether whoever was let in would be let in again."""
    if caller is not ANONYMOUS and not still_good(service, caller):
        return False
    return (await service.sessions.fresh(STREAM + session_id)).active


async def _stop(service: Service, session_id: str, caller: Caller) -> None:
    stop = partial(decide.stop, cause="stop", reason="Its client closed the browser.")
    actor = caller.actor or "system"
    try:
        await service.sessions.transact(STREAM + session_id, stop, actor=actor, lane=Lane.CONTROL)
    except Refused:
        return  # the log is full: the time limit ends it


def _right(service: Service, session_id: str, token: str) -> bool:
    return hmac.compare_digest(service.signer.token("cdp", session_id).encode(), token.encode(errors="replace"))


def _sockets(request: web.Request) -> str:
    return "ws" + origin(request).removeprefix("http")


_PATHS = {"session_id": "The session's id."}
_route = partial(Route, method="GET", family="cdp", scope=None, open=True, query=Key, paths=_PATHS)

ROUTES: tuple[Route, ...] = (
    _route(
        path="/cdp/{session_id}",
        handler=connect,
        summary="DevTools of a lent browser, over a web socket",
        status=101,
        errors=(403, 404, 426, 429, 502, 503),
    ),
    *(
        _route(
            path=f"/cdp/{{session_id}}/json/version{end}",
            handler=version,
            summary="The version of a lent browser, and where its web socket is",
            reply=BrowserVersion,
            errors=(403, 404, 502, 503),
            documented=not end,
        )
        for end in ("", "/")
    ),
)
