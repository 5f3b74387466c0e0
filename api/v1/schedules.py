"""v1's routes for scheduled tasks: read a request, name the intention, answer with a view."""

import msgspec
from aiohttp import web

from api import intake, schedules, uploads, wire
from api.present import moment, moment_or_none
from api.service import SERVICE
from api.v1 import convert, profiles
from api.v1.schedule_schemas import CreateSchedule, ScheduleList, ScheduleView, UpdateSchedule
from api.v1.schemas import DEFAULT_STEPS, PageQuery, TaskId
from api.wire import CALLER, Empty, Route
from eventstore.events import ScheduleChanged
from projections.schedules import Schedule


async def create(request: web.Request) -> web.Response:
    """Plan a task."""
    asked = await wire.body(request, CreateSchedule)
    sent = schedules.as_sent(await request.read())
    made = await schedules.create(
        request.app[SERVICE], request[CALLER], await _wished(request, asked, sent), asked.secrets or {}
    )
    return wire.reply(TaskId(id=made.id))


async def read_all(request: web.Request) -> web.Response:
    """The caller's scheduled tasks."""
    asked = wire.query(request, PageQuery)
    mine = request.app[SERVICE].projector.schedules.of(request[CALLER].project)
    first = (asked.page - 1) * asked.limit
    answer = ScheduleList(
        tasks=[view(each) for each in mine[first : first + asked.limit]],
        total_pages=-(-len(mine) // asked.limit),
        page=asked.page,
        limit=asked.limit,
        total_count=len(mine),
    )
    return wire.reply(answer)


async def read(request: web.Request) -> web.Response:
    """A scheduled task."""
    return wire.reply(view(_mine(request)))


async def update(request: web.Request) -> web.Response:
    """Change a scheduled task: what is left out stays as it is."""
    service = request.app[SERVICE]
    _mine(request)  # whose it is not is told that at once
    await wire.body(request, UpdateSchedule)
    schedule = _mine(request)  # as it is now: the body may have been long in coming
    given = schedules.as_sent(await request.read())
    current = schedule.current
    if given.get("secrets") == list(current.task.secrets):
        del given["secrets"]  # whoever sends back what was shown changes none
    asked_before = msgspec.json.decode(current.asked, type=dict[str, object])
    # What nobody asked for was set when it was made, and must not be set anew.
    bounds = {"start_at": moment(current.start_at), "end_at": moment(current.end_at)}
    sent = {**asked_before, **bounds, **given}
    known = {name: secret.reveal() for name, secret in (await schedules.kept(service, schedule)).items()}
    asked = wire.decode(msgspec.json.encode({"secrets": known, **sent}), CreateSchedule)
    wish = await _wished(request, asked, sent)
    replaced = (asked.secrets or {}) if "secrets" in given else None
    return wire.reply(view(await schedules.change(service, request[CALLER], schedule, wish, replaced)))


async def delete(request: web.Request) -> web.Response:
    """Delete a scheduled task; one that runs already goes on."""
    await schedules.delete(request.app[SERVICE], request[CALLER], _mine(request))
    return wire.reply(Empty())


def view(schedule: Schedule) -> ScheduleView:
    """A schedule as v1 shows it."""
    current, options = schedule.current, schedule.current.task.options
    asked = msgspec.json.decode(current.asked, type=dict[str, msgspec.Raw])

    def flag(name: str, default: bool) -> bool:
        return msgspec.json.decode(asked[name], type=bool) if name in asked else default

    return ScheduleView(
        id=schedule.id,
        task=current.task.instruction,
        secrets=list(current.task.secrets),
        allowed_domains=list(current.task.allowed_domains),
        browser_profile_id=options.profile or None,
        save_browser_data=options.save_state,
        structured_output_json=current.task.output_schema or None,
        llm_model=current.task.llm,
        use_adblock=flag("use_adblock", True),
        use_proxy=flag("use_proxy", True),
        proxy_country_code=options.country or None,
        highlight_elements=flag("highlight_elements", True),
        included_file_names=list(current.task.files),
        browser_viewport_width=options.viewport_width,
        browser_viewport_height=options.viewport_height,
        max_agent_steps=current.task.limits.max_steps or DEFAULT_STEPS,
        enable_public_share=current.shared,
        metadata=current.task.metadata,
        schedule_type=current.kind,
        interval_minutes=current.interval_minutes or None,
        cron_expression=current.cron or None,
        start_at=moment(current.start_at),
        next_run_at=moment_or_none(schedules.next_run(schedule)),
        end_at=moment(current.end_at),
        is_active=current.active,
        created_at=moment(schedule.created_at),
        updated_at=moment(schedule.updated_at),
    )


async def _wished(request: web.Request, asked: CreateSchedule, sent: dict[str, object]) -> ScheduleChanged:
    """The schedule that the request amounts to. Raises Invalid, NotFound."""
    service, caller = request.app[SERVICE], request[CALLER]
    intake.unsupported(asked.webhook_url, "webhook_url")
    files = await uploads.included(service, caller.project, asked.included_file_names, "included_file_names")
    profile = profiles.wanted(request, asked.browser_profile_id)
    task = uploads.given(convert.wished(asked, service.settings, service.models, profile), files)
    task = msgspec.structs.replace(task, session="", project=caller.project)
    times = schedules.Times(
        kind=asked.schedule_type,
        minutes=asked.interval_minutes,
        cron=asked.cron_expression,
        start_at=asked.start_at,
        end_at=asked.end_at,
        active=asked.is_active is not False,
    )
    told = {name: value for name, value in sent.items() if name in _KNOWN}
    blank = ScheduleChanged(
        task=task,
        kind="",
        start_at=0,
        end_at=0,
        asked=msgspec.json.encode(told).decode(),
        shared=asked.enable_public_share is True,
    )
    return schedules.timed(times, blank)


def _mine(request: web.Request) -> Schedule:
    return schedules.find(request.app[SERVICE], request[CALLER], request.match_info["schedule_id"])


_KNOWN = frozenset(CreateSchedule.__struct_fields__) - {"secrets", "webhook_secret"}
_SCHEDULE = {"schedule_id": "the id of the scheduled task"}
_ONE = "/api/v1/scheduled-task/{schedule_id}"

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v1/scheduled-task",
        handler=create,
        summary="Plan a task",
        family="v1",
        scope="control",
        body=CreateSchedule,
        reply=TaskId,
        errors=(404, 410, 507),
    ),
    Route(
        method="GET",
        path="/api/v1/scheduled-tasks",
        handler=read_all,
        summary="List scheduled tasks, newest first",
        family="v1",
        scope="read",
        query=PageQuery,
        reply=ScheduleList,
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=read,
        summary="Read a scheduled task",
        family="v1",
        scope="read",
        reply=ScheduleView,
        errors=(404,),
        paths=_SCHEDULE,
    ),
    Route(
        method="PUT",
        path=_ONE,
        handler=update,
        summary="Change a scheduled task",
        family="v1",
        scope="control",
        body=UpdateSchedule,
        reply=ScheduleView,
        errors=(404, 410, 507),
        paths=_SCHEDULE,
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=delete,
        summary="Delete a scheduled task",
        family="v1",
        scope="control",
        reply=Empty,
        errors=(404,),
        paths=_SCHEDULE,
    ),
)
