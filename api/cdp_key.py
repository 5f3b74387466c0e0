"""The key to a lent browser: the token in its URL, which is good for as long as the session is, or an API key."""

import hmac

import msgspec
from aiohttp import web

from api import sessions
from api.auth import ANONYMOUS, OWN_HEADER, Identify, still_good
from api.present import origin
from api.service import SERVICE, Caller, Service
from api.wire import CALLER, query

_UNSIGNED = "The URL needs the session's own token, as cdpUrl has it, or apiKey=KEY."

IDENTIFY = web.AppKey[Identify]("identify")


class Key(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`token` is that of the session's `cdpUrl`; any good key with the scope `control` will do too."""

    token: str = ""
    api_key: str = ""


def url_of(request: web.Request, session_id: str) -> str:
    """What a client connects to: it holds the key to this browser, which is good for as long as the session is."""
    token = request.app[SERVICE].signer.token("cdp", session_id)
    return f"{address(request, session_id)}?token={token}"


def address(request: web.Request, session_id: str) -> str:
    """Where the browser's web socket is, without the key."""
    return f"ws{origin(request).removeprefix('http')}/cdp/{session_id}"


async def let_in(request: web.Request) -> tuple[str, Caller]:
    """Whose browser it is, and who asks. Raises HTTP errors: 401 for a wrong key, 403 once the session has ended."""
    service, session_id = request.app[SERVICE], request.match_info["session_id"].lower()
    key, caller = query(request, Key), request[CALLER]
    if caller is ANONYMOUS and key.api_key:
        caller = request.app[IDENTIFY]({OWN_HEADER: key.api_key}) or ANONYMOUS
    signed = bool(key.token) and _right(service, session_id, key.token)
    if caller is ANONYMOUS and not signed:
        raise web.HTTPUnauthorized(text=_UNSIGNED)
    session = await service.sessions.fresh(sessions.stream(session_id))
    created = session.created
    if (
        created is None
        or created.kind != sessions.BROWSER
        or session.deleted
        or (not signed and created.project != caller.project)
    ):
        raise web.HTTPNotFound(text="Session not found")
    if not signed and "control" not in caller.scopes:
        raise web.HTTPForbidden(text="This needs a key with the scope control.")
    if session.stopped:
        raise web.HTTPForbidden(text="Browser session is stopped. Please start a new session and try again.")
    return session_id, ANONYMOUS if signed else caller


async def welcome(service: Service, session_id: str, caller: Caller) -> bool:
    """Whether whoever was let in would be let in again."""
    if caller is not ANONYMOUS and not still_good(service, caller):
        return False
    return (await service.sessions.fresh(sessions.stream(session_id))).active


def _right(service: Service, session_id: str, token: str) -> bool:
    return hmac.compare_digest(service.signer.token("cdp", session_id).encode(), token.encode(errors="replace"))
