"""Which part of the log a caller may see: the tasks and keys of his project. What is not his does not exist for him."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import msgspec

from api.control import seen
from api.service import Caller, Service
from eventstore import folder, hook, profile, schedule
from eventstore.events import KeyCreated
from eventstore.store import PAGE, EventStore, Recorded
from projections.sessions import STREAM as SESSION

LAST = frozenset({"task.finished", "task.failed", "task.stopped"})
_TASK = "task-"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Events after a position. `next` is how far the log was looked at; `last` tells that nothing can follow."""

    events: Sequence[Recorded]
    next: int
    last: bool = False


Reader: TypeAlias = Callable[[int, int], Awaitable[Part]]


async def of_project(service: Service, caller: Caller, after: int, limit: int) -> Part:
    """The caller's events among the next `limit` of the whole log."""
    page = await service.store.read(after, limit=limit)
    if not page:
        return Part(events=(), next=after)
    await seen(service, page[-1].position)
    projects: dict[str, str] = {}
    for recorded in page:
        if recorded.stream not in projects:
            projects[recorded.stream] = await _project(service, recorded)
    mine = [recorded for recorded in page if projects[recorded.stream] == caller.project]
    return Part(events=mine, next=page[-1].position)


class TaskReader:
    """Reads one task's stream by positions of the log, and remembers where it was, so that a follower reads on."""

    def __init__(self, store: EventStore, stream: str) -> None:
        self._store = store
        self._stream = stream
        self._told: list[tuple[int, int]] = []  # positions and versions of the last part: its reader may take less
        self._ended = False

    async def __call__(self, after: int, limit: int) -> Part:
        """The next `limit` events. When there are fewer, the log was looked at up to the head of that moment."""
        head = self._store.head
        version = next((version for position, version in reversed(self._told) if position <= after), 0)
        if version and after >= head:  # as a follower asks that has just been told the newest
            return Part(events=(), next=after, last=self._ended)
        size = limit if version else PAGE  # who reads on reads no more than is asked for
        events: list[Recorded] = []
        while len(events) < limit and (page := await self._store.read_stream(self._stream, version, limit=size)):
            version = page[-1].version
            self._ended = self._ended or any(recorded.type in LAST for recorded in page)
            events += [recorded for recorded in page if recorded.position > after]
            if len(page) < size:
                break
        events = events[:limit]
        if events:
            self._told = [(recorded.position, recorded.version) for recorded in events]
        last, full = events[-1].position if events else after, len(events) == limit
        return Part(
            events=events,
            next=last if full else max(head, last),
            last=self._ended and not full,
        )


async def _project(service: Service, recorded: Recorded) -> str:
    """Whose the stream is; empty for what belongs to nobody, such as `system`."""
    if recorded.stream.startswith(_TASK):
        row = await service.projector.tasks.find(recorded.stream.removeprefix(_TASK))
        return row.project if row else ""
    if recorded.stream.startswith(SESSION):
        session = await service.sessions.load(recorded.stream)
        if not session.version:  # who appends this very event may not have got to know that it is there
            session = await service.sessions.fresh(recorded.stream)
        known = session.created or session.purged
        return known.project if known else ""
    if recorded.stream.startswith(folder.STREAM):
        return recorded.stream.removeprefix(folder.STREAM)
    if recorded.stream.startswith(profile.STREAM):
        return service.projector.profiles.project(recorded.stream.removeprefix(profile.STREAM))
    if recorded.stream.startswith(schedule.STREAM):
        return service.projector.schedules.project(recorded.stream.removeprefix(schedule.STREAM))
    if recorded.stream.startswith(hook.STREAM):
        name = hook.stream(hook.place(recorded.stream)[0])
        created = (await service.hooks.load(name)).created or (await service.hooks.fresh(name)).created
        return created.project if created else ""
    return recorded.event.project if isinstance(recorded.event, KeyCreated) else ""
