"""The one place that knows everybody: opens in order, closes in reverse, and owns what runs in the background."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from projections.projector import Projector


@asynccontextmanager
async def following(projector: Projector) -> AsyncIterator[None]:
    """The views caught up with the log, and following it for as long as this is open. Raises what the store raises."""
    while await projector.advance():
        pass
    async with asyncio.TaskGroup() as group:
        task = group.create_task(projector.run())
        try:
            yield
        finally:
            task.cancel()
