"""What webhooks read of the log: which there are, and what of each task is news, folded from its stream."""

from collections import OrderedDict

from eventstore.events import OutboxSettled
from eventstore.outbox import Story, tell
from eventstore.store import PAGE, EventStore, Recorded

REMEMBERED = 1_000


class Stories:
    """Stories of tasks by stream: a bounded number is kept, the rest read again."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._known: OrderedDict[str, Story] = OrderedDict()

    async def of(self, stream: str) -> Story:
        """The story with all that is on the tape by now. Raises what the store raises."""
        story = self._known.get(stream, Story())
        while page := await self._store.read_stream(stream, story.version):
            for recorded in page:
                story = tell(story, recorded)
            if len(page) < PAGE:
                break
        known = self._known.get(stream)
        if known is None or known.version < story.version:
            self._known[stream] = story
        self._known.move_to_end(stream)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return story


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
