"""What the browsers of sessions downloaded: listed, and given away by signed links. In no family's words."""

from aiohttp import web

from api import present, sessions
from api.auth import ANONYMOUS
from api.files import served
from api.service import SERVICE, Service
from api.tape import Signed
from api.wire import CALLER, Route, query
from eventstore import events as e
from eventstore.errors import NotFound
from projections.session_files import DOWNLOAD, SessionFile

LINK_SECONDS = 900
TAKE = "/files/browsers/"

_UNSIGNED = "An API key is required, or a signed link that has not expired."


async def of(service: Service, session_id: str) -> list[SessionFile]:
    """Those of one session, the oldest first."""
    return await service.projector.session_files.of(sessions.stream(session_id), sort=DOWNLOAD)


def url(request: web.Request, session_id: str, file: e.File) -> str:
    """Where the file can be had, for a while and without a key."""
    return present.link(request, f"{TAKE}{session_id}/{file.id}", LINK_SECONDS)


async def take(request: web.Request) -> web.StreamResponse:
    """The bytes of a file that the browser of a session downloaded: never shown, only saved."""
    service, caller = request.app[SERVICE], request[CALLER]
    session_id, file_id = request.match_info["session_id"], request.match_info["file_id"]
    if caller is not ANONYMOUS:
        if "read" not in caller.scopes:
            raise web.HTTPForbidden(text="This needs a key with the scope read.")
        session_id = (await sessions.session(service, caller, session_id, kind=sessions.BROWSER)).id
    else:
        signed = query(request, Signed)
        if not service.signer.check(request.path, signed.expires, signed.signature):
            raise web.HTTPUnauthorized(text=_UNSIGNED)
    for each in await of(service, session_id):
        if each.file.id == file_id:
            return await served(service, each.file, "file")
    raise NotFound("File not found")


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path=TAKE + "{session_id}/{file_id}",
        handler=take,
        summary="A file that a browser downloaded, with a key or by a signed link",
        family="files",
        scope=None,
        open=True,
        query=Signed,
        media="application/octet-stream",
        errors=(403, 404, 410),
        paths={"session_id": "The session's id.", "file_id": "The file's id."},
    ),
)
