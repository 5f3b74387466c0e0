"""The views follow the log for the length of a block: whoever opened it sees that they are up to date, and stay so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from eventstore.errors import Broken
from projections.projector import Projector


@asynccontextmanager
async def following(projector: Projector) -> AsyncIterator[None]:
    """The views caught up with the log, and following it for as long as this is open. Raises what the store raises."""
    while await projector.advance():
        pass
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(projector.run())
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as failures:
        # One reason is told as itself: that of the log before what its failure caused in the block.
        raise (failures.subgroup(Broken) or failures).exceptions[0] from None
