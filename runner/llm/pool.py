"""The clients of one process, by the names that tasks call their models: open as long as its worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runner.llm.client import Client
from runner.llm.endpoints import Find
from runner.llm.lines import Lines
from runner.vocabulary import ActFailed

MOST_CLIENTS = 200
"""Names are clients' words where one entry of the settings stands for many models. Beyond, the oldest is forgotten."""


class Clients:
    """Made when they are first named. Who asks the same model shares its pace, and what was learnt of its manner."""

    def __init__(self, find: Find, lines: Lines) -> None:
        self._find = find
        self._lines = lines
        self._clients: dict[str, Client] = {}

    def of(self, name: str) -> Client:
        """The client of that name, with its fallback. Raises ActFailed (no_model): settings change while tasks wait."""
        if client := self._clients.pop(name, None):
            self._clients[name] = client
            return client
        endpoint = self._find(name)
        if endpoint is None:
            raise ActFailed("no_model", f'The model "{name}" is not configured any more.')
        client = self._clients[name] = Client(endpoint, lines=self._lines)
        if endpoint.fallback:  # put down above first, as two may be each other's
            client.fallback = self.of(endpoint.fallback)
        while len(self._clients) > MOST_CLIENTS:
            del self._clients[next(iter(self._clients))]
        return client


@asynccontextmanager
async def open_clients(find: Find) -> AsyncIterator[Clients]:
    """Clients of whatever `find` finds. Asks nobody anything until a task does."""
    lines = Lines()
    try:
        yield Clients(find, lines)
    finally:
        await lines.close()
