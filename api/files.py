"""The doors for files: where signed links lead, to bring one and to take one away. In no family's words."""

import re
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import quote

from aiohttp import web

from api import control, forms, present, uploads
from api.auth import ANONYMOUS
from api.service import SERVICE, Service
from api.tape import Signed
from api.uploads import DESK, Ticket
from api.wire import CALLER, Route, query
from eventstore import events as e
from eventstore import folder
from eventstore.blobs import DamagedBlob
from eventstore.errors import Gone, Invalid, NoRoom, NotFound
from eventstore.retention import FILES, RECORDINGS

LINK_SECONDS = 3600
PUT = "/files/uploads/"
FORM = "/files/forms"
TAKE = "/files/tasks/"

PLAIN = frozenset(
    {
        "application/json",
        "application/pdf",
        "application/zip",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/csv",
        "text/plain",
        "video/mp4",
        "video/webm",
    }
)
"""Types that a browser would not run; of all others it is told that they are bytes."""

_UNSIGNED = "An API key is required, or a signed link that has not expired."
_SAFE = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}


def put_url(request: web.Request, ticket: Ticket) -> str:
    """Where the bytes of the file can be put, for a while and without a key."""
    return present.link(request, PUT + uploads.written(ticket), uploads.TICKET_SECONDS)


def form(request: web.Request, ticket: Ticket) -> tuple[str, dict[str, str]]:
    """Where a form with the file can be posted to, and the fields that stand in it before the file."""
    policy = uploads.written(ticket)
    signed = request.app[SERVICE].signer.sign(f"{FORM}/{policy}", uploads.TICKET_SECONDS)
    expires, signature = re.findall(r"=([^&]*)", signed.partition("?")[2])
    fields = {
        "key": ticket.name,
        "Content-Type": ticket.content_type,
        "policy": policy,
        "x-expires": expires,
        "x-signature": signature,
    }
    return present.origin(request) + FORM, fields


def take_url(request: web.Request, task_id: str, file: e.File) -> str:
    """Where a file of the task can be had, for a while and without a key."""
    return present.link(request, f"{TAKE}{task_id}/{file.id}", LINK_SECONDS)


async def put(request: web.Request) -> web.Response:
    """Keep the bytes of the body as the file that the link is for. Needs no key: the link is one."""
    text, signed = request.match_info["ticket"], query(request, Signed)
    ticket = _opened(request.app[SERVICE], PUT + text, text, signed)
    if request.content_type.startswith("multipart/"):
        raise Invalid("Send the bytes of the file themselves as the body, not a form.", field=("body",))
    if (request.content_length or 0) > ticket.most:
        raise NoRoom(f"A file has at most {ticket.most:,} bytes.")
    await _take(request, ticket, _body(request))
    return web.Response()


async def post(request: web.Request) -> web.Response:
    """Keep the file of a form. Its fields come before it, as they were given out; they are the key."""
    if request.content_type != "multipart/form-data":
        raise Invalid("Send a form: multipart/form-data, with all fields and then the file.", field=("body",))
    fields, file = await forms.opened(request)
    await _take(request, _allowed(request.app[SERVICE], fields), forms.parts(file))
    return web.Response(status=204)


async def take(request: web.Request) -> web.StreamResponse:
    """The bytes of a file that the task produced, or of its video: never shown, only saved."""
    service, caller = request.app[SERVICE], request[CALLER]
    task_id, file_id = request.match_info["task_id"], request.match_info["file_id"]
    if caller is not ANONYMOUS:
        if "read" not in caller.scopes:
            raise web.HTTPForbidden(text="This needs a key with the scope read.")
        task_id = (await control.task(service, caller, task_id)).id
    else:
        signed = query(request, Signed)
        if not service.signer.check(request.path, signed.expires, signed.signature):
            raise web.HTTPUnauthorized(text=_UNSIGNED)
    file, kind, why = await _file(service, task_id, file_id)
    return await served(service, file, "recording" if kind == RECORDINGS else "file", why)


