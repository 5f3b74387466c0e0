"""v2's routes for the public share of a session: where everybody may look who has the link."""

from aiohttp import web

from api import sessions, share, wire
from api.present import moment
from api.service import SERVICE
from api.v2 import session_schemas as schemas
from api.v2.sessions import session_of
from api.wire import CALLER, Route
from eventstore.errors import NotFound
from projections.sessions import SessionRow


async def get_share(request: web.Request) -> web.Response:
    """Where everybody may look."""
    row = await session_of(request)
    if not row.share:
        raise NotFound("Public share not found")
    return wire.reply(_share(request, row))


async def create_share(request: web.Request) -> web.Response:
    """Let everybody look who has the link."""
    row = await sessions.share(request.app[SERVICE], request[CALLER], await session_of(request))
    return wire.reply(_share(request, row), status=201)


async def delete_share(request: web.Request) -> web.Response:
    """The link opens nothing any more."""
    await sessions.unshare(request.app[SERVICE], request[CALLER], await session_of(request))
    return web.Response(status=204)


def _share(request: web.Request, row: SessionRow) -> schemas.Share:
    looks = request.app[share.VIEWS].of(row)
    at = max(looks.at, row.viewed_at or 0)
    return schemas.Share(
        share_token=share.token(request.app[SERVICE], row),
        share_url=share.url(request, row.id, row.share),
        view_count=row.views + looks.views,
        last_viewed_at=moment(at) if at else None,
    )


_SESSION = {"session_id": "the session's id, a UUID"}
_SHARE = "/api/v2/sessions/{session_id}/public-share"

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path=_SHARE,
        handler=get_share,
        summary="Read the public share of a session",
        family="v2",
        scope="read",
        reply=schemas.Share,
        errors=(404,),
        paths=_SESSION,
    ),
    Route(
        method="POST",
        path=_SHARE,
        handler=create_share,
        summary="Share a session with everybody who has the link",
        family="v2",
        scope="control",
        reply=schemas.Share,
        status=201,
        errors=(404, 409),
        paths=_SESSION,
    ),
    Route(
        method="DELETE",
        path=_SHARE,
        handler=delete_share,
        summary="Take a public share back",
        family="v2",
        scope="control",
        status=204,
        errors=(404,),
        paths=_SESSION,
    ),
)
