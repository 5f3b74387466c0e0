"""Follows the log for webhooks: which lanes have news, and how far nothing is owed any more.

A webhook that is far behind costs a position, and not a queue: what does not fit waits on the tape and is read again.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from eventstore import events as e
from eventstore import hook as hooks
from eventstore.errors import Refused
from eventstore.outbox import TELLING
from eventstore.store import EventStore, Recorded
from runner.lanes import Lanes
from runner.owing import ACTOR, Owing, Target
from runner.stories import living_hooks

OUTBOX = "hooks"
"""The stream that tells how far everything is settled."""

WINDOW = 1_000
"""So many lanes of one webhook are held in memory."""

CHECKPOINT_EVENTS = 10_000
REFILL = 100
TYPES = (*TELLING, "hook.created", "hook.deleted", "hook.redelivery_requested")

log = structlog.get_logger()


class Hearing:
    """Puts into `lanes` whatever may be owed. `news` is called when something may have been.

    `gone` is called with the id of a webhook that was deleted.
    """

    def __init__(
        self,
        store: EventStore,
        owing: Owing,
        lanes: Lanes,
        *,
        news: Callable[[], None],
        gone: Callable[[str], Awaitable[None]],
        window: int = WINDOW,
        checkpoint_events: int = CHECKPOINT_EVENTS,
    ) -> None:
        self._store, self._owing, self._lanes = store, owing, lanes
        self._news, self._gone = news, gone
        self._window, self._checkpoint_events = window, checkpoint_events
        self._late: dict[str, Target] = {}
        self._room = asyncio.Event()
        self._position = self._settled = self._asked = 0

    async def take_up(self) -> None:
        """Find the living webhooks and the first event that may still be owed to one. To be awaited before `follow`."""
        head = self._store.head
        created, self._settled = await living_hooks(self._store)
        oldest = min((recorded.position for recorded in created), default=head + 1) - 1
        self._position = self._asked = max(self._settled, oldest)
        for recorded in created:
            await self._created(recorded)
        for target in self._owing.targets:
            await self._owing.over(target, absent=True)

    async def follow(self) -> None:
        """Hear everything, until cancelled. Raises what the store raises."""
        while True:
            head = self._store.head
            page = await self._store.read(self._position, types=TYPES)
            for recorded in page:
                await self._hear(recorded)
                self._position = recorded.position
            if not page:
                self._position = max(self._position, head)
            self._room.clear()
            await self._refill()
            await self._checkpoint()
            self._news()
            if not page and not self._fitting():
                await self._wait()

    def room(self, hook_id: str) -> None:
        """A lane of the webhook may be free for what did not fit."""
        if hook_id in self._late:
            self._room.set()

    async def _wait(self) -> None:
        """Until there is something to hear, or room for what did not fit."""
        waits = {asyncio.ensure_future(self._store.wait(self._position)), asyncio.ensure_future(self._room.wait())}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in waits:
                each.cancel()

    async def _hear(self, recorded: Recorded) -> None:
        hook_id, lane = hooks.place(recorded.stream)
        match recorded.event:
            case e.HookCreated():
                await self._created(recorded)
            case e.HookDeleted():
                self._owing.targets.remove(hook_id)
                self._late.pop(hook_id, None)
                self._lanes.forget(hook_id)
                await self._gone(hook_id)
            case e.RedeliveryRequested():
                if target := self._owing.targets.get(hook_id):
                    self._offer(target, lane, recorded.position)
            case _:
                await self._task(recorded)

    async def _created(self, recorded: Recorded) -> None:
        if target := await self._owing.add(recorded):
            self._offer(target, hooks.TEST, recorded.position)

    async def _task(self, recorded: Recorded, only: Target | None = None) -> None:
        """Where this event brought the task to another status, offer its lanes of all webhooks, or of one."""
        if not len(self._owing.targets):
            return
        task = recorded.stream.removeprefix("task-")
        story = await self._owing.stories.of(recorded.stream)
        told = next((each for each in reversed(story.told) if each.source == recorded.position), None)
        if told is None:
            return
        for target in self._owing.targets.of(story.project, task):
            if target.since > told.source or only not in (None, target):
                continue
            # One for this task looks at it in any case: it may be over.
            if target.created.task or hooks.wants(target.created, task, told.status):
                self._offer(target, task, told.source)

    def _offer(self, target: Target, lane: str, position: int) -> None:
        if self._lanes.has(target.id, lane) or (target.behind is None and self._lanes.of(target.id) < self._window):
            self._lanes.offer(target.id, lane, target.origin, position)
        else:
            self._leave(target, position - 1)

    def _fitting(self) -> list[Target]:
        """The webhooks that have room for what did not fit."""
        return [target for target in self._late.values() if self._lanes.of(target.id) <= self._window // 2]

    async def _refill(self) -> None:
        """Read again what did not fit, one page for each webhook that has room."""
        for target in self._fitting():
            after = self._late.pop(target.id).behind or 0
            page = await self._store.read(after, types=TYPES, limit=REFILL)
            heard = [recorded for recorded in page if recorded.position <= self._position]
            target.behind = None
            for recorded in heard:
                await self._again(target, recorded)
            if len(heard) == REFILL:
                self._leave(target, heard[-1].position)

    def _leave(self, target: Target, position: int) -> None:
        """What comes after that position is to be read again, if not even more is."""
        if target.behind is None:
            target.behind = position
            self._late[target.id] = target

    async def _again(self, target: Target, recorded: Recorded) -> None:
        match recorded.event:
            case e.RedeliveryRequested():
                hook_id, lane = hooks.place(recorded.stream)
                if hook_id == target.id:
                    self._offer(target, lane, recorded.position)
            case e.HookCreated() | e.HookDeleted():
                return
            case _:
                await self._task(recorded, target)

    async def _checkpoint(self) -> None:
        """Now and then, where the next start may begin. Looked for seldom: it asks every lane."""
        if not len(self._owing.targets) or self._position - self._asked < self._checkpoint_events // 10:
            return
        self._asked = self._position
        left = [target.behind for target in self._late.values() if target.behind is not None]
        oldest = self._lanes.oldest()
        through = min([self._position, *left, *([] if oldest is None else [oldest - 1])])
        if through - self._settled < self._checkpoint_events:
            return
        version = 0
        while page := await self._store.read_stream(OUTBOX, version):
            version = page[-1].version
        try:
            await self._store.append(OUTBOX, version, [e.OutboxSettled(through=through)], actor=ACTOR)
            self._settled = through
        except Refused as refused:
            log.warning("how far webhooks are settled could not be recorded yet", reason=str(refused))
