"""Our own family: answers to a task's question, and a person who takes its browser over."""

from functools import partial
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from api import control, people
from api.service import SERVICE
from api.tape_views import Question, asked_of
from api.wire import CALLER, Route, body, reply
from eventstore.human import HumanInput, HumanOutcome
from projections.task_row import TaskRow


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the question `request`; without one, to the one that is open.

    To a confirmation: yes, no, true or false. To a captcha that was solved: anything, or nothing.
    """

    value: Annotated[str, Meta(max_length=people.MAX_VALUE)] | bool = ""
    request: Annotated[str, Meta(max_length=100)] = ""


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """Take control of a paused task's browser, or return it; a `reason` is kept with the return."""

    action: Literal["take", "return"]
    reason: Annotated[str, Meta(max_length=1_000)] = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the task stands; `hold` is why it does not go on by itself, `controlled` that a person drives its browser."""

    id: str
    state: str
    hold: str
    controlled: bool
    question: Question | None


async def answer(request: web.Request) -> web.Response:
    """Answer what the task asks. The value is typed by the task alone, and stands on no tape."""
    service, caller = request.app[SERVICE], request[CALLER]
    asked = await body(request, Answer)
    row = await people.answer(
        service,
        caller,
        request.match_info["task_id"],
        asked.value,
        request=asked.request,
        command_id=request.headers.get("Idempotency-Key", ""),
    )
    return reply(standing(row))


async def take_or_return(request: web.Request) -> web.Response:
    """Only a paused task can be taken over, while it has its browser. A resume returns control too."""
    service, caller = request.app[SERVICE], request[CALLER]
    asked = await body(request, Control)
    row = await control.control(
        service,
        caller,
        request.match_info["task_id"],
        people.take if asked.action == "take" else people.giving_back(asked.reason),
        command_id=request.headers.get("Idempotency-Key", ""),
    )
    return reply(standing(row))


async def act(request: web.Request) -> web.Response:
    """One input by hand: of the mouse, the keyboard, or an address. All is told but what goes into secret fields."""
    service, caller = request.app[SERVICE], request[CALLER]
    asked = await body(request, HumanInput)
    return reply(await people.act(service, caller, request.match_info["task_id"], asked))


def standing(row: TaskRow) -> Standing:
    """As the answers here show it."""
    return Standing(
        id=row.id,
        state=row.state.value,
        hold=row.hold.value,
        controlled=row.controlled,
        question=asked_of(row),
    )


_KEY = {"Idempotency-Key": "The same key again changes nothing."}
_route = partial(
    Route,
    method="POST",
    family="tape",
    scope="control",
    errors=(404, 409, 507),
    paths={"task_id": "The task's id."},
)

ROUTES: tuple[Route, ...] = (
    _route(
        path="/api/tape/tasks/{task_id}/input",
        handler=answer,
        summary="Answer what a task asks",
        body=Answer,
        reply=Standing,
        headers=_KEY,
    ),
    _route(
        path="/api/tape/tasks/{task_id}/control",
        handler=take_or_return,
        summary="Take control of a paused task's browser, or return it",
        body=Control,
        reply=Standing,
        headers=_KEY,
    ),
    _route(
        path="/api/tape/tasks/{task_id}/control/act",
        handler=act,
        summary="Do one thing by hand in a browser that was taken over",
        body=HumanInput,
        reply=HumanOutcome,
    ),
)
