"""A service serves no tape as good whose end is missing: it is held against its checkpoints, and signed as it grows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from api.background import background
from eventstore.book import Book, keep, note
from eventstore.errors import CannotOpen
from eventstore.examine import contradiction
from eventstore.store import EventStore

_log = structlog.get_logger("checkpoints")


@asynccontextmanager
async def witnessed(store: EventStore, directory: Path, *, lossy: bool = False) -> AsyncIterator[None]:
    """Sign the head of the tape for the length of the block, and once more at its end.

    Raises CannotOpen for a tape that contradicts its last checkpoint; `lossy`: that is told and gone on from, because
    the tape was set to be one that a power cut may shorten.
    """
    book = await asyncio.to_thread(Book, directory)
    if book.last and store.failure is None and (found := await contradiction(store, [book.last])):
        if not lossy:
            raise CannotOpen(
                f"The tape in {directory} is not whole: {found.problem}. Bring back the whole data directory from a "
                f"backup, or go on with what is there: tapewright accept-loss --data {directory}"
            )
        _log.error("the tape is not whole", problem=found.problem, aside=str(book.set_aside()))
    async with background(keep(book, store)):
        yield
    await note(book, store)
