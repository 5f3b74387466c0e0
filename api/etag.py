"""Tags of views: who has the same answer already gets 304 and no body. Weak ones, for links are signed each time."""

import time

import msgspec
from aiohttp import hdrs, web

from api import present
from api.service import SERVICE
from api.wire import CALLER

FRESH_SECONDS = present.PICTURE_SECONDS // 2
"""A tag holds no longer, so that the links of an answer that is kept still open for as long."""

_PRIVATE = "private, no-cache"


def linked(request: web.Request, *parts: object) -> str:
    """The tag of an answer to this caller: `parts` is all it is made of, beside the links that are signed for him.

    Keyed, so that it tells nothing of the parts.
    """
    turn = int(time.time()) // FRESH_SECONDS
    data = msgspec.json.encode((request[CALLER].actor, present.origin(request), turn, parts))
    return plain(request.app[SERVICE].signer.digest(data)[:32])


def plain(name: object) -> str:
    """The tag of an answer without links, by a name that changes when it does."""
    return f'W/"{name}"'


def known(request: web.Request, tag: str) -> bool:
    """Whether the client says that it has this answer (If-None-Match, compared weakly)."""
    if hdrs.IF_NONE_MATCH not in request.headers:  # what is polled pays for no more than this
        return False
    given = ",".join(request.headers.getall(hdrs.IF_NONE_MATCH))
    return any(each.strip().removeprefix("W/") in ("*", tag.removeprefix("W/")) for each in given.split(","))


def unchanged(tag: str) -> web.Response:
    """304: what the client has is still right."""
    return web.Response(status=304, headers=headers(tag))


def headers(tag: str) -> dict[str, str]:
    """For the answer itself: its tag, and that nobody keeps it for others, or uses it again without asking."""
    return {hdrs.ETAG: tag, hdrs.CACHE_CONTROL: _PRIVATE}
