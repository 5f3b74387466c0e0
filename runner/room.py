"""One browser that stays open between the tasks of a session: who is in it, whom it fits, and when it is over."""

import asyncio
from collections.abc import Callable
from functools import partial

import msgspec
import structlog

from runner.ports import Session, Wanted
from runner.vocabulary import ActFailed

ANSWER_SECONDS = 5.0
"""How long an idle browser may take to say where it is; one that takes longer is given up."""

OF_A_VISIT = frozenset({"state", "own", "again", "uploads", "inbox"})
"""What each task has for itself; in all else a task wants what the browser was opened with, or gets another one."""

log = structlog.get_logger()


class Room:
    """An open browser. `visitor` is what the task wants that is in it; `free` tells that none is."""

    def __init__(self, wanted: Wanted) -> None:
        self.name = wanted.room
        self.wanted = wanted
        self.visitor = wanted
        self.free = False
        self.opened: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self.over = asyncio.Event()
        self.cause = ""
        self.keep: bool | None = None
        self.said = self.receives = False
        self.timer: asyncio.TimerHandle | None = None

    def end(self, cause: str, *, keep: bool | None = None) -> None:
        """Close it, for that cause. `keep`: as `Session.keep`, if it is not to be what it is."""
        if not self.over.is_set():
            self.cause, self.keep = cause, keep
            self.over.set()
        if self.timer is not None:
            self.timer.cancel()

    def fits(self, wanted: Wanted) -> bool:
        """Whether a task that wants this can be in it."""
        names = [name for name in wanted.__struct_fields__ if name not in OF_A_VISIT]
        pairs = [(getattr(self.wanted, name), getattr(wanted, name)) for name in names]
        return all(known == asked or (callable(known) and callable(asked)) for known, asked in pairs)

    def relaying(self) -> Wanted:
        """What the browser is opened with: whoever is in it when something happens is told of it."""
        calls = {name: partial(self._tell, name) for name in _calls(self.wanted)}
        return msgspec.structs.replace(self.wanted, **calls)

    def _tell(self, name: str, *about: object) -> object:
        call: Callable[..., object] = getattr(self.visitor, name)
        return call(*about)

    async def answers(self) -> bool:
        """Whether the browser is still there."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.opened.result().look(tree=False)
        except (ActFailed, TimeoutError) as failure:
            log.info("the browser of a session is gone", session=self.name, reason=str(failure))
            return False
        return True


def _calls(wanted: Wanted) -> list[str]:
    return [name for name in wanted.__struct_fields__ if callable(getattr(wanted, name))]
