"""The clients of one process: one for each endpoint that is set, open as long as its worker."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from eventstore.errors import CannotOpen
from runner.llm.client import Client
from runner.llm.endpoints import Endpoint
from runner.vocabulary import ActFailed


class Clients:
    """By the names that tasks call them."""

    def __init__(self, clients: dict[str, Client]) -> None:
        self._clients = clients

    def of(self, name: str) -> Client:
        """The client of that name. Raises ActFailed (no_model): settings may change while a task waits."""
        if name not in self._clients:
            known = ", ".join(self._clients) or "none"
            raise ActFailed("no_model", f'No model "{name}" is configured any more; configured: {known}.')
        return self._clients[name]

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the settings."""
        return tuple(self._clients)


@asynccontextmanager
async def open_clients(endpoints: Iterable[Endpoint]) -> AsyncIterator[Clients]:
    """A client for each endpoint, with its fallback. Asks nobody anything.

    Raises CannotOpen for a name that two have, or a fallback that none has.
    """
    clients: dict[str, Client] = {}
    for endpoint in endpoints:
        if endpoint.name in clients:
            raise CannotOpen(f'Two models are called "{endpoint.name}". Give each a name of its own.')
        clients[endpoint.name] = Client(endpoint)
    for client in clients.values():
        wanted = client.endpoint.fallback
        if wanted and wanted not in clients:
            known = ", ".join(clients)
            raise CannotOpen(
                f'The fallback "{wanted}" of the model "{client.endpoint.name}" is no configured model: {known}.'
            )
        client.fallback = clients.get(wanted)
    async with AsyncExitStack() as stack:
        for client in clients.values():
            await stack.enter_async_context(client)
        yield Clients(clients)
