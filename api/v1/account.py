"""What v1 clients test their key by, and their balance."""

import msgspec
from aiohttp import web

from api.service import SERVICE
from api.wire import Empty, Route, reply


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """US cents, as a string."""

    balance: str


async def ping(request: web.Request) -> web.Response:
    """Open to all; a wrong key is refused before it comes here."""
    return reply(Empty())


async def me(request: web.Request) -> web.Response:
    """A bare `true`: whoever comes here has a good key."""
    return reply(True)


async def balance(request: web.Request) -> web.Response:
    """The configured budget. Nothing is charged."""
    return reply(Balance(balance=str(round(request.app[SERVICE].settings.budget_usd * 100))))


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
    Route(
        method="GET",
        path="/api/v1/balance",
        handler=balance,
        summary="Read the configured budget, in US cents",
        family="v1",
        scope="read",
        reply=Balance,
    ),
)
