"""An API key: what it opens, and that it opens nothing any more. Pure."""

from collections.abc import Iterable
from functools import reduce
from typing import Literal, TypeAlias, get_args

import msgspec

from eventstore import events as e
from eventstore.errors import Conflict, Invalid, NotFound

Scope: TypeAlias = Literal["read", "control", "admin"]
"""`read` looks, `control` starts and steers tasks, `admin` manages keys and what belongs to all.

Each is a word of its own: `control` alone does not look. `admin` opens everything.
"""

SCOPES: tuple[Scope, ...] = get_args(Scope)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision needs to know. `version` counts the events folded."""

    version: int = 0
    created: e.KeyCreated | None = None
    revoked: bool = False


def evolve(key: Key, event: e.Event) -> Key:
    """The state after one more event."""
    changes: dict[str, object] = {"version": key.version + 1}
    match event:
        case e.KeyCreated():
            changes["created"] = key.created or event
        case e.KeyRevoked():
            changes["revoked"] = True
    return msgspec.structs.replace(key, **changes)


def fold(events: Iterable[e.Event], key: Key | None = None) -> Key:
    """The state after all the events, from nothing or from an earlier state."""
    return reduce(evolve, events, key or Key())


def create(key: Key, *, created: e.KeyCreated) -> list[e.KeyEvent]:
    """A new key. The same again is one key; another one in its place is refused."""
    if not created.scopes or not set(created.scopes) <= set(SCOPES):
        raise Invalid(f"A key needs at least one of the scopes {', '.join(SCOPES)}, and no other.")
    if key.created is None and not key.version:
        return [created]
    if key.created == created:
        return []
    raise Conflict("There is a key under this id already.")


def revoke(key: Key, *, reason: str = "") -> list[e.KeyEvent]:
    """The key opens nothing from now on. Revoking twice is once."""
    if key.created is None:
        raise NotFound("Key not found")
    return [] if key.revoked else [e.KeyRevoked(reason=reason)]


def opened(scopes: Iterable[str]) -> frozenset[str]:
    """Everything that a key with these scopes opens."""
    given = frozenset(scopes)
    return given | frozenset(SCOPES) if "admin" in given else given
