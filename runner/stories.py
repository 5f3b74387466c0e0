"""What of each task is news to webhooks, folded from its stream; a bounded number is kept, the rest read again."""

from collections import OrderedDict

from eventstore.outbox import Story, tell
from eventstore.store import PAGE, EventStore

REMEMBERED = 1_000


class Stories:
    """Stories of tasks by stream."""

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
