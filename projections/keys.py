"""The view of API keys: in memory alone; opening reads them by type, few among many events."""

import msgspec

from eventstore import events as e
from eventstore.key import opened
from eventstore.store import EventStore, Recorded

STREAM = "key-"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as the service knows it; `id` is that of its stream, `project` what it may touch.

    `scopes` are those it was made with, `opens` all that they amount to. Times are microseconds since 1970 UTC.
    """

    id: str
    digest: str
    project: str
    name: str
    scopes: tuple[str, ...]
    opens: frozenset[str]
    created_at: int
    revoked_at: int | None = None


class Keys:
    """The keys that open something by SHA-256 hex, and all that there ever were by id."""

    def __init__(self) -> None:
        self._good: dict[str, Key] = {}
        self._all: dict[str, Key] = {}

    def __len__(self) -> int:
        return len(self._good)

    def get(self, digest: str) -> Key | None:
        """The key with this digest, unless it was revoked."""
        return self._good.get(digest)

    def find(self, key_id: str) -> Key | None:
        """The key with this id, revoked or not."""
        return self._all.get(key_id)

    def every(self, project: str | None = None) -> list[Key]:
        """All keys, or those of one project, the oldest first; the revoked ones too."""
        return [key for key in self._all.values() if project in (None, key.project)]

    def apply(self, recorded: Recorded) -> None:
        """One more event; the same one again changes nothing."""
        key_id = recorded.stream.removeprefix(STREAM)
        match recorded.event:
            case e.KeyCreated() as event if key_id not in self._all:
                key = Key(
                    id=key_id,
                    digest=event.digest,
                    project=event.project,
                    name=event.name,
                    scopes=event.scopes,
                    opens=opened(event.scopes),
                    created_at=recorded.at,
                )
                self._all[key_id] = key
                self._good.setdefault(event.digest, key)
            case e.KeyRevoked() if (known := self._all.get(key_id)) and known.revoked_at is None:
                self._all[key_id] = msgspec.structs.replace(known, revoked_at=recorded.at)
                if self._good.get(known.digest) is known:
                    del self._good[known.digest]

    async def load(self, store: EventStore) -> None:
        """Read every key that the log has."""
        position = 0
        while page := await store.read(position, types=("key.created", "key.revoked")):
            for recorded in page:
                self.apply(recorded)
            position = page[-1].position
