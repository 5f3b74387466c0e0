"""Carries one plain HTTP exchange from the browser to a server and back, framed anew on both sides."""

import h11

from runner.egress.dial import reason_of
from runner.egress.wire import Peer, together

HOP = frozenset(
    {
        b"connection",
        b"proxy-connection",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-authenticate",
        b"te",
        b"upgrade",
    }
)
Header = tuple[bytes, bytes]


class Unanswered(Exception):
    """The server ended the connection, or said what is no HTTP, before its answer was complete."""


async def exchange(client: Peer, server: Peer, request: h11.Request, authority: bytes, target: bytes) -> None:
    """Carry a request whose head is read already. Raises Unanswered, OSError, h11.ProtocolError."""
    headers = [header for header in _kept(request) if header[0].lower() != b"host"]
    server.heard = 0
    try:
        await server.say(h11.Request(method=request.method, target=target, headers=[(b"Host", authority), *headers]))
    except OSError as error:
        raise Unanswered(reason_of(error)) from error
    await together(_ask(client, server), _answer(client, server))


async def _ask(client: Peer, server: Peer) -> None:
    """The rest of the request."""
    while True:
        event = await client.hear()
        if isinstance(event, h11.Data):
            event = h11.Data(data=event.data)
        elif isinstance(event, h11.EndOfMessage):
            event = h11.EndOfMessage(headers=event.headers)
        else:
            raise h11.RemoteProtocolError("the request was cut off")
        try:
            await server.say(event)
        except OSError:
            return  # it may have answered before it went away
        if isinstance(event, h11.EndOfMessage):
            return


async def _answer(client: Peer, server: Peer) -> None:
    """The answer, in the pieces in which it comes."""
    while True:
        try:
            event = await server.hear()
        except OSError as error:
            raise Unanswered(reason_of(error)) from error
        except h11.RemoteProtocolError as error:
            raise Unanswered("the answer was not HTTP" if server.heard else "the answer was empty") from error
        match event:
            case h11.InformationalResponse() if event.status_code != 101:
                await client.say(event)
            case h11.Response():
                await client.say(h11.Response(status_code=event.status_code, reason=event.reason, headers=_kept(event)))
            case h11.Data():
                await client.say(h11.Data(data=event.data))
            case h11.EndOfMessage():
                await client.say(h11.EndOfMessage(headers=event.headers))
                return
            case _:
                raise Unanswered("the answer was empty")


def _kept(message: h11.Request | h11.Response) -> list[Header]:
    """The headers that are for the other end, spelt as they came."""
    named = {
        name.strip().lower() for key, value in message.headers if key == b"connection" for name in value.split(b",")
    }
    gone = HOP | named
    if any(key == b"transfer-encoding" for key, _ in message.headers):
        gone |= {b"content-length"}  # of two lengths the other end may believe the wrong one
    return [(name, value) for name, value in message.headers.raw_items() if name.lower() not in gone]
