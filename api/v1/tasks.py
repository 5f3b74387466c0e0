"""v1's routes for tasks: read a request, name the intention, answer with a view."""

from functools import partial

import msgspec
from aiohttp import web

from api import control, etag, intake, long_poll, sessions, share, uploads, watch_link, wire
from api.hooks import wanted as webhook
from api.present import ended, picture
from api.service import SERVICE
from api.v1 import convert, profiles, schemas
from api.wire import CALLER, POLLED, Empty, Handler, Route
from eventstore import decide
from eventstore.snapshots import get_cookies

_STATUS = {state: (msgspec.json.encode(word), etag.plain(word)) for state, word in schemas.WORDS.items()}


async def run_task(request: web.Request) -> web.Response:
    """Put a new task into the queue."""
    service = request.app[SERVICE]
    asked = await wire.body(request, schemas.RunTask)
    profile = profiles.wanted(request, asked.browser_profile_id)
    key = request.headers.get("Idempotency-Key", "")
    # Who repeats himself is not told of files that have gone since.
    names = None if await control.repeated(service, request[CALLER], key) else asked.included_file_names
    given = await uploads.included(service, request[CALLER].project, names, "included_file_names")
    created = await control.create(
        service,
        request[CALLER],
        uploads.given(convert.wished(asked, service.settings, service.models, profile), given),
        secrets=asked.secrets,
        digest=intake.digest("v1", await request.read()),
        idempotency_key=key,
        webhook=await webhook(service, asked, "webhook_url", "webhook_secret"),
    )
    if asked.enable_public_share:
        row = await control.task(service, request[CALLER], created.id)
        await sessions.share_once(service, request[CALLER], row.session)
    headers = {"Idempotency-Replayed": "true"} if created.replayed else None
    return wire.reply(schemas.TaskId(id=created.id), headers=headers)


async def steer(request: web.Request, intention: control.Intention) -> web.Response:
    """Pause, resume or stop; the task stands in the query, or in the path as some clients send it."""
    task_id = request.match_info.get("task_id") or wire.query(request, schemas.TaskQuery).task_id
    await control.control(
        request.app[SERVICE],
        request[CALLER],
        task_id,
        intention,
        command_id=request.headers.get("Idempotency-Key", ""),
    )
    return wire.reply(Empty())


async def status(request: web.Request) -> web.Response:
    """What clients poll: one look into memory, and bytes that are ready. With `wait`, when it has changed."""
    if long_poll.asked(request):
        asked = wire.query(request, schemas.StatusQuery)
        task_id = request.match_info["task_id"]
        await long_poll.changed(request, task_id, schemas.WORDS, seconds=asked.wait, known=asked.known)
    row = await control.glance(request.app[SERVICE], request[CALLER], request.match_info["task_id"])
    body, tag = _STATUS[row.state]
    if etag.known(request, tag):
        return etag.unchanged(tag)
    return web.Response(body=body, content_type="application/json", headers={"ETag": tag})


async def task(request: web.Request) -> web.Response:
    """The whole task."""
    service = request.app[SERVICE]
    row = await control.task(service, request[CALLER], request.match_info["task_id"])
    kept = await get_cookies(service.vault, row.id) if row.options.save_state and row.ended_at is not None else None
    shared = service.projector.sessions.share(row.session)
    if etag.known(request, tag := etag.linked(request, row.position, shared, kept)):
        return etag.unchanged(tag)
    view = convert.view(row, await service.projector.steps.of(row.id), kept)
    links = {"public_share_url": share.of(request, row.session), "live_url": watch_link.url(request, row.id)}
    return wire.reply(msgspec.structs.replace(view, **links), headers=etag.headers(tag))


async def tasks(request: web.Request) -> web.Response:
    """The caller's tasks."""
    asked = wire.query(request, schemas.PageQuery)
    rows, total = await request.app[SERVICE].projector.tasks.page(
        project=request[CALLER].project, offset=(asked.page - 1) * asked.limit, limit=asked.limit
    )
    answer = schemas.TaskList(
        tasks=[msgspec.structs.replace(convert.item(row), live_url=watch_link.url(request, row.id)) for row in rows],
        total_pages=-(-total // asked.limit),
        page=asked.page,
        limit=asked.limit,
        total_count=total,
    )
    return wire.reply(answer)


async def screenshots(request: web.Request) -> web.Response:
    """Links to what the browser showed at the end of each step."""
    service = request.app[SERVICE]
    row = await control.task(service, request[CALLER], request.match_info["task_id"])
    steps = ended(await service.projector.steps.of(row.id))
    urls = [picture(request, row.id, step) for step in steps if step.screenshot]
    return wire.reply(schemas.Screenshots(screenshots=urls))


_TASK = {"task_id": "the task's id"}
_KEY = {"Idempotency-Key": "the same key again is the same request, and not another one"}


def _steering(verb: str, intention: control.Intention) -> tuple[Route, Route]:
    handler: Handler = partial(steer, intention=intention)
    summary = f"{verb.capitalize()} a task"
    by_query = Route(
        method="PUT",
        path=f"/api/v1/{verb}-task",
        handler=handler,
        summary=summary,
        family="v1",
        scope="control",
        query=schemas.TaskQuery,
        reply=Empty,
        errors=(404, 409),
        headers=_KEY,
    )
    by_path = msgspec.structs.replace(
        by_query, path=f"/api/v1/{verb}-task/{{task_id}}", summary=f"{summary}, by its path", query=None, paths=_TASK
    )
    return by_query, by_path


def _reading(path: str, handler: Handler, summary: str, reply: object, *, tagged: bool = True) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        summary=summary,
        family="v1",
        scope="read",
        reply=reply,
        tagged=tagged,
        errors=(404,),
        paths=_TASK,
    )


def _listing(path: str) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=tasks,
        summary="List tasks, newest first",
        family="v1",
        scope="read",
        query=schemas.PageQuery,
        reply=schemas.TaskList,
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v1/run-task",
        handler=run_task,
        summary="Start a task",
        family="v1",
        scope="control",
        body=schemas.RunTask,
        reply=schemas.TaskId,
        errors=(404, 413, 503),
        headers=_KEY,
    ),
    *_steering("pause", decide.pause),
    *_steering("resume", decide.resume),
    *_steering("stop", decide.stop),
    msgspec.structs.replace(
        _reading("/api/v1/task/{task_id}/status", status, "Read the status of a task, and nothing else", str),
        cost=POLLED,
        query=schemas.StatusQuery,
    ),
    _reading("/api/v1/task/{task_id}", task, "Read a task", schemas.TaskView),
    _reading(
        "/api/v1/task/{task_id}/screenshots",
        screenshots,
        "List the screenshots of a task",
        schemas.Screenshots,
        tagged=False,
    ),
    _listing("/api/v1/tasks"),
    _listing("/api/v1/list-tasks"),
)
