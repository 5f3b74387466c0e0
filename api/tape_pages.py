"""The log as its readers have it: in pages, or as a stream of all that follows; the same events either way."""

from functools import partial
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from api import sse
from api.auth import still_good
from api.scope import Reader
from api.service import SERVICE, Service
from api.tape_views import EventPage, shown
from api.wire import CALLER, reply
from eventstore.errors import Invalid
from eventstore.store import Recorded

STREAM_PAGE = 32
STREAM_BYTES = 64 * 1024
"""A stream is told so much at a time, or a single event, so that a thousand clients who take nothing cost little."""

KEPT, KEPT_BYTES = 64, 16 * 1024
"""So many messages are kept for the next follower, none larger than that."""

_LARGEST = 2**63 - 1
_Position = Annotated[int, Meta(ge=0, le=_LARGEST)]


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the log: what follows the position `after`, at most `limit` events."""

    after: _Position = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Messages:
    """The newest events as they go to followers: a thousand of them have an event written out once."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Recorded, sse.Message]] = {}

    def of(self, recorded: Recorded) -> sse.Message:
        """The event on the wire."""
        known = self._kept.get(recorded.position)
        if known is not None and known[0] is recorded:  # another one under its position is the same, redacted
            return known[1]
        data = msgspec.json.encode(shown(recorded))
        message = sse.Message(id=recorded.position, event=recorded.type, data=data)
        if len(data) <= KEPT_BYTES:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[recorded.position] = recorded, message
        return message


MESSAGES = web.AppKey("messages", Messages)


async def answer(request: web.Request, asked: Paging, read: Reader, wait: sse.Wait) -> web.StreamResponse:
    """One page as JSON, or all that follows as a stream."""
    beyond = after(request, asked)
    if not sse.wanted(request):
        part = await read(beyond, asked.limit)
        head = request.app[SERVICE].store.head
        return reply(EventPage(events=[shown(each) for each in part.events], next=part.next, head=head))

    async def following(position: int) -> sse.Batch:
        part = await read(position, STREAM_PAGE)
        messages: list[sse.Message] = []
        size = 0
        for each in part.events:
            messages.append(request.app[MESSAGES].of(each))
            size += len(messages[-1].data)
            if size >= STREAM_BYTES and each is not part.events[-1]:
                return sse.Batch(messages=messages, next=each.position)
        return sse.Batch(messages=messages, next=part.next, last=part.last)

    allowed = partial(still_good, request.app[SERVICE], request[CALLER])
    return await sse.stream(request, beyond, following, wait, allowed)


async def more(service: Service, task_id: str, after: int) -> None:
    """Wait for an event of this task alone: what happens to others wakes nobody here."""
    while await service.projector.tasks.until(task_id, lambda row: row.position > after, sse.PING_SECONDS) is None:
        pass


def after(request: web.Request, asked: Paging) -> int:
    """Where a client that comes back left off, or what it asked for."""
    last = request.headers.get("Last-Event-ID") if sse.wanted(request) else None
    if not last:
        return asked.after
    if not (last.isascii() and last.isdigit() and len(last) <= 20 and int(last) <= _LARGEST):
        raise Invalid("Last-Event-ID must be a position of the log.", field=("header", "Last-Event-ID"))
    return int(last)
