"""Looks through the whole tape again and again, a little at a time: rot is found before somebody asks for the row."""

import asyncio
import logging
from typing import Protocol

from eventstore.errors import Broken, Refused
from eventstore.store import Verdict

EVERY_SECONDS = 6 * 3600.0
SHARE = 0.2
"""How much of the time it works, so that those who serve hardly notice."""

_log = logging.getLogger(__name__)


class Verifiable(Protocol):
    """A store that condemns what it finds wrong."""

    @property
    def failure(self) -> Broken | None: ...

    async def verify(self, *, share: float) -> Verdict: ...


async def scrub(store: Verifiable, *, every: float = EVERY_SECONDS, share: float = SHARE) -> None:
    """Verify now and every so many seconds, until the store has failed; the store says what was found."""
    while store.failure is None:
        try:
            verdict = await store.verify(share=share)
        except Refused as refused:
            _log.warning("the tape could not be looked through now: %s", refused)
        else:
            if verdict.ok:
                _log.debug("the tape holds: %d events", verdict.head)
            else:
                _log.critical("the tape is damaged: position %s: %s", verdict.first_bad, verdict.problem)
                return
        await asyncio.sleep(every)
