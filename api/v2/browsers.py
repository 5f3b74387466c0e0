"""v2's routes for browsers that clients drive by themselves: read a request, name the intention, answer with a view."""

from functools import partial
from uuid import UUID

import msgspec
from aiohttp import web

from api import cdp, cdp_key, control, downloads, intake, profiles, proxies, sessions, watch_link, wire
from api.present import moment
from api.service import SERVICE, Service
from api.v2 import browser_convert as convert
from api.v2 import browser_schemas as schemas
from api.v2.proxy_schemas import custom
from api.wire import CALLER, Route
from eventstore import session as decide
from eventstore.errors import Invalid
from eventstore.session import Session
from eventstore.store import Lane
from projections.sessions import SessionRow

OPEN_SECONDS = 20.0
"""How long an answer waits for the browser to be there: the official clients wait for 30 s."""

TOO_MANY_SECONDS = 60
TOO_MANY = "Too many concurrent active sessions. Please wait for one to finish, or stop one."
REMOTE = "TAPEWRIGHT_BROWSER is a browser that others run: connect to that one, it cannot be lent from here."


async def create_browser(request: web.Request) -> web.Response:
    """Start a browser to connect to over DevTools; answered when it is there."""
    service, caller = request.app[SERVICE], request[CALLER]
    key = request.headers.get("Idempotency-Key", "")
    empty = not request.content_length and "Transfer-Encoding" not in request.headers
    asked = schemas.CreateBrowser() if empty else await wire.body(request, schemas.CreateBrowser)
    profile = profiles.wanted(service, caller, str(asked.profile_id or ""))
    convert.wished(asked, service.settings, profile, None)  # refused before anything is put away
    if "://" in (service.settings.browser or ""):
        raise web.HTTPNotImplemented(text=REMOTE)
    proxy = await proxies.put_away(
        service, caller, custom(asked.custom_proxy), "body", "customProxy", idempotency_key=key
    )
    row = await sessions.create(
        service,
        caller,
        convert.wished(asked, service.settings, profile, proxy),
        digest=intake.digest("v2", await request.read() or b"{}"),
        idempotency_key=key,
    )
    session = await cdp.opened(service, row.id, OPEN_SECONDS)
    if session.opened is None and session.stopped and session.stopped != "stop":
        await _refuse(service, row, session)
    return wire.reply(
        _view(request, await sessions.session(service, caller, row.id, kind=sessions.BROWSER)), status=201
    )


async def list_browsers(request: web.Request) -> web.Response:
    """The caller's browsers, newest first."""
    asked = wire.query(request, schemas.BrowsersQuery)
    rows: list[SessionRow] = []
    total = 0
    if asked.agent_session_id is None:  # agents' sessions open none of these
        rows, total = await request.app[SERVICE].projector.sessions.page(
            project=request[CALLER].project,
            kind=sessions.BROWSER,
            active=None if asked.filter_by is None else asked.filter_by == "active",
            offset=(asked.page_number - 1) * asked.page_size,
            limit=asked.page_size,
        )
    answer = schemas.BrowserList(
        items=[_view(request, row) for row in rows],
        total_items=total,
        page_number=asked.page_number,
        page_size=asked.page_size,
    )
    return wire.reply(answer)


async def get_browser(request: web.Request) -> web.Response:
    """The browser."""
    return wire.reply(_view(request, await _row(request)))


async def update_browser(request: web.Request) -> web.Response:
    """Stop the browser; stopping twice is stopping once."""
    service, caller = request.app[SERVICE], request[CALLER]
    row = await _row(request)
    await wire.body(request, schemas.UpdateBrowser)
    done = await service.sessions.transact(sessions.stream(row.id), decide.stop, actor=caller.actor, lane=Lane.CONTROL)
    await control.seen(service, done.position)
    return wire.reply(_view(request, await _row(request)))


