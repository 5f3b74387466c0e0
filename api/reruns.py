"""Our own family: a task that plays another one's acts again, one that goes on from one of its steps with a model."""

from functools import partial
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from api import control, intake, rerunning, wire
from api.rerunning import Plan, Wish
from api.service import SERVICE
from api.wire import CALLER, Route
from eventstore import events as e
from eventstore.errors import Refused
from eventstore.secrets import Secret

Inputs = dict[str, str]


class Rerun(msgspec.Struct, frozen=True, kw_only=True):
    """How the task is to be run again. `inputs` puts other texts in the place of those that it typed.

    Each key is a text as it was typed; for one that was typed where nobody may look it is `step 3` or `********`, and
    the value is `<secret>name</secret>`. `secrets` are given again by their names. With `rescue` the model `llm` goes
    on where an act cannot be played; without it no model is asked.
    """

    inputs: Inputs = {}
    rescue: bool = False
    llm: Annotated[str, Meta(max_length=200)] = ""
    secrets: dict[str, Secret] | None = None
    metadata: dict[str, str] | None = None
    allowed_domains: list[str] | None = None


class Fork(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done after the recorded `step`, that one included: `task`, by the model `llm`.

    The rest is as for a rerun; `max_steps` are those of the model.
    """

    step: Annotated[int, Meta(ge=1)]
    task: Annotated[str, Meta(max_length=intake.MAX_TASK)]
    llm: Annotated[str, Meta(max_length=200)] = ""
    inputs: Inputs = {}
    rescue: bool = False
    secrets: dict[str, Secret] | None = None
    metadata: dict[str, str] | None = None
    allowed_domains: list[str] | None = None
    max_steps: Annotated[int, Meta(ge=1, le=10_000)] | None = None


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The new task. It plays so many `acts`; `stops_at` is the recorded step that nobody can play, if there is one."""

    id: str
    acts: int = 0
    stops_at: int | None = None


async def rerun(request: web.Request) -> web.Response:
    """Run a task again without any model. Each target must be the very element of then, or the rerun stops there."""
    asked = await wire.body(request, Rerun, empty=b"{}")
    return await _begin(request, "rerun", Wish(**msgspec.structs.asdict(asked)))


async def fork(request: web.Request) -> web.Response:
    """Play a task up to a step, and have a model go on from there with other words."""
    asked = await wire.body(request, Fork)
    intake.instruction(asked.task, "task")
    words = msgspec.structs.asdict(asked)
    return await _begin(request, "fork", Wish(instruction=words.pop("task"), until=words.pop("step"), **words))


async def _begin(request: web.Request, word: str, wish: Wish) -> web.Response:
    service, caller = request.app[SERVICE], request[CALLER]
    task_id, key = request.match_info["task_id"].lower(), request.headers.get("Idempotency-Key", "")
    try:
        plan = await rerunning.planned(service, caller, task_id, wish)
    except Refused:
        if not await control.repeated(service, caller, key):
            raise
        plan = Plan(created=_nothing())  # the first one stands, whatever became of the recorded task
    created = await control.create(
        service,
        caller,
        plan.created,
        secrets=wish.secrets,
        digest=intake.digest(f"{word} {task_id}", await request.read() or b"{}"),
        idempotency_key=key,
    )
    headers = {"Idempotency-Replayed": "true"} if created.replayed else None
    begun = Begun(id=created.id, acts=plan.acts, stops_at=plan.stops_at or None)
    return wire.reply(begun, status=202, headers=headers)


def _nothing() -> e.TaskCreated:
    """What stands for a request that was answered before; it is not written."""
    return e.TaskCreated(instruction="", llm="", session="", project="", family="", request_digest="")


_route = partial(
    Route,
    method="POST",
    family="tape",
    scope="control",
    reply=Begun,
    status=202,
    errors=(404, 409, 410, 413, 503, 507),
    paths={"task_id": "The id of the recorded task."},
    headers={"Idempotency-Key": "The same key again is the same request, and not another one."},
)

ROUTES: tuple[Route, ...] = (
    _route(
        path="/api/tape/tasks/{task_id}/rerun",
        handler=rerun,
        summary="Run a task again, without a model",
        body=Rerun,
    ),
    _route(
        path="/api/tape/tasks/{task_id}/fork",
        handler=fork,
        summary="Play a task up to a step, and go on from there with other words",
        body=Fork,
    ),
)
