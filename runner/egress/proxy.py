"""The way out of one session: an HTTP proxy on a loopback port of its own, which goes only where the rules allow."""

import asyncio
import errno
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from runner.egress.dial import (
    Destination,
    Dialler,
    Forbidden,
    Resolve,
    Stream,
    Unreachable,
    of_url,
    system_resolve,
)
from runner.egress.rules import Rules
from runner.egress.talk import Talk
from runner.egress.upstream import Upstream
from runner.egress.wire import CHUNK

MOST_CONNECTIONS = 256
MOST_REMEMBERED = 256
Key = TypeVar("Key")
Value = TypeVar("Value")


class CannotListen(Exception):
    """The port that was asked for cannot be had; the sentence says why."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why the last connection to a destination did not come about: refused by the rules, or failed."""

    refused: bool
    reason: str


class Egress:
    """An open way out. `passed` and `failed` count connections to servers, `blocked` refusals. Use `open_egress`."""

    def __init__(self, rules: Rules, dialler: Dialler, refused: Callable[[str, str], None], port: int) -> None:
        self.rules = rules
        self.port = port
        self.server = f"http://127.0.0.1:{port}"
        self.passed = self.blocked = self.failed = 0
        self._dialler = dialler
        self._refused = refused
        self._troubles: OrderedDict[tuple[str, int], Trouble] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()

    def trouble(self, url: str) -> Trouble | None:
        """What went wrong the last time with the destination of a URL; None when nothing did."""
        to = of_url(url)
        return self._troubles.get((to.host, to.port)) if to is not None else None

    def tell(self, url: str, reason: str) -> None:
        """Count a refusal, and tell of it if it is the first for this URL: a page may ask for the same without end."""
        self.blocked += 1
        if url not in self._told:
            _put(self._told, url, None)
            self._refused(url, reason)

    async def serve(self, waiting: "asyncio.Queue[Stream]") -> None:
        """Own the connections: a group here, because one around the block would dress up what is raised in it."""
        open_now: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                stream = await waiting.get()
                if len(open_now) >= MOST_CONNECTIONS:
                    stream[1].transport.abort()
                    continue
                task = group.create_task(Talk(stream, self._reach, self._failed).run())
                open_now.add(task)
                task.add_done_callback(open_now.discard)

    async def _reach(self, to: Destination, url: str) -> Stream | None:
        try:
            stream = await self._dialler.dial(to)
        except Forbidden as error:
            self._remember(to, Trouble(refused=True, reason=str(error)))
            self.tell(url, str(error))
            return None
        except Unreachable as error:
            self._failed(to, str(error))
            return None
        self.passed += 1
        self._troubles.pop((to.host, to.port), None)
        return stream

    def _failed(self, to: Destination, reason: str) -> None:
        self.failed += 1
        self._remember(to, Trouble(refused=False, reason=reason))

    def _remember(self, to: Destination, trouble: Trouble) -> None:
        _put(self._troubles, (to.host, to.port), trouble)


@asynccontextmanager
async def open_egress(
    rules: Rules,
    *,
    refused: Callable[[str, str], None],
    port: int = 0,
    own: set[int] | None = None,
    resolve: Resolve = system_resolve,
    through: Upstream | None = None,
) -> AsyncIterator[Egress]:
    """A way out by these rules, listening on `port` of 127.0.0.1, 0 for any free one. Leaving closes all connections.

    `refused` hears URL and reason, once for each URL. `own` are ports that no page may reach; this one is among
    them while it is open, so those that share the set cannot reach each other. `through` is the proxy by which it
    leaves this machine, None for none. Raises CannotListen.
    """
    own = own if own is not None else set()
    waiting: asyncio.Queue[Stream] = asyncio.Queue()
    try:
        server = await asyncio.start_server(
            lambda reader, writer: waiting.put_nowait((reader, writer)), "127.0.0.1", port, limit=CHUNK
        )
    except OSError as error:
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be listened on: {error.strerror}"
        raise CannotListen(f"Port {port} of 127.0.0.1 {why}.") from error
    taken = int(server.sockets[0].getsockname()[1])
    own.add(taken)
    egress = Egress(rules, Dialler(rules, resolve, own, CHUNK, through), refused, taken)
    serving = asyncio.create_task(egress.serve(waiting))
    try:
        yield egress
    finally:
        server.close()
        serving.cancel()
        await asyncio.wait({serving})
        while not waiting.empty():
            waiting.get_nowait()[1].transport.abort()
        own.discard(taken)


def _put(memory: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > MOST_REMEMBERED:
        memory.popitem(last=False)
