"""An HTTP proxy for tests: takes CONNECT with the right user and password, and notes where it was asked to go."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

USER, PASSWORD = "ada", "correct horse"


class Proxy:
    """`asked` are the places, `given` what came with them; whatever it is asked for leads to `to` where that is set."""

    def __init__(self, *, to: tuple[str, int] | None = None, refuses: Sequence[str] = (), answer: bytes = b"") -> None:
        self.asked: list[str] = []
        self.given: list[str] = []
        self.port = 0
        self._to = to
        self._refuses = refuses
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *headers = head.split("\r\n")
            place = line.split()[1]
            self.asked.append(place)
            sent = dict(header.split(": ", 1) for header in headers if header)
            scheme, _, basic = sent.get("Proxy-Authorization", "").partition(" ")
            self.given.append(f"{scheme} {b64decode(basic).decode()}".strip())
            if answer := self._refusal(place):
                writer.write(answer)
            else:
                await self._carry(reader, writer, place)
        writer.close()

    def _refusal(self, place: str) -> bytes:
        if self._answer:
            return self._answer
        if self.given[-1] != f"Basic {USER}:{PASSWORD}":
            return b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        return b"HTTP/1.1 502 Bad Gateway\r\n\r\n" if place in self._refuses else b""

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: str) -> None:
        host, _, port = place.rpartition(":")
        there = self._to or (host.strip("[]"), int(port))
        inward, outward = await asyncio.open_connection(*there)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, outward), _pump(inward, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxy(
    *, to: tuple[str, int] | None = None, refuses: Sequence[str] = (), answer: bytes = b""
) -> AsyncIterator[Proxy]:
    """Listening on a port of 127.0.0.1."""
    opened = Proxy(to=to, refuses=refuses, answer=answer)
    server = await asyncio.start_server(opened.serve, "127.0.0.1", 0)
    opened.port = server.sockets[0].getsockname()[1]
    try:
        yield opened
    finally:
        server.close()
