"""What the tests of the views share: a projector that runs, a few lives of tasks, and all that the views tell."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from eventstore import events as e
from eventstore.machine import State
from eventstore.store import EventStore
from projections.projector import Projector, open_projector
from projections.tasks import TaskRow
from tests.histories import act, acted, claim, fail, finish, history, start, step, take

LIMIT = 60.0


@asynccontextmanager
async def following(store: EventStore, path: Path | None = None) -> AsyncIterator[Projector]:
    """A projector that runs, and has seen all that the log had."""
    async with open_projector(store, path) as projector, asyncio.TaskGroup() as group:
        running = group.create_task(projector.run())
        async with asyncio.timeout(LIMIT):
            await projector.reached(store.head)
        yield projector
        running.cancel()


async def write(store: EventStore, task_id: str, events: Sequence[e.Event], *, version: int = 0) -> int:
    """Append to the task's stream; answers the last position."""
    return (await store.append(f"task-{task_id}", version, events, actor="test"))[-1].position


async def shown(projector: Projector, ids: Sequence[str]) -> object:
    """All that the views tell."""
    return (
        [(await projector.tasks.find(each), await projector.steps.of(each)) for each in ids],
        await projector.tasks.page(project="p", limit=100),
        +projector.tasks.counts,
    )


RUNNING = history([claim, start, step, act, acted, take, step, act])
FINISHED = history([claim, start, step, act, acted, take, finish])
FAILED = history([claim, start, fail])


def state(row: TaskRow | None) -> State | None:
    return row.state if row else None
