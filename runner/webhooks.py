"""Tells webhooks of their tasks' statuses: at least once, in order for each task, or there is a dead letter.

Nobody calls it. What is owed stands on the tape (`eventstore/outbox.py`); here is only when it is told. No task's
status ever depends on a delivery.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from eventstore import hook as hooks
from eventstore.clock import microseconds
from eventstore.errors import Refused
from eventstore.outbox import RETRY_SECONDS, Owed, Story, Tally
from eventstore.store import EventStore
from eventstore.vault import Vault
from runner.hearing import CHECKPOINT_EVENTS, WINDOW, Hearing
from runner.keeping import forget
from runner.lanes import Lane, Lanes
from runner.owing import Owing, Target
from runner.posting import Answer, Post, headers, message, ping

LONGEST_SECONDS = 60.0
"""The longest sleep without a look at the clock, which may be set."""

REFUSED_SECONDS = 1.0
"""How long a lane rests when the log could not be read."""

log = structlog.get_logger()


class Webhooks:
    """The webhooks of one process. `clock` tells microseconds since 1970; `tally` is what the health page shows."""

    def __init__(
        self,
        store: EventStore,
        vault: Vault,
        post: Post,
        tally: Tally,
        *,
        retry: Sequence[float] = RETRY_SECONDS,
        clock: Callable[[], int] = microseconds,
        window: int = WINDOW,
        checkpoint_events: int = CHECKPOINT_EVENTS,
    ) -> None:
        self._vault, self._post, self._tally, self._clock = vault, post, tally, clock
        self._longest = round(max(retry, default=0.0) * 1_000_000)
        self._changed = asyncio.Event()
        self._lanes = Lanes()
        self._owing = Owing(store, retry)
        self._hearing = Hearing(
            store,
            self._owing,
            self._lanes,
            news=self._changed.set,
            gone=self._forget,
            window=window,
            checkpoint_events=checkpoint_events,
        )
        self._under_way: dict[str, set[asyncio.Task[int | None]]] = {}
        tally.count = lambda: self._lanes.owed

    async def take_up(self) -> None:
        """Find what may be owed. To be awaited before `run`."""
        await self._hearing.take_up()

    async def run(self) -> None:
        """Tell until cancelled. What is under way then is told again by the next run."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hearing.follow())
            group.create_task(self._dispatch(group))

    def wake(self) -> None:
        """Look at the clock again."""
        self._changed.set()

    async def _dispatch(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._changed.clear()
            while lane := self._lanes.take(self._clock()):
                work = group.create_task(self._work(lane))
                self._under_way.setdefault(lane.hook, set()).add(work)
                work.add_done_callback(partial(self._came_back, lane))
            due = self._lanes.next_due()
            left = None if due is None else min(LONGEST_SECONDS, max(0.0, (due - self._clock()) / 1_000_000))
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _came_back(self, lane: Lane, work: asyncio.Task[int | None]) -> None:
        """Here and not in the work itself: one that is cancelled before it has begun never comes to its end."""
        due = None if work.cancelled() or work.exception() else work.result()
        if due is None:
            self._lanes.drop(lane)
        else:
            self._lanes.put_back(lane, due)
        working = self._under_way[lane.hook]
        working.discard(work)
        if not working:
            del self._under_way[lane.hook]
        self._hearing.room(lane.hook)
        self._changed.set()

    async def _forget(self, hook_id: str) -> None:
        """It is told nothing more, not even what is under way; and nothing is signed for it any more."""
        for work in self._under_way.get(hook_id, ()):
            work.cancel()
        await forget(self._vault, hooks.vault_name(hook_id))

    async def _work(self, lane: Lane) -> int | None:
        """One delivery of a lane, if one is due. Answers as `_one` does."""
        try:
            target = self._owing.targets.get(lane.hook)
            if target is not None and await self._owing.alive(lane.hook):
                return await self._one(lane, target)
        except Refused as refused:
            log.error("what a webhook is owed could not be read yet", hook=lane.hook, reason=str(refused))
            return self._clock() + round(REFUSED_SECONDS * 1_000_000)
        return None

    async def _one(self, lane: Lane, target: Target) -> int | None:
        """When the lane is to be looked at again (0: at once), None when nothing is owed in it."""
        story, owed = await self._owing.owed(target, lane.task)
        lane.owed = len(owed)
        if not owed:
            await self._owing.over(target)
            return None
        # Should the clock have been set back, it is still not later than the schedule says.
        due = min(owed[0].next_at, self._clock() + self._longest)
        if due > self._clock():
            return due
        await self._deliver(lane, target, story, owed[0])
        return 0

    async def _deliver(self, lane: Lane, target: Target, story: Story, owed: Owed) -> None:
        final = owed.told is not None and story.task.created is None
        answer = Answer(error="the task was redacted") if final else await self._said(lane, target, story, owed)
        if not answer.error:
            await self._owing.delivered(target, lane.task, owed, status=answer.status, duration_ms=answer.duration_ms)
            self._tally.delivered += 1
            return
        log.warning("a webhook was not told", hook=lane.hook, attempt=owed.attempt, reason=answer.error)
        self._tally.failed += 1
        self._tally.dead += await self._owing.failed(
            target, lane.task, owed, error=answer.error, now=self._clock(), final=final
        )

    async def _said(self, lane: Lane, target: Target, story: Story, owed: Owed) -> Answer:
        """One request. Whatever goes wrong with it is no more than an attempt in vain."""
        try:
            secret = await self._vault.get(hooks.vault_name(lane.hook))
            if secret is None:
                return Answer(error="its signing secret is not in the vault")
            now = self._clock()
            created = story.task.created
            body = ping(now) if owed.told is None or created is None else message(owed.told, lane.task, created)
            signed = headers(body, secret, hook=lane.hook, source=owed.source, seconds=now // 1_000_000)
            answer = await self._post.send(target.created.url, body, signed)
        except OSError as failure:
            return Answer(error=f"its signing secret cannot be read: {failure.strerror}")
        except Exception:
            # A defect here must cost a delivery, and not the service.
            log.exception("a webhook could not be asked", hook=lane.hook)
            return Answer(error="the request failed")
        self._lanes.doubt(target.origin, answered=not answer.error)
        return answer
