"""What a runner reads of the log beside following it: which tasks have not ended, and what was done in one."""

from eventstore.events import InputRequested, TaskStopped
from eventstore.store import PAGE, EventStore, Recorded
from runner.past import Past

_BEGINS = "task.created"
_ENDS = frozenset({"task.finished", "task.failed", "task.stopped"})


async def unended(store: EventStore) -> list[str]:
    """Streams of the tasks that have not ended, oldest first."""
    streams: dict[str, None] = {}
    after = 0
    while page := await store.read(after, types={_BEGINS, *_ENDS}):
        after = page[-1].position
        for recorded in page:
            if recorded.type == _BEGINS:
                streams[recorded.stream] = None
            else:
                streams.pop(recorded.stream, None)
    return list(streams)


def stopped_alone(recorded: Recorded) -> bool:
    """Whether a task was stopped when nobody ran it (any more): a runner that stops one, or loses it, sees to it."""
    event = recorded.event
    return isinstance(event, TaskStopped) and event.cause == "stop" and not recorded.actor.startswith("runner:")


async def past_of(store: EventStore, stream: str) -> Past:
    """What was done in the task so far."""
    past, version = Past(), 0
    while page := await store.read_stream(stream, version):
        past.note(recorded.event for recorded in page)
        version = page[-1].version
        if len(page) < PAGE:
            break
    return past


async def asked(store: EventStore, stream: str, request: str) -> Recorded | None:
    """The event by which the task asked that question."""
    version = 0
    while page := await store.read_stream(stream, version):
        for recorded in page:
            if isinstance(recorded.event, InputRequested) and recorded.event.request == request:
                return recorded
        version = page[-1].version
    return None
