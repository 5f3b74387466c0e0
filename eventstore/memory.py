"""The store in memory: the same promises, gone with the process. For tests."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from itertools import islice

import msgspec

from eventstore.audit import Audit, Stored
from eventstore.clock import microseconds
from eventstore.errors import Broken
from eventstore.events import Event
from eventstore.seal import check, empty, entry, salts, seal
from eventstore.store import PAGE, Lane, Recorded, Verdict, blanked
from eventstore.tail import Tail


class MemoryStore:
    """An EventStore that writes at once, so that no lane ever fills."""

    def __init__(self, *, clock: Callable[[], int] = microseconds, log_id: bytes = bytes(16)) -> None:
        self._clock = clock
        self._log_id = log_id
        self._tail = Tail(empty(log_id))
        self._events: list[Recorded] = []
        self._streams: dict[str, list[Recorded]] = {}

    @property
    def log_id(self) -> bytes:
        """See EventStore."""
        return self._log_id

    @property
    def head(self) -> int:
        """The position of the last event, 0 for an empty tape."""
        return self._tail.head.position

    @property
    def failure(self) -> Broken | None:
        """See EventStore."""
        return self._tail.broken

    async def append(
        self,
        stream: str,
        expected: int,
        events: Sequence[Event],
        *,
        actor: str,
        command_id: str = "",
        lane: Lane = Lane.FACT,
    ) -> Sequence[Recorded]:
        """See EventStore. Raises Conflict and Invalid."""
        wish = entry(stream, expected, events, actor=actor, command_id=command_id)
        if not events:
            return ()
        check(wish, len(self._streams.get(stream, ())))
        sealed = seal(self._tail.head, wish, now=self._clock(), salts=salts(len(events)))
        self._events.extend(sealed)
        self._streams.setdefault(stream, []).extend(sealed)
        self._tail.extend(sealed, wish.size)
        # Other stores let others run here; one that never did would hide their races.
        await asyncio.sleep(0)
        return sealed

    async def read(
        self, after: int = 0, *, limit: int = PAGE, types: Collection[str] | None = None
    ) -> Sequence[Recorded]:
        """See EventStore."""
        after, limit = max(after, 0), max(0, min(limit, PAGE))
        if types is None:
            return self._events[after : after + limit]
        return list(islice((event for event in islice(self._events, after, None) if event.type in types), limit))

    async def read_stream(self, stream: str, after: int = 0, *, limit: int = PAGE) -> Sequence[Recorded]:
        """See EventStore."""
        after = max(after, 0)
        return self._streams.get(stream, [])[after : after + max(0, min(limit, PAGE))]

    async def wait(self, after: int) -> None:
        """See EventStore."""
        await self._tail.wait(after)

    async def redact(self, stream: str, through: int) -> int:
        """See EventStore."""
        events = self._streams.get(stream, [])
        blank = [each for each in events[:through] if each.payload is not None]
        for each in blank:
            self._events[each.position - 1] = events[each.version - 1] = blanked(each)
        self._tail.forget(stream, through)
        await asyncio.sleep(0)
        return len(blank)

    async def verify(self) -> Verdict:
        """See EventStore."""
        audit = Audit(self._log_id)
        for recorded in self._events:
            if problem := audit.take(msgspec.convert(recorded, Stored, from_attributes=True)):
                return audit.failed(problem, first_bad=audit.head.position + 1)
        return audit.passed()
