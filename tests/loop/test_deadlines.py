"""A question expires while the log takes nothing: it is told later, and never in the place of a newer question."""

import asyncio
from functools import partial

import msgspec
import pytest

from api.background import background
from eventstore import decide
from eventstore import events as e
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from runner.deadlines import Deadlines
from tests.refusing import Refusing

LIMIT = 60.0
STREAM = "task-1"
CREATED = e.TaskCreated(
    instruction="Ask.", llm="instructions", session="s", project="p", family="v2", request_digest=""
)
STARTED = e.TaskStarted(fence=1, browser="Stage 1", viewport_width=800, viewport_height=600)
ASKED = e.InputRequested(fence=1, step=1, request="first", kind="text", prompt="Who?", seconds=0.0)


@pytest.mark.parametrize(("asks_anew", "waits"), [(False, "first"), (True, "second")])
async def test_a_refused_expiry_is_tried_again_unless_a_newer_question_was_heard_of(
    asks_anew: bool, waits: str
) -> None:
    store = Refusing({e.InputExpired: 1})
    tasks = Repository(store, Task(), evolve)
    for decision in (
        partial(decide.create, created=CREATED),
        partial(decide.claim, runner="r1"),
        lambda task: decide.record(task, msgspec.structs.replace(STARTED, fence=task.fence)),
        lambda task: decide.record(task, e.StepStarted(fence=task.fence, number=1)),
        lambda task: decide.ask(task, msgspec.structs.replace(ASKED, fence=task.fence)),
    ):
        await tasks.transact(STREAM, decision, actor="runner:r1")
    (asked,) = [each for each in await store.read_stream(STREAM) if isinstance(each.event, e.InputRequested)]
    newer = msgspec.structs.replace(ASKED, request="second", seconds=600.0)
    deadlines, refused = Deadlines(tasks), asyncio.Event()

    def overtake() -> None:
        if asks_anew:
            deadlines.hear(msgspec.structs.replace(asked, event=newer))
        refused.set()

    store.on_refusal = overtake
    deadlines.hear(asked)
    async with asyncio.timeout(LIMIT), background(deadlines.run()):
        await refused.wait()
        while not deadlines._due:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0)
        ((_, request),) = deadlines._due.values()

    assert waits == request
