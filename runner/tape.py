"""One runner's pen on one task: every fact carries the fence of its claim, in order, all through decisions."""

import asyncio
from collections.abc import Callable, Sequence

from eventstore import decide
from eventstore import events as e
from eventstore.store import Lane, Recorded
from eventstore.task import Task
from eventstore.transact import Repository


class Tape:
    """Facts of the task at `stream`. `fence` is the version of the claim, once there is one."""

    def __init__(self, tasks: Repository[Task], stream: str, *, actor: str, fence: int = 0) -> None:
        self.fence = fence
        self.stream = stream
        self._tasks = tasks
        self._actor = actor
        self._behind: asyncio.Task[Sequence[Recorded]] | None = None

    async def state(self) -> Task:
        """The task as it stands."""
        return await self._tasks.load(self.stream)

    async def write(self, *facts: e.Event) -> None:
        """Durable when this returns. Raises what `decide.record` and the store raise, also for facts written behind."""
        await self.settle()
        await self._append(lambda task: decide.record(task, *facts), Lane.FACT)

    def write_behind(self, *facts: e.Event) -> None:
        """Begin to write; the next write, `settle` or decision waits for it and raises what it raised."""
        before = self._behind

        async def append() -> Sequence[Recorded]:
            if before is not None:
                await before
            return await self._append(lambda task: decide.record(task, *facts), Lane.FACT)

        self._behind = asyncio.create_task(append())

    async def decide(self, decision: Callable[[Task], list[e.Event]]) -> Sequence[Recorded]:
        """Append what the decision says, ahead of facts: it answers somebody who waits."""
        await self.settle()
        return await self._append(decision, Lane.CONTROL)

    async def settle(self) -> None:
        """Wait until what was written behind is durable."""
        if self._behind is not None:
            behind, self._behind = self._behind, None
            await behind

    async def _append(self, decision: Callable[[Task], list[e.Event]], lane: Lane) -> Sequence[Recorded]:
        done = await self._tasks.transact(self.stream, decision, actor=self._actor, lane=lane)
        return done.appended
