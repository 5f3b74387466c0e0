"""When questions expire that nobody answers: of all tasks, whoever runs them, and also those asked before a restart."""

import asyncio

import structlog

from eventstore import decide
from eventstore import events as e
from eventstore.clock import microseconds
from eventstore.errors import Refused
from eventstore.store import Lane, Recorded
from eventstore.task import Task
from eventstore.transact import Repository

log = structlog.get_logger()

RETRY_SECONDS = 5.0
"""Between tries to tell a log that takes nothing (a full disk) that a question has expired."""

_CLOSES = (e.InputProvided, e.InputExpired, e.ResumeRequested, e.TaskFinished, e.TaskFailed, e.TaskStopped)


class Deadlines:
    """Of the questions that are open, one a task."""

    def __init__(self, tasks: Repository[Task]) -> None:
        self._tasks = tasks
        self._due: dict[str, tuple[float, str]] = {}
        self._changed = asyncio.Event()

    def hear(self, recorded: Recorded) -> None:
        """An event that was just written."""
        match recorded.event:
            case e.InputRequested(request=request, seconds=seconds):
                self._set(recorded.stream, request, seconds)
            case event if isinstance(event, _CLOSES):
                self._due.pop(recorded.stream, None)

    def recall(self, recorded: Recorded) -> None:
        """A question that was asked before this process began, as far as the two clocks agree."""
        if isinstance(event := recorded.event, e.InputRequested):
            gone = max(microseconds() - recorded.at, 0) / 1_000_000
            self._set(recorded.stream, event.request, max(event.seconds - gone, 0.0))

    async def run(self) -> None:
        """Tell the log of each that has expired, until cancelled."""
        while True:
            self._changed.clear()
            stream = min(self._due, key=lambda each: self._due[each][0], default=None)
            if stream is None:
                await self._changed.wait()
                continue
            due, request = self._due[stream]
            try:
                async with asyncio.timeout_at(due):
                    await self._changed.wait()
            except TimeoutError:
                await self._expire(stream, request)

    async def _expire(self, stream: str, request: str) -> None:
        del self._due[stream]
        try:
            await self._tasks.transact(
                stream, lambda task: decide.expire(task, request=request), actor="system", lane=Lane.CONTROL
            )
        except Refused as refused:
            log.error("a question has expired, and the log does not take it", stream=stream, reason=str(refused))
            if stream not in self._due:  # another question may have been heard of meanwhile
                self._set(stream, request, RETRY_SECONDS)

    def _set(self, stream: str, request: str, seconds: float) -> None:
        self._due[stream] = asyncio.get_running_loop().time() + seconds, request
        self._changed.set()
