"""v2's routes for sessions: read a request, name the intention, answer with a view."""

from typing import TypeVar
from uuid import UUID

import msgspec
from aiohttp import web

from api import etag, intake, profiles, proxies, purging, recordings, sessions, share, watch_link, wire
from api.service import SERVICE
from api.v2 import session_convert as convert
from api.v2 import session_schemas as schemas
from api.v2.proxy_schemas import custom
from api.wire import CALLER, Route
from eventstore.errors import Invalid
from projections.sessions import SessionRow

Shown = TypeVar("Shown", schemas.SessionItem, schemas.SessionView)


async def create_session(request: web.Request) -> web.Response:
    """Begin a session; its browser is opened by its first task. No body asks for nothing in particular."""
    service, caller = request.app[SERVICE], request[CALLER]
    key = request.headers.get("Idempotency-Key", "")
    asked = await wire.body(request, schemas.CreateSession, empty=b"{}")
    profile = profiles.wanted(service, caller, str(asked.profile_id or ""))
    convert.wished(asked, service.settings, profile)  # refused before anything is put away
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
    return wire.reply(await _item(request, row), status=201)


async def list_sessions(request: web.Request) -> web.Response:
    """The caller's sessions, those that tasks have for themselves too."""
    asked = wire.query(request, schemas.SessionQuery)
    rows, total = await request.app[SERVICE].projector.sessions.page(
        project=request[CALLER].project,
        active=None if asked.filter_by is None else asked.filter_by == "active",
        offset=(asked.page_number - 1) * asked.page_size,
        limit=asked.page_size,
    )
    answer = schemas.SessionList(
        items=[await _item(request, row) for row in rows],
        total_items=total,
        page_number=asked.page_number,
        page_size=asked.page_size,
    )
    return wire.reply(answer)


async def get_session(request: web.Request) -> web.Response:
    """The whole session."""
    row = await session_of(request)
    tasks = await sessions.tasks(request.app[SERVICE], row)
    tag = etag.linked(request, row, [(task.id, task.position) for task in tasks])
    return etag.unchanged(tag) if etag.known(request, tag) else await _viewed(request, row, etag.headers(tag))


async def update_session(request: web.Request) -> web.Response:
    """Stop the session and what runs in it; the answer is the session as it then stands."""
    session_id = session_id_of(request)
    await wire.body(request, schemas.UpdateSession)
    return await _viewed(request, await sessions.stop(request.app[SERVICE], request[CALLER], session_id))


async def delete_session(request: web.Request) -> web.Response:
    """Show the session and its tasks no more."""
    await sessions.delete(request.app[SERVICE], request[CALLER], session_id_of(request))
    return web.Response(status=204)


async def purge_session(request: web.Request) -> web.Response:
    """Remove whatever the session and its tasks said, and their files."""
    await purging.purge(request.app[SERVICE], request[CALLER], session_id_of(request))
    return web.Response(status=204)


async def session_of(request: web.Request) -> SessionRow:
    """The caller's session of the id in the path. Raises Invalid, NotFound."""
    return await sessions.session(request.app[SERVICE], request[CALLER], session_id_of(request))


async def _viewed(request: web.Request, row: SessionRow, headers: dict[str, str] | None = None) -> web.Response:
    tasks = await sessions.tasks(request.app[SERVICE], row)
    view = convert.view(row, tasks, share.of(request, row.id))
    return wire.reply(await _linked(request, row, view), headers=headers)


async def _item(request: web.Request, row: SessionRow) -> schemas.SessionItem:
    return await _linked(request, row, convert.item(row))


async def _linked(request: web.Request, row: SessionRow, shown: Shown) -> Shown:
    """With the links that are signed for this caller."""
    links = {"live_url": watch_link.url(request, row.id), "recording_url": await recordings.url(request, row)}
    return msgspec.structs.replace(shown, **links)


def session_id_of(request: web.Request) -> str:
    """The id in the path. Raises Invalid for what is no UUID."""
    try:
        return str(UUID(request.match_info["session_id"]))
    except ValueError:
        raise Invalid("value is not a valid uuid", field=("path", "session_id")) from None


_SESSION = {"session_id": "the session's id, a UUID"}
_KEY = {"Idempotency-Key": "the same key again is the same request, and not another one"}
_ONE = "/api/v2/sessions/{session_id}"

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v2/sessions",
        handler=create_session,
        summary="Begin a session",
        family="v2",
        scope="control",
        body=schemas.CreateSession,
        reply=schemas.SessionItem,
        status=201,
        errors=(404, 413, 503),
        headers=_KEY,
    ),
    Route(
        method="GET",
        path="/api/v2/sessions",
        handler=list_sessions,
        summary="List sessions, newest first",
        family="v2",
        scope="read",
        query=schemas.SessionQuery,
        reply=schemas.SessionList,
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=get_session,
        summary="Read a session",
        family="v2",
        scope="read",
        reply=schemas.SessionView,
        tagged=True,
        errors=(404,),
        paths=_SESSION,
    ),
    Route(
        method="PATCH",
        path=_ONE,
        handler=update_session,
        summary="Stop a session and its tasks",
        family="v2",
        scope="control",
        body=schemas.UpdateSession,
        reply=schemas.SessionView,
        errors=(404,),
        paths=_SESSION,
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=delete_session,
        summary="Delete a session with its tasks",
        family="v2",
        scope="control",
        status=204,
        errors=(404, 503),
        paths=_SESSION,
    ),
    Route(
        method="POST",
        path=f"{_ONE}/purge",
        handler=purge_session,
        summary="Remove all that a session and its tasks said",
        family="v2",
        scope="control",
        status=204,
        errors=(404, 503),
        paths=_SESSION,
    ),
)
