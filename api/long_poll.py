"""Long polls: an answer that waits until the word under which a task is shown has changed."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from api import control
from api.auth import still_good
from api.service import SERVICE, Service
from api.sse import STREAMS
from api.wire import CALLER
from eventstore.machine import State
from projections.task_row import TaskRow
from projections.tasks import Condition

LONGEST_SECONDS = 60
LOOK_SECONDS = 5.0
"""So often it is looked whether the client is still there: nothing is written to it meanwhile that would tell."""


Seconds = Annotated[float, Meta(ge=0, le=LONGEST_SECONDS, description="how long to wait for a change")]


def asked(request: web.Request) -> bool:
    """Whether there is anything to read in the query; far cheaper than to read it."""
    return "?" in request.raw_path


async def changed(
    request: web.Request, task_id: str, words: Mapping[State, str], *, seconds: float, known: str | None
) -> None:
    """Wait until the word is not `known` any more, or the task has ended; for so long at most.

    Without `known`, it is the word at the time of the request. Raises NotFound, and HTTPTooManyRequests: who waits
    counts as a stream does.
    """
    service, caller, streams = request.app[SERVICE], request[CALLER], request.app[STREAMS]
    row = await control.glance(service, caller, task_id)
    found, word = row.id, known or words[row.state]

    def news(row: TaskRow) -> bool:
        return row.ended_at is not None or row.shown_in != caller.project or words[row.state] != word

    if not seconds or news(row):
        return
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    with streams.count(caller.actor):
        while not streams.closing and (left := end - clock()) > 0:
            if request.transport is None:
                raise ConnectionResetError("The client has gone.")
            if not still_good(service, caller):
                raise web.HTTPUnauthorized(text="The API key is not valid.")
            if not await streams.quiet(_until(service, found, news), min(left, LOOK_SECONDS)):
                return


async def _until(service: Service, task_id: str, condition: Condition) -> None:
    await service.projector.tasks.until(task_id, condition, timeout=2 * LONGEST_SECONDS)