async def list_downloads(request: web.Request) -> web.Response:
    """The files that the browser downloaded, the oldest first."""
    row, asked = await _row(request), wire.query(request, schemas.DownloadsQuery)
    files = await downloads.of(request.app[SERVICE], row.id)
    start = 0
    if asked.cursor is not None:
        ids = [each.file.id for each in files]
        if asked.cursor not in ids:
            raise Invalid("This cursor is not one that was answered.", field=("query", "cursor"))
        start = ids.index(asked.cursor) + 1
    page = files[start : start + asked.limit]
    more = start + asked.limit < len(files)
    answer = schemas.BrowserDownloads(
        files=[
            schemas.BrowserDownload(
                path=each.file.name,
                size=each.file.size,
                last_modified=moment(each.at),
                url=downloads.url(request, row.id, each.file) if asked.include_urls else None,
            )
            for each in page
        ],
        next_cursor=page[-1].file.id if more else None,
        has_more=more,
    )
    return wire.reply(answer)


async def _refuse(service: Service, row: SessionRow, session: Session) -> None:
    """There is no browser for it: it is not shown, and the reason answers. Raises HTTP errors: 429, 503."""
    done = await service.sessions.transact(sessions.stream(row.id), decide.delete, actor="system", lane=Lane.CONTROL)
    await control.seen(service, done.position)
    if session.stopped == "too_many":
        raise web.HTTPTooManyRequests(text=TOO_MANY, headers={"Retry-After": str(TOO_MANY_SECONDS)})
    reason = await _reason(service, row.id)
    raise web.HTTPServiceUnavailable(text=reason or "The browser could not be started.", headers={"Retry-After": "30"})


async def _reason(service: Service, session_id: str) -> str:
    said = await service.store.read_stream(sessions.stream(session_id))
    return next((each.event.reason for each in said if hasattr(each.event, "reason") and each.event.reason), "")


async def _row(request: web.Request) -> SessionRow:
    try:
        session_id = str(UUID(request.match_info["session_id"]))
    except ValueError:
        raise Invalid("value is not a valid uuid", field=("path", "session_id")) from None
    return await sessions.session(request.app[SERVICE], request[CALLER], session_id, kind=sessions.BROWSER)


def _view(request: web.Request, row: SessionRow) -> schemas.BrowserItem:
    """With the links that are for this caller."""
    view = convert.item(row)
    if not row.active:
        return view
    key = cdp_key.url_of(request, row.id) if "control" in request[CALLER].scopes else None
    return msgspec.structs.replace(view, live_url=watch_link.url(request, row.id), cdp_url=key)


_SESSION = {"session_id": "the browser's id, a UUID"}
_route = partial(Route, family="v2", paths=_SESSION)

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v2/browsers",
        handler=create_browser,
        summary="Start a browser to drive over DevTools",
        family="v2",
        scope="control",
        body=schemas.CreateBrowser,
        reply=schemas.BrowserItem,
        status=201,
        errors=(404, 413, 501),
        headers={"Idempotency-Key": "the same key again is the same request, and not another one"},
    ),
    Route(
        method="GET",
        path="/api/v2/browsers",
        handler=list_browsers,
        summary="List browsers, newest first",
        family="v2",
        scope="read",
        query=schemas.BrowsersQuery,
        reply=schemas.BrowserList,
    ),
    _route(
        method="GET",
        path="/api/v2/browsers/{session_id}",
        handler=get_browser,
        summary="Read a browser",
        scope="read",
        reply=schemas.BrowserItem,
        errors=(404,),
    ),
    _route(
        method="PATCH",
        path="/api/v2/browsers/{session_id}",
        handler=update_browser,
        summary="Stop a browser",
        scope="control",
        body=schemas.UpdateBrowser,
        reply=schemas.BrowserItem,
        errors=(404,),
    ),
    _route(
        method="GET",
        path="/api/v2/browsers/{session_id}/downloads",
        handler=list_downloads,
        summary="List what a browser has downloaded",
        scope="read",
        query=schemas.DownloadsQuery,
        reply=schemas.BrowserDownloads,
        errors=(404,),
    ),
)
