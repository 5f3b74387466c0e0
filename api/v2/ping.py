"""`GET /api/v2/ping`: by which clients test their key."""

from aiohttp import web

from api.wire import Empty, Route, reply


async def ping(request: web.Request) -> web.Response:
    """Open to all; a wrong key is refused before it comes here."""
    return reply(Empty())


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/v2/ping",
        handler=ping,
        summary="Does the service answer, and is the key good?",
        family="v2",
        scope=None,
        open=True,
        reply=Empty,
    ),
)
