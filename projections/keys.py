"""The view of API keys: by digest, in memory alone; opening reads them by type, few among many events."""

import msgspec

from eventstore import events as e
from eventstore.store import EventStore, Recorded

STREAM = "key-"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as the service knows it; `id` is that of its stream, `project` what it may touch."""

    id: str
    project: str
    name: str


class Keys:
    """The keys by SHA-256 hex."""

    def __init__(self) -> None:
        self._by_digest: dict[str, Key] = {}

    def __len__(self) -> int:
        return len(self._by_digest)

    def get(self, digest: str) -> Key | None:
        """The key with this digest."""
        return self._by_digest.get(digest)

    def apply(self, recorded: Recorded) -> None:
        """One more event; the same one again changes nothing."""
        event = recorded.event
        if isinstance(event, e.KeyCreated):
            key = Key(id=recorded.stream.removeprefix(STREAM), project=event.project, name=event.name)
            self._by_digest.setdefault(event.digest, key)

    async def load(self, store: EventStore) -> None:
        """Read every key that the log has."""
        position = 0
        while page := await store.read(position, types=("key.created",)):
            for recorded in page:
                self.apply(recorded)
            position = page[-1].position
