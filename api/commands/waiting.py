"""What a task that no runner has taken waits for, in a line: told once that takes longer than a moment."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from api.client import Client, Failure
from api.commands.common import CLOSEST, Page

MOMENT, AGAIN = 1.0, 10.0
"""Seconds until it is told first, and until it is looked at again."""

QUEUED = "created"  # as v1 says it


async def place_in_line(client: Client, task_id: str, still: Callable[[], bool]) -> AsyncGenerator[str, None]:
    """A line now and whenever it has moved, while it is `still` so and the service can be asked."""
    told = ""
    await asyncio.sleep(MOMENT)
    while still():
        try:
            page = await client.get("/api/v1/tasks", Page, {"limit": CLOSEST})
        except Failure:
            return  # whoever follows the task is told
        if still() and (line := _line(page, task_id)) != told:
            yield (told := line)
        await asyncio.sleep(AGAIN)


def _line(page: Page, task_id: str) -> str:
    """Lists have the newest first, and runners take the oldest: those before it stand behind it."""
    ids = [task.id for task in page.tasks]
    before = ""
    if task_id in ids:
        number = sum(task.status == QUEUED for task in page.tasks[ids.index(task_id) + 1 :])
        least = "at least " if page.total_pages > 1 else ""
        before = f" {least}{number} before it," if number else ""
    return f"waiting for a runner:{before} the service runs as many at once as its TAPEWRIGHT_MAX_CONCURRENT says"
