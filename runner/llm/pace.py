"""How fast one endpoint is asked: so many calls at once, and none before it said that it will take more."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 8.0
HOLD_SECONDS = 60.0

Sleep = Callable[[float], Awaitable[None]]


class Pace:
    """Shared by all tasks that ask the endpoint. `now` is in seconds, of any beginning; `sleep` waits by it."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self.now = now
        self.sleep = sleep
        self._places = asyncio.Semaphore(most)
        self._not_before = 0.0

    async def enter(self, seconds: float) -> None:
        """Take one of the places, as soon as it is free. Raises TimeoutError where that takes longer."""
        async with asyncio.timeout(seconds):
            await self._places.acquire()

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()

    @property
    def closed_for(self) -> float:
        """Seconds until the endpoint may be asked."""
        return max(0.0, self._not_before - self.now())

    def hold(self, seconds: float) -> None:
        """The endpoint takes no calls for so long, whoever's they are; after a minute it is tried whatever it said."""
        self._not_before = max(self._not_before, self.now() + min(seconds, HOLD_SECONDS))

    async def opened(self) -> None:
        """Wait until the endpoint may be asked; those who wait do not all come at once."""
        while (seconds := self.closed_for) > 0:
            await self.sleep(seconds * random.uniform(1.0, 1.25))  # noqa: S311 (nothing depends on its being secret)


def pause(attempt: int) -> float:
    """Seconds before the attempt after this one, counted from 0: longer each time, and never the same."""
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0**attempt)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 (nothing depends on its being secret)


def retry_after(value: str, milliseconds: str = "") -> float | None:
    """Seconds that an endpoint asks for, in either form of Retry-After, or in milliseconds; None: it does not say."""
    for text, unit in ((milliseconds, 1000.0), (value, 1.0)):
        try:
            seconds = float(text) / unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())
