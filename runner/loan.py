"""One browser that is lent to a client: what it must be able to do, and until when the client has it."""

import asyncio
from pathlib import Path
from typing import Protocol

import msgspec

from eventstore.clock import microseconds
from runner.reel import Put

LOOK_SECONDS = 30.0
"""Between looks at the clock: it may jump, and a machine may sleep."""

TIMEOUT, LOST = "timeout", "lost"


class Lent(Protocol):
    """A browser that a client drives; see `runner.browser.lent`."""

    own: str
    place: Path
    version: str
    gone: asyncio.Event
    keep: bool

    async def state(self) -> str:
        """Cookies and storage as JSON text, for the vault. Raises ActFailed."""
        ...

    async def show(self, put: Put) -> None:
        """Put pictures of the foremost page for people who watch, until cancelled."""
        ...


class Loan(msgspec.Struct, kw_only=True):
    """A session that is served. `until` is in seconds since 1970; `place` is its browser's, once it has one."""

    stream: str
    created_at: int
    until: float = 0.0
    place: Path | None = None
    stopped: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    @property
    def left(self) -> float:
        """How many seconds of its time there are."""
        return self.until - microseconds() / 1e6

    async def over(self, lent: Lent) -> tuple[str, str]:
        """Wait for the first of: somebody stops the session, its time is over, its browser ends."""
        waiting = [asyncio.ensure_future(self.stopped.wait()), asyncio.ensure_future(lent.gone.wait())]
        try:
            while (left := self.left) > 0:
                await asyncio.wait(waiting, timeout=min(left, LOOK_SECONDS), return_when=asyncio.FIRST_COMPLETED)
                if self.stopped.is_set():
                    return "", ""
                if lent.gone.is_set():
                    return LOST, "Its browser ended."
            return TIMEOUT, "Its time is over."
        finally:
            for each in waiting:
                each.cancel()
