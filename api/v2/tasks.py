"""v2's routes for tasks: read a request, name the intention, answer with a view."""

from functools import partial
from uuid import UUID

import msgspec
from aiohttp import web

from api import control, etag, intake, long_poll, profiles, sessions, task_log, uploads, wire
from api.hooks import wanted as webhook
from api.present import NO_SESSION, microseconds, picture
from api.service import SERVICE
from api.v2 import convert, schemas
from api.v2.session_schemas import LogFile
from api.wire import CALLER, POLLED, Route
from eventstore import decide
from eventstore.errors import Invalid, SessionBusy, SessionStopped
from projections.task_row import TaskRow

INTENTIONS: dict[str, control.Intention] = {
    "stop": decide.stop,
    "stop_task_and_session": decide.stop,
    "pause": decide.pause,
    "resume": decide.resume,
}


async def create_task(request: web.Request) -> web.Response:
    """Put a new task into the queue."""
    service, caller = request.app[SERVICE], request[CALLER]
    asked = await wire.body(request, schemas.CreateTask)
    if asked.session_id is not None:
        asked = msgspec.structs.replace(asked, session_settings=None)  # the session has its own
    profile_id = asked.session_settings.profile_id if asked.session_settings else None
    profile = profiles.wanted(service, caller, str(profile_id or ""))
    wished = convert.wished(asked, service.settings, service.models, profile)
    key = request.headers.get("Idempotency-Key", "")
    begin = partial(
        control.create,
        service,
        caller,
        secrets=asked.secrets,
        digest=intake.digest("v2", await request.read()),
        idempotency_key=key,
        webhook=await webhook(service, asked, "webhookUrl", "webhookSecret"),
    )
    if asked.session_id is None or await control.repeated(service, caller, key):
        created = await begin(wished)
    else:
        try:
            async with sessions.entering(service, caller, str(asked.session_id)) as row:
                wished = await sessions.inside(service, row, wished)
                wished = uploads.given(wished, await uploads.of_session(service, row.id))
                created = await begin(wished)
        except (SessionBusy, SessionStopped):  # by the task that the same request began a moment ago, perhaps
            if not await control.repeated(service, caller, key):
                raise
            created = await begin(wished)
    session = (await control.task(service, caller, created.id)).session if created.replayed else wished.session
    headers = {"Idempotency-Replayed": "true"} if created.replayed else None
    return wire.reply(
        schemas.TaskCreatedResponse(id=created.id, session_id=session or NO_SESSION), status=202, headers=headers
    )


async def list_tasks(request: web.Request) -> web.Response:
    """The caller's tasks."""
    asked = wire.query(request, schemas.ListQuery)
    rows, total = await request.app[SERVICE].projector.tasks.page(
        project=request[CALLER].project,
        offset=(asked.page_number - 1) * asked.page_size,
        limit=asked.page_size,
        states=None if asked.filter_by is None else schemas.meant(asked.filter_by),
        session=None if asked.session_id is None else str(asked.session_id),
        created_after=None if asked.after is None else microseconds(asked.after),
        created_before=None if asked.before is None else microseconds(asked.before),
    )
    answer = schemas.TaskList(
        items=[convert.item(row) for row in rows],
        total_items=total,
        page_number=asked.page_number,
        page_size=asked.page_size,
    )
    return wire.reply(answer)


async def get_task(request: web.Request) -> web.Response:
    """The whole task."""
    row = await control.task(request.app[SERVICE], request[CALLER], _task_id(request))
    tag = etag.linked(request, row.position)
    return etag.unchanged(tag) if etag.known(request, tag) else await _viewed(request, row, etag.headers(tag))


