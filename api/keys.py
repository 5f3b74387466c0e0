"""API keys over HTTP: made, listed, revoked. A key is shown once, to whoever made it, and kept by nobody."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from api import control, wire
from api.auth import OPERATORS, digest, fresh_key
from api.service import SERVICE, Caller, Service
from api.sse import STREAMS
from api.tape_views import iso
from api.wire import CALLER, Route
from eventstore import events as e
from eventstore import key as decide
from eventstore.errors import Invalid, NotAllowed, NotFound
from eventstore.key import Scope
from eventstore.store import EventStore, Lane
from eventstore.transact import Repository
from projections import keys as view

NO_STORE = {"Cache-Control": "no-store"}
_Project = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to be made: its name for people, what it opens, and whose tasks; without a project: the caller's own."""

    name: Annotated[str, Meta(max_length=100)] = ""
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=3)] = ("read", "control")
    project: _Project | None = None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key without itself. When it was used last is not kept: the tape says what was done with it, by its id."""

    id: str
    name: str
    project: str
    scopes: Sequence[str]
    created_at: str
    revoked_at: str | None


class MadeKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key, here for the only time."""

    id: str
    key: str
    name: str
    project: str
    scopes: Sequence[str]


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """Keys, the oldest first. That of TAPEWRIGHT_API_KEY is not among them: it is not on the tape."""

    keys: Sequence[KeyView]


class Ring:
    """The keys as they are written. `revoking` is held while one goes, so that two last ones do not go at once."""

    def __init__(self, store: EventStore) -> None:
        self._keys = Repository(store, decide.Key(), decide.evolve)
        self.revoking = asyncio.Lock()

    async def make(self, asked: NewKey, project: str, *, actor: str) -> tuple[MadeKey, int]:
        """A new key, and the position from which on it is good. Raises what `EventStore.append` raises."""
        key_id, key = control.fresh_id(), fresh_key()
        scopes = tuple(scope for scope in decide.SCOPES if scope in asked.scopes)
        created = e.KeyCreated(digest=digest(key), project=project, name=asked.name, scopes=scopes)
        done = await self._keys.transact(
            view.STREAM + key_id, partial(decide.create, created=created), actor=actor, lane=Lane.CONTROL
        )
        return MadeKey(id=key_id, key=key, name=asked.name, project=project, scopes=scopes), done.position

    async def revoke(self, key_id: str, *, actor: str) -> int:
        """The position from which on the key is good no more. Raises NotFound, and what `EventStore.append` raises."""
        done = await self._keys.transact(view.STREAM + key_id, decide.revoke, actor=actor, lane=Lane.CONTROL)
        return done.position


KEYS = web.AppKey("keys", Ring)


async def make_key(request: web.Request) -> web.Response:
    """Make a key. The answer alone shows it; the tape keeps its digest."""
    service, caller = request.app[SERVICE], request[CALLER]
    asked = await wire.body(request, NewKey)
    project = asked.project or caller.project
    if project != caller.project and caller.project != OPERATORS:
        raise Invalid("Only the project default makes keys for others.", field=("body", "project"))
    made, position = await request.app[KEYS].make(asked, project, actor=caller.actor)
    await control.seen(service, position)
    return wire.reply(made, status=201, headers=NO_STORE)


async def list_keys(request: web.Request) -> web.Response:
    """The keys of the caller's project; for the project `default` those of all projects."""
    service, caller = request.app[SERVICE], request[CALLER]
    found = service.projector.keys.every(None if caller.project == OPERATORS else caller.project)
    return wire.reply(KeyList(keys=[shown(key) for key in found]))


async def revoke_key(request: web.Request) -> web.Response:
    """Revoke a key: from the answer on it opens nothing, and its streams end. Tasks that it started go on."""
    service, caller, ring = request.app[SERVICE], request[CALLER], request.app[KEYS]
    async with ring.revoking:
        key = _mine(service, caller, request.match_info["key_id"])
        if _is_last(service, key):
            raise NotAllowed("This is the last admin key of the project default; make another one first.")
        await control.seen(service, await ring.revoke(key.id, actor=caller.actor))
    request.app[STREAMS].wake()
    return wire.reply(shown(_mine(service, caller, key.id)))


def shown(key: view.Key) -> KeyView:
    """A key as the API tells it."""
    return KeyView(
        id=key.id,
        name=key.name,
        project=key.project,
        scopes=key.scopes,
        created_at=iso(key.created_at),
        revoked_at=None if key.revoked_at is None else iso(key.revoked_at),
    )


def _mine(service: Service, caller: Caller, key_id: str) -> view.Key:
    """Raises NotFound: what belongs to another project does not exist."""
    key = service.projector.keys.find(key_id.lower())
    if key is None or caller.project not in (key.project, OPERATORS):
        raise NotFound("Key not found")
    return key


def _is_last(service: Service, key: view.Key) -> bool:
    """Whether nobody could see to all projects without it."""
    if service.settings.api_key is not None:
        return False
    left = [each for each in service.projector.keys.every(OPERATORS) if each.revoked_at is None]
    return [key.id] == [each.id for each in left if "admin" in each.opens]


_route = partial(Route, family="tape", scope="admin")

ROUTES: tuple[Route, ...] = (
    _route(
        method="POST",
        path="/api/tape/keys",
        handler=make_key,
        summary="Make an API key",
        body=NewKey,
        reply=MadeKey,
        status=201,
        errors=(413, 503),
    ),
    _route(method="GET", path="/api/tape/keys", handler=list_keys, summary="List the API keys", reply=KeyList),
    _route(
        method="DELETE",
        path="/api/tape/keys/{key_id}",
        handler=revoke_key,
        summary="Revoke an API key",
        reply=KeyView,
        errors=(404, 409, 503),
        paths={"key_id": "The key's id, as listed."},
    ),
)
