"""Our own family: the tape itself. Its events as pages and as a stream, a task as it stood, proof, pictures."""

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from api import control, etag, present, sse, tape_pages
from api.auth import ANONYMOUS
from api.scope import TaskReader, of_project
from api.service import SERVICE, Service
from api.tape_pages import Paging
from api.tape_views import EventPage, TaskAsOf, as_of
from api.wire import CALLER, Route, query, reply
from eventstore import witness
from eventstore.blobs import DamagedBlob
from eventstore.book import kept
from eventstore.errors import Gone, Invalid, NotFound
from eventstore.evidence import with_blobs
from eventstore.examine import examine
from eventstore.store import Verdict
from eventstore.witness import Notes
from projections.history import task_at

VERIFYING = web.AppKey("verifying", asyncio.Lock)


class At(msgspec.Struct, frozen=True, kw_only=True):
    """When: a position of the log, or a time in ISO 8601. Without it: now."""

    at: Annotated[str, Meta(max_length=64)] = ""


class Verifying(msgspec.Struct, frozen=True, kw_only=True):
    """What to hold the tape against, beside its own chain: the rules; a line that was published as its checkpoint.

    With `blobs`, every file that it names is read as well.
    """

    rules: bool = False
    blobs: bool = False
    checkpoint: Annotated[str, Meta(max_length=1024)] = ""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed link carries in place of a key."""

    expires: int = 0
    signature: str = ""


async def events(request: web.Request) -> web.StreamResponse:
    """The events of the caller's project, in the order of the log."""
    service, caller = request.app[SERVICE], request[CALLER]
    read = partial(of_project, service, caller)
    return await tape_pages.answer(request, query(request, Paging), read, service.store.wait)


async def task_events(request: web.Request) -> web.StreamResponse:
    """The events of one task. As a stream it ends after the task's last event."""
    service, caller, asked = request.app[SERVICE], request[CALLER], query(request, Paging)
    row = await control.task(service, caller, request.match_info["task_id"])
    if sse.wanted(request) and row.ended_at is not None and tape_pages.after(request, asked) >= row.position:
        return web.Response(status=204)  # what tells an EventSource not to come again
    reader = TaskReader(service.store, control.stream(row.id))
    return await tape_pages.answer(request, asked, reader, partial(tape_pages.more, service, row.id))


async def task(request: web.Request) -> web.Response:
    """A task as it stood at a position of the log or at a time; as it stands, without one."""
    caller, service = request[CALLER], request.app[SERVICE]
    row = await control.task(service, caller, request.match_info["task_id"])
    asked = query(request, At)
    then = await task_at(service.store, row.id, **_moment(asked.at))
    if then is None:
        raise NotFound("This task was not created yet then.")
    # Of the task as it stands too: what is redacted now is gone from what was.
    if etag.known(request, tag := etag.linked(request, row.position, asked)):
        return etag.unchanged(tag)
    return reply(as_of(*then, picture=partial(present.picture, request, row.id)), headers=etag.headers(tag))


async def verify(request: web.Request) -> web.Response:
    """Recompute the whole hash chain from the stored bytes: one client at a time, for it reads all that there is."""
    asked, service = query(request, Verifying), request.app[SERVICE]
    notes = [await asyncio.to_thread(kept, service.settings.data_dir)]
    if asked.checkpoint:
        notes.append(_published(asked.checkpoint))
    async with request.app[VERIFYING]:
        if request.transport is None:
            raise ConnectionResetError("The client did not wait for its turn.")
        verdict = await examine(service.store, notes=notes, rules=asked.rules)
        if asked.blobs:
            async with service.removing:
                verdict = await with_blobs(verdict, service.store, service.blobs)
        return reply(verdict)


async def picture(request: web.Request) -> web.Response:
    """The screenshot of a step: for whom the task belongs to, or for whoever has a signed link."""
    service, caller = request.app[SERVICE], request[CALLER]
    task_id, number = request.match_info["task_id"], request.match_info["number"]
    if caller is not ANONYMOUS:
        task_id = (await control.task(service, caller, task_id)).id
    else:
        signed = query(request, Signed)
        if not service.signer.check(request.path, signed.expires, signed.signature):
            raise web.HTTPUnauthorized(text="An API key is required, or a signed link that has not expired.")
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=await _picture(service, task_id, number), content_type="image/png", headers=headers)


async def _picture(service: Service, task_id: str, number: str) -> bytes:
    """Raises NotFound where there never was one, Gone where there is none any more, or not the one that was taken."""
    row = await service.projector.tasks.find(task_id)
    if row is None or row.deleted:
        raise NotFound("Screenshot not found")
    if row.redacted:
        raise Gone(f"The task was redacted: {row.redaction or 'no reason was given'}.")
    steps = [step for step in await service.projector.steps.of(task_id) if str(step.number) == number]
    for step in steps:
        if step.screenshot:
            try:
                data = await service.blobs.get(step.screenshot)
            except DamagedBlob as damaged:
                raise Gone("The screenshot is damaged: it is not the one that was taken.") from damaged
            if data is None:
                raise Gone("The screenshot is missing: it is no longer on the disk.")
            return data
    for step in steps:
        if step.removed:
            raise Gone(f"The screenshot was removed: {step.removed}.")
    raise NotFound("Screenshot not found")


def _published(line: str) -> Notes:
    if not line.isascii() or (checkpoint := witness.read(line.strip().encode())) is None:
        raise Invalid("A line of a file of checkpoints, whole and as it was signed.", field=("query", "checkpoint"))
    return Notes(checkpoints=(checkpoint,))


def _moment(text: str) -> dict[str, int]:
    if not text:
        return {}
    try:
        if text.isascii() and text.isdigit():
            return {"position": int(text)}
        return {"at": present.microseconds(datetime.fromisoformat(text))}
    except (ValueError, OverflowError):
        raise Invalid("A position of the log, or a time in ISO 8601.", field=("query", "at")) from None


_TASK = {"task_id": "The task's id."}
_RESUMED = {"Last-Event-ID": "Of a stream that broke off: the position of the last event seen. It wins over `after`."}
_route = partial(Route, method="GET", family="tape", scope="read")

ROUTES: tuple[Route, ...] = (
    _route(
        path="/api/tape/events",
        handler=events,
        summary="The log: a page of it, or a stream with Accept: text/event-stream",
        query=Paging,
        headers=_RESUMED,
        reply=EventPage,
    ),
    _route(
        path="/api/tape/tasks/{task_id}/events",
        handler=task_events,
        summary="A task's events: a page of them, or a stream that ends with the task",
        query=Paging,
        headers=_RESUMED,
        reply=EventPage,
        errors=(404,),
        paths=_TASK,
    ),
    _route(
        path="/api/tape/tasks/{task_id}",
        handler=task,
        summary="A task as it stood at a position of the log or at a time",
        query=At,
        reply=TaskAsOf,
        tagged=True,
        errors=(404,),
        paths=_TASK,
    ),
    _route(
        path="/api/tape/tasks/{task_id}/screenshots/{number}.png",
        handler=picture,
        summary="The screenshot of a step, with a key or by a signed link",
        open=True,
        query=Signed,
        media="image/png",
        errors=(404, 410),
        paths={**_TASK, "number": "The step's number."},
    ),
    _route(
        path="/api/tape/verify",
        handler=verify,
        summary="Recompute the whole hash chain, and hold it against signed checkpoints and the rules",
        query=Verifying,
        inspects=True,
        scope="admin",
        operator=True,
        reply=Verdict,
    ),
)
