"""Connects to a host: looks it up once, checks every address, and goes to exactly those and no others."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress

import msgspec
from aiohappyeyeballs import start_connection

from runner.egress.addresses import Address, address_of, canonical
from runner.egress.rules import PORTS, Rules, is_local, split
from runner.egress.upstream import NoWay, Unwelcome, Upstream, ask

LOOKUP_SECONDS = 10.0
CONNECT_SECONDS = 15.0
NEXT_ADDRESS_SECONDS = 0.25
MOST_LOOKUPS = 4
MOST_ADDRESSES = 3
"""So many of a destination's addresses a session's proxy is asked for, each time over a connection of its own."""

LOCAL = ("127.0.0.1", "::1")
REASONS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "the connection was reset",
    errno.EHOSTUNREACH: "the address cannot be reached",
    errno.ENETUNREACH: "the address cannot be reached",
    errno.EADDRNOTAVAIL: "the address cannot be reached",
    errno.ETIMEDOUT: "the connection timed out",
}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses behind a name. Raises OSError when there are none."""

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Forbidden(Exception):
    """The rules refuse the destination; the reason says why."""


class Unreachable(Exception):
    """The destination did not answer; the reason says how."""


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request wants to go: `host` is canonical."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port, as a `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"{self.scheme}://{self.authority}/"


class Dialler:
    """Opens the connections of one session. `own` are ports of this machine that no page may reach, whatever is
    allowed; `through` is the proxy that all of them go through, None for none."""

    def __init__(
        self, rules: Rules, resolve: Resolve, own: Collection[int], chunk: int, through: Upstream | None = None
    ) -> None:
        self._rules = rules
        self._through = through
        self._resolve = resolve
        self._own = own
        self._chunk = chunk
        self._lookups = asyncio.Semaphore(MOST_LOOKUPS)

    async def dial(self, to: Destination) -> Stream:
        """A connection. Raises Forbidden and Unreachable."""
        if reason := self._rules.refusal(to.scheme, to.host, to.port):
            raise Forbidden(reason)
        addresses = await self._addresses(to)
        if reason := self._rules.refusal_of(to.host, addresses):
            raise Forbidden(reason)
        if to.port in self._own and any(map(_is_here, addresses)):
            raise Forbidden(f"port {to.port} of this machine belongs to the service itself")
        if self._through is None:
            return await self._connect(addresses, to.port)
        return await self._tunnel(self._through, addresses, to.port)

    async def _connect(self, addresses: Sequence[Address], port: int) -> Stream:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connected = await start_connection(
                    [_info(address, port) for address in addresses], happy_eyeballs_delay=NEXT_ADDRESS_SECONDS
                )
                return await asyncio.open_connection(sock=connected, limit=self._chunk)
        except TimeoutError:
            raise Unreachable("the connection timed out") from None
        except OSError as error:
            raise Unreachable(reason_of(error)) from error

    async def _tunnel(self, through: Upstream, addresses: Sequence[Address], port: int) -> Stream:
        """A connection by the session's proxy to one of the addresses: many a proxy has no way to those of IPv6."""
        proxy = await self._proxy(through)
        why: Exception | None = None
        for address in sorted(addresses, key=lambda each: each.version)[:MOST_ADDRESSES]:
            try:
                stream = await self._connect(proxy, through.port)
            except Unreachable as error:
                raise Unreachable(f"the session's proxy cannot be reached: {error}") from error
            try:
                await ask(stream, through, address, port)
            except BaseException as error:
                stream[1].transport.abort()
                if not isinstance(error, NoWay | OSError):
                    raise
                why = error
                if isinstance(error, Unwelcome):
                    break
            else:
                return stream
        raise Unreachable(reason_of(why) if isinstance(why, OSError) else str(why)) from why

    async def _proxy(self, through: Upstream) -> list[Address]:
        """Where the session's proxy is: a client may bring one, but not one that leads into a private network."""
        at = Destination(scheme="http", host=canonical(through.host), port=through.port)
        try:
            addresses = await self._addresses(at)
        except Unreachable as error:
            raise Unreachable(f"the session's proxy: {error}") from error
        rules, reason = Rules(private=self._rules.private), ""
        if not through.trusted:
            reason = rules.refusal(at.scheme, at.host, at.port) or rules.refusal_of(at.host, addresses)
        if not reason and through.port in self._own and any(map(_is_here, addresses)):
            reason = f"port {through.port} of this machine belongs to the service itself"
        if reason:
            raise Forbidden(f"the session's proxy: {reason}")
        return addresses

    async def _addresses(self, to: Destination) -> list[Address]:
        literal = address_of(to.host)
        if literal is not None:
            return [literal]
        try:
            async with asyncio.timeout(LOOKUP_SECONDS), self._lookups:
                found = LOCAL if is_local(to.host) else await self._resolve(to.host, to.port)
        except TimeoutError:
            raise Unreachable("the name was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise Unreachable("the name does not resolve") from error
        read = [address_of(address) for address in found]
        addresses = [address for address in read if address is not None]
        if not addresses or len(addresses) < len(read):
            raise Unreachable("the name does not resolve")
        return addresses


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """As the machine resolves names."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def of_url(url: str) -> Destination | None:
    """Where an absolute URL leads; None when it is none of the network's."""
    parts = split(url)
    if parts is None or parts.scheme not in PORTS or not parts.hostname:
        return None
    return Destination(scheme=parts.scheme, host=canonical(parts.hostname), port=parts.port or PORTS[parts.scheme])


def of_authority(text: str) -> Destination | None:
    """Where a tunnel leads. What goes through it cannot be known yet: port 80 is a web socket's, others are called
    https."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        return None
    return Destination(scheme="ws" if int(port) == PORTS["ws"] else "https", host=canonical(host), port=int(port))


def reason_of(error: OSError) -> str:
    """What a failed connection is called."""
    return REASONS.get(error.errno or 0, "the connection failed")


def _is_here(address: Address) -> bool:
    """Whether this machine has the address: nobody can listen on one that is another's."""
    if address.is_loopback:
        return True
    kind, *_, place = _info(address, 0)
    with suppress(OSError), socket.socket(kind, socket.SOCK_DGRAM) as probe:
        probe.bind(place)
        return True
    return False


def _info(address: Address, port: int) -> tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]:
    kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    if address.version == 4:
        return (socket.AF_INET, *kind, (str(address), port))
    return (socket.AF_INET6, *kind, (str(address), port, 0, 0))
