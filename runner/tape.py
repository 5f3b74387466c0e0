"""One runner's pen on one task: every fact carries the fence of its claim, in order, all through decisions."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

import structlog

from eventstore import decide
from eventstore import events as e
from eventstore.store import Lane, Recorded
from eventstore.task import Task
from eventstore.transact import Repository
from runner.masking import Mask

log = structlog.get_logger()

CLOSE_SECONDS = 2.0


class Tape:
    """Facts of the task at `stream`. `fence` is the version of the claim, once there is one; `mask` masks them all."""

    def __init__(self, tasks: Repository[Task], stream: str, *, actor: str, fence: int = 0) -> None:
        self.fence = fence
        self.stream = stream
        self.mask = Mask()
        self._tasks = tasks
        self._actor = actor
        self._behind: asyncio.Task[None] | None = None
        self._closed = False

    async def state(self) -> Task:
        """The task as it stands."""
        return await self._tasks.load(self.stream)

    async def write(self, *facts: e.Event) -> None:
        """Durable when this returns. Raises what `decide.record` and the store raise, also for facts written behind."""
        await self.settle()
        await self._append(lambda task: decide.record(task, *facts), Lane.FACT)

    def write_behind(self, *facts: e.Event) -> None:
        """Begin to write; the next write, `settle` or decision waits for it and raises what it raised."""
        self.follow_up(_given(facts))

    def follow_up(self, facts: Coroutine[object, object, Sequence[e.Event]]) -> None:
        """As `write_behind`, for facts that take a moment to find out. They come after what is behind already.

        Once the tape was dropped or closed there is nobody to wait for them, and they are left out.
        """
        if self._closed:
            facts.close()
            return
        before = self._behind

        async def append() -> None:
            try:
                found = await facts
            finally:
                if before is not None:  # nobody else waits for it
                    await before
            await self._append(lambda task: decide.record(task, *found), Lane.FACT)

        self._behind = asyncio.create_task(append())
        self._behind.add_done_callback(lambda _: facts.close())  # cancelled at once, it has never been awaited

    async def decide(self, decision: Callable[[Task], list[e.Event]]) -> Sequence[Recorded]:
        """Append what the decision says, ahead of facts: it answers somebody who waits."""
        await self.settle()
        return await self._append(decision, Lane.CONTROL)

    async def by_hand(self, acted: e.HumanActed, *, actor: str) -> Sequence[Recorded]:
        """What a person did, in his name. Raises NotAllowed when nobody has control any more, Fenced."""
        return await self._append(lambda task: decide.human_acted(task, acted), Lane.FACT, actor=actor)

    async def settle(self) -> None:
        """Wait until what was written behind is durable."""
        if self._behind is not None:
            try:
                await asyncio.shield(self._behind)
            finally:
                if self._behind.done():
                    self._behind = None

    async def close(self) -> None:
        """Let what is behind be written, within CLOSE_SECONDS; nobody is left to hear of a refusal."""
        if self._behind is not None:
            await asyncio.wait({self._behind}, timeout=CLOSE_SECONDS)
        await self.drop()

    async def drop(self) -> None:
        """Give up what is still being found out; what was given to the log already is written all the same."""
        self._closed = True
        if self._behind is not None:
            behind, self._behind = self._behind, None
            behind.cancel()
            await asyncio.wait({behind}, timeout=CLOSE_SECONDS)
            if behind.done() and not behind.cancelled() and (error := behind.exception()):
                log.info("a fact was not written", stream=self.stream, reason=str(error))

    async def _append(
        self, decision: Callable[[Task], list[e.Event]], lane: Lane, *, actor: str = ""
    ) -> Sequence[Recorded]:
        def masked(task: Task) -> list[e.Event]:
            return [self.mask.struct(event) for event in decision(task)]

        done = await self._tasks.transact(self.stream, masked, actor=actor or self._actor, lane=lane)
        return done.appended


async def _given(facts: Sequence[e.Event]) -> Sequence[e.Event]:
    return facts
