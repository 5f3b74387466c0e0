"""The end of the tape in memory: its head, the last events for followers at the head, and everybody who waits for more.

A follower that keeps up never touches the disk. Waiting is one event per commit, swapped for a new one: no polling.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from itertools import islice

from eventstore.errors import Broken
from eventstore.seal import Place
from eventstore.store import Recorded, blanked

RECENT = 4_096
RECENT_BYTES = 32 * 1024 * 1024

NEAR = 256
"""So far back is looked for the events of one stream: less than a look at the disk costs."""


class Tail:
    """What has been committed. `broken` is set when there will never be more."""

    def __init__(self, head: Place) -> None:
        self.head = head
        self.broken: Broken | None = None
        self._recent: deque[Recorded] = deque()
        self._bytes = 0
        self._more = asyncio.Event()

    def extend(self, events: Sequence[Recorded], size: int) -> None:
        """These, with `size` bytes of payload, are durable now: show them and wake everybody who waits."""
        self.head = events[-1]
        self._recent.extend(events)
        self._bytes += size
        while len(self._recent) > RECENT or self._bytes > RECENT_BYTES:
            self._bytes -= len(self._recent.popleft().payload or b"")
        self._wake()

    def forget(self, stream: str, through: int) -> None:
        """The first `through` events of the stream have no payload any more."""
        self._recent = deque(
            blanked(each) if each.stream == stream and each.version <= through else each for each in self._recent
        )
        self._bytes = sum(len(each.payload or b"") for each in self._recent)

    def fail(self, broken: Broken) -> None:
        """There will never be more. The first reason stays."""
        self.broken = self.broken or broken
        self._wake()

    def check(self) -> None:
        """Raises Broken when the store failed or was closed."""
        if self.broken is not None:
            raise self.broken.again() from self.broken

    def page(self, after: int, limit: int, types: Collection[str] | None) -> list[Recorded] | None:
        """A page of what follows, or None when the answer begins before what is kept here."""
        start = after - self.head.position + len(self._recent)
        if start < 0:
            return None
        rest = islice(self._recent, start, None)
        if types is not None:
            rest = (recorded for recorded in rest if recorded.type in types)  # type: ignore[assignment]  # an iterator too
        return list(islice(rest, limit))

    def of_stream(self, stream: str, after: int) -> list[Recorded] | None:
        """The stream's events beyond version `after`, or None when they do not all lie near the end."""
        found: list[Recorded] = []
        for each in islice(reversed(self._recent), NEAR):
            if each.stream == stream:
                found.append(each)
                if each.version == after + 1:
                    return found[::-1]
        return None

    async def wait(self, after: int) -> None:
        """Return when the head is beyond `after`. Raises Broken when it will never be."""
        while self.head.position <= after:
            self.check()
            await self._more.wait()

    def _wake(self) -> None:
        woken, self._more = self._more, asyncio.Event()
        woken.set()
