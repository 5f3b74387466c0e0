"""Whose key a request carries. Digests are compared, never keys; the tape holds digests only."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import TypeAlias

import uuid_utils
from aiohttp import hdrs
from multidict import istr

from api.service import Caller, Service
from eventstore.events import KeyCreated
from eventstore.key import SCOPES
from eventstore.store import EventStore

OWN_HEADER = istr("X-Browser-Use-API-Key")  # looked for in every request; an istr is folded once
DEFAULT_PROJECT = OPERATORS = "default"
"""The project of whoever has named none. Its admins are the operators: they see to what belongs to all projects."""

REMEMBERED = 500
"""Of so many keys the digests stay at hand: who polls sends the same one again, and to hash it is a tenth of a poll."""

ANONYMOUS = Caller(actor="", project="")
ENVIRONMENT = Caller(actor="key:env", project=DEFAULT_PROJECT, scopes=frozenset(SCOPES))

Lookup: TypeAlias = Callable[[str], Caller | None]
Identify: TypeAlias = Callable[[Mapping[str, str]], Caller | None]


def identifier(api_key: str | None, lookup: Lookup) -> Identify:
    """A function from headers to the caller: ANONYMOUS without a key, None with a wrong one.

    `lookup` finds the caller of a SHA-256 digest in hex among the keys on the tape. Both headers are read on every
    family; `X-Browser-Use-API-Key` comes first, because a proxy may want `Authorization` for itself.
    """
    own = digest(api_key) if api_key else None
    digest_of = lru_cache(maxsize=REMEMBERED)(digest)  # not whose it is: that may change with every event

    def identify(headers: Mapping[str, str]) -> Caller | None:
        key = headers.get(OWN_HEADER)
        if key is None:
            value = headers.get(hdrs.AUTHORIZATION)
            if value is None:
                return ANONYMOUS
            scheme, _, key = value.partition(" ")
            if scheme.lower() != "bearer":
                return None
        found = digest_of(key.strip())
        if own is not None and hmac.compare_digest(own, found):
            return ENVIRONMENT
        return lookup(found)

    return identify


def digest(key: str) -> str:
    """SHA-256 in hex. A key is 32 random bytes, so that a fast hash is enough."""
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def fresh_key() -> str:
    """A new key."""
    return f"tw_{secrets.token_urlsafe(32)}"


def still_good(service: Service, caller: Caller) -> bool:
    """Whether what the caller was let in with would let him in again."""
    key = service.projector.keys.find(caller.actor.removeprefix("key:"))
    return caller == ENVIRONMENT or (key is not None and key.revoked_at is None)


async def ensure_key(store: EventStore, *, name: str = "first start") -> str | None:
    """Make a key when the tape has none, and answer it; it can never be read again. None when there is one."""
    if await store.read(types={"key.created"}, limit=1):
        return None
    key = fresh_key()
    created = KeyCreated(digest=digest(key), project=DEFAULT_PROJECT, name=name)
    await store.append(f"key-{uuid_utils.uuid7()}", 0, [created], actor="system")
    return key
