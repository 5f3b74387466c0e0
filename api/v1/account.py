"""What v1 clients test their key by."""

from aiohttp import web

from api.wire import Empty, Route, reply


async def ping(request: web.Request) -> web.Response:
    """Open to all; a wrong key is refused before it comes here."""
    return reply(Empty())


async def me(request: web.Request) -> web.Response:
    """A bare `true`: whoever comes here has a good key."""
    return reply(True)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/v1/ping",
        handler=ping,
        summary="Does the service answer, and is the key good?",
        family="v1",
        scope=None,
        open=True,
        reply=Empty,
    ),
    Route(
        method="GET",
        path="/api/v1/me",
        handler=me,
        summary="Is the key good?",
        family="v1",
        scope=None,
        reply=bool,
        unauthorized=False,
    ),
)
