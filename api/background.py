"""Work that runs for the length of a block: owned by it, ended with it, and heard when it fails."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from eventstore.errors import Broken, Damaged

_log = logging.getLogger(__name__)


@asynccontextmanager
async def background(work: Coroutine[object, object, object]) -> AsyncIterator[None]:
    """Run the work until the block is left. Its failure cancels the block and is raised in its place.

    But when it ends because the tape is damaged, the block goes on, so that it can say so to whoever asks.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_unless_damaged(work))
            task.add_done_callback(lambda _: work.close())  # cancelled at once, it has never been awaited
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as failures:
        # One reason is told as itself: that of the log before what its failure caused in the block.
        raise (failures.subgroup(Broken) or failures).exceptions[0] from None


async def _unless_damaged(work: Coroutine[object, object, object]) -> None:
    try:
        await work
    except* Damaged as found:
        _log.critical("%s has ended: %s", getattr(work, "__qualname__", work), _first(found))


def _first(found: BaseException) -> BaseException:
    return _first(found.exceptions[0]) if isinstance(found, BaseExceptionGroup) else found
