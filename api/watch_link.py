"""Links that let people watch, and steer: each stands for the key that asked for it, its right, one task or session.

A link opens nothing that its key does not open any more: it ends with the key, with the right, or after its time.
"""

import time
from typing import Literal
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from api import present
from api.auth import ENVIRONMENT
from api.service import SERVICE, Caller, Service
from api.wire import CALLER

LINK_HOURS = 24
HOUR = 3600
LONGEST = 512

Right = Literal["read", "control"]
_LETTERS: dict[str, Right] = {"r": "read", "c": "control"}


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """Who watches, in whose name, until when (seconds since 1970)."""

    caller: Caller
    right: Right
    expires: int


def url(request: web.Request, identifier: str) -> str | None:
    """The absolute link to the live page of a task or session with the right of the caller's key, without any None.

    The same for an hour, so that answers stay the same.
    """
    service, caller = request.app[SERVICE], request[CALLER]
    letter = "c" if {"read", "control"} <= caller.scopes else "r" if "read" in caller.scopes else ""
    if not letter:
        return None
    expires = (int(time.time()) // HOUR + 1 + LINK_HOURS) * HOUR
    signature = service.signer.signature(_signed(service, identifier, letter, caller.actor), expires)
    token = f"{letter}.{expires}.{caller.actor}.{signature}"
    return f"{present.origin(request)}/live/{identifier}?{urlencode({'token': token})}"


def watching(service: Service, identifier: str, token: str) -> Watching | None:
    """Whom the token lets in, if it does."""
    parts = token.split(".") if len(token) <= LONGEST and token.isascii() else []
    if len(parts) != 4 or parts[0] not in _LETTERS or not (parts[1].isdigit() and len(parts[1]) < 16):
        return None
    letter, until, actor, signature = parts
    if not service.signer.check(_signed(service, identifier, letter, actor), int(until), signature):
        return None
    watch = Watching(caller=_holder(service, actor), right=_LETTERS[letter], expires=int(until))
    return watch if good(service, watch) else None


def good(service: Service, watch: Watching) -> bool:
    """Whether the link still opens what it opened."""
    scopes = _holder(service, watch.caller.actor).scopes
    return watch.expires > time.time() and {"read", watch.right} <= scopes


def _holder(service: Service, actor: str) -> Caller:
    """Whose link it is; one without any scope when the key is no good any more."""
    if actor == ENVIRONMENT.actor and service.settings.api_key:
        return ENVIRONMENT
    key = service.projector.keys.find(actor.removeprefix("key:"))
    if key is None or key.revoked_at is not None:
        return Caller(actor=actor, project="")
    return Caller(actor=actor, project=key.project, scopes=key.opens)


def _signed(service: Service, identifier: str, letter: str, actor: str) -> str:
    # The key of the environment has no id of its own: another one there is another key.
    own = service.signer.digest((service.settings.api_key or "").encode()) if actor == ENVIRONMENT.actor else ""
    return f"/live/{identifier}/{letter}/{actor}/{own}"
