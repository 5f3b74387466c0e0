"""v2's routes for files: forms to bring one to a session, and links to take one that a task produced."""

from functools import partial
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from aiohttp import web
from msgspec import Meta

from api import control, files, sessions, uploads, wire
from api.service import SERVICE
from api.v2.schemas import Camel
from api.v2.sessions import session_id_of
from api.wire import CALLER, Route
from eventstore.errors import Invalid, NotFound, SessionStopped

ContentType: TypeAlias = Literal[
    "image/jpg",
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/svg+xml",
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/plain",
    "text/csv",
    "text/markdown",
]


class Upload(Camel, frozen=True, kw_only=True):
    """A file to be brought: its name, its media type, and how many bytes it has at most."""

    file_name: Annotated[str, Meta(min_length=1, max_length=255)]
    content_type: ContentType
    size_bytes: Annotated[int, Meta(ge=1, le=uploads.MAX_FILE)]


class PresignedUrl(Camel, frozen=True, kw_only=True):
    """Where a form is to be posted to, without a key: with all `fields` first, and then the file as `file`."""

    url: str
    method: Literal["POST"]
    fields: dict[str, str]
    file_name: str
    expires_in: int


class OutputFile(Camel, frozen=True, kw_only=True):
    """A file that the task produced, and a URL that gives its bytes, without a key, until it expires."""

    id: str
    file_name: str
    download_url: str


async def presign(request: web.Request, kind: str) -> web.Response:
    """Give out a form to bring a file with. The tasks that follow in the session have it."""
    service, caller = request.app[SERVICE], request[CALLER]
    session_id = session_id_of(request)
    asked = await wire.body(request, Upload)
    row = await sessions.session(service, caller, session_id, kind=kind)
    if not row.active:
        raise SessionStopped
    ticket = uploads.ticket(
        service,
        caller,
        sessions.stream(row.id),
        asked.file_name,
        asked.content_type,
        at="fileName",
        most=asked.size_bytes,
    )
    url, fields = files.form(request, ticket)
    answer = PresignedUrl(
        url=url, method="POST", fields=fields, file_name=asked.file_name, expires_in=uploads.TICKET_SECONDS
    )
    return wire.reply(answer)


async def output_file(request: web.Request) -> web.Response:
    """Give out a link to a file that the task produced."""
    task_id, file_id = (_uuid(request, name) for name in ("task_id", "file_id"))
    row = await control.task(request.app[SERVICE], request[CALLER], task_id)
    for file in row.produced:
        if file.id == file_id:
            url = files.take_url(request, row.id, file)
            return wire.reply(OutputFile(id=file.id, file_name=file.name, download_url=url))
    raise NotFound("Output file not found")


def _uuid(request: web.Request, name: str) -> str:
    try:
        return str(UUID(request.match_info[name]))
    except ValueError:
        raise Invalid("value is not a valid uuid", field=("path", name)) from None


def _presigning(noun: str, kind: str) -> Route:
    return Route(
        method="POST",
        path=f"/api/v2/files/{noun}s/{{session_id}}/presigned-url",
        handler=partial(presign, kind=kind),
        summary=f"Get a form to upload a file to a {noun} with",
        family="v2",
        scope="control",
        body=Upload,
        reply=PresignedUrl,
        errors=(400, 404, 413, 507),
        paths={"session_id": f"the {noun}'s id, a UUID"},
    )


ROUTES: tuple[Route, ...] = (
    _presigning("session", "agent"),
    _presigning("browser", "browser"),
    Route(
        method="GET",
        path="/api/v2/files/tasks/{task_id}/output-files/{file_id}",
        handler=output_file,
        summary="Get a link to a file that a task produced",
        family="v2",
        scope="read",
        reply=OutputFile,
        errors=(404,),
        paths={"task_id": "the task's id, a UUID", "file_id": "the file's id, a UUID"},
    ),
)
