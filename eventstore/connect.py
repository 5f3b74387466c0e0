"""From a URL to an open store."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from eventstore.errors import CannotOpen
from eventstore.memory import MemoryStore
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore

_SQLITE = "sqlite:///"


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[EventStore]:
    """Open the store for the length of the block.

    `memory:` is gone with the process; `sqlite:///tape.db` (relative), `sqlite:////var/tape.db` (absolute) and a plain
    path are a tape in a file. Raises CannotOpen for anything else.
    """
    async with AsyncExitStack() as stack:
        yield await _open(url, stack)


async def _open(url: str, stack: AsyncExitStack) -> EventStore:
    if url == "memory:":
        return MemoryStore()
    path = url.removeprefix(_SQLITE)
    if not path or "://" in path:
        raise CannotOpen(f"{url!r} is no store; write memory:, a path, or sqlite:///path.")
    return await stack.enter_async_context(open_sqlite(Path(path)))
