"""One connection of the browser to its proxy: plain requests one after the other, or a tunnel. All else ends it."""

import asyncio
from collections.abc import Awaitable, Callable

import h11
import structlog

from runner.egress.dial import Destination, Stream, of_authority, of_url
from runner.egress.relay import Unanswered, exchange
from runner.egress.wire import Peer, Watch, pump, together

IDLE_SECONDS = 600.0
_log = structlog.get_logger("egress")

Reach = Callable[[Destination, str], Awaitable[Stream | None]]
"""A connection for a request of this URL, or None when there is none."""

Failed = Callable[[Destination, str], None]
"""Hears that a destination did not answer, and why."""


class Talk:
    """A connection of the browser. `reach` and `failed` are the session's."""

    def __init__(self, stream: Stream, reach: Reach, failed: Failed) -> None:
        self._stream = stream
        self._reach = reach
        self._failed = failed

    async def run(self) -> None:
        """Serve it to its end. Raises nothing but cancellation."""
        writer = self._stream[1]
        try:
            async with asyncio.timeout(IDLE_SECONDS) as limit:
                await self._requests(Peer(h11.SERVER, self._stream, Watch(limit, IDLE_SECONDS)))
            writer.close()
        except (OSError, TimeoutError, h11.ProtocolError, Unanswered):
            writer.transport.abort()  # one side went away, fell silent or said nonsense; the other learns it by this
        except Exception:
            _log.exception("a connection of a page failed unexpectedly")
            writer.transport.abort()
        finally:
            writer.close()

    async def _requests(self, client: Peer) -> None:
        server: Peer | None = None
        at: Destination | None = None
        try:
            while isinstance(request := await client.hear(), h11.Request):
                if request.method == b"CONNECT":
                    await self._tunnel(client, request)
                    return
                to, path = absolute_form(request.target)
                if to is None:
                    await _refuse(client, 400)
                    return
                if server is None or at != to or not server.again():
                    if server is not None:
                        server.close()
                    server, at = await self._server(client, to, request.target.decode("ascii")), to
                if server is None:
                    return  # an answer of ours would look like the page's; none is an error to the browser
                try:
                    await exchange(client, server, request, to.authority.encode("ascii"), path)
                except Unanswered as error:
                    if client.http.our_state is h11.SEND_RESPONSE:
                        self._failed(to, str(error))
                    raise
                if not client.again():
                    return
        finally:
            if server is not None:
                server.close()

    async def _tunnel(self, client: Peer, request: h11.Request) -> None:
        to = of_authority(request.target.decode("ascii"))
        server = await self._server(client, to, to.url) if to is not None else None
        if server is None:
            await _refuse(client, 502 if to is not None else 400)
            return
        try:
            await client.say(h11.Response(status_code=200, headers=[]))
            early, _ = client.http.trailing_data
            server.writer.write(early)
            await together(
                pump(client.reader, server.writer, client.watch), pump(server.reader, client.writer, client.watch)
            )
        except BaseException:
            server.writer.transport.abort()
            raise
        finally:
            server.close()

    async def _server(self, client: Peer, to: Destination, url: str) -> Peer | None:
        stream = await self._reach(to, url)
        return Peer(h11.CLIENT, stream, client.watch) if stream is not None else None


async def _refuse(client: Peer, status: int) -> None:
    await client.say(h11.Response(status_code=status, headers=[("Connection", "close"), ("Content-Length", "0")]))
    await client.say(h11.EndOfMessage())


def absolute_form(target: bytes) -> tuple[Destination | None, bytes]:
    """Where a request for `http://host/path` leads, and its path; None for a request in any other form."""
    scheme, _, rest = target.partition(b"://")
    if scheme.lower() != b"http":
        return None, b""
    starts = [at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0]
    path = rest[min(starts) :] if starts else b""
    return of_url(target.decode("ascii")), path if path.startswith(b"/") else b"/" + path