async def update_task(request: web.Request) -> web.Response:
    """Steer the task; the answer is the task as it then stands."""
    task_id = _task_id(request)
    asked = await _update(request)
    row = await control.control(
        request.app[SERVICE],
        request[CALLER],
        task_id,
        INTENTIONS[asked.action],
        command_id=request.headers.get("Idempotency-Key", ""),
    )
    if asked.action == "stop_task_and_session" and row.session:
        await sessions.stop(request.app[SERVICE], request[CALLER], row.session)
    return await _viewed(request, row)


async def task_status(request: web.Request) -> web.Response:
    """What clients poll. With `wait`, when its word has changed."""
    if long_poll.asked(request):
        asked = wire.query(request, schemas.TaskStatusQuery)
        await long_poll.changed(request, _task_id(request), schemas.WORDS, seconds=asked.wait, known=asked.known)
    row = await control.glance(request.app[SERVICE], request[CALLER], _task_id(request))
    tag = etag.plain(row.position)
    return etag.unchanged(tag) if etag.known(request, tag) else wire.reply(convert.status(row), headers={"ETag": tag})


async def task_logs(request: web.Request) -> web.Response:
    """Where the log can be read for a while, without a key."""
    row = await control.task(request.app[SERVICE], request[CALLER], _task_id(request))
    return wire.reply(LogFile(download_url=task_log.url(request, row.id)))


async def _viewed(request: web.Request, row: TaskRow, headers: dict[str, str] | None = None) -> web.Response:
    steps = await request.app[SERVICE].projector.steps.of(row.id)
    return wire.reply(convert.view(row, steps, partial(picture, request, row.id)), headers=headers)


async def _update(request: web.Request) -> schemas.UpdateTask:
    """What the body asks for, by its action, or as the status alone that is meant to come."""
    try:
        await wire.body(request, schemas.Stopped)
    except Invalid:
        return await wire.body(request, schemas.UpdateTask)
    return schemas.UpdateTask(action="stop")


def _task_id(request: web.Request) -> str:
    try:
        return str(UUID(request.match_info["task_id"]))
    except ValueError:
        raise Invalid("value is not a valid uuid", field=("path", "task_id")) from None


_TASK = {"task_id": "the task's id, a UUID"}
_KEY = {"Idempotency-Key": "the same key again is the same request, and not another one"}

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v2/tasks",
        handler=create_task,
        summary="Start a task",
        family="v2",
        scope="control",
        body=schemas.CreateTask,
        reply=schemas.TaskCreatedResponse,
        status=202,
        errors=(400, 404, 413, 503),
        headers=_KEY,
    ),
    Route(
        method="GET",
        path="/api/v2/tasks",
        handler=list_tasks,
        summary="List tasks, newest first",
        family="v2",
        scope="read",
        query=schemas.ListQuery,
        reply=schemas.TaskList,
    ),
    Route(
        method="GET",
        path="/api/v2/tasks/{task_id}",
        handler=get_task,
        summary="Read a task",
        family="v2",
        scope="read",
        reply=schemas.TaskView,
        tagged=True,
        errors=(404,),
        paths=_TASK,
    ),
    Route(
        method="PATCH",
        path="/api/v2/tasks/{task_id}",
        handler=update_task,
        summary="Stop, pause or resume a task",
        family="v2",
        scope="control",
        body=schemas.UpdateTask,
        reply=schemas.TaskView,
        errors=(404, 409),
        paths=_TASK,
        headers=_KEY,
    ),
    Route(
        method="GET",
        path="/api/v2/tasks/{task_id}/status",
        handler=task_status,
        summary="Read how a task stands, and nothing else",
        family="v2",
        scope="read",
        cost=POLLED,
        query=schemas.TaskStatusQuery,
        reply=schemas.TaskStatus,
        tagged=True,
        errors=(404,),
        paths=_TASK,
    ),
    Route(
        method="GET",
        path="/api/v2/tasks/{task_id}/logs",
        handler=task_logs,
        summary="Get a link to the log of a task",
        family="v2",
        scope="read",
        reply=LogFile,
        errors=(404,),
        paths=_TASK,
    ),
)
