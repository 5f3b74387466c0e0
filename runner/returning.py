"""Gives tasks back to the log: one that nobody runs must not look run for long."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog

from eventstore import decide
from eventstore.errors import Refused
from eventstore.store import Lane
from eventstore.task import Task
from eventstore.transact import Repository

LEAVE_SECONDS = 1.0
"""How long the log may take to have the tasks that are still at work back; what it has not got back counts as lost."""

RETRY_SECONDS = (0.1, 1.0, 5.0, 15.0, 60.0)
"""Waits between tries to give a task back to a log that will not take it (a full disk); the last one repeats."""

log = structlog.get_logger()


class Returning:
    """Of the runner of that name. `ended` is told of a task that was lost once too often, and so has ended."""

    def __init__(
        self,
        tasks: Repository[Task],
        *,
        runner: str,
        actor: str,
        max_attempts: int,
        ended: Callable[[str, Task], Awaitable[None]],
    ) -> None:
        self._tasks = tasks
        self._runner = runner
        self._actor = actor
        self._max_attempts = max_attempts
        self._ended = ended

    async def lost(self, stream: str) -> Task:
        """The task as nobody runs it: whoever did is gone."""
        task = await self._tasks.load(stream)
        return await self._lose(stream, task.runner, "crash", actor="system") if task.runner else task

    async def give_back(self, stream: str, cause: str) -> None:
        """This runner runs it no longer. Tried until the log takes it."""
        tries = 0
        while True:
            try:
                await self._lose(stream, self._runner, cause, actor=self._actor)
                return
            except Refused as refused:
                log.error("a task could not be given back yet", stream=stream, reason=str(refused))
                await asyncio.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1

    async def all_back(self, streams: Iterable[str]) -> None:
        """Every one of them, as far as that goes in LEAVE_SECONDS."""
        left = dict.fromkeys(streams)
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                for stream in list(left):
                    await self.give_back(stream, "shutdown")
                    del left[stream]
        except TimeoutError:
            log.error("not every task could be given back", left=len(left))

    async def _lose(self, stream: str, runner: str, cause: str, *, actor: str) -> Task:
        lose = partial(decide.lose, runner=runner, cause=cause, max_attempts=self._max_attempts)
        done = await self._tasks.transact(stream, lose, actor=actor, lane=Lane.CONTROL)
        if done.appended and done.state.ended:
            await self._ended(stream, done.state)
        return done.state
