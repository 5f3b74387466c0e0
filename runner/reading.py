"""What a runner reads of the log beside following it: which tasks have not ended, and what was done in one."""

from eventstore.events import OutboxSettled, TaskStopped
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


async def living_hooks(store: EventStore) -> tuple[list[Recorded], int]:
    """The creations of all webhooks that were not deleted, the oldest first; and up to where nothing is owed to any."""
    created: dict[str, Recorded] = {}
    after = through = 0
    while page := await store.read(after, types={"hook.created", "hook.deleted", "hook.outbox_settled"}):
        after = page[-1].position
        for recorded in page:
            if recorded.type == "hook.created":
                created[recorded.stream] = recorded
            elif isinstance(recorded.event, OutboxSettled):
                through = recorded.event.through
            else:
                created.pop(recorded.stream, None)
    return list(created.values()), through
