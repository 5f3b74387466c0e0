"""The relays of this process that are open, by session, and the seats at each browser."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from api.relay import Relay

MOST_CLIENTS = 16
"""Connections to one browser."""


class Relays:
    """The open ones of this process, by session."""

    def __init__(self) -> None:
        self.open: dict[Relay, str] = {}
        self._seats: list[str] = []

    def of(self, session_id: str) -> list[Relay]:
        """Those of one browser."""
        return [relay for relay, known in self.open.items() if known == session_id]

    @contextmanager
    def seat(self, session_id: str) -> Iterator[None]:
        """Room for a client of this browser, from before it is connected. Raises HTTP errors: 429."""
        if self._seats.count(session_id) >= MOST_CLIENTS:
            raise web.HTTPTooManyRequests(
                text=f"This browser has {MOST_CLIENTS} clients already.", headers={"Retry-After": "10"}
            )
        self._seats.append(session_id)
        try:
            yield
        finally:
            self._seats.remove(session_id)

    async def close(self) -> None:
        """The service ends."""
        await asyncio.gather(*(relay.end("The service is ending.") for relay in self.open))


RELAYS = web.AppKey("relays", Relays)
