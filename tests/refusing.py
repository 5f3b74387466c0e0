"""A tape in memory that refuses what it is told to, as one on a full disk does."""

from collections.abc import Callable, Sequence

from eventstore import events as e
from eventstore.errors import DiskFull
from eventstore.memory import MemoryStore
from eventstore.store import Lane, Recorded


class Refusing(MemoryStore):
    """Refuses events of a kind so many times (`refuses`), counts it (`refused`), and calls `on_refusal` each time."""

    def __init__(self, refuses: dict[type[e.Event], int] | None = None) -> None:
        super().__init__()
        self.refuses = refuses or {}
        self.refused = 0
        self.on_refusal: Callable[[], None] | None = None

    async def append(
        self,
        stream: str,
        expected: int,
        events: Sequence[e.Event],
        *,
        actor: str,
        command_id: str = "",
        lane: Lane = Lane.FACT,
    ) -> Sequence[Recorded]:
        for kind in map(type, events):
            if self.refuses.get(kind, 0):
                self.refuses[kind] -= 1
                self.refused += 1
                if self.on_refusal is not None:
                    self.on_refusal()
                raise DiskFull
        return await super().append(stream, expected, events, actor=actor, command_id=command_id, lane=lane)
