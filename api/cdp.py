"""The door to browsers that were lent: who holds the key (`cdp_key.py`) speaks DevTools, through `relay.py`."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import web

from api import sessions
from api.cdp_filter import Place
from api.cdp_key import Key, address, let_in, welcome
from api.relay import FROM_BROWSER, FROM_CLIENT, Relay
from api.relays import RELAYS
from api.service import SERVICE, Caller, Service
from api.wire import Route
from eventstore import lent
from eventstore import session as decide
from eventstore.errors import Refused
from eventstore.session import Session
from eventstore.store import Lane

OPEN_SECONDS = 30.0
"""How long a client waits at the door for a browser that is still being started."""

CONNECT_SECONDS = 10.0
ANSWER_BYTES = 64 * 1024


class BrowserVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What clients ask for that are given an `http` URL."""

    Browser: str = ""
    protocol: str = msgspec.field(name="Protocol-Version", default="1.3")
    agent: str = msgspec.field(name="User-Agent", default="")
    socket: str = msgspec.field(name="webSocketDebuggerUrl", default="")


async def connect(request: web.Request) -> web.StreamResponse:
    """A web socket that speaks DevTools with the browser, until the session ends."""
    relays = request.app[RELAYS]
    session_id, caller = await let_in(request)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
        raise web.HTTPUpgradeRequired(text="This URL speaks DevTools over a web socket.", headers=upgrade)
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
            good=partial(welcome, service, session_id, caller),
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
    session_id, _ = await let_in(request)
    place = await _place(request.app[SERVICE], session_id)
    host = urlsplit(lent.endpoint(place)).netloc
    try:
        async with (
            asyncio.timeout(CONNECT_SECONDS),
            aiohttp.ClientSession() as http,
            http.get(f"http://{host}/json/version") as response,
        ):
            told = msgspec.json.decode(await response.content.read(ANSWER_BYTES), type=BrowserVersion)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise web.HTTPBadGateway(text="The browser does not answer.") from error
    mine = f"{address(request, session_id)}?{request.rel_url.raw_query_string}"
    answer = msgspec.json.encode(msgspec.structs.replace(told, socket=mine))
    return web.Response(body=answer, content_type="application/json")


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
    stream = sessions.stream(session_id)
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


async def _stop(service: Service, session_id: str, caller: Caller) -> None:
    stop = partial(decide.stop, cause="stop", reason="Its client closed the browser.")
    actor = caller.actor or "system"
    try:
        await service.sessions.transact(sessions.stream(session_id), stop, actor=actor, lane=Lane.CONTROL)
    except Refused:
        return  # the log is full: the time limit ends it


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
