"""Carries one plain HTTP exchange from the browser to a server and back, framed anew on both sides."""

import h11

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
    """The server ended the connection, or said what is no HTTP, before it answered."""


async def exchange(client: Peer, server: Peer, request: h11.Request, authority: bytes, target: bytes) -> None:
    """Carry a request whose head is read already. Raises Unanswered, OSError, h11.ProtocolError."""
    headers = [header for header in _kept(request) if header[0].lower() != b"host"]
    try:
        await server.say(h11.Request(method=request.method, target=target, headers=[(b"Host", authority), *headers]))
        await together(_ask(client, server), _answer(client, server))
    except (OSError, h11.RemoteProtocolError) as error:
        if client.http.our_state is not h11.SEND_RESPONSE:
            raise
        bad = isinstance(error, h11.RemoteProtocolError) and server.http.their_state is h11.ERROR
        raise Unanswered("the answer was not HTTP" if bad else "the connection was closed") from error


async def _ask(client: Peer, server: Peer) -> None:
    """The rest of the request. A server that has answered already need not hear it."""
    while True:
        event = await client.hear()
        if isinstance(event, h11.Data):
            event = h11.Data(data=event.data)
        elif isinstance(event, h11.EndOfMessage):
            event = h11.EndOfMessage(headers=event.headers)
        else:
            raise h11.RemoteProtocolError("the request was cut off")
        if server.http.our_state is not h11.SEND_BODY:
            return
        await server.say(event)
        if isinstance(event, h11.EndOfMessage):
            return


async def _answer(client: Peer, server: Peer) -> None:
    """The answer, in the pieces in which it comes."""
    while True:
        event = await server.hear()
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
    return [(name, value) for name, value in message.headers.raw_items() if name.lower() not in HOP | named]
