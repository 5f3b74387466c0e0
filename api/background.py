"""Work that runs for the length of a block: owned by it, ended with it, and heard when it fails."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from eventstore.errors import Broken


@asynccontextmanager
async def background(work: Coroutine[object, object, object]) -> AsyncIterator[None]:
    """Run the work until the block is left. Its failure cancels the block and is raised in its place."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as failures:
        # One reason is told as itself: that of the log before what its failure caused in the block.
        raise (failures.subgroup(Broken) or failures).exceptions[0] from None