async def served(service: Service, file: e.File, noun: str, removed: str = "") -> web.StreamResponse:
    """The file, read through before its first byte is sent. Raises Gone; `removed` is why it may be."""
    try:
        path = await service.blobs.sound(file.blob)
    except DamagedBlob as damaged:
        raise Gone(f"The {noun} is damaged: it is not the one that was kept.") from damaged
    if path is None and removed:
        raise Gone(f"The {noun} was removed: {removed}.")
    if path is None:
        raise Gone(f"The {noun} is missing: it is no longer on the disk.")
    kind = file.content_type.partition(";")[0].strip().lower()
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in file.name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    return web.FileResponse(
        path,
        headers={
            **_SAFE,
            "Content-Type": kind if kind in PLAIN else "application/octet-stream",
            "Content-Disposition": disposition,
        },
    )


async def _file(service: Service, task_id: str, file_id: str) -> tuple[e.File, str, str]:
    """The file, its class, and why those of its class went, if they did."""
    row = await service.projector.tasks.find(task_id)
    if row is None or row.deleted:
        raise NotFound("File not found")
    if row.redacted:
        raise Gone(f"The task was redacted: {row.redaction or 'no reason was given'}.")
    for kind, files in ((FILES, row.produced), (RECORDINGS, row.recordings)):
        for file in files:
            if file.id == file_id:
                return file, kind, row.removed.get(kind, "")
    raise NotFound("File not found")


def _opened(service: Service, path: str, text: str, signed: Signed) -> Ticket:
    if not service.signer.check(path, signed.expires, signed.signature):
        raise web.HTTPUnauthorized(text="This link is not one that was given out here, or it has expired.")
    return uploads.read(text)


def _allowed(service: Service, fields: dict[str, str]) -> Ticket:
    for name in ("policy", "x-expires", "x-signature"):
        if name not in fields:
            raise Invalid("field required before the file", field=("body", name))
    expires = fields["x-expires"]
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
        raise Invalid("seconds since 1970", field=("body", "x-expires"))
    signed = Signed(expires=int(expires), signature=fields["x-signature"])
    ticket = _opened(service, f"{FORM}/{fields['policy']}", fields["policy"], signed)
    for name, right in (("key", ticket.name), ("Content-Type", ticket.content_type)):
        if fields.get(name, right) != right:
            raise Invalid(f"This was given out as {right!r}.", field=("body", name))
    return ticket


async def _take(request: web.Request, ticket: Ticket, parts: AsyncIterator[bytes]) -> None:
    service = request.app[SERVICE]
    into = uploads.into_project if ticket.stream.startswith(folder.STREAM) else uploads.into_session
    record = partial(into, service, ticket)
    try:
        await uploads.take(service, request.app[DESK], ticket, parts, record)
    except web.RequestPayloadError:
        raise Invalid("The file did not come whole.", field=("body",)) from None


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    while part := await request.content.read(forms.PART):
        yield part


_route = partial(Route, family="files", scope=None, open=True, query=Signed)

ROUTES: tuple[Route, ...] = (
    _route(
        method="PUT",
        path=PUT + "{ticket}",
        handler=put,
        summary="Bring a file, by a link that was given out for it",
        errors=(408, 413, 507),
        paths={"ticket": "As it stands in the link."},
    ),
    _route(
        method="POST",
        path=FORM,
        handler=post,
        summary="Bring a file in a form whose fields were given out for it",
        query=None,
        status=204,
        errors=(408, 413, 507),
    ),
    _route(
        method="GET",
        path=TAKE + "{task_id}/{file_id}",
        handler=take,
        summary="A file that a task produced, or its video, with a key or by a signed link",
        media="application/octet-stream",
        errors=(403, 404, 410),
        paths={"task_id": "The task's id.", "file_id": "The file's id."},
    ),
)
