"""What a runner reads of the log beside following it: which tasks have not ended, and what was done in one."""

from eventstore.store import PAGE, EventStore
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


async def past_of(store: EventStore, stream: str) -> Past:
    """What was done in the task so far."""
    past, version = Past(), 0
    while page := await store.read_stream(stream, version):
        past.note(recorded.event for recorded in page)
        version = page[-1].version
        if len(page) < PAGE:
            break
    return past
