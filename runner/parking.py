"""How long paused tasks keep their browsers, and how many of them do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LetGo(Exception):
    """The runner gives the task back: paused for longer than its browser is kept, or the service ends."""

    def __init__(self, cause: str) -> None:
        """`cause` is what the tape says of it: `let_go` or `shutdown`."""
        super().__init__(cause)
        self.cause = cause


class Parking:
    """Paused tasks that keep their browsers: for so many seconds, and so many of them; of more, the first let go."""

    def __init__(self, *, seconds: float, most: int) -> None:
        """Empty."""
        self._seconds = seconds
        self._most = most
        self._kept: list[asyncio.Timeout] = []

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Raises LetGo when the time is over, or the place is needed."""
        try:
            async with asyncio.timeout(self._seconds) as kept:
                self._kept.append(kept)
                try:
                    if len(self._kept) > self._most and not (first := self._kept.pop(0)).expired():
                        first.reschedule(0.0)
                    yield
                finally:
                    if kept in self._kept:
                        self._kept.remove(kept)
        except TimeoutError as error:
            raise LetGo("let_go") from error
