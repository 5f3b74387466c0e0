"""Our own family's routes that remove: what is too old, and all that one task said."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from api import control, retention, wire
from api.retention import Redacted
from api.service import SERVICE
from api.tape_views import iso
from api.wire import CALLER, Route
from eventstore.clock import microseconds
from eventstore.retention import Going


class Prune(msgspec.Struct, frozen=True, kw_only=True):
    """With `dry_run` nothing is changed."""

    dry_run: bool = False


class Class(msgspec.Struct, frozen=True, kw_only=True):
    """One class of what is removed by age.

    `screenshots`; `files` that tasks were given and produced; `recordings`; `uploads` that no task names, of so many
    projects and sessions (`tasks`); or `tasks` with all that they said and all of these. `bytes` are those of the
    blobs. `oldest` and `newest` are when tasks ended, or uploads came, ISO 8601 in UTC.
    """

    kind: str
    reason: str
    tasks: int
    blobs: int
    bytes: int
    oldest: str | None
    newest: str | None


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What went, or would go; a class that is kept for ever has no tasks."""

    dry_run: bool
    classes: list[Class]


class Redact(msgspec.Struct, frozen=True, kw_only=True):
    """Why; it stays on the tape."""

    reason: Annotated[str, Meta(max_length=1_000)] = ""


async def prune(request: web.Request) -> web.Response:
    """Remove what is older than the settings say, of all projects; or tell what that would be."""
    service, caller = request.app[SERVICE], request[CALLER]
    asked = await wire.body(request, Prune)
    now = microseconds()
    went = await (retention.plan(service, now) if asked.dry_run else retention.prune(service, now, actor=caller.actor))
    return wire.reply(Pruned(dry_run=asked.dry_run, classes=[told(each) for each in went]))


async def redact(request: web.Request) -> web.Response:
    """Remove whatever a task said; when this answers, it is in no file any more."""
    service, caller = request.app[SERVICE], request[CALLER]
    row = await control.task(service, caller, request.match_info["task_id"])
    asked = await wire.body(request, Redact)
    return wire.reply(await retention.redact(service, row.id, reason=asked.reason, actor=caller.actor))


def told(going: Going) -> Class:
    """A class as the API tells it."""
    return Class(
        kind=going.kind,
        reason=going.reason,
        tasks=going.tasks,
        blobs=going.blobs,
        bytes=going.bytes,
        oldest=None if going.oldest is None else iso(going.oldest),
        newest=None if going.newest is None else iso(going.newest),
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/tape/prune",
        handler=prune,
        summary="Remove what is older than the settings say, or tell what that would be",
        family="tape",
        scope="admin",
        operator=True,
        body=Prune,
        reply=Pruned,
        errors=(503, 507),
    ),
    Route(
        method="POST",
        path="/api/tape/tasks/{task_id}/redact",
        handler=redact,
        summary="Remove whatever an ended task said",
        family="tape",
        scope="admin",
        body=Redact,
        reply=Redacted,
        errors=(404, 409, 503, 507),
        paths={"task_id": "The task's id."},
    ),
)
