"""What the living webhooks are owed, and what becomes of it: read from the tape, and written there."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from urllib.parse import urlsplit

import msgspec
import structlog

from eventstore import events as e
from eventstore import hook as hooks
from eventstore import outbox
from eventstore.errors import Refused
from eventstore.hook import Hook
from eventstore.outbox import Deliveries, Owed, Story
from eventstore.store import EventStore, Recorded
from eventstore.transact import Repository
from runner.stories import Stories

ACTOR = "system"
RECORD_SECONDS = (0.1, 1.0, 5.0, 15.0)
"""Waits between tries to record what was delivered, where the log takes nothing; the last one repeats."""

Decision = Callable[[Deliveries], list[e.HookEvent]]
log = structlog.get_logger()


class Target(msgspec.Struct, kw_only=True):
    """A living webhook. `since` is the position of its creation; `behind`: after that position look for more of it."""

    id: str
    created: e.HookCreated
    since: int
    behind: int | None = None

    @property
    def origin(self) -> str:
        """Whom a request reaches."""
        parts = urlsplit(self.created.url)
        return f"{parts.scheme}://{parts.netloc}"


class Targets:
    """The living webhooks, by id and by what they are to be told of."""

    def __init__(self) -> None:
        self._known: dict[str, Target] = {}
        self._wide: dict[str, dict[str, Target]] = {}
        self._narrow: dict[str, dict[str, Target]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Target]:
        return iter(list(self._known.values()))

    def get(self, hook_id: str) -> Target | None:
        """The webhook, while it lives."""
        return self._known.get(hook_id)

    def add(self, target: Target) -> None:
        """One more."""
        self._known[target.id] = target
        self._group(target).setdefault(self._name(target), {})[target.id] = target

    def remove(self, hook_id: str) -> None:
        """One less."""
        if target := self._known.pop(hook_id, None):
            group, name = self._group(target), self._name(target)
            del group[name][hook_id]
            if not group[name]:
                del group[name]

    def of(self, project: str, task: str) -> list[Target]:
        """Those that may be told of the task."""
        narrow = (target for target in self._narrow.get(task, {}).values() if target.created.project == project)
        return [*self._wide.get(project, {}).values(), *narrow]

    def _group(self, target: Target) -> dict[str, dict[str, Target]]:
        return self._narrow if target.created.task else self._wide

    def _name(self, target: Target) -> str:
        return target.created.task or target.created.project


class Owing:
    """The tape's side of webhooks."""

    def __init__(self, store: EventStore, retry: Sequence[float]) -> None:
        self.targets = Targets()
        self.stories = Stories(store)
        self._retry = retry
        self._hooks = Repository(store, Hook(), hooks.evolve)
        self._deliveries = Repository(store, Deliveries(), outbox.evolve)

    async def add(self, recorded: Recorded) -> Target | None:
        """The webhook that was created there, unless it was deleted since."""
        hook_id, _ = hooks.place(recorded.stream)
        created = await self.alive(hook_id)
        if created is None or self.targets.get(hook_id):
            return None
        target = Target(id=hook_id, created=created, since=recorded.position)
        self.targets.add(target)
        return target

    async def alive(self, hook_id: str) -> e.HookCreated | None:
        """What the webhook is about, unless it is deleted by now."""
        return (await self._hooks.fresh(hooks.stream(hook_id))).alive

    async def owed(self, target: Target, lane: str) -> tuple[Story, list[Owed]]:
        """What is owed in the lane, the earliest first; and the task's story, which is empty for tests."""
        deliveries = await self._deliveries.fresh(hooks.deliveries(target.id, lane))
        if lane == hooks.TEST:
            return Story(), outbox.owed_test(target.created, deliveries)
        story = await self.stories.of(f"task-{lane}")
        return story, outbox.owed(target.created, target.since, lane, story, deliveries)

    async def delivered(self, target: Target, lane: str, owed: Owed, *, status: int, duration_ms: int) -> None:
        """Record a success."""
        decision = partial(
            outbox.delivered, source=owed.source, attempt=owed.attempt, status=status, duration_ms=duration_ms
        )
        await self._record(target, lane, decision)

    async def failed(self, target: Target, lane: str, owed: Owed, *, error: str, now: int, final: bool) -> bool:
        """Record an attempt in vain; whether it was the last one."""
        decision = partial(
            outbox.failed,
            source=owed.source,
            attempt=owed.attempt,
            error=error,
            now=now,
            retry=self._retry,
            final=final,
        )
        appended = await self._record(target, lane, decision)
        return any(isinstance(each.event, e.HookFailed) and not each.event.next_at for each in appended)

    async def over(self, target: Target, *, absent: bool = False) -> None:
        """Forget a webhook for one task once that has ended (or, if `absent`, never was) and nothing is owed.

        One with dead letters stays while there is something to tell: they can be delivered again.
        """
        task = target.created.task
        if not task:
            return
        story, owed = await self.owed(target, task)
        ended = story.task.ended or (absent and not story.version)
        if not ended or owed or (await self.owed(target, hooks.TEST))[1]:
            return
        tries = (await self._deliveries.load(hooks.deliveries(target.id, task))).tries
        if story.task.redacted is None and any(each.dead for each in tries.values()):
            return
        reason = "the task has ended" if story.version else "the task was not created"
        try:
            delete = partial(hooks.delete, reason=reason)
            await self._hooks.transact(hooks.stream(target.id), delete, actor=ACTOR)
        except Refused as refused:  # the next start tries again
            log.warning("a webhook could not be forgotten yet", hook=target.id, reason=str(refused))

    async def _record(self, target: Target, lane: str, decision: Decision) -> Sequence[Recorded]:
        """Until the log takes it: what is not on the tape would be told again."""
        stream = hooks.deliveries(target.id, lane)
        tries = 0
        while True:
            try:
                return (await self._deliveries.transact(stream, decision, actor=ACTOR)).appended
            except Refused as refused:
                log.error("a delivery could not be recorded yet", hook=target.id, reason=str(refused))
                await asyncio.sleep(RECORD_SECONDS[min(tries, len(RECORD_SECONDS) - 1)])
                tries += 1
