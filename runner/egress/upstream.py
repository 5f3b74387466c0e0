"""A session's own proxy: it is asked by CONNECT, and for an address that was checked, never for a name."""

import asyncio
import re
from base64 import b64encode
from dataclasses import dataclass, field

from runner.egress.addresses import Address

ANSWER_SECONDS = 15.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


class NoWay(Exception):
    """The proxy makes no way there; the reason says why, and nothing of who asked for it."""


class Unwelcome(NoWay):
    """The proxy does not take the user and password."""


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """An HTTP proxy. `trusted`: it may be at a private address. `untrusted`: it may sign certificates of its own.

    The user and the password are shown by nothing.
    """

    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    trusted: bool = False
    untrusted: bool = False


async def ask(
    stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], upstream: Upstream, to: Address, port: int
) -> None:
    """Have the proxy at the other end of the stream connect it to the address.

    By address and not by name: the proxy would look the name up again, and may be led to another address than the one
    that was checked, such as one inside its own network. Raises NoWay and OSError.
    """
    reader, writer = stream
    place = f"[{to}]:{port}" if to.version == 6 else f"{to}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if upstream.user or upstream.password:
        both = b64encode(f"{upstream.user}:{upstream.password}".encode()).decode("ascii")
        lines.append(f"Proxy-Authorization: Basic {both}")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise NoWay("the session's proxy did not answer in time") from None
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise NoWay("the session's proxy did not answer as a proxy does") from None
    status = _STATUS.match(head)
    if status is None:
        raise NoWay("the session's proxy did not answer as a proxy does")
    if status[1] == b"407":
        raise Unwelcome("the session's proxy does not take the user and password")
    if not status[1].startswith(b"2"):
        raise NoWay(f"the session's proxy answered {status[1].decode()}")
